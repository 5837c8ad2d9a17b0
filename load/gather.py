"""What the workers report, put together: pure.

Laws
----
* A worker reports what is new since its last report, and at its end the rest, with how many
  requests it has begun in all. So the parts add up, and it shows where one was lost.
* What a worker had reported before it died is kept; the worker is named.
* A report of another run is not taken.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from load.metrics import Book

__all__ = ["Final", "Ledger", "Pulse"]


@dataclass(frozen=True, slots=True)
class Pulse:
    """How a worker stands when it reports. Moments in ns of its epoch.

    Attributes:
        worker: its index.
        at: when it was taken.
        started, steady_since, cpu: as in `Final`, so far.
        oldest: when the first of the requests that are in flight was begun, None without any: what
            arrived after it is not all recorded yet.
    """

    worker: int
    at: int
    started: int
    steady_since: int | None
    oldest: int | None
    cpu: float

    def plain(self) -> dict[str, Any]:
        """As plain data, for a message."""
        return {name: getattr(self, name) for name in self.__slots__}

    def so_far(self) -> Final:
        """As a last word: told to stop at the moment up to which all is known."""
        return Final(
            worker=self.worker,
            begun=0,
            started=self.started,
            steady_since=self.steady_since,
            stopped=max(self.started, min(self.at, self.oldest or self.at)),
            cpu=self.cpu,
        )


@dataclass(frozen=True, slots=True)
class Final:
    """A worker's last word. Moments in ns of its epoch.

    Attributes:
        worker: its index.
        begun: requests that it has begun in all.
        started: when its run began.
        steady_since: when its steady phase began, None where it never did.
        stopped: when it was told to stop.
        cpu: share of one core over the steady phase (over all, where there was none).
    """

    worker: int
    begun: int
    started: int
    steady_since: int | None
    stopped: int
    cpu: float

    def plain(self) -> dict[str, Any]:
        """As plain data, for a message."""
        return {name: getattr(self, name) for name in self.__slots__}


class Ledger:
    """The reports of a run's workers, by their names."""

    def __init__(self, run: str) -> None:
        self.run = run
        self.book = Book()
        self.expected: dict[str, int] = {}
        self.finals: dict[str, Final] = {}
        self._reported: Counter[str] = Counter()

    def expect(self, workers: Iterable[str]) -> dict[str, int]:
        """The workers that take part, each with its index."""
        for name in workers:
            self.expected.setdefault(name, len(self.expected))
        return self.expected

    def report(self, worker: str, data: Mapping[str, Any]) -> None:
        """A report, ``{"run", "book"}`` and in the last one ``"final"``."""
        if data.get("run") != self.run:
            return
        self.expect([worker])
        self.book.add(data["book"])
        for model, phases in data["book"].items():
            if model:
                self._reported[worker] += sum(
                    tally["counts"].get("requests", 0) for tally in phases.values()
                )
        if data.get("final"):
            self.finals[worker] = Final(**data["final"])

    @property
    def missing(self) -> list[str]:
        """The workers without a last word."""
        return [name for name in self.expected if name not in self.finals]

    @property
    def dead(self) -> tuple[str, ...]:
        """The same, for people."""
        return tuple(f"worker {self.expected[name]} ({name})" for name in self.missing)

    @property
    def lost(self) -> int:
        """Requests that were begun and not reported, of workers with a last word."""
        return sum(final.begun - self._reported[name] for name, final in self.finals.items())
