// Asks for the run so far every two seconds, and shows it.
"use strict";

(() => {
  const EVERY = 2000;
  const get = (id) => document.getElementById(id);
  const charts = new Charts(get("charts"), get("legend"));
  const frame = window.frameElement;
  let mark = "";
  let points = new Map();
  let told = {}; // what only a whole view says

  // --- the theme: the reader's, or that of the page around ---------------------------------------

  const prefers = matchMedia("(prefers-color-scheme: dark)");
  function theme() {
    let dark = prefers.matches;
    if (frame) {
      document.documentElement.dataset.embedded = "";
      const colour = parent.getComputedStyle(parent.document.body).backgroundColor.match(/[\d.]+/g);
      if (colour && (colour.length < 4 || Number(colour[3]) > 0)) {
        const [r, g, b] = colour.map(Number);
        dark = 0.2126 * r + 0.7152 * g + 0.0722 * b < 128;
      }
    }
    document.documentElement.dataset.theme = dark ? "dark" : "light";
  }

  // --- words -----------------------------------------------------------------------------------

  function element(name, text, kind) {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (kind) made.className = kind;
    return made;
  }

  function name(text) { return element("bdi", plain(text)); }

  function cell(value, kind) { return element("td", value, kind); }

  // A percentile, or how many samples there are of those that it needs.
  function percentile(times, which, kind) {
    if (times[which] !== null) return cell(number(times[which]), kind);
    const made = cell("", kind);
    made.append(element("small", `${number(times.count)} of ${told.needs[which]}`));
    made.title = `${which} is withheld: it needs ${told.needs[which]} samples`;
    return made;
  }

  function row(model) {
    const made = element("tr");
    const head = element("th");
    head.scope = "row";
    head.append(name(model.model));
    const good = model.goodput;
    made.append(
      head,
      cell(number(model.requests), "edge"),
      cell(number(model.failed), model.failed ? "bad" : ""),
      cell(number(model.in_flight)),
      cell(number(model.tokens_per_second), "edge"),
      ...["ttft_ms", "itl_ms", "e2e_ms"].flatMap((metric) => ["p50", "p95", "p99"].map(
        (which, index) => percentile(model[metric], which, index ? "" : "edge"),
      )),
      cell(good && good.attainment !== null ? `${(100 * good.attainment).toFixed(1)} %` : "–", "edge"),
    );
    return made;
  }

  function failures(models) {
    const rows = models.flatMap((model) => Object.entries(model.failures).map(([kind, count]) => {
      const made = element("tr");
      const head = element("th");
      head.scope = "row";
      head.append(name(model.model));
      const first = element("td");
      first.append(name(model.examples[kind] || ""));
      made.append(head, element("td", plain(kind)), cell(number(count)), first);
      return made;
    }));
    get("failing").hidden = !rows.length;
    get("failures").tBodies[0].replaceChildren(...rows);
  }

  function verdict(view) {
    const { verdict: said, error_bar_ms: error, clock: stamps, cpu, late_seconds: late } = view.validity;
    const head = get("verdict");
    const valid = said === "VALID";
    head.className = valid ? "good" : "bad";
    const bar = error === null ? "error bar unknown" : `stamps ±${number(error)} ms${stamps ? ` (${stamps})` : ""}`;
    const used = Object.values(cpu).map((share) => `${Math.round(100 * share)} %`).join(", ");
    head.replaceChildren(
      element("b", `${valid ? "✓" : "✗"} ${said}`),
      document.createTextNode(view.over ? " " : " so far "),
      element("span", `${bar} · CPU ${used || "–"} of a core · late in ${number(late)} s`),
    );
    get("reasons").replaceChildren(...view.validity.reasons.map((reason) => {
      const made = element("li");
      made.append(element("b", `${reason.rule}: `), `${plain(reason.what)}; it spoils ${reason.spoils}`);
      return made;
    }));
    get("targets").replaceChildren(...view.slo.map((target) => {
      const made = element("li", undefined, target.verdict);
      const icon = { held: "✓", broken: "✗" }[target.verdict] || "?";
      made.append(element("b", `${icon} ${target.verdict} `), name(target.target), " ", name(target.model));
      if (target.why) made.append(" ", element("small", plain(target.why)));
      return made;
    }));
  }

  function kick(view) {
    const parts = [
      told.target, `run ${view.run}`, view.over ? "over" : view.state,
      view.at && view.started ? clock(view.at - view.started) : "begins",
      `${number(view.users)} users`, view.workers === 1 ? "1 process" : `${view.workers} processes`,
      `${number(view.in_flight)} in flight`, ...view.dead.map((each) => `lost: ${each}`),
    ];
    get("kick").replaceChildren(...parts.map((text) => {
      const made = element("span");
      made.append(name(text));
      return made;
    }));
  }

  function files(over) {
    const found = [["load.html", "Report (HTML)"], ["load.json", "Results (JSON)"], ["load.csv", "Per second (CSV)"]];
    const shown = over ? found.map(([href, text]) => {
      const made = element("a", text);
      made.href = href;
      made.download = "";
      return made;
    }) : [element("span", "The report can be downloaded here when the run has ended.")];
    get("files").replaceChildren(...shown);
    if (frame) {
      const own = element("a", "Open in a window of its own");
      own.href = ".";
      own.target = "_blank";
      get("files").append(own);
    }
  }

  function spoilt(list, started) {
    const found = list.filter((point) => point.reasons.length);
    const box = get("spoilt");
    box.hidden = !found.length;
    box.firstElementChild.textContent = `INVALID windows: ${found.length} of ${list.length}`;
    box.lastElementChild.replaceChildren(...found.slice(-50).map((point) => element(
      "li", `${clock(point.start - started)} – ${clock(point.start + point.seconds - started)}: ${point.reasons.map(plain).join("; ")}`,
    )));
  }

  function say(text, kind = "") {
    get("verdict").className = kind;
    get("verdict").textContent = text;
  }

  function show(view) {
    if (view.problem) say(`✗ The run could not begin: ${plain(view.problem)}`, "bad");
    if (!view.run || !view.models) {
      mark = "";
      if (!view.problem) say(view.run ? "The run begins …" : "No run yet: start one in Locust's page");
      for (const id of ["kick", "reasons", "targets", "files"]) get(id).replaceChildren();
      get("figures").hidden = true;
      return;
    }
    if (view.whole) {
      points = new Map();
      told = view;
    }
    mark = view.mark;
    for (const point of view.points) points.set(point.start, point);
    const list = [...points.values()].sort((a, b) => a.start - b.start);
    kick(view);
    verdict(view);
    files(view.over);
    get("figures").hidden = false;
    const window_ = view.window.seconds ? `, rates over ${number(view.window.seconds)} s` : "";
    const since = view.reset_at ? ` since ${new Date(1000 * view.reset_at).toLocaleTimeString()}, when it was reset; the report is of the whole run` : "";
    get("scope").textContent = (view.phase === "steady" ? "the steady phase" : "the opening, until all users have had an answer") + window_ + since;
    get("models").tBodies[0].replaceChildren(...view.models.map(row));
    get("notes").textContent = `A failure is no sample of a latency. “12 of 130”: so many samples, of those that the percentile needs.`
      + (told.goodput.length ? ` Good: ${told.goodput.map(plain).join(", ")}.` : " Good: no --goodput says what that is.");
    failures(view.models);
    get("length").textContent = `windows of ${view.window_s} s; a percentile reaches back as far as it needs samples, at most 2 minutes`;
    charts.show(view.models.map((model) => model.model), list, { started: view.started, whole_until: view.whole_until, over: view.over });
    spoilt(list, view.started);
    get("definitions").replaceChildren(...Object.entries(told.definitions).flatMap(
      ([metric, text]) => [element("dt", metric.toUpperCase()), element("dd", text)],
    ));
  }

  async function look() {
    if (document.hidden || (frame && frame.style.display === "none")) {
      setTimeout(look, EVERY / 4);
      return;
    }
    theme();
    let answer = null;
    try {
      answer = await fetch(`live.json?since=${encodeURIComponent(mark)}`, { cache: "no-store" });
    } catch {
      say("✗ Locust does not answer; asking again", "bad");
    }
    try {
      const kind = answer ? answer.headers.get("content-type") || "" : "";
      if (kind.startsWith("application/json")) show(await answer.json());
      else if (answer) say("✗ Log in to Locust again to see the run", "bad");
    } finally {
      setTimeout(look, EVERY);
    }
  }

  theme();
  prefers.addEventListener("change", theme);
  look();
})();
