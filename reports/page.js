"use strict";
// Adds what paper and a page without scripts can do without: buttons that copy a command.
(() => {
  for (const pre of document.querySelectorAll(".cc [data-copy]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.setAttribute("aria-label", "Copy the command");
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(pre.textContent);
        button.textContent = "Copied";
      } catch {
        // A page opened from a file may not reach the clipboard: leave the command selected.
        getSelection().selectAllChildren(pre);
        button.textContent = "Selected";
      }
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
    const frame = document.createElement("div");
    frame.className = "cmdbox";
    pre.replaceWith(frame);
    frame.append(pre, button);
  }
  // Browsers that cannot print what is closed are given it open.
  addEventListener("beforeprint", () => {
    for (const closed of document.querySelectorAll(".cc details:not([open])")) closed.open = true;
  });
})();
