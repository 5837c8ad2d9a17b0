"""The live view's points over time: what a window of a run says of each model. Pure.

Laws
----
* A point stands for a window of the run. Its percentiles are over the samples of the window and of
  as many before it as carry them, at most ``BACK`` seconds; beyond that they are withheld.
* A window is of one phase: of the steady one as soon as it has begun.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from load import marking, validity
from load.histogram import Histogram, carries
from load.metrics import OPENING, OWN, STEADY, Book, Tally
from load.windows import Window

__all__ = ["BACK", "Past", "point", "times", "trailing"]

BACK: Final = 120
"""Seconds that a percentile of a point may reach back."""

PERCENTILES: Final = (0.5, 0.95, 0.99)
Series = Mapping[str, Mapping[str, Mapping[int, int]]]


@dataclass(frozen=True, slots=True)
class Past:
    """Where points come from: windows, series by model and name, and the first second that counts.

    Nothing of it is changed.
    """

    book: Book
    rows: Series
    since: int

    @property
    def length(self) -> int:
        """Seconds of a window."""
        return self.book.length

    def phase(self, start: int) -> str:
        """The phase of a window."""
        known = self.book.tallies.get(OWN, {})
        return STEADY if Window(start, self.length, STEADY).key in known else OPENING

    def window(self, model: str, start: int, phase: str) -> Tally | None:
        """The tally of a window, None where nothing was recorded."""
        if start < self.since:
            return None
        return self.book.tallies.get(model, {}).get(Window(start, self.length, phase).key)

    def back(self, model: str, start: int, phase: str) -> Iterator[Histogram]:
        """The TTFT of a window and of those before it in its phase, as far as a point may reach."""
        for earlier in range(start, start - BACK, -self.length):
            found = self.window(model, earlier, phase)
            yield found.hists.get("ttft", _NONE) if found is not None else _NONE

    def reached(self, changed: Collection[int], known: Collection[int]) -> set[int]:
        """The windows that have changed, and the known ones whose percentiles reach one of them."""
        found = {start for start in changed if start >= self.since}
        for start in known:
            if any(start - BACK < other < start for other in changed):
                found.add(start)
        return found

    def sum(self, model: str, series: str, start: int) -> int:
        """What a series counts in a window."""
        row = self.rows.get(model, {}).get(series, {})
        return sum(row.get(second, 0) for second in range(start, start + self.length))


_NONE: Final = Histogram()


def trailing(hists: Iterable[Histogram]) -> list[tuple[float, int] | None]:
    """For each percentile its value, and over how many of the histograms; newest first.

    None where they do not carry it together, and everywhere where the newest has no sample.
    """
    found: list[tuple[float, int] | None] = [None] * len(PERCENTILES)
    merged = Histogram()
    for number, hist in enumerate(hists, 1):
        merged.merge(hist)
        if not merged.count:
            break
        for index, p in enumerate(PERCENTILES):
            if found[index] is None and carries(p, merged.count):
                value = merged.quantile(p)
                found[index] = None if value is None else (value, number)
        if found[-1] is not None:
            break
    return found


def point(
    past: Past,
    start: int,
    models: Sequence[str],
    run: validity.Evidence,
    span: tuple[float, float],
) -> dict[str, Any]:
    """The window that begins at ``start``.

    Args:
        past: where it is taken from.
        start: second of the epoch.
        models: of whom it tells.
        run: what was watched over the run, by whose medians it is judged.
        span: when the run began, and until when it was reported, seconds of the epoch.
    """
    phase = past.phase(start)
    own = past.window(OWN, start, phase) or Tally()
    tallies = {model: past.window(model, start, phase) for model in models}
    marked = marking.judged(start, past.length, own, [t for t in tallies.values() if t], run)
    watched = past.rows.get(OWN, {}).get("in_flight", {})
    seconds = [s for s in range(start, start + past.length) if s in watched]
    late = past.rows.get(OWN, {}).get("late_probes", {})
    passed = max(1.0, min(start + past.length, span[1]) - max(start, past.since, span[0]))
    return {
        "start": start,
        "seconds": past.length,
        "phase": phase,
        "verdict": marked.verdict.verdict if marked is not None else None,
        "reasons": [r.what for r in marked.verdict.reasons] if marked is not None else [],
        "late": sum(1 for s in range(start, start + past.length) if late.get(s)),
        "models": {
            model: _of(past, model, Window(start, past.length, phase), seconds, passed)
            for model in models
        },
    }


def _of(
    past: Past, model: str, window: Window, seconds: Sequence[int], passed: float
) -> dict[str, Any]:
    start = window.start
    found = trailing(past.back(model, start, window.phase))
    flights = past.rows.get(model, {}).get("in_flight", {})
    flying = sum(flights.get(second, 0) for second in seconds)
    return {
        "ttft_ms": [round(each[0] / 1e6, 3) if each is not None else None for each in found],
        "over_s": [each[1] * past.length if each is not None else None for each in found],
        "tokens_per_second": round(past.sum(model, "tokens", start) / passed, 2),
        "in_flight": round(flying / len(seconds), 2) if seconds else None,
        "failed": past.sum(model, "failed", start),
        "ok": past.sum(model, "ok", start),
    }


def times(hist: Histogram, failed: int) -> dict[str, Any]:
    """A latency in milliseconds, as results have it, without intervals."""

    def scaled(value: float | None) -> float | None:
        return None if value is None else round(value / 1e6, 6)

    made: dict[str, Any] = {"count": hist.count, "mean": scaled(hist.mean)}
    made["max"] = scaled(hist.most) if hist.count else None
    for percent in (50, 90, 95, 99):
        p = percent / 100
        made[f"p{percent}"] = scaled(hist.quantile(p)) if carries(p, hist.count) else None
    return {**made, "failed": failed}
