"""Causes: kin are found, strangers are kept apart, whatever they have in common."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.requirements import REQUIREMENTS
from reports.compliance import cards, causes, view
from reports.verdict import Verdict

from . import sample

A, B = "a" * 16, "b" * 16
"""Two replies."""
M, N = sample.MODELS[:2]

PLACE = {"at": "chunk 3 $.choices", "seen": "absent", "required": "choices is an array"}
LINE = {"at": "line 3", "seen": "2 values in one block", "required": "a blank line"}


def found(reply: str | None, like: dict[str, str] = PLACE, **changes: str) -> dict[str, Any]:
    """One finding, made in a reply."""
    return {**like, "reply": reply, **changes}


def status(reply: str, code: int, required: str) -> dict[str, Any]:
    """A finding that shows the status line and names no place."""
    return found(reply, at="", seen=f'status {code}: {{"error": "x"}}', required=required)


def broken(clause: str, *findings: dict[str, Any], **given: Any) -> dict[str, Any]:
    """The record of a broken clause."""
    return sample.record(clause, given.pop("verdict", "FAIL"), findings=list(findings), **given)


def put_together(*records: dict[str, Any]) -> list[list[str]]:
    """The ids of each cause, a warning that a failure explains in brackets."""
    run = view.complete(sample.run(records=records, profile_deviations=()))
    made = [
        card
        for verdict in (Verdict.FAIL, Verdict.WARN)
        for card in cards.cards(run, REQUIREMENTS, verdict)
    ]
    return [
        [card.id for card in cause.cards] + [f"({card.id})" for card in cause.warned]
        for cause in causes.causes(made, run["requirements"])
    ]


ONE, TWO, THREE = "CC-SSE-003", "CC-SSE-004", "CC-SSE-005"
"""MUST clauses, in the order of the catalogue."""
MILD = "CC-ERR-009"
CLIENT = "CC-SDK-003"

TOGETHER = [[ONE, TWO]]
APART = [[ONE], [TWO]]


# --- kin ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([found(A)], [found(A)]),
        ([found(A)], [found(A, required="one chunk of its own")]),
        ([found(A, LINE)], [found(A, LINE)]),
        # The same thing in more replies, of which both saw one.
        ([found(A), found(B, at="chunk 9 $.choices")], [found(A)]),
        ([found(A)], [found(A), found(B, at="chunk 163 $.choices")]),
        # How often it is there in the reply is no matter.
        ([found(A, seen="absent (and 7 more like it)")], [found(A)]),
        # A reply has one status.
        ([status(A, 500, "status 400 or 422 for n")], [status(A, 500, "a 4xx other than 408")]),
        ([status(A, 200, "status 401 for a key")], [status(A, 200, "the 4xx that it gets")]),
        # Two things, both shown to both by the same reply.
        ([found(A), found(A, LINE)], [found(A, LINE), found(A)]),
    ],
)
def test_what_one_reply_shows_at_one_place_is_one_cause(
    one: list[dict[str, Any]], other: list[dict[str, Any]]
) -> None:
    assert put_together(broken(ONE, *one), broken(TWO, *other)) == TOGETHER


# --- strangers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        # Another reply, even where all else is the same.
        ([found(A)], [found(B)]),
        # Another place, another value.
        ([found(A)], [found(A, at="chunk 3 $.id")]),
        ([found(A)], [found(A, at="chunk 4 $.choices")]),
        ([found(A)], [found(A, seen="null")]),
        # The same line, but one of them says what in it is wrong.
        ([found(A, at="line 3", seen='{"id": 1}')], [found(A, at="line 3 $.id", seen="1")]),
        # A second thing besides.
        ([found(A), found(A, at="$.usage")], [found(A)]),
        ([found(A)], [found(A), found(B, seen="null")]),
        # Nothing that can be compared.
        ([found(None)], [found(None)]),
        ([found(A, at="")], [found(A, at="")]),
        ([], []),
        # The status line is shown, but it is not what is wrong.
        ([status(A, 400, "param is 'n'")], [status(A, 400, "message names n")]),
        ([status(A, 400, "a 4xx envelope")], [status(A, 400, "status 200 or 4xx envelope")]),
        ([status(A, 500, "status 400")], [status(A, 500, "error.message is a string")]),
        # Two crashes, of which a clause of the second kind saw both.
        ([status(A, 500, "status 400")], [status(A, 500, "a 4xx"), status(B, 500, "a 4xx")]),
    ],
)
def test_what_may_be_two_things_is_two_causes(
    one: list[dict[str, Any]], other: list[dict[str, Any]]
) -> None:
    assert put_together(broken(ONE, *one), broken(TWO, *other)) == APART


def test_a_clause_with_two_things_joins_neither_so_strangers_never_meet() -> None:
    made = put_together(
        broken(ONE, found(A)), broken(TWO, found(A), found(A, LINE)), broken(THREE, found(A, LINE))
    )
    assert made == [[ONE], [TWO], [THREE]]


def test_findings_that_were_left_out_may_be_another_thing() -> None:
    assert put_together(broken(ONE, found(A), left_out=3), broken(TWO, found(A))) == APART


# --- models -------------------------------------------------------------------------------------


def test_one_thing_on_several_models_is_one_cause() -> None:
    records = [broken(clause, found(reply), model=m) for clause in (ONE, TWO)
               for m, reply in ((M, A), (N, B))]  # fmt: skip
    assert put_together(*records) == TOGETHER


def test_a_clause_that_fewer_models_break_joins_only_if_each_shows_it() -> None:
    more = [broken(ONE, found(A), model=M), broken(ONE, found(B), model=N)]
    assert put_together(*more, broken(TWO, found(A), model=M)) == TOGETHER
    assert put_together(*more, broken(TWO, found(B), model=M)) == APART


def test_models_that_share_only_some_keep_clauses_apart() -> None:
    third = sample.MODELS[2]
    records = [
        broken(ONE, found(A), model=M),
        broken(ONE, found(B), model=N),
        broken(TWO, found(B), model=N),
        broken(TWO, found(A), model=third),
    ]
    assert put_together(*records) == APART


def test_another_thing_on_another_model_keeps_clauses_apart() -> None:
    records = [
        broken(ONE, found(A), model=M),
        broken(ONE, found(B, LINE), model=N),
        broken(TWO, found(A), model=M),
    ]
    assert put_together(*records) == APART


# --- what hangs on a failure --------------------------------------------------------------------


def test_a_warning_of_the_same_cause_is_told_with_the_failure() -> None:
    records = [broken(ONE, found(A)), broken(MILD, found(A), verdict="WARN")]
    assert put_together(*records) == [[ONE, f"({MILD})"]]


def test_failures_come_before_warnings_and_worse_levels_first() -> None:
    records = [
        broken("CC-ERR-007", found(B)),
        broken(MILD, found(A, LINE), verdict="WARN"),
        broken(ONE, found(A)),
    ]
    assert put_together(*records) == [[ONE], ["CC-ERR-007"], [MILD]]


def test_what_breaks_more_comes_first() -> None:
    records = [
        broken(ONE, found(A)),
        broken(TWO, found(B)),
        broken(THREE, found(B)),
        broken("CC-ERR-007", found(B)),
    ]
    assert put_together(*records) == [[TWO, THREE, "CC-ERR-007"], [ONE]]


def test_what_a_client_stumbled_over_hangs_on_the_clause_that_the_suite_names() -> None:
    said = f"openai raises TypeError; explained by {ONE}, {TWO}"
    client = broken(CLIENT, found(B, at="", seen=said), model=None)
    assert put_together(broken(ONE, found(A)), broken(TWO, found(A)), client) == [
        [ONE, TWO, CLIENT]
    ]
    # Of two causes it is nobody's.
    apart = put_together(broken(ONE, found(A)), broken(TWO, found(B)), client)
    assert apart == [[ONE], [TWO], [CLIENT]]


@pytest.mark.parametrize(
    "said",
    [
        f"explained by {ONE}",
        f"openai says 'x; explained by {ONE}'",
        f"x; explained by {ONE} and more",
        "x; no other clause explains it",
    ],
)
def test_a_target_cannot_explain_itself(said: str) -> None:
    client = broken(CLIENT, found(B, at="", seen=said), model=None)
    assert put_together(broken(ONE, found(A)), client) == [[ONE], [CLIENT]]


def test_a_client_that_fails_on_another_model_hangs_on_nothing() -> None:
    client = broken(CLIENT, found(B, at="", seen=f"x; explained by {ONE}"), model=N)
    assert put_together(broken(ONE, found(A), model=M), client) == [[ONE], [CLIENT]]


def test_a_cause_names_what_it_keeps_from_being_judged() -> None:
    records = [
        broken(ONE, found(A)),
        broken(TWO, found(A)),
        sample.record("CC-SSE-018", "BLOCKED", by=ONE, reason="no stream"),
        sample.record("CC-SSE-006", "BLOCKED", by=TWO, reason="no stream"),
        sample.record("CC-SSE-012", "BLOCKED", by="CC-HTTP-001", reason="no reply"),
    ]
    run = view.complete(sample.run(records=records, profile_deviations=()))
    made = cards.cards(run, REQUIREMENTS, Verdict.FAIL)
    (cause,) = causes.causes(made, run["requirements"])
    assert cause.blocked == ("CC-SSE-006", "CC-SSE-018")
    assert cause.share == "1 of 1 model"
    assert cause.models == (M,)


def test_the_order_of_the_records_changes_nothing() -> None:
    records = [broken(clause, found(reply), found(reply, LINE)) for clause, reply in
               ((ONE, A), (TWO, A), (THREE, B), ("CC-ERR-007", B))]  # fmt: skip
    assert (
        put_together(*records)
        == put_together(*reversed(records))
        == [[ONE, TWO], [THREE, "CC-ERR-007"]]
    )


def test_every_card_is_in_one_cause() -> None:
    run = view.complete(sample.run())
    made = [
        *cards.cards(run, REQUIREMENTS, Verdict.FAIL),
        *cards.cards(run, REQUIREMENTS, Verdict.WARN),
    ]
    got = causes.causes(made, run["requirements"])
    assert sorted(c.id for cause in got for c in (*cause.cards, *cause.warned)) == sorted(
        c.id for c in made
    )
