"""What the terminal shows at the end: the plan, or what the run has come to.

The law: nothing is decided here; the results say it.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import reports.text

from .planning import plan_lines

if TYPE_CHECKING:
    from .run import Run


def show_plan(run: "Run", out: pytest.TerminalReporter) -> None:
    """What a run would send, and cost."""
    chosen = run.settings
    out.section("plan")
    lines = plan_lines(
        run.parts.spent,
        run.live().models,
        chosen.target_url,
        long_context=chosen.long_context,
        generated=chosen.generated,
        limits=chosen.limits,
    )
    for line in lines:
        out.write_line(line)


def show_results(run: "Run", out: pytest.TerminalReporter) -> None:
    """Warnings, why anything was left unjudged, and the verdict."""
    results = run.results
    warned = [entry for entry in results["requirements"] if entry["verdict"] == "WARN"]
    if warned:
        out.section("warnings", yellow=True)
        for entry in warned:
            model = entry["model"] or "target"
            out.write_line(f"{entry['id']} · {model} · {entry['evidence']['summary']}")
    out.section("conformance")
    notices = [notice for notice in run.notices if _tells(notice, run)]
    for notice in notices:
        out.write_line(notice, red=True)
    if notices or results["interrupted"]:
        out.write_line(f"go on with --resume {run.settings.results}")
    for line in reports.text.closing(results, _written(run)):
        out.write_line(line)


def _tells(notice: str, run: "Run") -> bool:
    """Whether anything was left unjudged for it: what did not fit at first may have later."""
    reasons = (entry["evidence"].get("reason") for entry in run.results["requirements"])
    return any(notice in reason for reason in reasons if reason)


def _written(run: "Run") -> list[Path]:
    """The files of the run."""
    option = run.config.option
    paths = [run.settings.results, getattr(option, "xmlpath", None), run.page]
    return [Path(path) for path in paths if path and Path(path).exists()]
