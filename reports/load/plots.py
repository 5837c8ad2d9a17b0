"""The plots of a load run: what is drawn, from its results (`load_results.schema.json`).

Laws
----
* Over time, a percentile is a bar as long as the stretch whose samples carry it; between stretches
  without samples there is a gap, never a slope.
* INVALID windows are hatched and labelled; what was left out of the figures is shaded and labelled.
* A scale that does not begin at 0 is logarithmic, and says so.
* A plot without data is not drawn.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from reports.words import amount

from . import svg
from .axes import Scene, figure, labels, log_ms, over_time, scaled, tag, unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Plot", "compared", "of_model", "of_run", "side_by_side"]

Results = Mapping[str, Any]

METRICS: Final = (
    ("ttft_ms", "Time to first token"),
    ("itl_ms", "Gap between tokens"),
    ("e2e_ms", "Time to last token"),
)
PERCENTS: Final = ("p50", "p95", "p99")


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot: its caption, and the ``svg`` element."""

    caption: str
    svg: str


# --- one model over time --------------------------------------------------------------------------


def of_model(results: Results, model: str, name: str, on: Scene) -> list[Plot]:
    """The plots of one model over time; ``name`` begins the ids in them."""
    series = results["models"][model]["series"]
    timed = [
        _timed(series[metric], f"{name}-{metric[:-3]}", said, model, on)
        for metric, said in METRICS
        if series[metric]["p50"]
    ]
    others = (
        _rates(series, f"{name}-tokens", model, on),
        _flying(series["in_flight"], f"{name}-flight", f"of {model}", on),
        _ended(series, f"{name}-ended", model, on),
    )
    return timed + [plot for plot in others if plot is not None]


def _timed(
    lines: Mapping[str, Sequence[Sequence[float]]], name: str, said: str, model: str, on: Scene
) -> Plot:
    known = {percent: lines[percent] for percent in PERCENTS if lines[percent]}
    values = [row[2] for rows in known.values() for row in rows]
    scale, measure = unit(max(values))

    def draw(axes: Axes) -> None:
        over_time(axes, on)
        ends: list[tuple[float, svg.Style]] = []
        for percent, rows in known.items():
            style = svg.STYLES[percent]
            x, y = _bars(rows, on)
            y = [value / scale for value in y]
            axes.plot(x, y, color=style.ink, linestyle=style.dash, solid_capstyle="butt")
            ends.append((rows[-1][2] / scale, style))
        scaled(axes, min(values) / scale, max(values) / scale)
        labels(axes, ends)

    missing = [percent for percent in PERCENTS if percent not in known]
    caption = f"{said}, {measure}"
    if missing:
        caption += f". {' and '.join(missing)}: too few samples"
    told = "; ".join(
        f"{percent} from {figure(min(row[2] for row in rows))} to "
        f"{figure(max(row[2] for row in rows))} ms"
        for percent, rows in known.items()
    )
    return Plot(caption, svg.drawn(name, f"{said} of {model} over time", f"{told}.", draw))


def _bars(rows: Sequence[Sequence[float]], on: Scene) -> tuple[list[float], list[float]]:
    """Stretches as a line of steps, with a gap where nothing was measured.

    The last stretch of the opening and the first after it may share a bin: they meet where the
    one phase became the other.
    """
    x: list[float] = []
    y: list[float] = []
    before: float | None = None
    for start, seconds, value, _ in rows:
        left = max(0.0, start - on.began)
        if before is not None and left < before:
            left = x[-1] = min(max(left, on.measured[0]), before)
        if before is not None and left != before:
            x.append(left)
            y.append(math.nan)
        before = start - on.began + seconds
        x += [left, before]
        y += [value, value]
    return x, y


def _rates(series: Mapping[str, Any], name: str, model: str, on: Scene) -> Plot | None:
    if not sum(series["tokens"]):
        return None
    rates = _per_second(series["tokens"], on)

    def draw(axes: Axes) -> None:
        over_time(axes, on)
        axes.stairs(rates, on.edges, color=svg.INK["plot1"], linewidth=1.6, baseline=None)
        scaled(axes, 0, max(rates))

    told = (
        f"{figure(max(rates))} tokens a second at most, {amount(sum(series['tokens']), 'token')}."
    )
    return Plot(
        "Tokens that arrived, per second",
        svg.drawn(name, f"Tokens per second of {model} over time", told, draw),
    )


