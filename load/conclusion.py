"""The end of a run: results and page are written, targets decided, and all is put into words.

Laws: results are written before the exit status is known to anybody, and before their page is
drawn; what cannot be written is one line beside the summary, and no page that cannot be drawn
changes anything else.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from conformance.wire.redact import Redactor
from load import results, slo
from load.command import command_line
from load.options import Settings
from load.summary import summary
from load.writing import write

__all__ = ["Concluded", "conclude", "own_command", "own_version", "page"]


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
    """Write the results and their page, and decide the targets."""
    if not facts.command:
        facts = replace(facts, command=own_command(facts.settings))
    judged = results.judge(facts)
    made = results.build(facts, judged)
    where = Path(facts.settings["load-results"])
    intervals = results.intervals(facts)
    problem = write(made, intervals, where)
    text = summary(made) + (problem or f"Results: {where}\n")
    if not problem and not facts.settings["no-page"]:
        text += page(made, where)
    status = slo.exit_status(results.decided(facts, judged.verdict))
    return Concluded(status, text, made, intervals)


def page(made: Mapping[str, Any], where: Path) -> str:
    """Write the page of a run or a sweep beside its results; a line that says where, or why not."""
    place = where.with_name(
        f"{where.name}.html" if where.suffix == ".html" else f"{where.stem}.html"
    )
    try:
        # Here: it is needed once, when nothing is measured any more.
        from reports.load import page as report

        report.write(made, place)
    except Exception as error:  # the results are written; whatever it is, the run is not lost
        return f"load: the page {place} cannot be written: {type(error).__name__}: {error}\n"
    missing = "" if report.complete() else f"load: {report.INSTALL}\n"
    return f"Page: {place}\n{missing}"


def own_command(settings: Settings) -> str:
    """The command line of this process, as results quote it."""
    return command_line(sys.argv, Redactor(settings.secrets), Path.cwd())


def own_version() -> str:
    """The version of this package; ``unknown`` where it runs from a checkout."""
    try:
        return version("chat-conformance")
    except PackageNotFoundError:
        return "unknown"
