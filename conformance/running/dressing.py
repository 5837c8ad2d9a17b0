"""From a record to pytest's report: the outcome that stands for the verdict.

| verdict | pytest outcome |
|---|---|
| PASS, WARN | passed |
| FAIL, ERROR | failed |
| UNSUPPORTED, INCONCLUSIVE, BLOCKED | skipped, with the reason |
| OBSERVED | passed; skipped where a capability is missing, so that pytest goes no further |

The law: the verdict is decided already (`recording`); here it is only spelled, so that `-x`, `-k`,
`-n`, JUnit and pytest-html keep working.
"""

from collections.abc import Callable
from typing import Any

import pytest

import reports.text
from conformance.requirements import Requirement


def dress(
    item: pytest.Item,
    report: pytest.TestReport,
    record: dict[str, Any],
    entry: Requirement,
    redact: Callable[[str], str],
) -> None:
    """Give the report the outcome that stands for the verdict, and the record."""
    verdict = record["verdict"]
    report.conformance = record  # type: ignore[attr-defined]  # travels with the report
    properties: list[tuple[str, object]] = [
        ("requirement", entry.id),
        ("level", entry.level),
        ("verdict", verdict),
        ("model", record["model"] or ""),
    ]
    report.user_properties += properties
    item.user_properties += properties  # JUnit takes them from the report of the teardown
    if verdict in ("PASS", "WARN") or (verdict == "OBSERVED" and report.when == "call"):
        report.outcome, report.longrepr = "passed", None
        if verdict == "WARN":
            report.sections.append(("warning", reports.text.failure(record, entry)))
    elif verdict in ("FAIL", "ERROR"):
        report.outcome = "failed"
        if verdict == "FAIL":
            report.longrepr = reports.text.failure(record, entry)
        else:
            report.longrepr = redact(str(report.longrepr or record["evidence"]["summary"]))
    else:
        report.outcome = "skipped"
        path, line = str(report.location[0]), (report.location[1] or 0) + 1
        by = record["evidence"].get("by")
        reason = f"{verdict}{f' by {by}' if by else ''}: {record['evidence']['reason']}"
        report.longrepr = (path, line, reason)


def status(record: dict[str, Any]) -> tuple[str, str]:
    """Category and word of a record in pytest's summary."""
    verdict: str = record["verdict"]
    named = {"PASS": "passed", "FAIL": "failed", "ERROR": "error"}
    return named.get(verdict, verdict.lower()), verdict
