"""Log probabilities: entries that break a clause, texts that tokens join to, and streams."""

from __future__ import annotations

import math
from typing import Any

import pytest

from conformance.protocol.completion import findings
from conformance.protocol.facts import Facts
from conformance.protocol.logprobs import entries_of, holds_nan, is_told
from conformance.protocol.stream import read_stream

from .talk import DONE, choice, chunk, finish, heard, hello, ids, picked, role, sse

ASKED = Facts(logprobs=True)
RANKED = Facts(logprobs=True, top_logprobs=2)


def entry(token: str = "Hello", **members: object) -> dict[str, Any]:
    """One whole entry; ``members`` replace some of it."""
    whole = {"token": token, "logprob": -0.5, "bytes": list(token.encode()), "top_logprobs": []}
    return {**whole, **members}


def lacking(name: str) -> dict[str, Any]:
    return {key: value for key, value in entry().items() if key != name}


def other(token: str = "Hi", logprob: object = -0.5) -> dict[str, Any]:
    return {"token": token, "logprob": logprob, "bytes": None}


def told(*entries: object, **members: object) -> dict[str, Any]:
    """The ``logprobs`` of a choice."""
    return {"content": list(entries), "refusal": None, **members}


def broken(logprobs: object, facts: Facts = ASKED) -> list[str]:
    """The clauses that a completion with these ``logprobs`` breaks; its content is "Hello"."""
    return ids(findings(picked(logprobs=logprobs), facts))


@pytest.mark.parametrize("logprobs", [None, told(entry()), told(entry(bytes=None))])
def test_what_is_right_breaks_nothing(logprobs: object) -> None:
    assert broken(logprobs) == []


@pytest.mark.parametrize(
    ("one", "breaks"),
    [
        ("Hello", ["CC-LOGP-002"]),
        ({**entry(), "token": 7}, ["CC-LOGP-002"]),
        (entry(logprob=None), ["CC-LOGP-002"]),
        (entry(logprob="-0.5"), ["CC-LOGP-002"]),
        (entry(logprob=True), ["CC-LOGP-002"]),
        (entry(logprob=0), []),
        (entry(logprob=-9999.0), []),
        (entry(logprob=1.2e-07), []),
        (entry(logprob=0.97), ["CC-LOGP-003~"]),
        (entry(logprob=math.nan), ["CC-LOGP-003"]),
        (entry(logprob=-math.inf), ["CC-LOGP-003"]),
        (entry(logprob=math.inf), ["CC-LOGP-003"]),
        (entry(top_logprobs=None), ["CC-LOGP-002"]),
        (lacking("top_logprobs"), ["CC-LOGP-002"]),
        (lacking("logprob"), ["CC-LOGP-002"]),
        (lacking("bytes"), ["CC-LOGP-010"]),
        (entry(bytes="Hello"), ["CC-LOGP-002"]),
        (entry(bytes=[256]), ["CC-LOGP-002"]),
        (entry(bytes=[72.0]), ["CC-LOGP-002"]),
        (entry(top_logprobs=[other()]), ["CC-LOGP-004"]),
    ],
)
def test_a_member_of_an_entry(one: object, breaks: list[str]) -> None:
    content = [entry("Hello")] if isinstance(one, str) else []
    assert broken(told(*content, one)) == breaks


@pytest.mark.parametrize(
    ("alternatives", "breaks"),
    [
        ([other(), other("b", -1)], []),
        ([other("b", -9999.0), other("c", -9999.0)], []),
        ([other()], []),
        ([], ["CC-LOGP-004"]),
        ([other(), other("b", -1), other("c", -2)], ["CC-LOGP-004"]),
        ([other("b", -1), other()], ["CC-LOGP-005"]),
        ([other(), None], ["CC-LOGP-002"]),
        ([other("b", None)], ["CC-LOGP-002"]),
        ([other(), other("b", -math.inf)], ["CC-LOGP-003"]),
        ([{"token": "b", "logprob": -1}], ["CC-LOGP-010"]),
    ],
)
def test_alternatives(alternatives: list[object], breaks: list[str]) -> None:
    assert broken(told(entry(top_logprobs=alternatives)), RANKED) == breaks


