"use strict";
// The access token lives in this closure alone: never in storage, in the address or in a tab's headers.
(() => {
  // Dialogs of GraphiQL add a style sheet: with the nonce of this page the browser lets them.
  window.__webpack_nonce__ = document.currentScript.nonce;

  let token = "";
  const root = ReactDOM.createRoot(document.getElementById("graphiql"));
  const defaultTabs = [...document.querySelectorAll("template.example")].map((example) => ({
    query: example.content.textContent.trim() + "\n",
  }));

  const authorization = () => (token ? { Authorization: `Bearer ${token}` } : {});

  function show() {
    const socket = new URL("/graphql", location.href);
    socket.protocol = socket.protocol === "https:" ? "wss:" : "ws:";
    const fetcher = GraphiQL.createFetcher({
      url: "/graphql",
      subscriptionUrl: socket.href,
      wsConnectionParams: authorization(),
      fetch: (address, options) =>
        fetch(address, { ...options, headers: { ...options.headers, ...authorization() }, credentials: "omit" }),
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

  document.getElementById("identify").addEventListener("submit", (event) => {
    event.preventDefault();
    token = document.getElementById("token").value.trim().replace(/^Bearer\s+/i, "");
    document.getElementById("identity").value = token ? "With token" : "Public";
    show();
  });

  show();
})();