def _flying(row: Sequence[float | None], name: str, whose: str, on: Scene) -> Plot | None:
    known = [value for value in row if value is not None]
    if not known:
        return None

    def draw(axes: Axes) -> None:
        over_time(axes, on)
        values = [math.nan if value is None else value for value in row]
        axes.stairs(values, on.edges, color=svg.INK["plot1"], linewidth=1.6, baseline=None)
        scaled(axes, 0, max(known))

    told = f"{figure(max(known))} at most; each bin is the mean of samples taken once a second."
    return Plot(
        "Requests in flight",
        svg.drawn(name, f"Requests in flight {whose} over time", told, draw),
    )


def _ended(series: Mapping[str, Any], name: str, model: str, on: Scene) -> Plot | None:
    good, bad = series["ok"], series["failed"]
    if not sum(good) + sum(bad):
        return None
    fine, worse = _per_second(good, on), _per_second(bad, on)

    def draw(axes: Axes) -> None:
        over_time(axes, on)
        axes.stairs(fine, on.edges, color=svg.INK["plot1"], linewidth=1.6, baseline=None)
        if sum(bad):
            ink = svg.INK["fail"]
            axes.stairs(worse, on.edges, color=ink, lw=1.6, ls=(0, (2, 1)), baseline=None)
            middles = [(a + b) / 2 for a, b in pairwise(on.edges)]
            seen = [(x, y) for x, y in zip(middles, worse, strict=True) if y]
            axes.plot(*zip(*seen, strict=True), "x", color=ink, markersize=5)
        scaled(axes, 0, max(*fine, *worse))
        last = max(number for number, count in enumerate(good) if count) if sum(good) else 0
        ends = [(fine[last], svg.Style("ok", svg.INK["plot1"], "solid", ""))]
        if sum(bad):
            ends.append((worse[-1], svg.Style("failed", svg.INK["fail"], "solid", "")))
        labels(axes, ends)

    told = f"{amount(sum(good), 'request')} succeeded, {amount(sum(bad), 'request')} failed."
    failed = f"{amount(sum(bad), 'failure')} (x)" if sum(bad) else "none failed"
    return Plot(
        f"Requests that ended, per second; {failed}",
        svg.drawn(name, f"Requests of {model} that ended, over time", told, draw),
    )


def _per_second(counts: Sequence[int], on: Scene) -> list[float]:
    """Counts of bins as rates: by the seconds of a bin that lie after the start."""
    return [
        count / max(1.0, right - left)
        for count, (left, right) in zip(counts, pairwise(on.edges), strict=True)
    ]


# --- all models in one plot -----------------------------------------------------------------------


def of_run(results: Results, on: Scene) -> list[Plot]:
    """The run as a whole over time: what was in flight, and the tokens of each model."""
    models = results["models"]
    if len(models) < 2:
        return []  # the model's own plots are those of the run
    made = [_flying(results["series"]["in_flight"], "run-flight", "of all models", on)]
    rows = {id_: _per_second(model["series"]["tokens"], on) for id_, model in models.items()}
    if any(map(sum, rows.values())):

        def draw(axes: Axes) -> None:
            over_time(axes, on)
            ends = []
            for number, row in enumerate(rows.values()):
                style = svg.style(number)
                axes.stairs(row, on.edges, color=style.ink, ls=style.dash, lw=1.6, baseline=None)
                held = [rate for rate, edge in zip(row, on.edges, strict=False) if edge < on.end]
                ends.append((held[-2] if len(held) > 1 else row[-1], style))
            scaled(axes, 0, max(map(max, rows.values())))
            labels(axes, ends)

        told = "; ".join(f"{id_}: {figure(max(row))} at most" for id_, row in rows.items())
        title = "Tokens per second of each model over time"
        drawn = svg.drawn("run-tokens", title, f"{told}.", draw, height=240)
        made.append(Plot("Tokens that arrived, per second, by model", drawn))
    return [plot for plot in made if plot is not None]


def side_by_side(results: Results) -> list[Plot]:
    """Distributions of all models on one axis."""
    wanted: list[tuple[str, str]] = [(metric, said) for metric, said in METRICS]
    if results["load"]["loop"] == "open":
        wanted.append(("ttft_sched_ms", "Time to first token, from when it was due"))
    return [plot for row in wanted if (plot := _cumulative(results, *row)) is not None]


