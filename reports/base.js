"use strict";
// Adds what paper and a page without scripts can do without: buttons that copy a command, a filter
// over the table of clauses that the address remembers, the exchanges that are only in the embedded
// results, and these as a file again.
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
    if (target.closest("[hidden]")) clear(); // the filter is in the way
    for (let at = target; at !== page; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    target.scrollIntoView();
  };
  // Browsers that cannot print what is closed are given it open.
  addEventListener("beforeprint", () => {
    for (const closed of page.querySelectorAll("details:not([open])")) closed.open = true;
  });

  // --- the filter ---------------------------------------------------------------------------
  // The address keeps it as #clauses&level=MUST&verdict=fail&text=usage.
  const table = page.querySelector(".table");
  const rows = table ? [...table.querySelectorAll("[data-level]")].map((row) => ({
    row,
    level: row.dataset.level,
    verdicts: row.dataset.verdicts.split(" ").includes("not") ? ["not run"] : row.dataset.verdicts.trim().split(" "),
    text: `${row.textContent} ${row.closest("details").querySelector("h3").textContent}`.toLowerCase(),
  })) : [];
  const choice = (label, name, values) => {
    const select = element("select", { name }, element("option", { value: "", textContent: "any" }));
    for (const value of values) select.append(element("option", { value, textContent: value }));
    return [select, element("label", {}, label, select)];
  };
  const met = new Set(rows.flatMap(({ verdicts }) => verdicts));
  const words = ["fail", "error", "open", "blocked", "warn", "held", "observed", "n/a", "not run"];
  const [level, levels] = choice("Level", "level", ["MUST", "SHOULD", "MAY", "INFO"]);
  const [verdict, verdicts] = choice("Verdict", "verdict", words.filter((word) => met.has(word)));
  const text = element("input", { type: "search", name: "text", size: 24, autocomplete: "off" });
  const told = element("output");
  const reset = element("button", { type: "button", textContent: "Show all" });
  const fields = { level, verdict, text };
  const given = () => Object.entries(fields).filter(([, field]) => field.value);

  const apply = () => {
    const sought = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const { row, level: its, verdicts: got, text: said } of rows) {
      const fits = (!level.value || its === level.value)
        && (!verdict.value || got.includes(verdict.value))
        && sought.every((word) => said.includes(word));
      row.hidden = !fits;
      shown += fits;
    }
    const narrow = given().length > 0;
    for (const chapter of table.querySelectorAll("details")) {
      const left = chapter.querySelectorAll("[data-level]:not([hidden])").length;
      chapter.hidden = narrow && !left;
      chapter.open = narrow && left > 0;
    }
    told.textContent = narrow ? `${shown} of ${rows.length} clauses` : "";
    reset.hidden = !narrow;
  };
  const clear = () => {
    for (const field of Object.values(fields)) field.value = "";
    apply();
  };
  const remember = () => {
    apply();
    const asked = new URLSearchParams(given().map(([name, field]) => [name, field.value]));
    history.replaceState(null, "", asked.size ? `#clauses&${asked}` : "#clauses");
  };
  const recall = () => {
    if (!location.hash.startsWith("#clauses&")) return reveal();
    const asked = new URLSearchParams(location.hash.slice("#clauses&".length));
    for (const [name, field] of Object.entries(fields)) {
      field.value = asked.get(name) ?? "";
      if (field.selectedIndex === -1) field.value = ""; // no such choice here
    }
    apply();
    document.getElementById("clauses").scrollIntoView();
  };

  if (rows.length) {
    reset.addEventListener("click", () => { clear(); remember(); });
    const bar = element("div", { className: "filter" }, levels, verdicts, element("label", {}, "Text", text), reset, told);
    bar.setAttribute("role", "search");
    bar.setAttribute("aria-label", "Filter the clauses");
    bar.addEventListener("input", remember);
    table.before(bar);
    reset.hidden = true;
  }
  addEventListener("hashchange", recall);
  recall();

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
