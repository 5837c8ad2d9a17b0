"""Conversations with the chunk machine: what was said, and which clauses it breaks."""

from __future__ import annotations

import pytest

from conformance.protocol.sse import Decoder
from conformance.protocol.stream import (
    Facts,
    is_cumulative,
    read_decoded,
    read_stream,
    repeats_whole,
)

from .talk import (
    CALL,
    DONE,
    ERROR,
    USAGE,
    choice,
    chunk,
    finish,
    hear,
    heard,
    hello,
    role,
    sse,
    text,
    usage,
)

COUNTED = Facts(include_usage=True)


def counted(*values: dict[str, object] | str) -> list[dict[str, object] | str]:
    """The same chunks as with include_usage: ``usage`` is null where it is not given."""
    return [value if isinstance(value, str) else {"usage": None, **value} for value in values]


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
    assert reading.offset_of_first_content is not None
    assert body[: reading.offset_of_first_content].endswith(b"}\n\n")
    assert b'"Hel"' in body[: reading.offset_of_first_content]
    assert b'"lo"' not in body[: reading.offset_of_first_content]
    assert len(reading.content_offsets) == 2
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


def test_the_first_content_is_visible_text() -> None:
    thinking = chunk(choice({"role": "assistant", "content": "", "reasoning_content": "hm"}))
    reading = hear(thinking, text("Hello"), finish(), DONE)

    assert reading.output_offsets[0] < reading.content_offsets[0]
    assert reading.reasoning() == "hm"
    assert hear(role(), finish(), DONE).offset_of_first_content is None


# --- the form of a chunk -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "breaks"),
    [
        ("id", 7, ["CC-STREAM-001"]),
        ("id", None, ["CC-STREAM-001"]),
        ("id", "", ["CC-STREAM-002"]),
        ("id", "other", ["CC-STREAM-002"]),
        ("object", "chat.completion", ["CC-STREAM-001"]),
        ("created", "1700000000", ["CC-STREAM-001"]),
        ("created", 1700000000.5, ["CC-STREAM-001"]),
        ("created", True, ["CC-STREAM-001"]),
        ("created", 1_700_000_001, ["CC-STREAM-003"]),
        ("model", None, ["CC-STREAM-001"]),
        ("model", "m2", ["CC-STREAM-004"]),
        ("choices", None, ["CC-SSE-016", "CC-STREAM-001", "CC-STREAM-005"]),
        ("choices", {}, ["CC-SSE-016", "CC-STREAM-001", "CC-STREAM-005"]),
        ("choices", [], ["CC-STREAM-017"]),
        ("choices", ["x"], ["CC-STREAM-007"]),
        ("error", None, ["CC-STREAM-024"]),
        ("obfuscation", 5, ["CC-STREAM-026"]),
        ("obfuscation", "abc", []),
        ("usage", USAGE, ["CC-STREAM-020"]),
        ("usage", {}, ["CC-STREAM-020", "CC-STREAM-022"]),
        ("usage", None, []),
        ("vendor", {"a": 1}, []),
    ],
)
def test_a_member_of_a_chunk(name: str, value: object, breaks: list[str]) -> None:
    extra = {**text("!"), name: value}

    assert heard(role(), text("Hel"), extra, finish(), DONE) == breaks


@pytest.mark.parametrize(
    ("index", "breaks"),
    [(1, ["CC-STREAM-006"]), ("0", ["CC-STREAM-006"]), (None, ["CC-STREAM-006"]), (0, [])],
)
def test_an_index(index: object, breaks: list[str]) -> None:
    assert heard(role(), chunk(choice({"content": "x"}, index=index)), finish(), DONE) == breaks


def test_indices_that_count_tokens_break_one_clause() -> None:
    deltas: list[dict[str, object]] = [{"role": "assistant"}, {"content": "Hello"}, {}]
    tokens = [chunk(choice(delta, index=number)) for number, delta in enumerate(deltas)]

    assert heard(*tokens[:2], text("!"), finish(), DONE) == ["CC-STREAM-006"]


@pytest.mark.parametrize("delta", [None, "x", []])
def test_a_delta_that_is_no_object(delta: object) -> None:
    last = chunk(choice(delta, "stop"))

    assert heard(role(), text("Hello"), last, DONE) == ["CC-STREAM-007"]


def test_a_choice_without_a_delta_at_the_start_is_no_missing_role() -> None:
    nothing = chunk({"index": 0, "finish_reason": None})

    assert heard(nothing, *hello()) == ["CC-STREAM-007"]


