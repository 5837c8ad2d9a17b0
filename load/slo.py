"""Targets such as ``ttft_p95<500ms``: what they say, and whether they held.

Laws
----
* A target on a run that is not valid, on a percentile that too few samples carry, or with its limit
  inside the run's error bar, is INCONCLUSIVE: never held, never broken.
* A request that failed counts as infinitely slow in a percentile, and as bad in goodput. Requests
  that the end of the run cut off count as neither.
* Without ``@MODEL`` a target holds if it holds for every model.

Grammar
-------
``METRIC_STATISTIC[@MODEL] < VALUE``: METRIC is a latency (``LATENCIES``), STATISTIC one of p50 p90
p95 p99 mean max, VALUE a number with ``ms``, ``s`` or ``us``; or ``SHARE[@MODEL] < VALUE`` with
``failures``, ``goodput`` (shares: ``1%`` or ``0.01``), ``tokens_per_second``,
``requests_per_second``. The comparison is ``<``, ``<=``, ``>`` or ``>=``.

A *request target* (`parse_request_target`) is ``METRIC<VALUE`` without statistic: a request is good
if it keeps all of them. Goodput is good requests per second; attainment is good / ended.
"""

from __future__ import annotations

import enum
import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from load.histogram import Histogram, carries, needed

__all__ = [
    "LATENCIES",
    "Outcome",
    "Standing",
    "Target",
    "Verdict",
    "decide",
    "exit_status",
    "parse",
    "parse_request_target",
    "wilson",
]

LATENCIES: Final = (
    "ttft",
    "ttft_sched",
    "ttfvt",
    "ttfe",
    "itl",
    "stall",
    "tpot",
    "e2e",
    "e2e_sched",
    "connect",
    "tls",
)
RATES: Final = ("tokens_per_second", "requests_per_second")
SHARES: Final = ("failures", "goodput")
STATISTICS: Final = ("p50", "p90", "p95", "p99", "mean", "max")

_UNITS: Final = {"us": 1_000, "µs": 1_000, "ms": 1_000_000, "s": 1_000_000_000}
_COMPARISONS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_TARGET = re.compile(
    r"\s*(\w+?)(?:_(p\d+|mean|max))?(?:@([^<>]+?))?\s*(<=|>=|<|>)\s*([\d.]+)\s*(\S*)\s*"
)


class Verdict(enum.StrEnum):
    """Whether a target held."""

    HELD = "held"
    BROKEN = "broken"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Target:
    """A parsed target; ``limit`` in ns, in tokens or requests per second, or a share of 1."""

    spelled: str
    metric: str
    statistic: str
    model: str
    comparison: str
    limit: float


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known about one model when targets are decided.

    ``ended`` counts requests that succeeded or failed, ``good`` those that kept all request targets
    (None: there are none), rates are over the measured window.
    """

    hists: Mapping[str, Histogram]
    ended: int
    failed: int
    good: int | None
    tokens_per_second: float | None
    requests_per_second: float | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """A target, decided for one model; ``seen`` in the target's unit, None where not measured."""

    target: Target
    model: str
    verdict: Verdict
    seen: float | None
    why: str = ""


def parse(spelled: str) -> Target:
    """A target. Raises ValueError with one line that says what to write."""
    found = _TARGET.fullmatch(spelled)
    if found is None:
        raise ValueError(f"{spelled!r} is no target: write for example ttft_p95<500ms")
    metric, statistic, model, comparison, number, unit = found.groups(default="")
    limit = _number(spelled, number)
    if metric in LATENCIES:
        if statistic not in STATISTICS:
            raise ValueError(f"{spelled!r}: {metric}_ needs one of {', '.join(STATISTICS)}")
        if unit not in _UNITS:
            raise ValueError(f"{spelled!r}: give a time in ms, s or us")
        limit *= _UNITS[unit]
    elif statistic or metric not in (*RATES, *SHARES):
        known = ", ".join((*LATENCIES, *RATES, *SHARES))
        raise ValueError(f"{spelled!r}: {metric!r} is no metric; there are {known}")
    elif metric in SHARES:
        if unit not in ("", "%"):
            raise ValueError(f"{spelled!r}: give a share such as 1% or 0.01")
        limit /= 100 if unit else 1
    elif unit not in ("", "/s"):
        raise ValueError(f"{spelled!r}: give a number per second, without unit")
    return Target(spelled.strip(), metric, statistic, model, comparison, limit)


