// One client's whole conversation with the hub by oauth4webapi, which refuses whatever is not as the standards say.
// In: {issuer, client_id, jwk, alg, scope, dpop, resource}. Out: what each step gave.
import * as oauth from 'oauth4webapi'

const given = JSON.parse(await new Promise((resolve) => {
  let text = ''
  process.stdin.on('data', (chunk) => (text += chunk)).on('end', () => resolve(text))
}))
const algorithms = {
  ES256: { name: 'ECDSA', namedCurve: 'P-256' },
  PS256: { name: 'RSA-PSS', hash: 'SHA-256' },
  Ed25519: { name: 'Ed25519' },
}
const insecure = { [oauth.allowInsecureRequests]: true } // The test's hub is on loopback, without TLS.
const { kid, use, alg, key_ops, ...members } = given.jwk
const key = await crypto.subtle.importKey('jwk', members, algorithms[given.alg], false, ['sign'])
const client = { client_id: given.client_id }
const authentication = () => oauth.PrivateKeyJwt({ key, kid })
const proofs = given.dpop ? oauth.DPoP(client, await oauth.generateKeyPair(given.alg)) : undefined
const told = { nonces_asked_for: [] }

// As its documentation has it: once more when the server asks for a nonce, which the handle has kept.
async function withNonce(step, ask) {
  try {
    return await ask()
  } catch (error) {
    if (!proofs || !oauth.isDPoPNonceError(error)) throw error
    told.nonces_asked_for.push(step)
    return await ask()
  }
}

const issuer = new URL(given.issuer)
const server = await oauth.processDiscoveryResponse(
  issuer,
  await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure }),
)

const token = await withNonce('token', async () =>
  oauth.processClientCredentialsResponse(
    server,
    client,
    await oauth.clientCredentialsGrantRequest(
      server, client, authentication(), new URLSearchParams({ scope: given.scope }), { DPoP: proofs, ...insecure },
    ),
  ))
told.token = { token_type: token.token_type, scope: token.scope, expires_in: token.expires_in }

const resource = async () => {
  const answer = await oauth.protectedResourceRequest(
    token.access_token,
    'POST',
    new URL(given.resource),
    new Headers({ 'content-type': 'application/json' }),
    JSON.stringify({ query: '{ me { partner { slug } } }' }),
    { DPoP: proofs, ...insecure },
  )
  return { status: answer.status, body: await answer.json() }
}
told.resource = await withNonce('resource', resource)

// As another resource server would check the token: by metadata and key set alone.
const request = new Request(given.resource, { headers: { authorization: `${token.token_type} ${token.access_token}` } })
if (proofs) {
  const sent = []
  await oauth.protectedResourceRequest(token.access_token, 'GET', new URL(given.resource), undefined, null, {
    DPoP: proofs,
    ...insecure,
    [oauth.customFetch]: async (_url, options) => {
      sent.push(options.headers.get?.('dpop') ?? options.headers.dpop)
      return new Response()
    },
  })
  request.headers.set('dpop', sent[0])
}
told.validated = await oauth.validateJwtAccessToken(server, request, given.issuer, { requireDPoP: Boolean(proofs), ...insecure })

const introspect = async () =>
  oauth.processIntrospectionResponse(
    server, client, await oauth.introspectionRequest(server, client, authentication(), token.access_token, insecure),
  )
told.introspected = await introspect()
await oauth.processRevocationResponse(
  await oauth.revocationRequest(server, client, authentication(), token.access_token, insecure),
)
told.introspected_after = await introspect()
try {
  told.resource_after = await withNonce('resource', resource)
} catch (error) {
  told.resource_after = { status: error.status, challenges: error.cause }
}
process.stdout.write(JSON.stringify(told))
