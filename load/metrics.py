"""What a run measures and counts, per model, phase and window of time.

Laws
----
* Only integers: what N workers recorded, merged in any order and any grouping, equals what one
  would have recorded; so do counts and sums.
* A failure is no sample. It counts beside every percentile, and as infinite where a target is
  checked (``failed`` in `Histogram.quantile`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from load.histogram import Histogram
from load.windows import LENGTH, MOST, Window, phase_of

__all__ = ["OPENING", "OWN", "STEADY", "Book", "Tally"]

OPENING: Final = "opening"
"""The phase until all users run and their first wave has ended; left out where there is more."""

STEADY: Final = "steady"

OWN: Final = ""
"""The name under which a book keeps what concerns no model, but the generator itself."""


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