@pytest.mark.parametrize(
    ("delta", "breaks"),
    [
        ({"content": ["x"]}, ["CC-STREAM-015"]),
        ({"content": 5}, ["CC-STREAM-015"]),
        ({"content": None, "reasoning": "hm"}, ["CC-REAS-003"]),
        ({"refusal": 1}, ["CC-STREAM-027"]),
        ({"refusal": "no"}, []),
        ({"role": None, "content": "x"}, ["CC-STREAM-010~"]),
        ({"role": "", "content": "x"}, ["CC-STREAM-009", "CC-STREAM-010"]),
        ({"role": "user", "content": "x"}, ["CC-STREAM-009", "CC-STREAM-010"]),
        ({"role": "assistant", "content": "x"}, ["CC-STREAM-009"]),
        ({"details": [{"a": 1}]}, ["CC-STREAM-025"]),
        ({"position": 3}, ["CC-STREAM-025"]),
        ({"final": False}, ["CC-STREAM-025"]),
        ({"note": None}, []),
        ({"details": [{"index": 0}], "more": ["x"], "some": {"a": 1}}, []),
    ],
)
def test_a_delta(delta: dict[str, object], breaks: list[str]) -> None:
    assert heard(role(), text("Hel"), chunk(choice(delta)), finish(), DONE) == breaks


def test_a_chunk_choice_with_a_message() -> None:
    both = chunk({**choice({"content": "x"}), "message": {"role": "assistant"}})

    assert heard(role(), both, finish(), DONE) == ["CC-RESP-011"]


def test_many_breaches_of_a_kind_are_one_finding() -> None:
    chunks = [{**value, "created": "x"} for value in hello() if isinstance(value, dict)]
    (finding,) = hear(*chunks, DONE).findings

    assert finding.id == "CC-STREAM-001"
    assert finding.at == "chunk 1 $.created"
    assert finding.seen == '"x" (and 3 more like it)'
    assert finding.span is not None


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


# --- usage ---------------------------------------------------------------------------------------


def test_usage_as_it_was_asked_for() -> None:
    reading = hear(*counted(*hello()[:-1], usage(), DONE), facts=COUNTED)

    assert reading.findings == ()
    assert reading.usage == USAGE
    assert reading.fold()["usage"] == USAGE


def test_usage_that_was_not_asked_for() -> None:
    assert heard(*hello()[:-1], usage(), DONE) == ["CC-STREAM-017", "CC-STREAM-020"]


def test_no_usage() -> None:
    assert heard(*counted(*hello()), facts=COUNTED) == ["CC-STREAM-018", "CC-STREAM-030"]


def test_a_stream_that_broke_off_owes_no_usage() -> None:
    broken_off = counted(*hello()[:2], DONE)

    assert heard(*broken_off, facts=COUNTED) == ["CC-SSE-024", "CC-STREAM-012"]


def test_no_null_before_usage_is_mild() -> None:
    assert heard(*hello()[:-1], usage(), DONE, facts=COUNTED) == ["CC-STREAM-019~"]


def test_usage_on_the_finishing_chunk() -> None:
    last = {**finish(), "usage": USAGE}

    assert heard(*counted(*hello()[:3], last, DONE), facts=COUNTED) == ["CC-STREAM-030"]


def test_usage_before_the_finish() -> None:
    early = counted(role(), usage(), text("Hello"), finish(), DONE)

    assert heard(*early, facts=COUNTED) == ["CC-STREAM-018", "CC-STREAM-030"]


def test_running_totals() -> None:
    totals = [{**value, "usage": USAGE} for value in hello() if isinstance(value, dict)]

    expected = ["CC-STREAM-018", "CC-STREAM-019", "CC-STREAM-021"]
    assert heard(*totals, usage(), DONE, facts=COUNTED) == expected


def test_two_usage_chunks() -> None:
    twice = counted(*hello()[:-1], usage(), usage(), DONE)

    expected = ["CC-STREAM-018", "CC-STREAM-019", "CC-STREAM-021", "CC-STREAM-030"]
    assert heard(*twice, facts=COUNTED) == expected


@pytest.mark.parametrize("value", [{}, {**USAGE, "total_tokens": "11"}, {"prompt_tokens": 1}])
def test_a_usage_chunk_without_its_counts(value: dict[str, object]) -> None:
    assert heard(*counted(*hello()[:-1], usage(value), DONE), facts=COUNTED) == ["CC-STREAM-022"]


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


# --- errors --------------------------------------------------------------------------------------


