"use strict";
// Adds what paper and a page without scripts can do without: buttons that copy a command, what a link
// leads to unfolded, the exchanges that are only in the embedded results, and these as a file again.
(() => {
  const page = document.querySelector(".cc");
  const element = (name, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  };

  // --- copy ---------------------------------------------------------------------------------
  for (const pre of page.querySelectorAll("[data-copy]")) {
    const button = element("button", { type: "button", className: "copy", textContent: "Copy" });
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
    const frame = element("div", { className: "cmdbox" });
    pre.replaceWith(frame);
    frame.append(pre, button);
  }

  // --- what is closed -----------------------------------------------------------------------
  const anchor = () => {
    try {
      return decodeURIComponent(location.hash.slice(1));
    } catch {
      return ""; // no address of this page's
    }
  };
  const reveal = () => {
    const target = document.getElementById(anchor());
    if (!target || !page.contains(target)) return;
    for (let at = target; at !== page; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  reveal();
  // Browsers that cannot print what is closed are given it open.
  addEventListener("beforeprint", () => {
    for (const closed of page.querySelectorAll("details:not([open])")) closed.open = true;
  });

  // --- the results: as a file, and the exchanges for which the page had no room -------------
  const data = document.getElementById("results");
  const json = async () => {
    if (!data.type.startsWith("application/gzip")) return new Blob([data.textContent]);
    const octets = Uint8Array.from(atob(data.textContent), (character) => character.charCodeAt(0));
    const whole = new Blob([octets]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(whole).blob();
  };
  let read; // the results, once somebody has asked for them
  const results = () => (read ??= json().then((blob) => blob.text()).then(JSON.parse));
  const button = (label, className, act) => {
    const made = element("button", { type: "button", className, textContent: label });
    made.addEventListener("click", act);
    return made;
  };

  const hidden = /[\u0000-\u001f\u007f-\u009f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
  const visible = (said) => said.replace(hidden, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
  const spelled = ({ request, status, headers = [], transcript = [], curl = "", error }) => [
    `${request.method} ${request.url} -> ${[status, error].filter(Boolean).join(" ")}`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
    "",
    ...transcript.map(({ at_ms, text, mark }) => `${mark ? "▶" : " "} ${at_ms === null ? "" : `${at_ms.toFixed(1)} ms  `}${text}`),
    "",
    curl,
  ].map(visible).join("\n");
  for (const place of page.querySelectorAll("[data-entry]")) {
    place.append(button("Show", "save", async ({ target }) => {
      const { evidence } = (await results()).requirements[place.dataset.entry];
      target.remove();
      place.after(...evidence.exchanges.map((one) => element("pre", { className: "log", textContent: spelled(one), tabIndex: 0 })));
    }));
  }

  const save = page.querySelector("[data-save]");
  if (save) {
    save.append(button("Save results.json", "save", async () => {
      const link = element("a", { href: URL.createObjectURL(await json()), download: "results.json" });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    }));
  }
})();
