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

  const session = document.getElementById("stay");
  const authorization = () => (token ? { Authorization: `Bearer ${token}` } : {});
  const proof = () => (session ? { "X-Hub-CSRF": session.dataset.csrf } : authorization());

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
          credentials: session ? "same-origin" : "omit",
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

  // Each answer tells stay.js whether the session still holds.
  function noticed(answer) {
    if (answer.status === 401) session?.dispatchEvent(new Event("ended"));
    else if (answer.ok) session?.dispatchEvent(new Event("seen"));
    return answer;
  }

  document.getElementById("identify")?.addEventListener("submit", (event) => {
    event.preventDefault();
    token = document.getElementById("token").value.trim().replace(/^Bearer\s+/i, "");
    document.getElementById("identity").value = token ? "With token" : "Public";
    show();
  });

  show();
})();
