"""How a check ends, other than by returning (PASS).

The laws:

1. `Broken` is the only way to blame the target. It carries what was required and what was seen.
2. What could not be judged says why, and what to blame instead: `Unsupported`, `Inconclusive`,
   `Blocked`.
3. Any other exception is the suite's own failure (ERROR), never the target's.

    BaseException
     ├─ Broken(AssertionError)   FAIL, or WARN for a SHOULD or a mild finding
     └─ Unjudged(Exception)
         ├─ Unsupported          a capability refused cleanly, or declared absent
         ├─ Inconclusive         429, 5xx, timeout, quota, truncated by length
         └─ Blocked              a requirement that this one rests on is broken
"""

from collections.abc import Sequence
from dataclasses import dataclass

from .protocol.finding import Finding
from .wire.exchange import Exchange


@dataclass(frozen=True, slots=True)
class Sighting:
    """A finding, and the exchange that it was made in."""

    finding: Finding
    exchange: Exchange | None = None


class Broken(AssertionError):  # noqa: N818 - a verdict on the target, no error of ours
    """The requirement is broken: at least one sighting says where.

    `repeated` says how steadily, where that was asked (`again`).
    """

    repeated: "Repeated | None" = None

    def __init__(self, sightings: Sequence[Sighting], trials: "Trials | None" = None) -> None:
        self.sightings = tuple(sightings)
        self.trials = trials
        first = self.sightings[0].finding
        super().__init__(f"{first.at + ': ' if first.at else ''}{first.seen}")


class Unjudged(Exception):  # noqa: N818 - not an error: a verdict that blames nobody
    """The requirement could not be judged, and why."""

    def __init__(self, reason: str, exchange: Exchange | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.exchange = exchange


class Unsupported(Unjudged):
    """The target refuses the capability cleanly, or its profile declares it absent."""


class Inconclusive(Unjudged):
    """The target could not be judged."""


class Blocked(Unjudged):
    """Another requirement, `by`, is broken, so that this one cannot be seen."""

    def __init__(self, by: str, reason: str, exchange: Exchange | None = None) -> None:
        super().__init__(reason, exchange)
        self.by = by


@dataclass(frozen=True, slots=True)
class Repeated:
    """How often the replies that broke a clause broke it when they were asked for again."""

    broken: int
    of: int

    @property
    def steady(self) -> bool:
        """Whether each of them was broken each time; if not, the breach is intermittent."""
        return self.broken == self.of


@dataclass(frozen=True, slots=True)
class Trials:
    """k of n: `passed` of `counted` trials held; `needed` decide; `of` were planned."""

    passed: int
    counted: int
    needed: int
    of: int

    def __str__(self) -> str:
        return f"{self.passed} of {self.counted} trials"
