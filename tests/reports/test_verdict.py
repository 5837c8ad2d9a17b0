"""The verdict tables: folding, counting, deciding, and the words for it."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any

import pytest

from reports.sentence import coverage, sentence
from reports.verdict import (
    SEVERITY,
    Tally,
    Verdict,
    clauses,
    counts,
    deviations,
    exit_status,
    fold,
    overall,
    tallies,
    worst,
)

from . import sample

TODAY = dt.date(2026, 11, 22)


def entry(
    verdict: str, level: str = "MUST", clause: str = "CC-SSE-001", model: str | None = "a"
) -> dict[str, Any]:
    return {"id": clause, "model": model, "level": level, "verdict": verdict, "evidence": {}}


def test_the_verdicts_are_ranked() -> None:
    judged = ["FAIL", "ERROR", "INCONCLUSIVE", "BLOCKED", "WARN", "PASS", "UNSUPPORTED"]
    ranked = [*judged, "OBSERVED"]
    assert sorted(SEVERITY, key=SEVERITY.__getitem__) == ranked
    for better, worse in itertools.combinations(reversed(ranked), 2):
        assert worst([better, worse, better]) == worse


@pytest.mark.parametrize("verdicts", [[], ["PASS", "pass"], ["SKIPPED"]])
def test_no_verdict_and_no_such_verdict_are_refused(verdicts: list[str]) -> None:
    with pytest.raises(ValueError, match=r"empty|is not a valid Verdict"):
        worst(verdicts)


def test_folding_keeps_the_first_of_the_worst_and_counts() -> None:
    records = [
        entry("PASS") | {"evidence": {"summary": "1"}},
        entry("FAIL") | {"evidence": {"summary": "2"}},
        entry("FAIL") | {"evidence": {"summary": "3"}},
        entry("WARN", model="b"),
        entry("PASS", model=None),
    ]
    found = fold(records)
    assert [(e["model"], e["verdict"], e["checks"]) for e in found] == [
        ("a", "FAIL", 3),
        ("b", "WARN", 1),
        (None, "PASS", 1),
    ]
    assert found[0]["evidence"]["summary"] == "2"
    assert "checks" not in records[0]


def test_counts_have_their_zeros() -> None:
    assert counts([entry("PASS"), entry("PASS", model="b"), entry("WARN")]) == {
        "FAIL": 0,
        "ERROR": 0,
        "INCONCLUSIVE": 0,
        "BLOCKED": 0,
        "WARN": 1,
        "PASS": 2,
        "UNSUPPORTED": 0,
        "OBSERVED": 0,
    }


def test_a_clause_is_as_bad_as_its_worst_model() -> None:
    entries = [
        entry("PASS", clause="CC-SSE-001"),
        entry("UNSUPPORTED", clause="CC-SSE-001", model="b"),
        entry("UNSUPPORTED", clause="CC-SSE-002"),
        entry("PASS", clause="CC-SSE-003"),
        entry("BLOCKED", clause="CC-SSE-003", model="b"),
        entry("WARN", "SHOULD", clause="CC-SSE-008"),
    ]
    assert clauses(entries) == {
        "CC-SSE-001": Verdict.PASS,
        "CC-SSE-002": Verdict.UNSUPPORTED,
        "CC-SSE-003": Verdict.BLOCKED,
        "CC-SSE-008": Verdict.WARN,
    }
    found = tallies(entries)
    assert found["MUST"] == Tally(held=1, undecided=1, unsupported=1)
    assert (found["MUST"].judged, found["MUST"].run) == (1, 3)
    assert found["SHOULD"] == Tally(warned=1)
    assert found["MAY"] == found["INFO"] == Tally()


@pytest.mark.parametrize(
    ("entries", "strict", "verdict", "status"),
    [
        ([entry("PASS")], False, "conformant", 0),
        ([entry("PASS"), entry("WARN", "SHOULD")], False, "conformant", 0),
        ([entry("PASS"), entry("UNSUPPORTED")], False, "conformant", 0),
        ([entry("PASS"), entry("INCONCLUSIVE", "SHOULD")], False, "conformant", 0),
        ([entry("PASS"), entry("INCONCLUSIVE", "SHOULD")], True, "inconclusive", 6),
        ([entry("PASS"), entry("INCONCLUSIVE", "MAY")], True, "conformant", 0),
        ([entry("PASS"), entry("INCONCLUSIVE")], False, "inconclusive", 6),
        ([entry("PASS"), entry("BLOCKED")], False, "inconclusive", 6),
        ([entry("INCONCLUSIVE"), entry("ERROR", "MAY")], False, "error", 3),
        ([entry("ERROR"), entry("FAIL")], False, "not conformant", 1),
        ([entry("FAIL", "SHOULD")], True, "not conformant", 1),
        ([entry("PASS"), entry("OBSERVED", "INFO")], True, "conformant", 0),
        ([entry("PASS"), entry("ERROR", "INFO")], False, "error", 3),
        ([entry("OBSERVED", "INFO")], False, "inconclusive", 6),
        # What refuses everything has shown nothing.
        ([entry("UNSUPPORTED")], False, "inconclusive", 6),
        ([], False, "inconclusive", 6),
    ],
)
def test_what_a_run_decides(
    entries: list[dict[str, Any]], strict: bool, verdict: str, status: int
) -> None:
    assert overall(entries, strict) == verdict
    assert exit_status(entries, strict) == status


def known(state: str = "known", model: str | None = "a") -> dict[str, Any]:
    return {"id": "CC-SSE-001", "model": model, "state": state}


@pytest.mark.parametrize(
    ("accepted", "entries", "status"),
    [
        ([known()], [entry("FAIL")], 0),
        ([known("expired")], [entry("FAIL")], 1),
        ([known("fixed")], [entry("FAIL")], 1),
        ([known(model="b")], [entry("FAIL")], 1),
        ([known()], [entry("FAIL"), entry("FAIL", model="b")], 1),
        ([known()], [entry("FAIL"), entry("FAIL", clause="CC-SSE-002")], 1),
        ([known()], [entry("FAIL"), entry("ERROR", clause="CC-SSE-002")], 3),
        ([known()], [entry("FAIL"), entry("BLOCKED", clause="CC-SSE-002")], 6),
    ],
)
def test_a_known_deviation_excuses_its_failure_and_no_other(
    accepted: list[dict[str, Any]], entries: list[dict[str, Any]], status: int
) -> None:
    assert exit_status(entries, False, accepted) == status
    assert overall(entries, False) == "not conformant"


def test_deviations_are_known_expired_or_fixed() -> None:
    entries = [
        entry("FAIL", model="a"),
        entry("PASS", model="b"),
        entry("FAIL", clause="CC-SSE-002", model=None),
        entry("FAIL", clause="CC-SSE-003", model="a"),
    ]
    profile: list[dict[str, Any]] = [
        {"id": "CC-SSE-001", "models": ["a", "b"], "reason": "r", "expires": "2026-11-22"},
        {"id": "CC-SSE-002", "models": [], "reason": "r", "expires": dt.date(2026, 11, 21)},
        {"id": "CC-SSE-003", "models": ["b"], "reason": "r", "expires": "2027-01-01"},
    ]
    found = deviations(profile, entries, TODAY)
    assert [(row["id"], row["model"], row["state"]) for row in found] == [
        ("CC-SSE-001", "a", "known"),  # its last day
        ("CC-SSE-001", "b", "fixed"),
        ("CC-SSE-002", None, "expired"),
    ]
    assert found[2] == {
        "id": "CC-SSE-002",
        "model": None,
        "reason": "r",
        "expires": "2026-11-21",
        "state": "expired",
    }


# --- words --------------------------------------------------------------------------------------

A, B = sample.MODELS[:2]


def said(*records: dict[str, Any], **changes: Any) -> str:
    target = {"url": sample.URL, "profile": "example", "models": [A, B]}
    given = {"target": target, "profile_deviations": (), "judged": ()} | changes
    return sentence(sample.run(records=records, **given))


ONE_MODEL = {"url": sample.URL, "profile": "example", "models": [A]}


@pytest.mark.parametrize(
    ("rows", "changes", "words"),
    [
        (
            [("CC-SSE-001", "FAIL", A), ("CC-SSE-002", "PASS", A), ("CC-SSE-001", "PASS", B)],
            {},
            "Not conformant: 1 of 2 MUST clauses is broken on 1 of 2 models.",
        ),
        (
            [("CC-SSE-001", "FAIL", A), ("CC-SSE-002", "FAIL", A)],
            {"target": ONE_MODEL},
            f"Not conformant: 2 of 2 MUST clauses are broken on {A}.",
        ),
        (
            [("CC-SSE-008", "FAIL", A), ("CC-SSE-001", "PASS", A), ("CC-AUTH-002", "FAIL", None)],
            {"strict": True},
            "Not conformant: 1 of 2 MUST and 1 of 1 SHOULD clauses are broken on 1 of 2 models "
            "and for the target as a whole.",
        ),
        (
            [("CC-SSE-001", "PASS", A), ("CC-SSE-002", "WARN", A), ("CC-SSE-008", "WARN", A)],
            {},
            "Conformant: all 2 judged MUST clauses hold on 2 models; 1 MUST and 1 SHOULD clauses "
            "warn.",
        ),
        (
            [("CC-SSE-001", "PASS", A), ("CC-SSE-003", "UNSUPPORTED", A)],
            {"target": ONE_MODEL},
            "Conformant: the 1 judged MUST clause holds on 1 model.",
        ),
        (
            [("CC-SSE-001", "PASS", A), ("CC-SSE-008", "PASS", A), ("CC-SSE-009", "PASS", A)],
            {"strict": True},
            "Conformant: the 1 judged MUST and 2 judged SHOULD clauses hold on 2 models.",
        ),
        (
            [("CC-SSE-008", "PASS", A), ("CC-SSE-009", "WARN", A)],
            {},
            "Conformant: no MUST clause was judged; the 2 other clauses hold on 2 models; 1 SHOULD "
            "clause warns.",
        ),
        (
            [("CC-SSE-001", "PASS", A), ("CC-SSE-002", "INCONCLUSIVE", B)],
            {},
            "Inconclusive: 1 of 2 MUST clauses could not be judged on 1 of 2 models; the 1 "
            "judged MUST clause is not broken.",
        ),
        (
            [("CC-SSE-001", "PASS", A)],
            {"interrupted": True},
            "Inconclusive: the 1 judged MUST clause is not broken; the run was interrupted "
            "before its end.",
        ),
        (
            [("CC-SSE-001", "PASS", A), ("CC-SSE-002", "ERROR", B)],
            {},
            "Error: the suite itself failed on 1 clause; the 1 judged MUST clause is not broken.",
        ),
        (
            [("CC-SSE-001", "BLOCKED", A)],
            {"reached": False},
            "Error: the target was never reached.",
        ),
        ([], {}, "Inconclusive: no MUST clause was judged."),
    ],
)
def test_the_verdict_in_words(
    rows: list[tuple[str, str, str | None]], changes: dict[str, Any], words: str
) -> None:
    assert said(*(sample.record(*row) for row in rows), **changes) == words


def test_a_part_of_the_suite_says_what_it_left_out() -> None:
    words = said(sample.record("CC-SSE-001", "PASS", A), judged=sample.checked())
    assert words == (
        "Partial run: the 1 judged MUST clause holds on 2 models; 86 MUST that the suite has "
        "checks for were left out."
    )


def test_accepted_breaches_are_said_and_stay_breaches() -> None:
    accepted = [{"id": "CC-SSE-001", "models": [A], "reason": "r", "expires": "2027-01-01"}]
    words = said(sample.record("CC-SSE-001", "FAIL", A), profile_deviations=accepted)
    assert words.startswith("Not conformant: 1 of 1 MUST clause is broken")
    assert words.endswith("; every breach is a known deviation.")


def test_the_catalogue_is_the_denominator() -> None:
    found = coverage(sample.run())
    assert found["MUST"] == (
        "118 in the catalogue: 3 broken · 82 held · 2 undecided · 31 without a check yet"
    )
    part = sample.run(records=[sample.record("CC-SSE-001", "PASS")], profile_deviations=())
    assert coverage(part)["MUST"] == (
        "118 in the catalogue: 1 held · 86 not in this run · 31 without a check yet"
    )
