"""The search for the highest rate that holds: doubled until it breaks, then halved between. Pure.

Laws
----
* The answer is an interval: the highest rate that held, and the lowest that did not.
* A run that decides nothing ends the search; so does one that was interrupted, which counts for
  nothing.
* One run may hold by luck: the highest rate is run again, and the next lower one is on trial where
  it breaks once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

__all__ = ["INTERRUPTED", "Found", "confirm", "search"]

INTERRUPTED: Final = "interrupted"
"""The verdict on a run that was not let go on to its end."""


@dataclass(slots=True)
class Found:
    """What a search has found: the highest rate that held, the lowest that broke."""

    held: float | None = None
    broken: float | None = None
    unknown: float | None = None
    runs: list[tuple[float, str]] = field(default_factory=list)
    interrupted: bool = False

    def times(self, rate: float) -> tuple[int, int]:
        """How many runs of a rate held, and of how many."""
        verdicts = [verdict for run, verdict in self.runs if run == rate]
        return verdicts.count("held"), len(verdicts)

    def goes_on(self) -> bool:
        """Whether the search goes on."""
        return self.unknown is None and not self.interrupted

    def take(self, rate: float, verdict: str) -> None:
        """Take the verdict on a run into the list."""
        self.interrupted = self.interrupted or verdict == INTERRUPTED
        if verdict == INTERRUPTED:
            return
        self.runs.append((rate, verdict))
        if verdict not in ("held", "broken"):
            self.unknown = rate


def search(
    judge: Callable[[float], str],
    start: float,
    *,
    precision: float,
    most: float,
    found: Found | None = None,
) -> Found:
    """Find the highest rate at which ``judge`` says ``held``.

    Args:
        judge: runs a rate; ``held``, ``broken``, ``interrupted`` or anything else; but for the
            first two each ends the search.
        start: the first rate.
        precision: stop once the interval is narrower than this share of it, or where nothing holds
            at this share of the first rate either.
        most: no rate above this.
        found: where the answer goes, so that others can look at it on the way.

    >>> found = search(lambda rate: "held" if rate <= 11 else "broken", 2, precision=0.1, most=99)
    >>> found.held, found.broken
    (11.0, 12.0)
    """
    found = Found() if found is None else found
    rate = start
    while True:
        verdict = judge(rate)
        if verdict == "held":
            found.held = max(rate, found.held or 0.0)
        elif verdict == "broken":
            found.broken = min(rate, found.broken or rate)
        found.take(rate, verdict)
        if not found.goes_on():
            return found
        held, broken = found.held or 0.0, found.broken
        if broken is None:
            if held >= most:
                return found
            rate = min(most, rate * 2)
        elif broken - held <= precision * broken or broken <= precision * start:
            return found
        else:
            rate = (held + broken) / 2


def confirm(judge: Callable[[float], str], found: Found, runs: int) -> None:
    """Run the highest rate that held again, ``runs`` times in all; lower it where it breaks once.

    >>> verdicts = iter(["held", "broken", "held", "held"])
    >>> found = Found(held=12.0, broken=13.0, runs=[(10.0, "held"), (12.0, "held")])
    >>> confirm(lambda rate: next(verdicts), found, runs=3)
    >>> found.held, found.broken, found.times(10.0)
    (10.0, 12.0, (3, 3))
    """
    while found.held is not None and found.goes_on():
        rate = found.held
        while found.times(rate) != (runs, runs):
            verdict = judge(rate)
            if verdict == "broken":
                found.broken = rate
                lower = [r for r, v in found.runs if v == "held" and r < rate]
                found.held = max(lower, default=None)
            found.take(rate, verdict)
            if not found.goes_on():
                return
            if verdict == "broken":
                break
        else:
            return