@pytest.mark.parametrize(
    ("logprobs", "breaks"),
    [
        ({}, ["CC-LOGP-007~"]),
        ({"content": [entry()]}, ["CC-LOGP-007~"]),
        (told(entry(), content={}), ["CC-LOGP-002"]),
        (told(refusal=[None], content=None), ["CC-LOGP-002"]),
        ({"tokens": ["Hello"], "token_logprobs": [-0.5]}, ["CC-LOGP-007~"]),
        ("-0.5", ["CC-LOGP-002", "CC-RESP-010"]),
    ],
)
def test_what_holds_the_entries(logprobs: object, breaks: list[str]) -> None:
    assert broken(logprobs) == breaks


@pytest.mark.parametrize("logprobs", [{}, [], told(), told(entry()), "x", False])
def test_what_nobody_asked_for(logprobs: object) -> None:
    assert broken(logprobs, Facts()) == ["CC-LOGP-008", "CC-MSG-009"]


def tokens(*spelled: str | bytes) -> list[dict[str, Any]]:
    """Entries of these tokens; bytes that are no text have U+FFFD for a token."""
    return [
        entry(one) if isinstance(one, str) else entry("\ufffd", bytes=list(one)) for one in spelled
    ]


SMILE = "🙂".encode()


@pytest.mark.parametrize(
    ("entries", "content", "holds"),
    [
        (tokens("Hel", "lo"), "Hello", True),
        (tokens("Hel"), "Hello", False),
        (tokens("lo", "Hel"), "Hello", False),
        (tokens(" Hello", "\n"), "Hello", True),
        (tokens("\u2581Hello", "\u2581you"), "Hello you", False),
        (tokens("Hello", "<|im_end|>"), "Hello", True),
        (tokens("Hello", "."), "Hello", True),  # whatever ends a turn: it is the last
        (tokens("Hello", ".", "."), "Hello", False),
        (tokens("<s>", "Hello", "</s>"), "Hello", True),
        (tokens("<b>", "x", "</b>"), "<b>x</b>", True),
        (tokens("a", SMILE[:2], SMILE[2:]), "a🙂", True),
        (tokens("a", SMILE[:2]), "a", True),
        (tokens("a", SMILE[:2]), "a\ufffd", True),
        (tokens("a", SMILE[:2]), "a\ufffd\ufffd", True),
        ([entry("\ufffd"), entry("\ufffd")], "🙂", False),
        ([entry("Hello", bytes=None)], "Hello", True),
        (tokens("<think>", "hm", "</think>", "Hello"), "Hello", True),
        (tokens("hm", "Hello"), "Hello", True),
    ],
)
def test_the_text_that_entries_join_to(
    entries: list[dict[str, Any]], content: str, holds: bool
) -> None:
    thought = entries[0]["token"] == "hm"
    assert is_told(entries, content, more=thought) is holds


@pytest.mark.parametrize(
    "members",
    [{"reasoning_content": "hm"}, {"reasoning": "hm"}, {"tool_calls": [{"id": "c"}]}],
)
def test_entries_hold_thoughts_and_calls_too(members: dict[str, Any]) -> None:
    whole = picked(logprobs=told(entry("hm"), entry("Hello"), entry("f()"), entry("")))
    whole["choices"][0]["message"] |= members
    assert "CC-LOGP-006" not in ids(findings(whole, ASKED))


def test_thoughts_that_are_counted_and_not_shown() -> None:
    whole = picked(logprobs=told(entry("hm"), entry("hm"), entry("Hello")))
    assert ids(findings(whole, ASKED)) == ["CC-LOGP-006"]
    whole["usage"]["completion_tokens_details"] = {"reasoning_tokens": 2}
    assert ids(findings(whole, ASKED)) == []


def test_a_message_without_text_joins_to_nothing() -> None:
    whole = picked(logprobs=told(entry("No")))
    whole["choices"][0]["message"] |= {"content": None, "refusal": "No"}
    assert findings(whole, ASKED) == []


def test_bare_words_that_are_no_numbers() -> None:
    odd = entry(top_logprobs=[other(logprob=-math.inf)])
    assert holds_nan([{"logprobs": told(odd)}])
    assert holds_nan([{}, {"logprobs": {"refusal": [entry(logprob=math.nan)]}}])
    assert not holds_nan([{"logprobs": told(entry())}, {"logprobs": [1]}, {"logprobs": None}])


