"use strict";
// Everything works without this file: it lets one look at a typed password, and brings errors into view.
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
})();
