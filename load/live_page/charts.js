// Draws a run's points over time, a line for each model: six small charts with one legend.
"use strict";

const COLOURS = {
  light: ["#0072b2", "#b34700", "#00735a", "#93407a", "#7a5c00", "#3f51b5", "#444a52"],
  dark: ["#6cb8f0", "#f59a57", "#4fd0a8", "#e29ac8", "#e3c44d", "#a9b4ff", "#c4cad3"],
};
const DASHES = [[], [7, 3], [2, 3], [9, 3, 2, 3]];

const WHOLE = [1, 2, 5].flatMap((first) => [...Array(9).keys()].map((zeros) => first * 10 ** zeros)).sort((a, b) => a - b);

const CHARTS = [
  { title: "TTFT p50", unit: "ms", value: (of) => of.ttft_ms[0] },
  { title: "TTFT p95", unit: "ms", value: (of) => of.ttft_ms[1] },
  { title: "TTFT p99", unit: "ms", value: (of) => of.ttft_ms[2] },
  { title: "Tokens per second", unit: "/s", value: (of) => of.tokens_per_second },
  { title: "In flight", unit: "", value: (of) => of.in_flight },
  { title: "Failed requests in a window", unit: "", value: (of) => of.failed, stepped: true },
];

// What a target sent is text: marks that turn or hide what stands around them are spelled out.
function plain(text) {
  return String(text).replace(
    /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g,
    (mark) => `\\u${mark.codePointAt(0).toString(16).padStart(4, "0")}`,
  );
}

function clock(seconds) {
  const all = Math.max(0, Math.round(seconds));
  const [h, m, s] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60];
  const tail = `${String(m).padStart(h ? 2 : 1, "0")}:${String(s).padStart(2, "0")}`;
  return h ? `${h}:${tail}` : tail;
}

function number(value, unit = "") {
  if (value === null || value === undefined) return "–";
  if (unit === "ms" && value >= 10000) return `${(value / 1000).toFixed(1)} s`;
  const size = Math.abs(value);
  const digits = size >= 100 || Number.isInteger(value) ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  const text = value.toLocaleString("en", { minimumFractionDigits: unit ? 0 : digits, maximumFractionDigits: digits });
  return unit === "ms" ? `${text} ms` : unit === "/s" ? `${text}/s` : text;
}

class Charts {
  constructor(home, legend) {
    this.home = home;
    this.legend = legend;
    this.hidden = new Set();
    this.models = [];
    this.plots = [];
    this.run = {};
    this.points = [];
    new ResizeObserver(() => this.resize()).observe(home);
  }

  // The points of a run, in order; `run`: started, whole_until, over.
  show(models, points, run) {
    const theme = document.documentElement.dataset.theme === "dark" ? "dark" : "light";
    this.run = run;
    this.points = points;
    if (theme !== this.theme || models.join("\n") !== this.models.join("\n")) {
      this.theme = theme;
      this.models = models;
      this.build();
    }
    for (const [index, chart] of CHARTS.entries()) {
      const plot = this.plots[index];
      const [xs, ...rows] = this.data(chart);
      plot.setData([xs, ...rows]);
      const empty = rows.every((row) => row.every((value) => value === null));
      plot.root.parentElement.querySelector("small").textContent = empty ? " too few samples yet" : "";
      const last = points[points.length - 1];
      const said = last === undefined ? "no point yet" : models.map(
        (model) => `${plain(model)} ${number(chart.value(last.models[model] || EMPTY), chart.unit)}`,
      ).join(", ");
      plot.root.setAttribute("aria-label", `${chart.title} over time; at the end ${said}`);
    }
  }

  data(chart) {
    const started = this.run.started || 0;
    const xs = this.points.map((p) => Math.max(0, p.start + p.seconds / 2 - started));
    const rows = this.models.map((model) => this.points.map((p) => {
      const value = p.models[model] ? chart.value(p.models[model]) : null;
      return value === undefined ? null : value;
    }));
    return [xs, ...rows];
  }

  stroke(index) { return COLOURS[this.theme][index % COLOURS[this.theme].length]; }
  dash(index) { return DASHES[index % DASHES.length]; }