def test_an_error_ends_the_stream() -> None:
    reading = hear(role(), text("Hel"), {"error": ERROR})

    assert reading.findings == ()
    assert len(reading.error_events) == 1
    assert not reading.done
    assert heard({"error": ERROR}, DONE) == []


@pytest.mark.parametrize("name", ["type", "param", "code"])
def test_an_error_lacks_a_member(name: str) -> None:
    error = {key: value for key, value in ERROR.items() if key != name}

    assert heard(role(), {"error": error}) == ["CC-SERR-002"]


def test_an_error_without_a_message() -> None:
    expected = ["CC-SERR-002", "CC-SERR-003"]

    assert heard(role(), {"error": {**ERROR, "message": None}}) == expected
    assert heard(role(), {"error": {}}) == expected


def test_an_error_that_is_a_string() -> None:
    expected = ["CC-SERR-002", "CC-SERR-003", "CC-SSE-016"]

    assert heard(role(), {"error": "boom"}) == expected


def test_an_error_in_plain_text() -> None:
    expected = ["CC-SERR-003", "CC-SSE-003", "CC-SSE-012"]

    assert heard(role(), text("Hel"), "upstream died") == expected
    assert heard(*hello()[:-1], "ping") == ["CC-SSE-003", "CC-SSE-005", "CC-SSE-012"]


def test_an_error_inside_a_chunk() -> None:
    assert heard(role(), {**finish("error"), "error": ERROR}) == ["CC-SERR-007"]


def test_a_finish_after_an_error() -> None:
    assert heard(role(), {"error": ERROR}, finish(), DONE) == ["CC-SERR-004"]


# --- the fold ------------------------------------------------------------------------------------


def test_the_fold_is_a_completion() -> None:
    thinking = chunk(choice({"role": "assistant", "reasoning_content": "hm"}))
    first = chunk({**choice({"content": "a"}), "logprobs": {"content": [1], "refusal": None}})
    second = chunk({**choice({"content": "b"}), "logprobs": {"content": [2], "refusal": None}})

    assert hear(thinking, first, second, finish(), DONE).fold() == {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "m",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "ab",
                    "refusal": None,
                    "reasoning_content": "hm",
                },
                "logprobs": {"content": [1, 2]},
                "finish_reason": "stop",
            }
        ],
    }


def test_the_fold_joins_the_fragments_of_calls() -> None:
    def call(index: int, **function: str) -> dict[str, object]:
        return chunk(choice({"tool_calls": [{"index": index, "function": function}]}))

    start = chunk(choice({"tool_calls": [{"index": 0, **CALL, "function": {"name": "f"}}]}))
    other = chunk(choice({"tool_calls": [{"index": 1, **CALL, "id": "call_2"}]}))
    spoken = [role(), start, call(0, arguments='{"a"'), other, call(0, arguments=": 1}")]
    reading = hear(*spoken, finish("tool_calls"), DONE, facts=Facts(calls_allowed=True))
    (folded,) = reading.fold()["choices"]

    assert folded["message"]["content"] == ""
    assert folded["message"]["tool_calls"] == [
        {**CALL, "function": {"name": "f", "arguments": '{"a": 1}'}},
        {**CALL, "id": "call_2"},
    ]


def test_the_fold_leaves_null_where_nothing_was_said() -> None:
    bare = chunk(choice({"role": "assistant"}))
    (folded,) = hear(bare, DONE).fold()["choices"]

    assert folded["message"] == {"role": "assistant", "content": None, "refusal": None}
    assert folded["finish_reason"] is None


# --- cumulative text -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("deltas", "cumulative"),
    [
        (["a", "ab", "abc", "abcd", "abcde"], True),
        (["", "a", "ab", "abc", "abcd", "", "abcde"], True),
        (["a", "ab", "abc", "abcd"], False),
        (["a", "a", "a", "a", "a"], False),
        (["1", " 2", " 3", " 4", " 5"], False),
        ([], False),
    ],
)
def test_cumulative_deltas(deltas: list[str], cumulative: bool) -> None:
    assert is_cumulative(deltas) is cumulative


@pytest.mark.parametrize(
    ("deltas", "repeated"),
    [
        (["one two three ", "four five", "one two three four five", ""], True),
        (["one two three four five"], False),
        (["ha", "ha"], False),
        (["one two three ", "four five"], False),
    ],
)
def test_the_whole_text_repeated(deltas: list[str], repeated: bool) -> None:
    assert repeats_whole(deltas) is repeated
