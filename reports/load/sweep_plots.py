"""The plots of a sweep: what changes with the rate, from its results (`load_sweep.schema.json`).

Laws
----
* Each run is a point, be it held, broken or undecided: three markers, not three colours.
* The answer is drawn as it is: an interval, from the highest rate that held to the lowest that
  broke. The limit of a target is a line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import TYPE_CHECKING, Any

from . import svg
from .axes import figure, labels, scaled
from .head import unit_of
from .plots import Plot
from .sweep_view import models

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["drawn"]

Sweep = Mapping[str, Any]


def drawn(sweep: Sweep) -> list[Plot]:
    """What each target speaks of against the rate; then tokens, in flight, and what was reached."""
    known = [step for step in sweep["steps"] if step["results"]]
    if not known:
        return []
    ids = models(sweep)
    made = [
        plot
        for number, target in enumerate(sweep["slo"])
        if (plot := _target(sweep, target, ids, f"slo-{number}")) is not None
    ]
    return [*made, *_percentiles(sweep, ids), *_reached(sweep, ids)]


def _target(sweep: Sweep, target: Mapping[str, Any], ids: Sequence[str], name: str) -> Plot | None:
    """A target's metric of each model against the rate, its limit as a line, and the knee."""
    points = [
        (step["rate"], ids.index(o["model"]), o["seen"], o["verdict"], _edges(step, target, o))
        for step in sweep["steps"]
        for o in (step["results"] or {"slo": []})["slo"]
        if o["target"] == target["target"] and o["seen"] is not None and o["model"] in ids
    ]
    if not points:
        return None
    share = 100 if target["metric"] in ("failures", "goodput") else 1
    unit = " (%)" if share == 100 else "" if target["metric"].endswith("_second") else " (ms)"
    limit = target["limit"] * share

    def draw(axes: Axes) -> None:
        _against_rate(axes, sweep)
        values = [seen * share for _, _, seen, _, _ in points]
        for number in {number for _, number, _, _, _ in points}:
            style = svg.style(number)
            own = _middle([(rate, seen * share) for rate, n, seen, _, _ in points if n == number])
            axes.plot(*zip(*own, strict=True), color=style.ink, linestyle=style.dash, lw=1.1)
        for rate, number, seen, outcome, edges in points:
            style = svg.style(number)
            _point(axes, rate, seen * share, outcome, style.ink)
            if edges is not None:
                span = [edge * share for edge in edges]
                axes.plot([rate, rate], span, color=style.ink, linewidth=2.2, alpha=0.6)
                values += span
        axes.axhline(limit, color=svg.INK["ink"], linewidth=1.2, linestyle=(0, (4, 3)))
        scaled(axes, min(*values, limit), max(*values, limit))
        ends = [(limit, svg.Style("limit", svg.INK["ink"], "solid", ""))]
        if len(ids) > 1:
            last = max(rate for rate, *_ in points)
            ends += [(v * share, svg.style(n)) for rate, n, v, _, _ in points if rate == last]
        labels(axes, ends)

    told = "; ".join(
        f"{ids[number]} at {rate:g}: {unit_of(target['target'], seen)}, {outcome}"
        for rate, number, seen, outcome, _ in sorted(points)
    )
    title = f"{target['metric']} {target['statistic']}".strip()
    drawn = svg.drawn(name, f"{title} against the rate", f"{told}.", draw, height=240)
    return Plot(f"{title}{unit} against requests a second: held ●, broken ✕, undecided □", drawn)


def _edges(
    step: Mapping[str, Any], target: Mapping[str, Any], outcome: Mapping[str, Any]
) -> Sequence[float] | None:
    """The 95 % interval of what a target saw, where the extract has it and nothing failed."""
    model = step["results"]["models"].get(outcome["model"], {})
    measured = model.get(f"{target['metric']}_ms")
    if measured is None or measured["failed"] or outcome["seen"] is None:
        return None
    found: Sequence[float] | None = measured["ci95"].get(target["statistic"])
    return found


def _point(axes: Axes, x: float, y: float, verdict: str, ink: str) -> None:
    marker, face = {"held": ("o", ink), "broken": ("X", svg.INK["fail"])}.get(
        verdict, ("s", "none")
    )
    edge = svg.INK["fail"] if verdict == "broken" else ink
    axes.plot(
        [x], [y], marker, markerfacecolor=face, markeredgecolor=edge, markersize=6, clip_on=False
    )


