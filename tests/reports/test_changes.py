"""What changed between two runs of one target: decided by a table, told three ways."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import pytest

import schemas
from conformance.requirements import CHAPTERS, REQUIREMENTS
from reports.comparison import columns, exports, pages, tables
from reports.comparison.changes import MEANING, TABLE, Change, Changes, changes, same_target

from . import sample

ONE, TWO = sample.MODELS[:2]
MUST, SHOULD, INFO = "CC-SSE-005", "CC-ERR-009", "CC-FIN-006"
VERDICTS = ("FAIL", "WARN", "PASS", "UNSUPPORTED", "INCONCLUSIVE", "BLOCKED", "ERROR", None)


def run(
    verdict: str | None, clause: str = MUST, models: tuple[str, ...] = (ONE,), **changed: Any
) -> dict[str, Any]:
    """A run in which a clause got a verdict on each model; None: it was not run."""
    rows = [
        sample.record(clause, verdict, model, summary=f"{verdict} told")
        for model in models
        if verdict
    ]
    target = {"url": sample.URL, "profile": "example", "models": list(models)}
    return sample.run(**{"records": rows, "target": target, "profile_deviations": ()} | changed)


def between(old: dict[str, Any], new: dict[str, Any]) -> Changes:
    return changes(old, new, REQUIREMENTS)


def change(was: str | None, now: str | None) -> Change:
    found = between(run(was), run(now))
    return found.rows[0].change if found.rows else Change.SAME


# --- decisions ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("was", "now", "expected"),
    [
        ("PASS", "FAIL", "newly broken"),
        ("WARN", "FAIL", "newly broken"),
        ("UNSUPPORTED", "FAIL", "newly broken"),
        ("INCONCLUSIVE", "FAIL", "found broken"),
        ("BLOCKED", "FAIL", "found broken"),
        (None, "FAIL", "found broken"),
        ("FAIL", "FAIL", "still broken"),
        ("FAIL", "PASS", "newly fixed"),
        ("FAIL", "WARN", "broken before, warned now"),
        ("FAIL", "UNSUPPORTED", "no longer supported"),
        ("FAIL", "INCONCLUSIVE", "no longer judged"),
        ("FAIL", "BLOCKED", "no longer judged"),
        ("FAIL", "ERROR", "no longer judged"),
        ("FAIL", None, "no longer judged"),
        ("PASS", "INCONCLUSIVE", "no longer judged"),
        ("PASS", None, "no longer judged"),
        ("PASS", "WARN", "newly warned"),
        ("BLOCKED", "WARN", "newly warned"),
        ("WARN", "PASS", "warned before, held now"),
        ("WARN", "WARN", "still warned"),
        ("PASS", "UNSUPPORTED", "no longer supported"),
        ("UNSUPPORTED", "PASS", "newly supported"),
        ("INCONCLUSIVE", "PASS", "newly judged"),
        (None, "UNSUPPORTED", "newly judged"),
        ("PASS", "PASS", "unchanged"),
        ("BLOCKED", "INCONCLUSIVE", "unchanged"),
        ("BLOCKED", None, "unchanged"),
    ],
)
def test_two_verdicts_make_a_change(was: str | None, now: str | None, expected: str) -> None:
    assert change(was, now) == expected


@pytest.mark.parametrize(("was", "now"), list(product(VERDICTS, VERDICTS)))
def test_the_laws_hold_for_every_two_verdicts(was: str | None, now: str | None) -> None:
    found = between(run(was), run(now))
    made = found.rows[0].change if found.rows else Change.SAME
    broken, judged = now == "FAIL", now in ("FAIL", "WARN", "PASS", "UNSUPPORTED")
    # Whatever breaks now and was not known to is told by the exit status, and nothing else is.
    assert found.exit_status == int(broken and was != "FAIL")
    # Only what held is called fixed; what is not judged never is.
    assert (made == Change.FIXED) == (was == "FAIL" and now == "PASS")
    assert judged or made in (Change.LOST, Change.SAME)
    # What was broken never passes for unchanged.
    assert not (was == "FAIL" and made == Change.SAME)


def test_the_table_is_whole_and_every_change_has_a_meaning() -> None:
    states = {was for was, _ in TABLE}
    assert set(TABLE) == set(product(states, states))
    assert len(states) == 6
    assert set(TABLE.values()) == set(Change) == set(MEANING)


def test_a_declared_deviation_is_told_and_fails_nothing() -> None:
    known = {"id": MUST, "models": [], "reason": "ticket", "expires": "2027-01-01"}
    found = between(run("PASS"), run("FAIL", profile_deviations=[known]))
    assert [(row.change, row.known) for row in found.rows] == [(Change.BROKE, True)]
    assert found.exit_status == 0
    assert tables.outcome(found).startswith("Nothing newly broke beyond 1 known deviation.")
    expired = {**known, "expires": "2026-01-01"}
    assert between(run("PASS"), run("FAIL", profile_deviations=[expired])).exit_status == 1


def test_a_breach_that_comes_and_goes_is_called_so_whether_it_came_or_went() -> None:
    often: dict[str, Any] = {"repeated": {"broken": 2, "of": 6}}
    rows = [sample.record(MUST, "FAIL", ONE, summary="no end", **often)]
    flaky = {**run("FAIL"), "requirements": sample.run(records=rows)["requirements"]}
    came, went = between(run("PASS"), flaky), between(flaky, run("PASS"))
    assert [row.told for row in came.rows] == ["no end (intermittent: 2 of 6)"]
    assert [row.told for row in went.rows] == ["before: no end (intermittent: 2 of 6)"]


@pytest.mark.parametrize(
    ("was", "now", "css"),
    [
        ("PASS", "FAIL", "fail"),
        ("FAIL", "PASS", "pass"),
        ("FAIL", "FAIL", "open"),
        ("PASS", "PASS", "pass"),
        ("PASS", "BLOCKED", "open"),
        ("FAIL", "INCONCLUSIVE", "open"),
    ],
)
def test_what_stays_broken_or_is_not_judged_is_not_shown_as_good(
    was: str, now: str, css: str
) -> None:
    old, new = run(was), run(now)
    shown = columns.columns([old, new], [Path("a"), Path("b")], ["old", "new"])
    html = pages.changes_page(between(old, new), shown, [], CHAPTERS)
    assert f'<h1 class="verdict {css}">' in html
    assert (f"blocked by {now}" in html) == (now == "BLOCKED")


def test_strictness_breaks_nothing() -> None:
    found = between(run("WARN", SHOULD), run("FAIL", SHOULD, strict=True))
    assert [row.change for row in found.rows] == [Change.WARNS]
    strict = between(run("PASS", SHOULD, strict=True), run("FAIL", SHOULD, strict=True))
    assert strict.exit_status == 1


def test_observations_are_not_compared() -> None:
    assert between(run("OBSERVED", INFO), run(None, INFO)).rows == ()


def test_one_change_on_many_models_is_one_row() -> None:
    found = between(run("PASS", models=(ONE, TWO)), run("FAIL", models=(ONE, TWO)))
    assert [(row.id, row.models) for row in found.rows] == [(MUST, (ONE, TWO))]
    shown = columns.columns([run("PASS")] * 2, [Path("a"), Path("b")])
    html = pages.changes_page(found, shown, [], CHAPTERS)
    assert 'data-states="broke:0,1"' in html
    assert f'<option value="{TWO}">{TWO}</option>' in html


def test_a_model_that_only_one_run_has_is_not_compared_with_another() -> None:
    old, new = run("PASS", models=(ONE, TWO)), run("PASS", models=(ONE,))
    assert [(row.change, row.models) for row in between(old, new).rows] == [(Change.LOST, (TWO,))]
    shown = columns.columns([old, new], [Path("a"), Path("b")], ["old", "new"])
    assert columns.time_notes(*shown) == [f"Only the old run has {TWO}."]


def test_runs_without_a_model_in_common_are_compared_clause_by_clause() -> None:
    old, new = run("PASS", models=(ONE,)), run("FAIL", models=(TWO,))
    found = between(old, new)
    assert found.folded
    assert [(row.change, row.models) for row in found.rows] == [(Change.BROKE, (None,))]
    assert found.whole == "the worst of all models"
    known = {"id": MUST, "models": [TWO], "reason": "ticket", "expires": "2027-01-01"}
    declared = between(old, run("FAIL", models=(TWO,), profile_deviations=[known]))
    assert declared.exit_status == 0


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://h/v1", "https://H/v1/", True),
        ("https://h/v1", "http://h/v1", False),
        ("https://h/v1", "https://h/v2", False),
        ("https://h:1/v1", "https://h:2/v1", False),
        ("https://[x", "https://[x", True),
    ],
)
def test_a_target_is_its_base_url(one: str, other: str, same: bool) -> None:
    left, right = ({"target": {"url": url}} for url in (one, other))
    assert same_target(left, right) == same


def test_files_in_the_wrong_order_are_suspected() -> None:
    late = {**run("PASS"), "started": "2026-11-23T00:00:00+00:00"}
    shown = columns.columns([late, run("PASS")], [Path("a"), Path("b")], ["old", "new"])
    assert columns.time_notes(*shown) == [
        "The new run began before the old one: are the files in the right order?"
    ]


# --- telling --------------------------------------------------------------------------------------


def many() -> tuple[dict[str, Any], dict[str, Any]]:
    """Two runs with something of every kind but an unchanged breach."""
    clauses = sorted(clause for clause in sample.checked() if clause.startswith("CC-STREAM"))
    pairs = list(product(VERDICTS, VERDICTS))
    rows: tuple[list[Any], list[Any]] = ([], [])
    for number, pair in enumerate(pairs):
        clause, model = clauses[number % len(clauses)], sample.MODELS[number // len(clauses)]
        for side, verdict in zip(rows, pair, strict=True):
            if verdict:
                side.append(sample.record(clause, verdict, model, summary=f"{verdict} told"))
    old, new = (sample.run(records=side, profile_deviations=()) for side in rows)
    return old, new


def test_every_change_is_told_in_each_form() -> None:
    old, new = many()
    found = between(old, new)
    shown = columns.columns([old, new], [Path("a"), Path("b")], ["old", "new"])
    lines = list(tables.changes_lines(found, shown, ["a note"]))
    html = pages.changes_page(found, shown, ["a note"], CHAPTERS)
    data = exports.changes_data(found, shown, ["a note"])
    assert max(map(len, lines)) <= 100
    assert schemas.violations("comparison", data) == []
    for kind in set(Change) - {Change.SAME}:
        heading = kind.value.capitalize()
        assert any(line.startswith(f"{heading} (") for line in lines)
        assert f'<h2 id="{kind.name.lower()}"' in html
        assert any(row["change"] == kind for row in data["changes"])
    told = tables.outcome(found)
    assert told.startswith("Something newly broke: ")
    assert "".join(told.split()) in "".join("".join(lines).split())
    assert told.partition(". ")[0] in html


def test_hostile_runs_are_text() -> None:
    old, new = run("PASS", models=(sample.NASTY[1],)), sample.hostile()
    found = between(old, new)
    shown = columns.columns([old, new], [Path("a"), Path("b")], ["old", "new"])
    html = pages.changes_page(found, shown, [sample.NASTY[0]], CHAPTERS)
    assert [harm for harm in ("<script>alert", "<img", "<svg", "<!-- ]]>") if harm in html] == []
    assert html.count("<script") == 1
    lines = "\n".join(tables.changes_lines(found, shown, [sample.NASTY[3]]))
    assert [c for c in lines if c != "\n" and not c.isprintable()] == []
