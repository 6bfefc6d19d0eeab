"use strict";
// Warns before a session ends for idleness, and leaves the page when it has ended: what is on the screen must not look
// like an answer to its person. A page that asks the hub by script tells the dialog what it learns: "seen" or "ended".
(() => {
  const dialog = document.getElementById("stay");
  if (!dialog) return;
  const WARN_S = 120;
  const { idleS, csrf } = dialog.dataset;
  let warning, ending;

  function wait() {
    clearTimeout(warning);
    clearTimeout(ending);
    warning = setTimeout(() => dialog.showModal(), (idleS - WARN_S) * 1000);
    ending = setTimeout(leave, idleS * 1000);
  }

  function leave() {
    const here = encodeURIComponent(location.pathname + location.search);
    location.assign(`/sign-in?ended&next=${here}`);
  }

  dialog.addEventListener("seen", wait);
  dialog.addEventListener("ended", leave);
  dialog.addEventListener("close", async () => {
    const answer = await fetch("/account/stay", { method: "POST", headers: { "X-Hub-CSRF": csrf } });
    if (answer.ok) wait();
    else leave();
  });
  wait();
})();
