"use strict";
// The filters of a table (`filters.py`). What they ask for stands in the address,
// "#level=MUST&verdict=FAIL": a link shows what its sender saw, and the back button undoes a filter.
// A fragment without "=" names a place.
(() => {
  const form = document.querySelector(".cc .filters");
  if (!form) return;
  const { chapter, level, on, q, differ, open } = form.elements;
  const state = form.querySelector("[data-state]");
  const fields = [...form.elements].filter(({ name, type }) => name && type !== "button");

  const chapters = Object.fromEntries([...chapter.options].map(({ value, text }) => [value, text]));
  const rows = [...document.querySelectorAll(".cc [data-states]")].map((node) => {
    const id = node.querySelector(".id").textContent;
    const prefix = id.replace(/-[^-]*$/, "");
    return {
      node,
      id,
      chapter: prefix,
      level: node.dataset.level,
      differs: "differs" in node.dataset,
      text: `${node.textContent} ${chapters[prefix] ?? ""}`.toLowerCase(),
      states: new Map(node.dataset.states.split(" ").filter(Boolean).flatMap((each) => {
        const [name, columns] = each.split(":");
        return columns.split(",").map((column) => [Number(column), name]);
      })),
    };
  });
  const groups = [...document.querySelectorAll(".cc [data-group]")].map((node) => ({
    node,
    rows: rows.filter((row) => node.contains(row.node)),
    count: node.querySelector("[data-count]"),
  }));
  const clauses = (some) => new Set(some.map(({ id }) => id)).size;
  const shown = (some) => some.filter(({ node }) => !node.hidden);

  const asked = () => new URLSearchParams(fields
    .map((field) => [field.name, field.type === "checkbox" ? (field.checked ? "1" : "") : field.value.trim()])
    .filter(([, value]) => value));

  let narrowed = false;
  const show = () => {
    const column = on ? on.selectedIndex - 1 : -1;
    const sought = q.value.toLowerCase().split(/\s+/).filter(Boolean);
    const stands = (states) => {
      if (column < 0) return !state.value || [...states.values()].includes(state.value);
      const its = states.get(column);
      return state.value ? its === state.value : its !== undefined && its !== "-";
    };
    for (const row of rows) {
      row.node.hidden = !((!chapter.value || row.chapter === chapter.value)
        && (!level.value || row.level === level.value)
        && (!differ?.checked || row.differs)
        && stands(row.states)
        && sought.every((word) => row.text.includes(word)));
    }
    const narrow = asked().size > 0;
    for (const { node, rows: its, count } of groups) {
      const left = shown(its);
      node.hidden = !left.length;
      if (node.tagName === "DETAILS" && (narrow || narrowed)) node.open = narrow;
      const [some, all] = [clauses(left), clauses(its)];
      if (count) count.textContent = some === all ? `${all}` : `${some} of ${all}`;
    }
    narrowed = narrow;
    form.toggleAttribute("data-narrow", narrow);
    form.querySelector("[type=reset]").hidden = !narrow;
    const all = clauses(rows);
    form.querySelector("output").textContent =
      `${narrow ? `${clauses(shown(rows))} of ` : ""}${all} ${all === 1 ? "clause" : "clauses"}`;
  };

  const fill = (given) => {
    for (const field of fields) {
      const value = given.get(field.name) ?? "";
      if (field.type === "checkbox") field.checked = value === "1";
      else field.value = value;
      if (field.selectedIndex === -1) field.value = ""; // no such choice here: it filters nothing
    }
  };

  const read = () => {
    const hash = location.hash.slice(1);
    const asks = hash.includes("=");
    const place = asks ? null : document.getElementById(hash);
    if (place && !place.closest("[hidden]")) return; // it can be seen as it is
    fill(new URLSearchParams(asks ? hash : ""));
    show();
    if (asks) form.scrollIntoView();
  };

  const write = (replace) => {
    const made = asked().toString();
    const address = made ? `#${made}` : location.pathname + location.search;
    if (location.hash.slice(1) !== made) history[replace ? "replaceState" : "pushState"](null, "", address);
    show();
  };

  form.addEventListener("change", ({ target }) => write(target === q));
  form.addEventListener("input", ({ target }) => { if (target === q) write(true); });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", (event) => {
    event.preventDefault();
    fill(new URLSearchParams());
    write(false);
  });
  open?.addEventListener("click", () => {
    const all = shown(rows).map(({ node }) => node);
    const some = all.some((node) => !node.open);
    for (const node of all) node.open = some;
    open.textContent = some ? "Close all" : "Open all";
  });

  // Without scripts these lead to a place that tells of some of it.
  for (const link of document.querySelectorAll(".cc [data-asks]")) {
    link.href = `#${link.dataset.asks}`;
    link.addEventListener("click", () => { if (link.hash === location.hash) read(); });
  }

  addEventListener("popstate", read);
  addEventListener("hashchange", read);
  form.hidden = false;
  show();
  read();
})();
