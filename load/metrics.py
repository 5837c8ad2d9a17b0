"""Histograms that merge exactly, and what is counted, per model.

Laws
----
* Only integers: the histograms of N workers, merged in any order and any grouping, equal the
  histogram of all their samples; so do counts and sums.
* Count, sum, minimum and maximum are exact. A quantile is the nearest rank's, off by at most
  ``ERROR`` of its value, and never outside minimum and maximum.
* A percentile that the number of samples does not carry is withheld (`carries`): a guess with two
  decimals is worse than none.
* A failure is no sample. It counts beside every percentile, and as infinite where a target is
  checked (``failed`` in `Histogram.quantile`).

Theory
------
Sample v > 0 goes to bucket ceil(log v / log g) with g = (1 + a) / (1 - a), a = ``ERROR`` (DDSketch,
VLDB 2019, §2.2): the bucket's middle 2 g^i / (g + 1) is off by at most a of any value in it.
v <= 0 goes to a bucket of its own.

A percentile p is carried by n samples if, with 99 % confidence, at least two of them lie beyond it:
n p^(n-1) (1-p) + p^n <= 0.01, as in the early stopping of MLPerf inference. For p99 that is 662
samples, for p95 130, for p90 64, for the median 11.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from load.windows import LENGTH, MOST, Window, phase_of

__all__ = [
    "ERROR",
    "OPENING",
    "OWN",
    "STEADY",
    "Book",
    "Histogram",
    "Tally",
    "carries",
    "edges",
    "needed",
]

ERROR: Final = 0.005
"""Largest relative error of a quantile."""

_BASE: Final = (1 + ERROR) / (1 - ERROR)
_SCALE: Final = 1 / math.log(_BASE)
_MIDDLE: Final = 2 / (1 + _BASE)
_ZERO: Final = -(2**31)  # the bucket of samples that are not above 0

CONFIDENCE: Final = 0.99

OPENING: Final = "opening"
"""The phase until all users run and their first wave has ended; left out where there is more."""

STEADY: Final = "steady"

OWN: Final = ""
"""The name under which a book keeps what concerns no model, but the generator itself."""


def carries(p: float, count: int) -> bool:
    """Whether ``count`` samples carry the percentile ``p`` (0 < p < 1)."""
    if count < 2:
        return False
    return count * p ** (count - 1) * (1 - p) + p**count <= 1 - CONFIDENCE


@cache
def needed(p: float) -> int:
    """The fewest samples that carry ``p``.

    >>> needed(0.5), needed(0.9), needed(0.95), needed(0.99)
    (11, 64, 130, 662)
    """
    count = 2
    while not carries(p, count):
        count += 1
    return count


class Histogram:
    """A mergeable histogram of integers."""

    __slots__ = ("buckets", "count", "least", "most", "total")

    def __init__(self) -> None:
        self.buckets: dict[int, int] = {}
        self.count = 0
        self.total = 0
        self.least = 0
        self.most = 0

    def add(self, value: int) -> None:
        """Record one sample."""
        self.extend((value,))

    def extend(self, values: Iterable[int]) -> None:
        """Record samples."""
        buckets, log, ceil = self.buckets, math.log, math.ceil
        for value in values:
            index = ceil(log(value) * _SCALE) if value > 0 else _ZERO
            buckets[index] = buckets.get(index, 0) + 1
            if not self.count or value < self.least:
                self.least = value
            if not self.count or value > self.most:
                self.most = value
            self.count += 1
            self.total += value

    def merge(self, other: Histogram) -> None:
        """Add all samples of another histogram."""
        if not other.count:
            return
        self.least = min(self.least, other.least) if self.count else other.least
        self.most = max(self.most, other.most) if self.count else other.most
        self.count += other.count
        self.total += other.total
        for index, count in other.buckets.items():
            self.buckets[index] = self.buckets.get(index, 0) + count

    @property
    def mean(self) -> float | None:
        """The exact mean, None without samples."""
        return self.total / self.count if self.count else None

    def quantile(self, p: float, failed: int = 0) -> float | None:
        """The nearest rank's value for 0 < p <= 1; None without samples.

        With ``failed`` requests counted as infinitely slow, it may be ``inf``.
        """
        if not self.count + failed:
            return None
        return self.ranked(math.ceil(round(p * (self.count + failed), 6)))  # 0.07 * 100 > 7

    def ranked(self, rank: int) -> float:
        """The value of the sample of that rank, from 1; ``inf`` beyond the last."""
        if rank > self.count:
            return math.inf
        if rank <= 1:
            return self.least
        if rank == self.count:
            return self.most
        seen = 0
        for index in sorted(self.buckets):
            seen += self.buckets[index]
            if seen >= rank:
                value = _MIDDLE * _BASE**index if index != _ZERO else 0.0
                return min(max(value, self.least), self.most)
        return self.most

    def interval(self, p: float) -> tuple[float, float] | None:
        """A 95 % confidence interval of the quantile (binomial ranks), if it is carried."""
        if not carries(p, self.count):
            return None
        spread = 1.96 * math.sqrt(self.count * p * (1 - p))
        low = max(1, math.floor(self.count * p - spread))
        high = min(self.count, math.ceil(self.count * p + spread) + 1)
        return self.ranked(low), self.ranked(high)

    def plain(self) -> list[Any]:
        """As plain data, for a message or a file."""
        return [self.count, self.total, self.least, self.most, self.buckets]

    @classmethod
    def of(cls, plain: Iterable[Any]) -> Histogram:
        """From plain data; bucket numbers may have become text on the way."""
        made = cls()
        made.count, made.total, made.least, made.most, buckets = plain
        made.buckets = {int(index): count for index, count in buckets.items()}
        return made

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Histogram) and self.plain() == other.plain()

    __hash__ = None  # type: ignore[assignment]  # mutable


def edges(hist: Histogram) -> list[tuple[float, int]]:
    """The upper edge of each bucket that holds samples, and how many samples are not above it.

    >>> made = Histogram()
    >>> made.extend([5, 5, 9])
    >>> edges(made)[-1]
    (9, 3)
    """
    found: list[tuple[float, int]] = []
    seen = 0
    for index in sorted(hist.buckets):
        seen += hist.buckets[index]
        edge = _BASE**index if index != _ZERO else 0.0
        found.append((min(edge, hist.most), seen))
    return found


@dataclass(slots=True)
class Tally:
    """Everything recorded about one model in one phase of a run.

    Attributes:
        hists: by metric: those of `timeline.Timing` in ns (``rate``: thousandths of tokens/s), and
            ``connect``, ``tls``, ``lag`` (kernel stamp to callback), ``late`` (t_send - t_sched).
        counts: by name: ``sent``, ``ok``, ``failed``, ``cancelled``, tokens and reads.
        failures: by kind.
        findings: by requirement, streams with it.
        series: by name, then by second of the epoch: ``tokens`` by arrival, ``requests`` by send,
            ``ok`` and ``failed`` by end, …; all of them add up over workers.
        examples: one line for each kind of failure and each finding, the first seen.
    """

    hists: dict[str, Histogram] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    findings: Counter[str] = field(default_factory=Counter)
    series: dict[str, Counter[int]] = field(default_factory=dict)
    examples: dict[str, str] = field(default_factory=dict)

    def hist(self, name: str) -> Histogram:
        """The histogram of a metric, made where there was none."""
        found = self.hists.get(name)
        if found is None:
            found = self.hists[name] = Histogram()
        return found

    def at(self, name: str, second: int, count: int = 1) -> None:
        """Count in a series."""
        row = self.series.get(name)
        if row is None:
            row = self.series[name] = Counter()
        row[second] += count

    def row(self, name: str) -> Mapping[int, int]:
        """A series; empty where nothing was counted."""
        return self.series.get(name, Counter())

    def merge(self, other: Tally) -> None:
        """Add all that another tally holds."""
        for name, hist in other.hists.items():
            self.hist(name).merge(hist)
        for mine, theirs in (
            (self.counts, other.counts),
            (self.failures, other.failures),
            (self.findings, other.findings),
        ):
            mine.update(theirs)
        for name, row in other.series.items():
            self.series.setdefault(name, Counter()).update(row)
        for name, line in other.examples.items():
            self.examples.setdefault(name, line)

    def plain(self) -> dict[str, Any]:
        """As plain data, for a message."""
        return {
            "hists": {name: hist.plain() for name, hist in self.hists.items()},
            "counts": dict(self.counts),
            "failures": dict(self.failures),
            "findings": dict(self.findings),
            "series": {name: dict(row) for name, row in self.series.items()},
            "examples": dict(self.examples),
        }

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Tally:
        """From plain data."""
        return cls(
            hists={name: Histogram.of(hist) for name, hist in plain["hists"].items()},
            counts=Counter(plain["counts"]),
            failures=Counter(plain["failures"]),
            findings=Counter(plain["findings"]),
            series={
                name: Counter({int(second): count for second, count in row.items()})
                for name, row in plain["series"].items()
            },
            examples=dict(plain["examples"]),
        )


class Book:
    """The tallies of one process, or of all of them: by model, then by phase or window of it."""

    def __init__(self) -> None:
        self.tallies: dict[str, dict[str, Tally]] = {}
        self._length = LENGTH

    def tally(self, model: str, phase: str) -> Tally:
        """The tally of a model (or ``OWN``) in a phase."""
        return self.tallies.setdefault(model, {}).setdefault(phase, Tally())

    def window(self, model: str, phase: str, second: int) -> Tally:
        """The tally of a model (or ``OWN``) in the window of a phase that holds a second."""
        rows = self.tallies.setdefault(model, {})
        found = rows.get(key := Window.around(second, self._length, phase).key)
        while found is None and len(rows) > MOST:
            self._coarsen()
            rows = self.tallies[model]
            found = rows.get(key := Window.around(second, self._length, phase).key)
        if found is None:
            found = rows[key] = Tally()
        return found

    def _coarsen(self) -> None:
        """Make windows twice as long."""
        self._length *= 2
        before, self.tallies = self.tallies, {}
        for model, rows in before.items():
            for key, tally in rows.items():
                old = Window.of(key)
                new = old and Window.around(old.start, self._length, old.phase)
                self.tally(model, new.key if new else key).merge(tally)

    def whole(self, model: str, *phases: str) -> Tally:
        """All phases of a model in one, or those named, with all their windows."""
        made = Tally()
        for key, tally in self.tallies.get(model, {}).items():
            if not phases or phase_of(key) in phases:
                made.merge(tally)
        return made

    def windows(self, model: str, *phases: str) -> dict[int, Tally]:
        """The windows of a model in the phases named, by their first second, in order."""
        found: dict[int, Tally] = {}
        for key, tally in self.tallies.get(model, {}).items():
            window = Window.of(key)
            if window is not None and window.phase in phases:
                found.setdefault(window.start, Tally()).merge(tally)
        return dict(sorted(found.items()))

    @property
    def length(self) -> int:
        """Seconds of a window."""
        return self._length

    @property
    def models(self) -> list[str]:
        """The models, in order of their names."""
        return sorted(self.tallies.keys() - {OWN})

    def take(self, *models: str) -> dict[str, Any]:
        """What has been recorded since the last call, as plain data; the book is empty then.

        With ``models`` (``OWN`` among them) it is what concerns those, and only that is taken out.
        """
        return {
            model: {phase: tally.plain() for phase, tally in self.tallies.pop(model).items()}
            for model in models or tuple(self.tallies)
            if model in self.tallies
        }

    def add(self, plain: Mapping[str, Any]) -> None:
        """Add what another book gave."""
        for model, rows in plain.items():
            for key, tally in rows.items():
                window = Window.of(key)
                while window is not None and window.length > self._length:
                    self._coarsen()
                into = (
                    self.tally(model, key)
                    if window is None
                    else self.window(model, window.phase, window.start)
                )
                into.merge(Tally.of(tally))
