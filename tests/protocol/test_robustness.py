"""Nothing that a target can send raises, and every finding is fit to print."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.protocol import completion, errors, models
from conformance.protocol.facts import Facts
from conformance.protocol.finding import Finding
from conformance.protocol.stream import read_stream

from .talk import CALL, USAGE, answer, choice, chunk, finish, role, sse, text

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 2**65)
    | st.floats()
    | st.sampled_from(["", "stop", "assistant", "null", "a\ud83d\x1b"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["index", "delta", "message", "role"]), inner, max_size=3)
    ),
    max_leaves=5,
)
FACTS = st.builds(
    Facts,
    n=st.integers(1, 3),
    include_usage=st.booleans(),
    calls_allowed=st.booleans(),
    complete=st.booleans(),
    functions=st.booleans(),
    audio=st.booleans(),
    logprobs=st.booleans(),
    moderation=st.booleans(),
    include_obfuscation=st.none() | st.booleans(),
)
LOGPROBS = {"content": [{"token": "a", "logprob": 0, "bytes": None, "top_logprobs": []}]}
RICH: list[Any] = [
    chunk(object=""),
    role(),
    chunk({**choice({"content": "a", "reasoning": "b", "refusal": None}), "logprobs": LOGPROBS}),
    chunk(choice({"tool_calls": [{"index": 0, **CALL}], "function_call": {"name": "f"}})),
    chunk(choice({"audio": {"id": "a", "data": "AA==", "expires_at": 1}, "more": [{"index": 0}]})),
    text("b", 1),
    finish(),
    chunk(usage={**USAGE, "prompt_tokens_details": {"cached_tokens": 1}}, moderation={}),
    {"error": {"message": "m", "type": "t", "param": None, "code": None}},
]


def places(value: object, path: tuple[Any, ...] = ()) -> Iterable[tuple[Any, ...]]:
    """Every place in a JSON value, as the keys and indices that lead to it."""
    yield path
    inner: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, dict):
        inner = value.items()
    elif isinstance(value, list):
        inner = enumerate(value)
    for key, item in inner:
        yield from places(item, (*path, key))


def replaced(value: Any, path: tuple[Any, ...], new: object) -> Any:
    """A copy of ``value`` with ``new`` in that place."""
    if not path:
        return new
    changed = copy.deepcopy(value)
    holder = changed
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = new
    return changed


def assert_printable(findings: Iterable[Finding]) -> None:
    for finding in findings:
        assert finding.id.startswith("CC-")
        assert finding.required
        assert (finding.seen + finding.required).isprintable()
        assert len(finding.seen) < 200


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(list(places(RICH))[1:]), JSON, FACTS)
def test_any_value_in_any_place_of_a_stream(
    path: tuple[Any, ...], new: object, facts: Facts
) -> None:
    body = sse([*replaced(RICH, path, new), "[DONE]"])
    reading = read_stream(body, facts)

    assert_printable(reading.findings)
    assert_printable(completion.findings(reading.fold(), facts, date=0))
    assert isinstance(reading.text(), str)
    assert isinstance(reading.reasoning(), str)
    offsets = (*reading.output_offsets, reading.done_end or 0)
    assert all(0 <= offset <= len(body) for offset in offsets)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from([*RICH, "[DONE]", "x", "{}", {}]), max_size=8), FACTS)
def test_any_order_of_chunks(values: list[Any], facts: Facts) -> None:
    reading = read_stream(sse(values), facts)

    assert_printable(reading.findings)
    assert_printable(completion.findings(reading.fold(), facts))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), FACTS)
def test_any_bytes_as_a_stream(body: bytes, facts: Facts) -> None:
    assert_printable(read_stream(body, facts).findings)
    assert_printable(errors.findings(400, None, body))


FULL = answer(tool_calls=[CALL], annotations=[{"type": "url_citation"}], audio={"id": "a"})
FULL["usage"] |= {name + "_details": {"a": 1} for name in ("prompt_tokens", "completion_tokens")}


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(list(places(FULL))), JSON, FACTS)
def test_any_value_in_any_place_of_a_completion(
    path: tuple[Any, ...], new: object, facts: Facts
) -> None:
    assert_printable(completion.findings(replaced(FULL, path, new), facts, date=1))


@settings(max_examples=150, deadline=None)
@given(JSON, st.sampled_from(["data", "object", "error", "detail"]), st.integers(100, 599))
def test_any_value_as_a_list_of_models_or_an_error(value: object, key: str, status: int) -> None:
    assert_printable(models.findings(value))
    assert_printable(models.findings({"object": "list", "data": [value]}))
    assert_printable(errors.findings(status, "text/html", json.dumps({key: value}).encode()))
    assert_printable(errors.findings(status, None, json.dumps({"error": {key: value}}).encode()))
