"""Histograms of integers that merge exactly; which percentiles a number of samples carries.

Laws
----
* The histograms of N workers, merged in any order and any grouping, equal the histogram of all
  their samples.
* Count, sum, minimum and maximum are exact. A quantile is the nearest rank's, off by at most
  ``ERROR`` of its value, and never outside minimum and maximum.
* A percentile that the number of samples does not carry is withheld (`carries`): a guess with two
  decimals is worse than none.

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
from collections.abc import Iterable
from functools import cache
from typing import Any, Final

__all__ = ["ERROR", "Histogram", "carries", "edges", "needed"]

ERROR: Final = 0.005
"""Largest relative error of a quantile."""

_BASE: Final = (1 + ERROR) / (1 - ERROR)
_SCALE: Final = 1 / math.log(_BASE)
_MIDDLE: Final = 2 / (1 + _BASE)
_ZERO: Final = -(2**31)  # the bucket of samples that are not above 0

CONFIDENCE: Final = 0.99


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