def compared(results: Results) -> list[Plot]:
    """The percentiles of each model with their error bars, one above another."""
    if len(results["models"]) < 2:
        return []
    return [plot for row in METRICS if (plot := _dots(results, *row)) is not None]


def _cumulative(results: Results, metric: str, said: str) -> Plot | None:
    rows = {
        number: (model[metric]["min"], model["distributions"][metric])
        for number, model in enumerate(results["models"].values())
        if model.get("distributions", {}).get(metric)
    }
    if not rows:
        return None
    least = min(
        next(value for value, below in points if below >= 0.002 * points[-1][1])
        for _, points in rows.values()
    )
    most = max(points[-1][0] for _, points in rows.values())

    def draw(axes: Axes) -> None:
        axes.set_xscale("log")
        for place, (number, (low, points)) in enumerate(rows.items()):
            style, count = svg.style(number), points[-1][1]
            x = [low, *(max(value, 1e-6) for value, _ in points)]
            y = [0.0, *(below / count for _, below in points)]
            axes.step(x, y, where="post", color=style.ink, linestyle=style.dash)
            if len(rows) > 1:
                height = 0.5 if len(rows) < 2 else 0.15 + 0.7 * place / (len(rows) - 1)
                at = next(value for value, share in zip(x, y, strict=True) if share >= height)
                tag(axes, at, height, style)
        axes.set_ylim(0, 1.02)
        axes.set_yticks([0, 0.25, 0.5, 0.75, 0.95, 1.0], ["0", "25 %", "50 %", "75 %", "95 %", ""])
        log_ms(axes, least, most)

    told = "; ".join(
        f"{id_}: {figure(model[metric]['min'])} to {figure(model[metric]['max'])} ms, "
        f"median {figure(model[metric]['p50'])}"
        for id_, model in results["models"].items()
        if model[metric]["count"]
    )
    name = f"ecdf-{metric[:-3].replace('_', '-')}"
    drawn = svg.drawn(name, f"{said}: share of samples not above", f"{told}.", draw, height=240)
    return Plot(f"{said}: share of samples within so many ms (log scale)", drawn)


def _dots(results: Results, metric: str, said: str) -> Plot | None:
    models = [model[metric] for model in results["models"].values()]
    error = results["validity"]["error_bar_ms"] or 0.0
    if metric == "itl_ms" and results["models"] and results["validity"]["clock"] == "kernel":
        error = 0.0  # gaps lie between stamps of the kernel: how a request left shifts none
    known = [
        edge
        for model in models
        for percent in PERCENTS
        for interval in (model["ci95"][percent],)
        if interval is not None
        for edge in (max(interval[0] - error, interval[0] / 2), interval[1] + error)
        if edge > 0
    ]
    if not known:
        return None

    def draw(axes: Axes) -> None:
        axes.set_xscale("log")
        for row, model in enumerate(models):
            for percent in PERCENTS:
                value, interval = model[percent], model["ci95"][percent]
                if value is None or interval is None:
                    continue
                style = svg.STYLES[percent]
                below = value - max(interval[0] - error, interval[0] / 2)
                above = interval[1] + error - value
                at = row + PERCENTS.index(percent) * 0.18 - 0.18
                axes.plot(value, at, style.marker, color=style.ink, markersize=5)
                axes.plot(interval, [at, at], color=style.ink, linewidth=2.6)
                axes.plot([value - below, value + above], [at, at], color=style.ink, lw=0.9)
        axes.set_yticks(range(len(models)), [svg.style(n).letter for n in range(len(models))])
        axes.set_ylim(len(models) - 0.5, -0.5)
        log_ms(axes, min(known), max(known))

    told = "; ".join(
        f"{id_}: " + ", ".join(f"{p} {figure(model[metric][p])}" for p in PERCENTS)
        for id_, model in results["models"].items()
    )
    drawn = svg.drawn(
        f"dots-{metric[:-3]}",
        f"{said} of each model: percentiles with error bars",
        f"{told}, in ms.",
        draw,
        height=72 + 30 * len(models),
        left=30,
    )
    bars = "bars: 95 % interval, thin: with the error of measuring (log scale)"
    return Plot(f"{said}: p50 (●), p95 (■), p99 (▲); {bars}", drawn)
