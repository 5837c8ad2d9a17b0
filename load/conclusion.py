"""The end of a run: its results are written, its targets decided, and both are put into words.

Laws: results are written before the exit status is known to anybody; what cannot be written is one
line beside the summary.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from load import results, slo, validity
from load.summary import summary
from load.writing import write

__all__ = ["Concluded", "conclude", "own_version"]


@dataclass(frozen=True, slots=True)
class Concluded:
    """What is left of a run: the exit status, None without targets; and the screen of text.

    ``results`` and ``intervals`` are what was written, as data and as CSV.
    """

    status: int | None
    text: str
    results: dict[str, Any]
    intervals: str


def conclude(facts: results.Facts) -> Concluded:
    """Write the results, and decide the targets."""
    made = results.build(facts)
    verdict = validity.judge(results.evidence(facts))
    where = Path(facts.settings["load-results"])
    intervals = results.intervals(facts)
    problem = write(made, intervals, where)
    text = summary(made) + (problem or f"Results: {where}\n")
    status = slo.exit_status(results.decided(facts, verdict))
    return Concluded(status, text, made, intervals)


def own_version() -> str:
    """The version of this package; ``unknown`` where it runs from a checkout."""
    try:
        return version("chat-conformance")
    except PackageNotFoundError:
        return "unknown"