def _percentiles(sweep: Sweep, ids: Sequence[str]) -> list[Plot]:
    """Percentiles of latencies against the rate: of one model all of them, of several the p95."""
    made = []
    for metric, said in (("ttft_ms", "Time to first token"), ("itl_ms", "Gap between tokens")):
        if len(ids) == 1:
            lines = {p: (svg.STYLES[p], ids[0], p) for p in ("p50", "p95", "p99")}
        else:
            lines = {id_: (svg.style(n), id_, "p95") for n, id_ in enumerate(ids)}
        rows = [
            (style, points)
            for style, id_, percent in lines.values()
            if (points := _points(sweep, id_, metric, percent))
        ]
        if rows:
            of = "" if len(ids) == 1 else ", p95 of each model"
            made.append(_lines(sweep, rows, f"rate-{metric[:-3]}", f"{said}, ms{of}"))
    return made


def _points(sweep: Sweep, id_: str, metric: str, percent: str) -> list[tuple[float, float]]:
    found = (
        (step["rate"], step["results"]["models"][id_][metric][percent])
        for step in sweep["steps"]
        if step["results"] and id_ in step["results"]["models"]
    )
    return sorted((rate, value) for rate, value in found if value is not None)


def _reached(sweep: Sweep, ids: Sequence[str]) -> list[Plot]:
    """What the target delivered, and what waited for it."""
    made = []
    steps = [step for step in sweep["steps"] if step["results"]]
    rates = []
    for number, id_ in enumerate(ids):
        found = [
            (step["rate"], step["results"]["models"][id_]["tokens_per_second"])
            for step in steps
            if id_ in step["results"]["models"]
        ]
        points = sorted((rate, value) for rate, value in found if value is not None)
        if points:
            rates.append((svg.style(number), points))
    if rates:
        made.append(_lines(sweep, rates, "rate-tokens", "Tokens that arrived, per second"))
    flights = sorted(
        (step["rate"], step["results"]["mean_in_flight"])
        for step in steps
        if step["results"]["mean_in_flight"] is not None
    )
    if flights:
        made.append(_lines(sweep, [(svg.ALL, flights)], "rate-flight", "Requests in flight, mean"))
    return made


def _lines(
    sweep: Sweep,
    rows: Sequence[tuple[svg.Style, Sequence[tuple[float, float]]]],
    name: str,
    said: str,
) -> Plot:
    def draw(axes: Axes) -> None:
        _against_rate(axes, sweep)
        values = [value for _, points in rows for _, value in points]
        for style, points in rows:
            ink = style.ink
            axes.plot(*zip(*_middle(points), strict=True), color=ink, ls=style.dash, lw=1.2)
            axes.plot(*zip(*points, strict=True), style.marker, color=ink, ms=4, clip_on=False)
        scaled(axes, 0 if min(values) <= 0 else min(values), max(values))
        if len(rows) > 1:
            labels(axes, [(points[-1][1], style) for style, points in rows])

    told = "; ".join(
        f"{style.letter}: " + ", ".join(f"{figure(y)} at {x:g}" for x, y in points)
        for style, points in rows
    )
    drawn = svg.drawn(name, f"{said} against the rate", f"{told}.", draw)
    return Plot(f"{said}, against requests a second", drawn)


def _middle(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The median of each rate's runs: a line goes through it, not from run to run.

    >>> _middle([(5, 1.0), (5, 3.0), (4, 7.0)])
    [(4, 7.0), (5, 2.0)]
    """
    known: dict[float, list[float]] = {}
    for rate, value in points:
        known.setdefault(rate, []).append(value)
    return [(rate, median(values)) for rate, values in sorted(known.items())]


def _against_rate(axes: Axes, sweep: Sweep) -> None:
    """The axis of rates, with the highest that held and the lowest that broke: the knee."""
    most = max(step["rate"] for step in sweep["steps"])
    axes.set_xlim(0, most * 1.06)
    axes.xaxis.set_major_formatter(lambda x, _: f"{x:g}")
    axes.set_xlabel("requests a second, offered")
    over = axes.get_xaxis_transform()
    held, broken = sweep["held"], sweep["broken"]
    if held is not None and broken is not None:
        axes.axvspan(held, broken, facecolor=svg.INK["openbg"], linewidth=0)
    for rate, word, ink, side in (
        (held, "held", svg.INK["ink"], "right"),
        (broken, "broke", svg.INK["fail"], "left"),
    ):
        if rate is not None:
            axes.axvline(rate, color=ink, linewidth=1)
            said = f"{word} {rate:g} " if side == "right" else f" {word} {rate:g}"
            axes.text(rate, 1.02, said, transform=over, ha=side, fontsize=9.8, color=ink)
