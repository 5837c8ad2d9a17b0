"""Whether a run can rest on its VALID windows, where some are INVALID: a verdict's last rule. Pure.

Laws
----
* An INVALID window alone takes nothing from a run. Many do, and so do few that carry a figure: what
  was measured in them is not known to be the target's.
* What is compared is what the run is asked for: percentiles, whose 95 % intervals are known.

Theory
------
=========  ================================================================  =====================
rule       how                                                               limit
=========  ================================================================  =====================
windows    seconds of the measured window that lie in VALID windows          at least half of them
shifted    a percentile of the run against the 95 % interval of the same     the error bar, and 5 %
           over its VALID windows: by how much it lies outside               of the percentile
=========  ================================================================  =====================

``shifted`` does not say that the generator was at fault: a target may have been slower in the very
seconds in which the generator was late. From this run nobody can tell, and that is what it says.
A rate has no interval: of rates, ``windows`` alone speaks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from load.histogram import Histogram
from load.validity import Reason

__all__ = ["COMPARED", "Shift", "reasons", "shifts"]

COMPARED: Final = ("ttft", "itl", "e2e")
"""The latencies that windows keep."""

PERCENTILES: Final = (0.5, 0.9, 0.95, 0.99)
LEAST: Final = 0.5
SHARE: Final = 0.05
MS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Shift:
    """A percentile of a run that lies outside its interval over VALID windows; all in ns."""

    model: str
    metric: str
    percent: int
    run: float
    low: float
    high: float

    @property
    def outside(self) -> float:
        """By how much."""
        return max(self.low - self.run, self.run - self.high)


def shifts(
    model: str, run: Mapping[str, Histogram], valid: Mapping[str, Histogram]
) -> Iterator[Shift]:
    """The percentiles of a model that the INVALID windows moved, where samples carry both."""
    for metric in COMPARED:
        whole, part = run.get(metric, Histogram()), valid.get(metric, Histogram())
        for p in PERCENTILES:
            within = part.interval(p)
            value = whole.quantile(p) if whole.interval(p) else None
            if within is None or value is None or within[0] <= value <= within[1]:
                continue
            yield Shift(model, metric, round(p * 100), value, *within)


def reasons(
    valid: int, seconds: int, moved: Sequence[Shift], error: float | None
) -> tuple[Reason, ...]:
    """What the windows of a run say against it.

    Args:
        valid: seconds of the measured window that lie in VALID windows.
        seconds: of the measured window; 0: too short to say.
        moved: what INVALID windows moved, of all models.
        error: the run's error bar in ns, None where it is unknown.
    """
    found: list[Reason] = []
    if seconds and valid < LEAST * seconds:
        what = f"{valid} of {seconds} s lie in VALID windows, less than half"
        found.append(Reason("windows", what, "everything"))
    material = [s for s in moved if s.outside > max(error or 0.0, SHARE * s.run)]
    if material:
        worst = max(material, key=lambda shift: shift.outside / shift.run)
        more = f"; {len(material) - 1} more" if len(material) > 1 else ""
        what = (
            f"{worst.metric} p{worst.percent} of {worst.model} is {worst.run / MS:.4g} ms, over "
            f"VALID windows alone {worst.low / MS:.4g} to {worst.high / MS:.4g} ms{more}"
        )
        spoilt = ", ".join(dict.fromkeys(shift.metric for shift in material))
        found.append(Reason("shifted", what, spoilt))
    return tuple(found)