def parse_request_target(spelled: str) -> Target:
    """A target on one request, ``ttft<500ms``. Raises ValueError with one line."""
    found = _TARGET.fullmatch(spelled)
    if found is None or found[1] not in LATENCIES or found[2] or found[6] not in _UNITS:
        raise ValueError(f"{spelled!r} is no target of one request: write for example ttft<500ms")
    limit = _number(spelled, found[5]) * _UNITS[found[6]]
    return Target(spelled.strip(), found[1], "", found[3] or "", found[4], limit)


def _number(spelled: str, number: str) -> float:
    try:
        return float(number)
    except ValueError:
        raise ValueError(f"{spelled!r}: {number!r} is no number") from None


def keeps(target: Target, value: float) -> bool:
    """Whether a value keeps a target's limit."""
    return _COMPARISONS[target.comparison](value, target.limit)


def decide(
    target: Target, models: Mapping[str, Standing], *, valid: bool, error: float | None = 0.0
) -> list[Outcome]:
    """The target for each model that it speaks of; one outcome at least.

    ``error`` is the run's error bar for a latency in ns, None where it is unknown.
    """
    wanted = {m: s for m, s in models.items() if target.model in ("", m)}
    if not wanted:
        return [Outcome(target, target.model, Verdict.INCONCLUSIVE, None, "no such model ran")]
    return [
        _decide(target, model, _seen(target, standing), valid=valid, error=error)
        for model, standing in wanted.items()
    ]


def _decide(
    target: Target, model: str, known: tuple[float | None, str], *, valid: bool, error: float | None
) -> Outcome:
    seen, why = known
    if why or seen is None:
        return Outcome(target, model, Verdict.INCONCLUSIVE, seen, why or "not measured")
    if not valid:
        return Outcome(target, model, Verdict.INCONCLUSIVE, seen, "the run is not valid")
    if target.metric in LATENCIES:
        if error is None:
            return Outcome(target, model, Verdict.INCONCLUSIVE, seen, "the error bar is unknown")
        if abs(seen - target.limit) <= error:
            why = f"the limit is within the error bar of {error / 1e6:.2f} ms"
            return Outcome(target, model, Verdict.INCONCLUSIVE, seen, why)
    verdict = Verdict.HELD if keeps(target, seen) else Verdict.BROKEN
    return Outcome(target, model, verdict, seen)


def _seen(target: Target, standing: Standing) -> tuple[float | None, str]:  # noqa: PLR0911 - a ladder of cases, one line each
    """The value that the target speaks of, and why it cannot be known ("" where it can)."""
    if target.metric == "tokens_per_second":
        return standing.tokens_per_second, ""
    if target.metric == "requests_per_second":
        return standing.requests_per_second, ""
    if not standing.ended:
        return None, "no request ended"
    if target.metric == "failures":
        return standing.failed / standing.ended, ""
    if target.metric == "goodput":
        if standing.good is None:
            return None, "no --goodput target says what a good request is"
        return standing.good / standing.ended, ""
    hist = standing.hists.get(target.metric, Histogram())
    failed = 0 if target.metric in ("itl", "stall", "connect", "tls") else standing.failed
    if target.statistic in ("mean", "max"):
        if not hist.count:
            return None, "not measured"
        value = hist.mean if target.statistic == "mean" else float(hist.most)
        return (math.inf if failed else value), ""
    p = int(target.statistic[1:]) / 100
    if not carries(p, hist.count + failed):
        return None, f"{hist.count + failed} samples; {target.statistic} needs {needed(p)}"
    return hist.quantile(p, failed), ""


def exit_status(outcomes: list[Outcome]) -> int | None:
    """1 where a target is broken, else 6 where one is inconclusive, else 0; None without any."""
    if not outcomes:
        return None
    verdicts = {outcome.verdict for outcome in outcomes}
    if Verdict.BROKEN in verdicts:
        return 1
    return 6 if Verdict.INCONCLUSIVE in verdicts else 0


def wilson(good: int, of: int) -> tuple[float, float]:
    """The 95 % Wilson interval of a share.

    >>> [round(edge, 3) for edge in wilson(9, 10)]
    [0.596, 0.982]
    """
    if not of:
        return 0.0, 1.0
    z, share = 1.96, good / of
    middle = share + z * z / (2 * of)
    spread = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    scale = 1 + z * z / of
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)