  swatch(index) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    made.setAttribute("class", "swatch");
    made.setAttribute("viewBox", "0 0 30 10");
    made.setAttribute("aria-hidden", "true");
    const line = document.createElementNS(made.namespaceURI, "line");
    for (const [name, value] of Object.entries({
      x1: 0, x2: 30, y1: 5, y2: 5, stroke: this.stroke(index), "stroke-width": 2.5,
      "stroke-dasharray": this.dash(index).join(" "),
    })) line.setAttribute(name, value);
    made.append(line);
    return made;
  }

  name(index) {
    const name = document.createElement("bdi");
    name.textContent = plain(this.models[index]);
    return name;
  }

  build() {
    this.legend.replaceChildren(...this.models.map((model, index) => {
      const button = document.createElement("button");
      button.type = "button";
      button.setAttribute("aria-pressed", String(!this.hidden.has(model)));
      button.append(this.swatch(index), this.name(index));
      button.addEventListener("click", () => this.toggle(index, button));
      return button;
    }));
    for (const plot of this.plots) plot.destroy();
    this.home.replaceChildren();
    this.plots = CHARTS.map((chart) => this.plot(chart));
  }

  toggle(index, button) {
    const model = this.models[index];
    if (!this.hidden.delete(model)) this.hidden.add(model);
    button.setAttribute("aria-pressed", String(!this.hidden.has(model)));
    for (const plot of this.plots) plot.setSeries(index + 1, { show: !this.hidden.has(model) });
  }

  plot(chart) {
    const figure = document.createElement("figure");
    const caption = document.createElement("figcaption");
    caption.append(chart.title, document.createElement("small"));
    const tip = document.createElement("div");
    tip.className = "tip";
    tip.hidden = true;
    figure.append(caption, tip);
    this.home.append(figure);
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const axis = {
      stroke: colour("--mut"), font: "12px system-ui, sans-serif",
      grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line"), width: 1 },
    };
    const made = new uPlot({
      width: this.width(figure), height: 190, padding: [8, 10, 0, 0],
      legend: { show: false },
      cursor: { sync: { key: "models" }, drag: { x: false, y: false }, points: { size: 6 } },
      scales: {
        x: { time: false, range: (u, low, high) => [0, Math.max(high || 0, 10)] },
        y: { range: (u, low, high) => [0, (high || (chart.unit === "ms" ? 100 : 1)) * 1.08] },
      },
      axes: [
        { ...axis, values: (u, ticks) => ticks.map(clock), size: 28, space: 60 },
        {
          ...axis, size: 62, incrs: chart.unit ? undefined : WHOLE,
          values: (u, ticks) => ticks.map((tick) => number(tick, chart.unit === "ms" ? "ms" : "")),
        },
      ],
      series: [{}, ...this.models.map((model, index) => ({
        label: plain(model), stroke: this.stroke(index), dash: this.dash(index), width: 1.8,
        show: !this.hidden.has(model), spanGaps: false,
        points: { size: 4, fill: this.stroke(index) },
        paths: chart.stepped ? uPlot.paths.stepped({ align: 0 }) : undefined,
      }))],
      hooks: {
        drawClear: [(u) => this.shade(u, colour)],
        setCursor: [(u) => this.tell(u, chart, tip)],
      },
    }, [[], ...this.models.map(() => [])], figure);
    made.root.setAttribute("role", "img");
    made.over.addEventListener("mouseleave", () => { tip.hidden = true; });
    return made;
  }

  // INVALID windows, late seconds, the opening, and what is not all recorded yet.
  shade(u, colour) {
    const { ctx, bbox } = u;
    const started = this.run.started || 0;
    const band = (from, to, fill) => {
      const left = Math.max(bbox.left, Math.round(u.valToPos(from, "x", true)));
      const right = Math.min(bbox.left + bbox.width, Math.round(u.valToPos(to, "x", true)));
      if (right > left) { ctx.fillStyle = fill; ctx.fillRect(left, bbox.top, right - left, bbox.height); }
      return [left, Math.max(0, right - left)];
    };
    ctx.save();
    for (const point of this.points) {
      const [from, to] = [point.start - started, point.start + point.seconds - started];
      if (point.phase === "opening") {
        const step = point.seconds / 5;
        for (let at = from; at < to; at += step) band(Math.max(0, at), at + step / 3, colour("--open"));
      }
      if (point.verdict === "INVALID") {
        const [left, width] = band(from, to, colour("--badbg"));
        ctx.fillStyle = colour("--bad");
        ctx.fillRect(left, bbox.top, width, 3 * devicePixelRatio);
      }
      if (point.late) {
        const [left, width] = band(from, to, "transparent");
        ctx.fillStyle = colour("--late");
        for (let at = 0; at < width; at += 6 * devicePixelRatio) {
          ctx.fillRect(left + at, bbox.top + bbox.height - 4 * devicePixelRatio, 3 * devicePixelRatio, 3 * devicePixelRatio);
        }
      }
    }
    if (!this.run.over && this.run.whole_until) band(this.run.whole_until - started, Infinity, colour("--open"));
    ctx.restore();
  }

  tell(u, chart, tip) {
    const index = u.cursor.idx;
    const point = index === null || index === undefined ? undefined : this.points[index];
    if (point === undefined || !u.over.matches(":hover")) { tip.hidden = true; return; }
    const from = point.start - (this.run.started || 0);
    const head = document.createElement("div");
    head.textContent = `${clock(from)} – ${clock(from + point.seconds)}${point.verdict === "INVALID" ? " · INVALID" : ""}`;
    const rows = this.models.flatMap((model, number_) => {
      if (this.hidden.has(model) || !point.models[model]) return [];
      const row = document.createElement("div");
      const value = document.createElement("b");
      value.textContent = number(chart.value(point.models[model]), chart.unit);
      row.append(this.swatch(number_), this.name(number_), value);
      return [row];
    });
    tip.replaceChildren(head, ...rows);
    tip.hidden = false;
    const right = u.cursor.left > u.over.clientWidth / 2;
    tip.style.left = right ? "12px" : "auto";
    tip.style.right = right ? "auto" : "12px";
  }

  width(figure) { return Math.max(120, figure.clientWidth - 16); }

  resize() {
    for (const plot of this.plots) {
      const width = this.width(plot.root.parentElement);
      if (width !== plot.width) plot.setSize({ width, height: 190 });
    }
  }
}

const EMPTY = { ttft_ms: [null, null, null], tokens_per_second: null, in_flight: null, failed: null };
