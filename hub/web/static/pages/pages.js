"use strict";
// Everything works without this file: it lets one look at a typed password, brings errors into view, and warns
// before a session ends for idleness.
(() => {
  document.getElementById("error")?.focus();

  for (const button of document.querySelectorAll("button[data-shows]")) {
    const input = document.getElementById(button.dataset.shows);
    const [show, hide] = [button.textContent, button.dataset.hide];
    const label = input.labels[0].textContent;
    button.hidden = false;
    button.addEventListener("click", () => {
      const shown = input.type === "text";
      input.type = shown ? "password" : "text";
      button.textContent = shown ? show : hide;
      button.setAttribute("aria-label", `${button.textContent}: ${label}`);
    });
  }

  const dialog = document.getElementById("stay");
  if (!dialog) return;
  const WARN_S = 120;
  const { idleS, csrf } = dialog.dataset;
  let warning, ending;

  function wait() {
    clearTimeout(warning);
    clearTimeout(ending);
    warning = setTimeout(() => dialog.showModal(), (idleS - WARN_S) * 1000);
    ending = setTimeout(() => location.assign("/sign-in?ended"), idleS * 1000);
  }

  dialog.addEventListener("close", async () => {
    const answer = await fetch("/account/stay", { method: "POST", headers: { "X-Hub-CSRF": csrf } });
    if (answer.ok) wait();
    else location.assign("/sign-in?ended");
  });
  wait();
})();
