"""The axes of load plots: time, with what is left out of a run's figures; latency; direct labels.

Laws: a scale that does not begin at 0 is logarithmic; a label stands beside what it names, and none
lies upon another.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from . import svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Scene", "figure", "labels", "log_ms", "over_time", "scaled", "scene", "tag", "unit"]

STEPS: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
"""Seconds between two ticks of time."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A run on the axis of time; all in seconds since its start.

    Attributes:
        began: the start, s of the epoch.
        edges: of the bins, one more than there are bins.
        measured: from and to: what percentiles and rates are taken from.
        end: when sending stopped.
        invalid: spans of INVALID windows, those that touch in one.
    """

    began: float
    edges: tuple[float, ...]
    measured: tuple[float, float]
    end: float
    invalid: tuple[tuple[float, float], ...]

    @property
    def unit(self) -> tuple[float, str]:
        """Seconds of the unit in which time is told, and its name."""
        length = self.edges[-1]
        return (1, "seconds") if length < 180 else (60, "minutes") if length < 9000 else (3600, "h")


def scene(results: Mapping[str, Any]) -> Scene | None:
    """The run on the axis of time; None where its results have no series."""
    series = results.get("series")
    if not series:
        return None
    began = datetime.fromisoformat(results["started"]).timestamp()
    edges = [series["start"] + number * series["seconds"] for number in range(series["bins"] + 1)]
    window = results["window"]
    first = window.get("start", began) - began if window["phase"] == "steady" else 0.0
    marked = [w for w in results["validity"]["windows"] if w["verdict"] == "INVALID"]
    return Scene(
        began=began,
        edges=tuple(max(0.0, edge - began) for edge in edges),
        measured=(max(0.0, first), max(0.0, first) + window["seconds"]),
        end=results["duration_s"],
        invalid=tuple(_joined((w["start"] - began, w["seconds"]) for w in marked)),
    )


def _joined(spans: Iterable[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """Spans ``(start, length)`` as ``(start, end)``; those that touch become one."""
    known: tuple[float, float] | None = None
    for start, length in spans:
        if known is not None and start <= known[1]:
            known = known[0], start + length
            continue
        if known is not None:
            yield known
        known = max(0.0, start), start + length
    if known is not None:
        yield known


# --- figures --------------------------------------------------------------------------------------


def figure(value: float | None) -> str:
    """Three digits of a number, and thousands whole.

    >>> figure(0.12345), figure(12.345), figure(1234.5), figure(None)
    ('0.123', '12.3', '1,234', '-')
    """
    if value is None:
        return "-"
    if abs(value) >= 99.95:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def unit(most: float) -> tuple[float, str]:
    """By what milliseconds are divided for an axis that reaches so far, and the unit's name."""
    return (1000.0, "s") if most >= 10_000 else (1.0, "ms")


# --- axes -----------------------------------------------------------------------------------------


def over_time(axes: Axes, on: Scene) -> None:
    """The axis of time, with what is left out and what is INVALID."""
    from matplotlib import ticker

    scale, name = on.unit
    right = on.edges[-1]
    axes.set_xlim(0, right)
    step = next((step for step in STEPS if right / step <= 7), STEPS[-1])
    axes.xaxis.set_major_locator(ticker.MultipleLocator(step))
    axes.xaxis.set_major_formatter(ticker.FuncFormatter(lambda x, _: f"{x / scale:g}"))
    axes.set_xlabel(f"{name} since the start")
    begin, end = on.measured
    for left, edge, word in ((0.0, begin, "opening"), (end, right, "end")):
        if edge - left > 0.004 * right:
            axes.axvspan(left, edge, facecolor=svg.INK["nonebg"], linewidth=0)
            if edge - left > 0.1 * right:
                _note(axes, (left + edge) / 2, word, svg.INK["mut"])
    for left, edge in on.invalid:
        axes.axvspan(left, edge, facecolor=svg.INK["failbg"], linewidth=0)
        axes.axvspan(left, edge, facecolor="none", edgecolor=svg.INK["fail"], hatch="///", lw=0)
    for left, edge in _wide(on):
        _note(axes, (left + edge) / 2, "INVALID", svg.INK["fail"])


