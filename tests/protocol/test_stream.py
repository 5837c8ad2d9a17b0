"""Conversations with the chunk machine: what was said, and which clauses it breaks.

One chunk by itself, usage, errors and the fold: ``test_stream_chunks``, ``_usage``, ``_errors``,
``_fold``.
"""

from __future__ import annotations

import pytest

from conformance.protocol.sse import Decoder
from conformance.protocol.stream import Facts, read_decoded, read_stream

from .talk import CALL, DONE, choice, chunk, finish, hear, heard, hello, role, sse, text, usage


def test_a_good_stream_breaks_nothing() -> None:
    reading = hear(*hello())

    assert reading.findings == ()
    assert reading.text() == "Hello"
    assert reading.finish_reason() == "stop"
    assert reading.done
    assert [chunk.number for chunk in reading.chunks] == [1, 2, 3, 4]


def test_offsets_are_those_of_the_events() -> None:
    body = b": hi\n\n" + sse(hello())
    reading = read_stream(body)

    assert reading.done_end == len(body)
    first, second = reading.output_offsets
    assert body[:first].endswith(b"}\n\n")
    assert b'"Hel"' in body[:first]
    assert b'"lo"' in body[first:second]
    for item in reading.chunks:
        assert body[slice(*item.span)].startswith(b'data: {"id"')


def test_every_split_gives_the_same_findings() -> None:
    body = sse([text("Hel"), {**finish("eos"), "id": 1}, usage(), DONE, "x"]).replace(
        b"\n", b"\r\n"
    )
    whole = read_stream(body)
    assert len(whole.findings) > 5

    for cut in range(len(body)):
        decoder = Decoder()
        decoder.feed(body[:cut])
        decoder.feed(body[cut:])
        reading = read_decoded(decoder)
        assert (reading.findings, reading.chunks) == (whole.findings, whole.chunks)


def test_a_thought_is_output_and_a_role_alone_is_none() -> None:
    thinking = chunk(choice({"role": "assistant", "content": "", "reasoning_content": "hm"}))
    reading = hear(thinking, text("Hello"), finish(), DONE)

    assert len(reading.output_offsets) == 2
    assert reading.reasoning() == "hm"
    assert hear(role(), finish(), DONE).output_offsets == ()


# --- the role ------------------------------------------------------------------------------------


def test_no_role_at_all() -> None:
    assert heard(text("Hel"), text("lo"), finish(), DONE) == ["CC-STREAM-008"]


def test_the_role_comes_late() -> None:
    assert heard(text("Hel"), role(), finish(), DONE) == ["CC-STREAM-008", "CC-STREAM-009"]


@pytest.mark.parametrize("name", ["", "user"])
def test_another_role_first(name: str) -> None:
    first = chunk(choice({"role": name, "content": "x"}))

    assert heard(first, finish(), DONE) == ["CC-STREAM-008", "CC-STREAM-010"]


def test_role_text_and_finish_in_one_chunk() -> None:
    assert heard(chunk(choice({"role": "assistant", "content": "x"}, "stop")), DONE) == []


# --- the finish ----------------------------------------------------------------------------------


def test_no_finish() -> None:
    assert heard(role(), text("Hello"), DONE) == ["CC-SSE-024", "CC-STREAM-012"]


def test_no_finish_where_the_connection_was_cut() -> None:
    assert heard(role(), text("Hello"), facts=Facts(complete=False)) == []


def test_two_finishes() -> None:
    expected = ["CC-STREAM-012", "CC-STREAM-013"]

    assert heard(role(), text("Hello"), finish(), finish(), DONE) == expected


def test_text_after_the_finish() -> None:
    assert heard(role(), text("Hel"), finish(), text("lo"), DONE) == ["CC-STREAM-013"]


def test_an_empty_delta_after_the_finish_is_mild() -> None:
    assert heard(*hello()[:-1], chunk(choice({})), DONE) == ["CC-STREAM-013~"]


@pytest.mark.parametrize("reason", ["eos", "end_turn", 5])
def test_a_vendors_reason_ends_the_choice(reason: object) -> None:
    expected = ["CC-FIN-002", "CC-STREAM-011"]

    assert heard(role(), text("Hello"), finish(reason), DONE) == expected


@pytest.mark.parametrize("reason", ["", "null"])
def test_an_empty_reason_in_every_chunk_ends_nothing(reason: str) -> None:
    first = chunk(choice({"role": "assistant"}, reason))
    second = chunk(choice({"content": "Hello"}, reason))

    assert heard(first, second, finish(), DONE) == ["CC-FIN-002", "CC-STREAM-011"]


def test_the_key_of_the_reason_is_missing() -> None:
    bare = chunk({"index": 0, "delta": {"content": "Hello"}})

    assert heard(role(), bare, finish(), DONE) == ["CC-STREAM-011"]


def test_audio_may_end_without_a_reason() -> None:
    sound = chunk(choice({"audio": {"id": "a", "data": "AAA="}}))
    ending = chunk(choice({"audio": {"expires_at": 1}}))
    reading = hear(role(), sound, ending, DONE)

    assert reading.findings == ()
    assert reading.fold()["choices"] == []
    assert heard(role(), sound, DONE) == ["CC-SSE-024", "CC-STREAM-012"]


