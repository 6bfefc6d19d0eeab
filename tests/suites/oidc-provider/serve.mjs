// A real OpenID provider with one client, the hub. Who signs in is whoever the form of its login page names, and
// the claims of the second factor are what the test says there.
import { createInterface } from "node:readline";
import Provider from "oidc-provider";

const lines = createInterface({ input: process.stdin });
const given = JSON.parse(await new Promise((resolve) => lines.once("line", resolve)));
// Whoever started this one has gone, or wants it to end.
lines.on("close", () => process.exit(0));
const provider = new Provider(given.issuer, {
  clients: [
    {
      client_id: given.client_id,
      client_secret: given.client_secret,
      redirect_uris: [given.redirect_uri],
      response_types: ["code"],
      grant_types: ["authorization_code"],
      require_auth_time: true,
    },
  ],
  claims: { openid: ["sub", "acr", "amr", "auth_time"] },
  conformIdTokenClaims: false,
  features: { devInteractions: { enabled: false } },
  findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
  pkce: { required: () => true },
  cookies: { keys: ["only for this test"] },
});

provider.use(async (context, next) => {
  if (!context.path.startsWith("/interaction/")) return next();
  const { prompt, params, session } = await provider.interactionDetails(context.req, context.res);
  if (prompt.name === "login") {
    const login = { accountId: context.query.account ?? "ada", amr: (context.query.amr ?? "pwd mfa").split(" ") };
    return provider.interactionFinished(context.req, context.res, { login });
  }
  const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope("openid");
  grant.addOIDCClaims(["acr", "amr", "auth_time"]);
  return provider.interactionFinished(context.req, context.res, { consent: { grantId: await grant.save() } });
});

provider.listen(given.port, "127.0.0.1", () => process.stdout.write("ready\n"));