def _wide(on: Scene) -> Iterator[tuple[float, float]]:
    """The INVALID spans that are labelled: one label does not run into the next."""
    width, free = 0.16 * on.edges[-1], -math.inf
    for left, right in on.invalid:
        if (left + right) / 2 - width / 2 > free:
            yield left, right
            free = (left + right) / 2 + width / 2


def _note(axes: Axes, x: float, word: str, ink: str) -> None:
    over = axes.get_xaxis_transform()
    axes.text(x, 1.02, word, transform=over, ha="center", va="bottom", fontsize=9.8, color=ink)


def labels(axes: Axes, ends: Sequence[tuple[float, svg.Style]]) -> None:
    """Names right of the lines' ends, moved apart where they would overlap."""
    low, high = axes.get_ylim()
    to, back = (math.log, math.exp) if axes.get_yscale() == "log" else (float, float)
    span = to(high) - to(low)
    room = min(0.085, 1 / max(1, len(ends))) * span
    places = sorted(
        (to(min(max(value, low), high)), -number, style)
        for number, (value, style) in enumerate(ends)
    )
    put: list[float] = []
    for place, _, _ in places:
        put.append(max(place, put[-1] + room) if put else place)
    over = max(0.0, put[-1] - to(high))
    for number in range(len(put) - 1, -1, -1):
        limit = to(high) if number == len(put) - 1 else put[number + 1] - room
        put[number] = min(put[number], limit) if over else put[number]
    for place, (_, _, style) in zip(put, places, strict=True):
        axes.annotate(
            style.letter,
            (1.0, back(place)),
            xycoords=axes.get_yaxis_transform(),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=10,
            color=style.ink,
            annotation_clip=False,
        )


def tag(axes: Axes, x: float, y: float, style: svg.Style) -> None:
    """A letter on a line."""
    axes.text(
        x,
        y,
        style.letter,
        ha="center",
        va="center",
        fontsize=9.8,
        color=style.ink,
        bbox={
            "boxstyle": "circle,pad=0.2",
            "facecolor": svg.INK["card"],
            "edgecolor": style.ink,
            "linewidth": 1,
        },
    )


def scaled(axes: Axes, low: float, high: float) -> None:
    """The axis of y: from 0, or logarithmic where the values lie more than a factor of 20 apart."""
    if low > 0 and high > 20 * low:
        axes.set_yscale("log")
        axes.set_ylim(low / 1.3, high * 1.3)
        _plain(axes.yaxis, low, high)
    else:
        axes.set_ylim(0, high * 1.12 or 1)
        from matplotlib import ticker

        axes.yaxis.set_major_locator(ticker.MaxNLocator(5))
        axes.yaxis.set_major_formatter(ticker.FuncFormatter(lambda y, _: f"{y:,g}"))


def log_ms(axes: Axes, low: float, high: float) -> None:
    """A logarithmic axis of x in ms that holds what lies between ``low`` and ``high``."""
    low = max(low, 1e-3)
    axes.set_xlim(low / 1.15, max(high, low) * 1.15)
    axes.set_xlabel("ms")
    _plain(axes.xaxis, low / 1.15, high * 1.15)


def _plain(axis: Any, low: float, high: float) -> None:
    """Plain numbers on a logarithmic axis, not too many."""
    from matplotlib import ticker

    decades = math.log10(high / low) if high > low > 0 else 0.0
    if decades < 0.7:
        axis.set_major_locator(ticker.MaxNLocator(4))
    else:
        subs = (1.0,) if decades > 2.5 else (1.0, 2.0, 5.0)
        axis.set_major_locator(ticker.LogLocator(10, subs=subs, numticks=12))
    axis.set_minor_locator(ticker.NullLocator())
    axis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:,g}"))