# --- the stream as a whole -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "breaks"),
    [
        (b"", ["CC-SSE-005", "CC-SSE-024", "CC-STREAM-016"]),
        (b"data: [DONE]\n\n", ["CC-SSE-024", "CC-STREAM-016"]),
        (b"<html>", ["CC-SSE-005", "CC-SSE-024", "CC-STREAM-016"]),
    ],
)
def test_a_stream_without_chunks(body: bytes, breaks: list[str]) -> None:
    assert sorted({finding.id for finding in read_stream(body).findings}) == breaks


def test_azures_preamble_is_mild() -> None:
    preamble = chunk(object="", id="", model="", created=0)
    reading = hear(preamble, *hello())

    assert [(f.id, f.mild) for f in reading.findings] == [("CC-STREAM-017", True)]
    assert reading.fold()["id"] == "chatcmpl-1"


def test_a_preamble_after_the_first_choice_is_none() -> None:
    late = chunk(object="")

    assert heard(role(), late, text("x"), finish(), DONE) == ["CC-STREAM-001", "CC-STREAM-017"]


def test_a_moderation_chunk_where_it_was_requested() -> None:
    moderation = chunk(moderation={"input": {}})

    assert heard(moderation, *hello(), facts=Facts(moderation=True)) == []
    assert heard(moderation, *hello()) == ["CC-STREAM-017"]


def test_filler_chunks() -> None:
    filler = chunk(choice({}))

    assert heard(role(), *[filler] * 3, text("Hello"), finish(), DONE) == ["CC-STREAM-029~"]
    assert heard(role(), *[filler] * 3, *[text("x")] * 11, finish(), DONE) == []


def test_a_token_without_text_is_no_filler() -> None:
    entry = {"token": "\ufffd", "bytes": [], "logprob": -1.0, "top_logprobs": []}
    token = chunk({**choice({}), "logprobs": {"content": [entry], "refusal": None}})

    broken = heard(role(), *[token] * 3, text("Hello"), finish(), DONE)

    assert "CC-STREAM-029~" not in broken


def test_two_filler_chunks_are_rare_however_short_the_answer_is() -> None:
    filler = chunk(choice({"content": ""}))

    assert heard(role(), filler, filler, text("Hello"), finish(), DONE) == []


def test_a_heartbeat_is_no_chunk() -> None:
    assert heard({}, {"type": "ping"}, *hello()) == ["CC-SSE-016"]


def test_what_follows_done_is_not_read() -> None:
    reading = hear(*hello(), text("more"))

    assert reading.text() == "Hello"
    assert [finding.id for finding in reading.findings] == ["CC-SSE-005", "CC-SSE-006"]


def test_single_newlines_hide_nothing() -> None:
    reading = read_stream(sse([role(), text("Hel"), text(["lo"]), finish(), DONE], end="\n"))

    assert reading.text() == "Hel"
    assert sorted({finding.id for finding in reading.findings}) == [
        "CC-SSE-003",
        "CC-SSE-004",
        "CC-SSE-010",
        "CC-SSE-012",
        "CC-SSE-018",
        "CC-SSE-026",
        "CC-STREAM-015",
    ]


def test_what_a_broken_chunk_said_is_not_missed() -> None:
    nan = sse([role()])[:-3].decode().removeprefix("data: ") + ', "x": NaN}'
    no_json = ["CC-SSE-003", "CC-SSE-012"]

    assert heard(nan, text("Hello"), finish(), DONE) == no_json
    assert heard(nan[:40], text("Hello"), finish(), DONE) == no_json
    assert heard(role(), text("Hello"), '{"choices": [', DONE) == no_json


# --- calls that nobody allowed -------------------------------------------------------------------


def test_a_call_without_tools() -> None:
    call = chunk(choice({"tool_calls": [{"index": 0, **CALL}]}))
    spoken = [role(), call, finish("tool_calls"), DONE]

    assert heard(*spoken) == ["CC-MSG-013"]
    assert heard(*spoken, facts=Facts(calls_allowed=True)) == []


def test_an_empty_list_of_calls_is_no_call() -> None:
    clauses = heard(role(), chunk(choice({"content": "x", "tool_calls": []})), finish(), DONE)
    assert clauses == ["CC-TOOL-017~"]


# --- several choices -----------------------------------------------------------------------------


def test_choices_may_interleave() -> None:
    spoken = [role(0), role(1), text("a", 1), text("b", 0), finish(index=1), finish(index=0), DONE]
    reading = hear(*spoken, facts=Facts(n=2))

    assert reading.findings == ()
    assert (reading.text(0), reading.text(1)) == ("b", "a")


def test_choices_in_the_wrong_order() -> None:
    spoken = [role(1), role(0), finish(index=0), finish(index=1), DONE]

    assert heard(*spoken, facts=Facts(n=2)) == ["CC-STREAM-023"]


def test_each_choice_needs_its_own_role_and_finish() -> None:
    spoken = [role(0), text("b", 1), finish(index=0), DONE]

    expected = ["CC-SSE-024", "CC-STREAM-008", "CC-STREAM-012"]
    assert heard(*spoken, facts=Facts(n=2)) == expected
