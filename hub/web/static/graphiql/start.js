"use strict";
// Who is signed in is known by a cookie that no script can read; each request proves with a token of the session
// that this page made it. An access token, for those who are not signed in, lives in this closure alone: never in
// storage, in the address or in a tab's headers.
(() => {
  // Dialogs of GraphiQL add a style sheet: with the nonce of this page the browser lets them.
  window.__webpack_nonce__ = document.currentScript.nonce;

  let token = "";
  const root = ReactDOM.createRoot(document.getElementById("graphiql"));
  const defaultTabs = [...document.querySelectorAll("template.example")].map((example) => ({
    query: example.content.textContent.trim() + "\n",
  }));

  const who = document.getElementById("who");
  const authorization = () => (token ? { Authorization: `Bearer ${token}` } : {});
  const proof = () => (who ? { "X-Hub-CSRF": who.dataset.csrf } : authorization());

  function show() {
    const socket = new URL("/graphql", location.href);
    socket.protocol = socket.protocol === "https:" ? "wss:" : "ws:";
    const fetcher = GraphiQL.createFetcher({
      url: "/graphql",
      subscriptionUrl: socket.href,
      wsConnectionParams: authorization(),
      fetch: (address, options) =>
        fetch(address, {
          ...options,
          headers: { ...options.headers, ...proof(), "X-Hub-GraphiQL": "1" },
          credentials: who ? "same-origin" : "omit",
        }).then(noticed),
    });
    // Another audience sees another schema: on a new fetcher GraphiQL asks for it.
    root.render(
      React.createElement(GraphiQL, {
        fetcher,
        defaultTabs,
        isHeadersEditorEnabled: false,
        showPersistHeadersSettings: false,
      }),
    );
  }

  // A session that has ended elsewhere ends here: what is on the screen must not look like an answer to its person.
  function noticed(answer) {
    if (who && answer.status === 401) location.assign("/sign-in?ended&next=/graphiql");
    else if (who && answer.ok) stay();
    return answer;
  }

  const WARN_S = 120;
  let warning, ending;

  function stay() {
    const idleS = who.dataset.idleS;
    clearTimeout(warning);
    clearTimeout(ending);
    warning = setTimeout(() => document.getElementById("stay").showModal(), (idleS - WARN_S) * 1000);
    ending = setTimeout(() => location.assign("/sign-in?ended&next=/graphiql"), idleS * 1000);
  }

  if (who) {
    stay();
    document.getElementById("stay").addEventListener("close", () =>
      fetch("/account/stay", { method: "POST", headers: proof() }).then(noticed),
    );
  }

  document.getElementById("identify")?.addEventListener("submit", (event) => {
    event.preventDefault();
    token = document.getElementById("token").value.trim().replace(/^Bearer\s+/i, "");
    document.getElementById("identity").value = token ? "With token" : "Public";
    show();
  });

  show();
})();
