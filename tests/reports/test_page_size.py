"""A page stays small, whatever is to be shown, and loses nothing for it."""

from __future__ import annotations

import json
from typing import Any

from conformance.requirements import REQUIREMENTS
from reports import embedding

from . import recorded, sample
from .reading import Page, rendered


def _fifty() -> dict[str, Any]:
    """Fifty MUST clauses that are broken on ten models, no two by the same reply."""
    clauses = [name for name in sorted(REQUIREMENTS) if REQUIREMENTS[name].level == "MUST"][:50]
    records = []
    for clause in clauses:
        for model in sample.MODELS:
            exchanges = [
                recorded.stream(f"{clause} {model} {number}", {number + 3}) for number in (0, 1)
            ]
            findings = [
                {
                    "required": "an object",
                    "seen": "null",
                    "at": f"chunk {n} $.x",
                    "reply": e["reply"],
                }
                for n, e in enumerate(exchanges * 6)
            ]
            given: dict[str, Any] = {"findings": findings, "exchanges": exchanges}
            records.append(sample.record(clause, "FAIL", model, **given))
    held = [record for record in sample.records() if record["verdict"] == "PASS"]
    records += [record for record in held if record["id"] not in clauses]
    return sample.run(records=records, profile_deviations=())


def test_fifty_failures_on_ten_models_stay_below_three_megabytes() -> None:
    results = _fifty()
    html = rendered(results)
    assert len(json.dumps(results)) > 5_000_000
    assert len(html.encode("utf-8")) < 3_000_000
    assert embedding.results_in(html) == results
    shown = Page(html)
    assert "50 of" in shown.words
    assert shown.tags["article"] == 50
    # Every model of every card is named, and its exchanges are there or said to be in the data.
    assert shown.words.count("in the results that this page holds") > 100
    assert shown.words.count("Exchange 1 of 2") > 30


def test_a_line_of_a_megabyte_is_shortened_wherever_it_stands() -> None:
    long = "L" * 1_000_000
    exchange = recorded.stream("x", {3})
    for number in (2, 3):
        exchange["transcript"][number]["text"] = long
    exchange["headers"] = [["x-long", long]]
    exchange["request"]["body"] = long
    exchange["error"] = long
    finding = {"required": long, "seen": long, "at": long, "reply": exchange["reply"]}
    evidence: dict[str, Any] = {
        "summary": long,
        "reason": long,
        "findings": [finding],
        "exchanges": [exchange],
    }
    records = [
        sample.record("CC-SSE-003", "FAIL", **evidence),
        sample.record("CC-SSE-004", "INCONCLUSIVE", **evidence),
        sample.record("CC-SSE-005", "PASS", observed=long),
    ]
    html = rendered(sample.run(records=records))
    assert len(html) < 1_000_000
    assert max(len(part) for part in Page(html).text) < 10_000
