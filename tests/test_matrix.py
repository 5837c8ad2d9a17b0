"""The kill matrix: it shows the trials that were made, counts them, and is one page by itself."""

from __future__ import annotations

import re

import pytest

from conformance.checks import judged
from conformance.reference.faults import FAULTS
from conformance.requirements import REQUIREMENTS
from tests.faults import matrix
from tests.faults.odds import broken_replies, found_in
from tests.inprocess import Judgement

FOUND = {
    "streams_null_deltas": {"red": ["CC-STREAM-007"], "replies": 6},
    "streams_no_delta": {"red": ["CC-STREAM-007"], "replies": 6},
    "never_says_its_role": {"red": ["CC-EQUIV-001", "CC-STREAM-008"], "replies": 1},
    "asks_no_credentials": {"red": [], "replies": 0},
}


def entry(clause: str, verdict: str, broken: int | None) -> dict[str, object]:
    seen = None if broken is None else {"broken": broken, "looked": 9}
    return {"id": clause, "verdict": verdict, "evidence": {"seen_in": seen}}


def test_what_a_trial_found_is_what_is_kept() -> None:
    rows = [entry("CC-A-001", "FAIL", 2), entry("CC-A-002", "WARN", 5), entry("x", "PASS", None)]
    verdicts = {"CC-A-001": "FAIL", "CC-A-002": "WARN", "x": "PASS"}
    trial = Judgement(1, "", verdicts, {"requirements": rows})
    assert broken_replies(trial) == 5
    assert matrix.found_by({"f": trial}) == {"f": {"red": ["CC-A-001", "CC-A-002"], "replies": 5}}


@pytest.mark.parametrize(("replies", "chance"), [(0, 0), (1, 1 / 3), (2, 5 / 9), (3, 19 / 27)])
def test_the_chance_to_find_what_strikes_one_in_three(replies: int, chance: float) -> None:
    assert found_in(replies, 3) == pytest.approx(chance)


def test_a_chapter_knows_who_caught_its_clauses() -> None:
    (chunks,) = [one for one in matrix.sections(FOUND) if one.chapter.prefix == "CC-STREAM"]
    assert [k.fault.name for k in chunks.red("CC-STREAM-007")] == [
        "streams_null_deltas",
        "streams_no_delta",
    ]
    assert (chunks.caught(), chunks.caught(2)) == (2, 1)
    assert len(chunks.killers) == 3


def test_the_short_form_counts() -> None:
    lines = list(matrix.lines(FOUND))
    assert lines[0].split() == ["clauses", "caught", "by", "one", "fault", "only", "faults"]
    (chunks,) = [line for line in lines if line.startswith("Streaming semantics")]
    assert chunks.split()[-3:] == ["2", "1", "3"]
    clauses = sum(REQUIREMENTS[i].level != "INFO" for i in judged())
    assert lines[-2].split() == ["all", str(clauses), "3", "2", "4"]
    assert "at least 33% each" in lines[-1]
    assert "1 of 3" not in lines[-1]


def test_the_page_stands_alone() -> None:
    html = matrix.page(FOUND)
    assert not re.search(r"<(link|img|script|iframe)\b|@import|url\(", html)
    assert FAULTS["never_says_its_role"].says.split("`")[0] in html
    assert html.count('id="never_says_its_role"') == 1  # it breaks two chapters
    assert html.count("✕") == 4
    assert 'id="silent"' in html
    assert "prefers-color-scheme: dark" in html
