"""What a stream comes to: its fold to a completion, and text that is told twice."""

from __future__ import annotations

import pytest

from conformance.protocol.stream import Facts, is_cumulative, repeats_whole

from .talk import CALL, DONE, choice, chunk, finish, hear, role

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
