"use strict";
// Filters of the matrix. Their state is the fragment, "#level=MUST&differ=1": a link shows what its
// sender saw, and the back button undoes a filter. A fragment without "=" names a clause.
(() => {
  const form = document.querySelector(".cc .filters");
  const lines = [...document.querySelectorAll(".cc .line")].map((node) => ({
    node,
    chapter: node.dataset.chapter,
    level: node.dataset.level,
    verdicts: node.dataset.verdicts.trim().split(" "),
    differ: node.parentElement.dataset.kind === "differ",
    text: node.textContent.toLowerCase(),
  }));
  const groups = [...document.querySelectorAll(".cc .group")];
  const letters = [...form.elements.on.options].map((option) => option.value).slice(1);
  const fields = ["chapter", "level", "verdict", "on", "q"];

  const wanted = () => {
    const given = new URLSearchParams();
    for (const name of fields) {
      const value = form.elements[name].value.trim();
      if (value) given.set(name, value);
    }
    if (form.elements.differ.checked) given.set("differ", "1");
    return given;
  };

  const show = () => {
    const { chapter, level, verdict, on, q } = Object.fromEntries(
      fields.map((name) => [name, form.elements[name].value.trim()]),
    );
    const parts = q.toLowerCase().split(/\s+/).filter(Boolean);
    const column = letters.indexOf(on);
    // A target without a verdict: the clauses on which it stands apart are asked for by "differ".
    const fits = (line) =>
      (!chapter || line.chapter === chapter) &&
      (!level || line.level === level) &&
      (!verdict || (column < 0 ? line.verdicts.includes(verdict) : line.verdicts[column] === verdict)) &&
      (column < 0 || verdict || line.verdicts[column] !== "-") &&
      (!form.elements.differ.checked || line.differ) &&
      parts.every((part) => line.text.includes(part));
    let shown = 0;
    for (const line of lines) {
      line.node.hidden = !fits(line);
      shown += !line.node.hidden;
    }
    for (const group of groups) {
      const left = group.querySelectorAll(".line:not([hidden])").length;
      const count = group.querySelector("[data-of]");
      const of = Number(count.dataset.of);
      count.textContent = left === of ? `${of}` : `${left} of ${of}`;
      group.hidden = !left;
    }
    form.querySelector("output").textContent =
      `${shown} of ${lines.length} ${lines.length === 1 ? "clause" : "clauses"} shown`;
  };

  const read = () => {
    const hash = location.hash.slice(1);
    const given = new URLSearchParams(hash.includes("=") ? hash : "");
    const named = !hash.includes("=") && hash ? document.getElementById(hash) : null;
    if (!named || named.hidden || !hash) {
      for (const name of fields) form.elements[name].value = given.get(name) ?? "";
      form.elements.differ.checked = given.get("differ") === "1";
      // A value that no option has (a chapter of another version) filters nothing.
      for (const each of form.querySelectorAll("select")) if (each.selectedIndex < 0) each.value = "";
      show();
    }
    if (named?.matches(".line")) {
      named.open = true;
      named.scrollIntoView({ block: "center" });
    }
  };

  const write = (replace) => {
    const made = wanted().toString();
    const address = made ? `#${made}` : location.pathname + location.search;
    if (location.hash.slice(1) !== made) history[replace ? "replaceState" : "pushState"](null, "", address);
    show();
  };

  form.addEventListener("change", (event) => write(event.target.name === "q"));
  form.addEventListener("input", (event) => { if (event.target.name === "q") write(true); });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => write(false)));
  form.elements.open.addEventListener("click", () => {
    const closed = lines.filter((line) => !line.node.hidden && !line.node.open);
    const all = lines.filter((line) => !line.node.hidden);
    for (const line of all) line.node.open = closed.length > 0;
    form.elements.open.textContent = closed.length > 0 ? "Close all" : "Open all";
  });
  addEventListener("popstate", read);
  addEventListener("hashchange", read);
  form.hidden = false;
  read();
})();