def test_entries_of_anything() -> None:
    assert entries_of(told(entry(), None, "x")) == [entry()]
    assert entries_of([entry()]) == entries_of({"content": {}}) == entries_of(None) == []


# Streams.


def piece(text: object, *entries: object, **delta: object) -> dict[str, Any]:
    """A chunk with this content and these entries; without entries its logprobs are null."""
    return chunk(
        {**choice({"content": text, **delta}), "logprobs": told(*entries) if entries else None}
    )


def streamed(*pieces: dict[str, Any]) -> list[str]:
    """The clauses that a stream with log probabilities breaks."""
    return heard(role(), *pieces, finish(), DONE, facts=ASKED)


@pytest.mark.parametrize(
    "pieces",
    [
        [piece("Hel", entry("Hel")), piece("lo", entry("lo"))],
        [piece("Hello", entry("Hel"), entry("lo"))],
        [piece("", entry("", bytes=[])), piece("Hello", entry("Hello"))],
        [piece("Hello", entry("Hello")), piece("", entry("<|eot_id|>"))],
        [piece("Hello", entry("Hello"), entry("<|eot_id|>"))],
        [piece("Hello", entry("Hello")), piece("", entry("end"))],
        [piece("", *tokens(SMILE[:1])), piece("🙂", *tokens(SMILE[1:])), piece("!", entry("!"))],
        [piece("", *tokens(SMILE[:1])), piece("🙂!", *tokens(SMILE[1:]), entry("!"))],
        [piece("a", entry("a"), *tokens(SMILE[:3])), piece("🙂", *tokens(SMILE[3:]))],
        [piece("\ufffd", *tokens(SMILE[:3])), piece("\ufffd", *tokens(SMILE[3:]))],
        [piece("", entry("\ufffd")), piece("🙂", entry("\ufffd"))],
        [piece("Hello", entry(" Hello")), piece(" you", entry(" you"))],
        [
            piece(None, entry("hm"), reasoning="hm"),
            piece("Hello", entry("</think>"), entry("Hello")),
        ],
        [piece(None, entry("x"))],
    ],
)
def test_streamed_entries_that_come_with_their_text(pieces: list[dict[str, Any]]) -> None:
    assert streamed(*pieces) == []


@pytest.mark.parametrize(
    "pieces",
    [
        [piece("Hel"), piece("lo")],
        [piece("Hel"), piece("lo", entry("Hel"), entry("lo"))],
        [piece("", entry("Hel")), piece("Hel", entry("lo")), piece("lo")],
        [piece("Hel", entry("lo")), piece("lo", entry("Hel"))],
        [piece("Hel", entry("Hel")), piece("lo")],
        [piece("Hello", entry("Hello")), piece("", entry("a"), entry("b"))],
        [piece(None, entry("hm"), reasoning="hm"), piece("Hello", entry("Hi"))],
    ],
)
def test_streamed_entries_that_go_astray(pieces: list[dict[str, Any]]) -> None:
    assert streamed(*pieces) == ["CC-LOGP-009"]


def test_chunks_are_judged_as_completions_are() -> None:
    assert streamed(piece("Hello", lacking("bytes"))) == ["CC-LOGP-010"]
    assert streamed(piece("Hello", entry(top_logprobs=None))) == ["CC-LOGP-002"]
    assert streamed(piece("Hello", entry(top_logprobs=[other()]))) == ["CC-LOGP-004"]


def test_a_bare_nan_in_a_stream_is_read_all_the_same() -> None:
    values = [role(), piece("Hello", entry(logprob=math.nan)), finish(), DONE]
    reading = read_stream(sse(values), ASKED)
    assert ids(reading.findings) == ["CC-LOGP-003", "CC-SSE-003", "CC-SSE-012"]
    assert reading.text() == "Hello"


def test_what_nobody_asked_for_in_a_stream() -> None:
    assert heard(role(), piece("Hello", entry()), finish(), DONE) == ["CC-LOGP-008"]
    assert heard(*hello()) == []
