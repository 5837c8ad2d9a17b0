"""Rules for tool calls: each clause broken alone, and the ways that are right."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.protocol import completion
from conformance.protocol.calls import ToolCall, well_formed
from conformance.protocol.facts import Facts
from conformance.protocol.finding import ABSENT

from .talk import CALL, DONE, Json, answer, choice, chunk, finish, heard, ids, role

OFFERED = Facts(calls_allowed=True)
CUSTOM = Facts(calls_allowed=True, custom=True)


def changed(value: Json, **members: object) -> Json:
    """The object with members replaced, or left out where they are ABSENT."""
    return {key: item for key, item in {**value, **members}.items() if item is not ABSENT}


def said(*calls: object, content: object = None, facts: Facts = OFFERED) -> list[str]:
    """The clauses that a reply with these calls breaks."""
    reply: Any = answer(content=content, tool_calls=list(calls))
    reply["choices"][0]["finish_reason"] = "tool_calls"
    return ids(completion.findings(reply, facts))


def function(**members: object) -> Json:
    return changed(CALL, function=changed(CALL["function"], **members))


# Replies.


def test_a_call_in_full_is_right() -> None:
    assert said(CALL, changed(CALL, id="call_2")) == []
    assert said(CALL, content="One moment.") == []


@pytest.mark.parametrize(
    ("call", "clause"),
    [
        (changed(CALL, id=ABSENT), "CC-TOOL-001"),
        (changed(CALL, id=""), "CC-TOOL-001"),
        (changed(CALL, id=7), "CC-TOOL-001"),
        (changed(CALL, type=ABSENT), "CC-TOOL-001"),
        (changed(CALL, type="tool"), "CC-TOOL-001"),
        (changed(CALL, type="custom", custom={}), "CC-TOOL-001"),
        (changed(CALL, function="f"), "CC-TOOL-001"),
        ("f", "CC-TOOL-001"),
        (function(name=None), "CC-TOOL-001"),
        (function(arguments={}), "CC-TOOL-002"),
        (function(arguments=None), "CC-TOOL-002"),
        (function(arguments=ABSENT), "CC-TOOL-002"),
        (changed(CALL, index=0), "CC-TOOL-007~"),
    ],
)
def test_a_call_out_of_form(call: object, clause: str) -> None:
    assert said(call) == [clause]


def test_a_custom_call_is_another_clauses_where_one_was_offered() -> None:
    assert said({"id": "a", "type": "custom", "custom": {}}, facts=CUSTOM) == []


def test_one_id_for_two_calls() -> None:
    assert said(CALL, CALL) == ["CC-TOOL-005"]


def test_one_id_in_two_choices() -> None:
    reply: Any = answer(content=None, tool_calls=[CALL])
    reply["choices"][0]["finish_reason"] = "tool_calls"
    reply["choices"].append({**reply["choices"][0], "index": 1})

    assert ids(completion.findings(reply, Facts(n=2, calls_allowed=True))) == ["CC-TOOL-005"]


def test_content_beside_calls() -> None:
    assert said(CALL, content="<tool_call>{}</tool_call>") == ["CC-MSG-011", "CC-TOOL-006"]
    assert said(CALL, content=[]) == ["CC-MSG-003", "CC-TOOL-006"]


@pytest.mark.parametrize(
    ("call", "found"),
    [
        (CALL, ToolCall("call_1", "f", "{}")),
        (function(arguments="{"), ToolCall("call_1", "f", "{")),
        (function(arguments={}), "CC-TOOL-002"),
        (function(name=1), "CC-TOOL-001"),
        (changed(CALL, id=None), "CC-TOOL-001"),
        ([], "CC-TOOL-001"),
    ],
)
def test_a_call_is_read_or_blamed(call: object, found: object) -> None:
    assert well_formed(call) == found


# Streams.

HEAD: Json = {"index": 0, **CALL, "function": {"name": "f", "arguments": ""}}
REST: Json = {"index": 0, "function": {"arguments": "{}"}}


def fragments(*listed: object) -> Json:
    """A chunk with these fragments."""
    return chunk(choice({"tool_calls": list(listed)}))


def streamed(*each: object, facts: Facts = OFFERED) -> list[str]:
    """The clauses that a stream breaks which has each of these fragments in a chunk of its own."""
    told = [one if isinstance(one, list) else [one] for one in each]
    chunks = [fragments(*one) for one in told]
    return heard(role(), *chunks, finish("tool_calls"), DONE, facts=facts)


def at(index: object, fragment: Json, **members: object) -> Json:
    return changed(fragment, index=index, **members)


def head(**members: object) -> Json:
    """A first fragment whose function has these members."""
    return changed(HEAD, function=changed(HEAD["function"], **members))


SECOND = at(1, HEAD, id="call_2")


@pytest.mark.parametrize(
    "each",
    [
        (HEAD, REST),
        (HEAD, REST, REST),
        ({**HEAD, "function": CALL["function"]},),
        (HEAD, REST, SECOND, at(1, REST)),
        (HEAD, SECOND, at(1, REST), REST),
        ([HEAD, SECOND], [REST, at(1, REST)]),
        (HEAD, at(0, REST, function={})),
        (HEAD, at(0, REST, function={"arguments": None})),
        (HEAD, at(0, REST, extra_content={"a": 1})),
    ],
)
def test_fragments_that_are_right(each: tuple[object, ...]) -> None:
    assert streamed(*each) == []


@pytest.mark.parametrize(
    ("each", "clauses"),
    [
        ((at(ABSENT, HEAD), at(ABSENT, REST)), ["CC-TOOL-008"]),
        ((at("0", HEAD), REST), ["CC-TOOL-008"]),
        ((HEAD, at(None, REST)), ["CC-TOOL-008"]),
        ((at(True, HEAD),), ["CC-TOOL-008"]),
        ((at(1, HEAD), at(1, REST)), ["CC-TOOL-009"]),
        ((HEAD, at(2, HEAD, id="call_2")), ["CC-TOOL-009"]),
        ((SECOND, HEAD), ["CC-TOOL-009"]),
        ((HEAD, at(0, SECOND)), ["CC-TOOL-010"]),
        ((HEAD, at(0, SECOND, function={"name": "g", "arguments": ""}), REST), ["CC-TOOL-010"]),
        (([HEAD, at(0, SECOND)],), ["CC-TOOL-010", "CC-TOOL-015"]),
        ((at(0, HEAD, id=ABSENT), REST), ["CC-TOOL-011"]),
        ((at(0, HEAD, id=""), at(0, REST, id="call_1")), ["CC-TOOL-011"]),
        ((at(0, HEAD, type=ABSENT), REST), ["CC-TOOL-011"]),
        ((head(name=""), REST), ["CC-TOOL-011"]),
        (
            (head(name=ABSENT), at(0, REST, function={"name": "f", "arguments": "{}"})),
            ["CC-TOOL-011"],
        ),
        ((HEAD, at(0, REST, function={"name": "oo"})), ["CC-TOOL-010", "CC-TOOL-011"]),
        ((HEAD, at(0, REST, id="call_1")), ["CC-TOOL-012"]),
        ((HEAD, at(0, REST, id="")), ["CC-TOOL-012"]),
        ((HEAD, at(0, REST, type=None)), ["CC-TOOL-012"]),
        ((HEAD, at(0, REST, type="function")), ["CC-TOOL-012"]),
        ((HEAD, at(0, REST, function={"name": "f"})), ["CC-TOOL-012"]),
        ((HEAD, at(0, REST, function={"name": None})), ["CC-TOOL-012"]),
        ((HEAD, "x"), ["CC-TOOL-013"]),
        ((HEAD, {"index": 0}), ["CC-TOOL-013"]),
        ((HEAD, at(0, REST, function={"arguments": {}})), ["CC-TOOL-013"]),
        ((head(arguments={"a": 1}),), ["CC-TOOL-013"]),
        (([HEAD, REST],), ["CC-TOOL-015"]),
        ((head(arguments=ABSENT), REST), ["CC-TOOL-032"]),
        ((head(arguments=None), REST), ["CC-TOOL-032"]),
    ],
)
def test_fragments_out_of_form(each: tuple[object, ...], clauses: list[str]) -> None:
    assert streamed(*each) == clauses


def test_fragments_that_are_no_list() -> None:
    told = chunk(choice({"tool_calls": HEAD}))

    assert heard(role(), told, finish("tool_calls"), DONE, facts=OFFERED) == ["CC-TOOL-013"]


@pytest.mark.parametrize("nothing", [None, []])
def test_a_delta_that_mentions_no_calls(nothing: object) -> None:
    told = chunk(choice({"content": "a", "tool_calls": nothing}))

    assert heard(role(), told, finish(), DONE, facts=OFFERED) == ["CC-TOOL-017~"]


def test_a_fragment_after_the_finish() -> None:
    told = [role(), fragments(HEAD), finish("tool_calls"), fragments(REST), DONE]

    assert heard(*told, facts=OFFERED) == ["CC-STREAM-013", "CC-TOOL-016"]


def test_a_fragment_with_the_finish() -> None:
    last = chunk(choice({"tool_calls": [REST]}, "tool_calls"))

    assert heard(role(), fragments(HEAD), last, DONE, facts=OFFERED) == []


def test_each_choice_counts_its_calls_from_zero() -> None:
    told = [chunk(choice({"tool_calls": [HEAD]}, index=index)) for index in (0, 1)]
    ends = [finish("tool_calls", index) for index in (0, 1)]
    facts = Facts(n=2, calls_allowed=True)

    assert heard(role(0), role(1), *told, *ends, DONE, facts=facts) == []


def test_a_chunk_that_cannot_be_read_hides_the_beginning_of_a_call() -> None:
    told = [role(), "{", fragments(REST), finish("tool_calls"), DONE]

    assert heard(*told, facts=OFFERED) == ["CC-SSE-003", "CC-SSE-012"]


def test_a_custom_call_in_fragments_where_one_was_offered() -> None:
    opening = {"index": 0, "id": "a", "type": "custom", "custom": {"name": "n", "input": ""}}
    later = {"index": 0, "custom": {"input": "x"}}

    assert streamed(opening, later, facts=CUSTOM) == []
    assert "CC-TOOL-013" in streamed(opening, later)
