// Puts the live view into Locust's tab "Models": Locust draws the tab, and leaves its panel to us.
"use strict";
(() => {
  const TITLE = "Models";
  let frame = null;

  function selected(list) {
    const tabs = list ? [...list.querySelectorAll('[role="tab"]')] : [];
    const tab = tabs.find((each) => each.textContent.trim() === TITLE);
    return tab !== undefined && tab.getAttribute("aria-selected") === "true";
  }

  function made() {
    const found = document.createElement("iframe");
    found.title = "Load per model, live";
    found.src = "./chat/";
    found.style.cssText = "border:0;width:100%;height:70vh;display:block;color-scheme:normal";
    found.addEventListener("load", () => {
      const body = found.contentDocument && found.contentDocument.body;
      if (!body) return;
      const grow = () => { if (body.offsetHeight) found.style.height = `${body.offsetHeight + 8}px`; };
      new ResizeObserver(grow).observe(body);
      grow();
    });
    return found;
  }

  function place() {
    const list = document.querySelector('[role="tablist"]');
    if (!selected(list)) {
      if (frame !== null) frame.style.display = "none";
      return;
    }
    const home = list.closest(".MuiContainer-root") || list.parentElement;
    if (frame === null || !home.contains(frame)) {
      if (frame !== null) frame.remove();
      frame = made();
      home.append(frame);
    }
    if (frame.style.display !== "block") frame.style.display = "block";
  }

  new MutationObserver(place).observe(document.body, {
    childList: true, subtree: true, attributes: true, attributeFilter: ["aria-selected"],
  });
  place();
})();
