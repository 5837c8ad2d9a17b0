"""Cards and rows: what is put together, what a transcript tells, what there is room for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conformance.requirements import REQUIREMENTS
from reports.compliance import cards, view
from reports.verdict import Verdict

from . import recorded, sample


def test_one_clause_broken_on_many_models_is_one_card() -> None:
    found = cards.cards(view.complete(sample.run()), REQUIREMENTS, Verdict.FAIL)
    assert [(card.id, card.share) for card in found] == [
        ("CC-SSE-005", "2 of 10 models"),
        ("CC-STREAM-002", "1 of 10 models"),
        ("CC-ERR-007", "10 of 10 models"),
    ]


def test_the_same_reason_is_one_row() -> None:
    rows = cards.open_rows(view.complete(sample.run()), ["UNSUPPORTED"])
    assert {len(row.models) for row in rows} == {10}
    (rate,) = cards.open_rows(view.complete(sample.run()), ["INCONCLUSIVE"])
    assert (rate.id, rate.anchor) == ("CC-FIN-003", "open-CC-FIN-003")


def test_a_transcript_tells_each_moment_once_and_where_reads_began() -> None:
    found = cards.rows(
        [
            {"at_ms": 1.0, "arrival": 0, "text": "a", "mark": False},
            {"at_ms": 1.0, "arrival": 0, "text": "", "mark": False},
            {"at_ms": None, "arrival": None, "text": "… 3 lines …", "mark": False},
            {"at_ms": 1.0, "arrival": 0, "text": "", "mark": True},
            {"at_ms": 2.5, "arrival": 1, "text": "b" * 200, "mark": True},
            {"at_ms": 2.5, "arrival": 1, "text": "", "mark": True},
            {"at_ms": 2.5, "arrival": 1, "text": "c" * 200, "mark": False},
        ]
    )
    assert [(row.time, row.text, row.css) for row in found] == [
        ("1.0 ms", "a", ""),
        ("", "", "blank"),
        ("", "… 3 lines …", "gap"),
        ("1.0 ms", "(blank line)", "mark"),
        ("2.5 ms", "b" * 200, "mark cut"),
        ("", "", "blank"),
        ("", f"{'c' * 84} … {'c' * 43}", ""),
    ]


def test_a_reply_is_shown_once_and_again_only_for_what_else_is_wrong_with_it() -> None:
    marked: list[set[int]] = [{3}, {3}, set(), {4}]
    first, again, unmarked, other = (recorded.stream("a", marks) for marks in marked)
    once = cards.Once()
    here = f"reply-{first['reply']}"
    assert [once(x) for x in (first, again, unmarked, other, other)] == [
        (here, ""), ("", here), ("", here), (f"{here}-2", ""), ("", f"{here}-2"),
    ]  # fmt: skip
    assert once({**first, "reply": None}) == ("", "")
    # The same reply to another request: its command stands nowhere else.
    assert once({**first, "curl": "curl -X POST"}) == (f"{here}-3", "")
    assert once({**first, "curl": "curl -X POST"}) == ("", f"{here}-3")


def test_what_came_before_the_body_can_be_read() -> None:
    exchange = recorded.stream("a", set())
    lines = cards.heads(exchange).splitlines()
    assert lines[0] == f"POST {sample.URL}/chat/completions"
    assert exchange["request"]["body"] in lines
    assert lines[lines.index("200") + 1].startswith("x-0: ")
    bare = {
        **exchange,
        "status": None,
        "headers": [],
        "request": {**exchange["request"], "body": None},
    }
    assert cards.heads(bare).endswith("\nno status")


def test_the_exchanges_of_other_models_are_shown_while_there_is_room() -> None:
    def made(replies: list[str]) -> list[cards.Card]:
        records = [
            sample.record("CC-SSE-003", "FAIL", model, exchanges=[recorded.stream(reply)])
            for model, reply in zip(sample.MODELS, replies, strict=True)
        ]
        run = view.complete(sample.run(records=records))
        return cards.cards(run, REQUIREMENTS, Verdict.FAIL)

    each = made([f"reply {number}" for number in range(10)])
    size = len(json.dumps(each[0].shown["evidence"]["exchanges"]))
    others = [(entry["id"], entry["model"]) for entry in each[0].others]
    assert cards.roomy(each, size * 3) == set(others[:3])
    assert cards.roomy(each, 0) == frozenset()
    # A reply takes room once, whoever shows it.
    assert cards.roomy(made(["reply x"] * 10), size) == set(others)


@pytest.mark.parametrize(
    ("evidence", "told"),
    [
        ({"seen_in": {"broken": 1, "looked": 3}}, "1 of 3 replies"),
        ({"seen_in": {"broken": 1, "looked": 1}}, "1 of 1 reply"),
        ({"trials": {"passed": 1, "counted": 3, "of": 5}}, "2 of 3 trials"),
        ({}, ""),
    ],
)
def test_how_often_is_counted_in_what_was_counted(evidence: dict[str, Any], told: str) -> None:
    assert cards.often({"seen_in": None, "trials": None, **evidence}) == told
