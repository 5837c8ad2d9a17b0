"""A run over time, and its distributions, as bounded columns of numbers: pure.

Laws
----
* Counts add up: each column of a model sums to its total of the run.
* A percentile over time is that of the shortest stretches of windows that carry it
  (`histogram.carries`): each says where it begins, how long it is, and of how many samples. What no
  stretch carries is not there; no stretch holds both the opening and the steady phase.
* A distribution is exact at each of its points: so many samples are not above that value.
* All is bounded, whatever the run's length: at most ``BINS`` bins, at most ``POINTS`` points.

Theory
------
The bins are windows (`windows`), or twice, four times … as long where the run has more of them than
``BINS``; so whole windows fall into each. The histograms of windows merge exactly, and so a stretch
has the very percentile of its samples, within ``histogram.ERROR``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from load.histogram import Histogram, carries, edges
from load.metrics import OPENING, OWN, STEADY, Book
from load.windows import MOST

__all__ = ["BINS", "COUNTED", "POINTS", "Grid", "distribution", "grid", "of_model", "stretches"]

BINS: Final = MOST
"""Bins of a run, at most."""

POINTS: Final = 200
"""Points of a distribution, at most, but for the last."""

COUNTED: Final = ("requests", "ok", "failed", "cancelled", "tokens")
TIMED: Final = ("ttft", "itl", "e2e")
PERCENTS: Final = (50, 95, 99)
MS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Grid:
    """Bins of equal length, one after another: ``start`` and ``seconds`` in s of the epoch."""

    start: int
    seconds: int
    bins: int

    def at(self, second: int) -> int:
        """The number of the bin that holds a second.

        >>> Grid(100, 5, 3).at(109)
        1
        """
        return (second - self.start) // self.seconds


def grid(book: Book) -> Grid | None:
    """The bins of a whole run; None where nothing was recorded."""
    known = {
        second
        for model in (*book.models, OWN)
        for row in book.whole(model).series.values()
        for second in row
    } | {start for model in (*book.models, OWN) for start in book.windows(model, OPENING, STEADY)}
    if not known:
        return None
    first, last, seconds = min(known), max(known), book.length
    while last // seconds - first // seconds >= BINS:
        seconds *= 2
    return Grid(first - first % seconds, seconds, last // seconds - first // seconds + 1)


def of_model(book: Book, model: str, bins: Grid) -> dict[str, Any]:
    """What a model did over time: a column of each count, stretches of each percentile."""
    whole = book.whole(model)
    made: dict[str, Any] = {name: summed(whole.row(name), bins) for name in COUNTED}
    made["in_flight"] = mean(whole.row("in_flight"), bins)
    for name in TIMED:
        phases = [_rows(book, model, phase, name, bins) for phase in (OPENING, STEADY)]
        made[f"{name}_ms"] = {
            f"p{percent}": [
                stretch
                for rows in phases
                for stretch in stretches(rows.items(), bins.seconds, percent / 100)
            ]
            for percent in PERCENTS
        }
    return made


def _rows(book: Book, model: str, phase: str, name: str, bins: Grid) -> dict[int, Histogram]:
    """A metric of a phase by bin: what was left out of the run's figures stays apart."""
    rows: dict[int, Histogram] = {}
    for start, tally in book.windows(model, phase).items():
        at = bins.start + bins.at(start) * bins.seconds
        rows.setdefault(at, Histogram()).merge(tally.hists.get(name, Histogram()))
    return rows


def summed(row: Mapping[int, int], bins: Grid) -> list[int]:
    """A count of each bin, from one of each second.

    >>> summed({100: 1, 104: 2, 105: 4}, Grid(100, 5, 3))
    [3, 4, 0]
    """
    made = [0] * bins.bins
    for second, count in row.items():
        made[bins.at(second)] += count
    return made


def mean(row: Mapping[int, int], bins: Grid) -> list[float | None]:
    """The mean of what was sampled once a second; None where no sample was taken.

    >>> mean({100: 1, 104: 2, 105: 4}, Grid(100, 5, 3))
    [1.5, 4.0, None]
    """
    sampled = [0] * bins.bins
    for second in row:
        sampled[bins.at(second)] += 1
    return [
        round(total / count, 3) if count else None
        for total, count in zip(summed(row, bins), sampled, strict=True)
    ]


def stretches(rows: Iterable[tuple[int, Histogram]], seconds: int, p: float) -> list[list[float]]:
    """Each shortest stretch of windows that carries ``p``: start, seconds, value in ms, samples.

    Args:
        rows: windows in order, by their first second.
        seconds: the length of each.
        p: above 0, below 1.

    What is left at the end, too little to carry it, belongs to the last stretch.
    """
    made: list[tuple[int, int, Histogram]] = []
    rest, since, end = Histogram(), 0, 0
    for start, hist in rows:
        if not hist.count:
            continue
        since, end = since if rest.count else start, start + seconds
        rest.merge(hist)
        if carries(p, rest.count):
            made.append((since, end - since, rest))
            rest = Histogram()
    if rest.count and made:
        began, _, hist = made[-1]
        hist.merge(rest)
        made[-1] = began, end - began, hist
    return [
        [start, length, round((hist.quantile(p) or 0.0) / MS, 6), hist.count]
        for start, length, hist in made
    ]


def distribution(hist: Histogram) -> list[list[float]]:
    """Pairs in order: a value in ms, and how many samples are not above it.

    The pairs are edges of the histogram's buckets, thinned out to one in a hundredth of the samples
    or of the buckets, whichever comes first; the last one is the maximum.
    """
    known: Sequence[tuple[float, int]] = edges(hist)
    kept: list[list[float]] = []
    rank, index, ranks, width = 0, 0, 2 * hist.count / POINTS, 2 * len(known) / POINTS
    for number, (value, count) in enumerate(known, 1):
        last = number == len(known)
        if last or count - rank >= ranks or number - index >= width:
            kept.append([round(value / MS, 6), count])
            rank, index = count, number
    return kept
