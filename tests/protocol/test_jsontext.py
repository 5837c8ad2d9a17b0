"""Strict JSON: what is refused, where, and what is read all the same."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.protocol.jsontext import (
    MAX_DEPTH,
    JsonError,
    findings,
    loads,
    loads_leniently,
    read_document,
)

from .talk import ids


@pytest.mark.parametrize(
    ("body", "breaks"),
    [
        (b"{}", []),
        (b' \t\r\n{"a": 1}\r\n', []),
        (b"", ["CC-HTTP-002"]),
        (b" \n", ["CC-HTTP-002"]),
        (b"null", ["CC-HTTP-002"]),
        (b"[]", ["CC-HTTP-002"]),
        (b'"x"', ["CC-HTTP-002"]),
        (b"<html>", ["CC-HTTP-002"]),
        (b"data: {}\n\n", ["CC-HTTP-002"]),
        (b'{"a": NaN}', ["CC-HTTP-002"]),
        (b'{"a": -Infinity}', ["CC-HTTP-002"]),
        (b'{"a": "\n"}', ["CC-HTTP-002"]),
        (b"{'a': 1}", ["CC-HTTP-002"]),
        (b'{"a": 1,}', ["CC-HTTP-002"]),
        (b'{"a": 01}', ["CC-HTTP-002"]),
        (b'{"a": 1', ["CC-HTTP-002"]),
        (b"\x0b{}", ["CC-HTTP-002"]),
        (b"{}x", ["CC-HTTP-006"]),
        (b"{} {}", ["CC-HTTP-006"]),
        (b"{}\n\ndata: [DONE]\n\n", ["CC-HTTP-006"]),
        (b"[]x", ["CC-HTTP-002", "CC-HTTP-006"]),
        (b"\xef\xbb\xbf{}", ["CC-HTTP-007"]),
        (b"\xef\xbb\xbf {}", ["CC-HTTP-007"]),
        (b'{"a": "\xff"}', ["CC-HTTP-002", "CC-HTTP-007"]),
        ("{}".encode("utf-16"), ["CC-HTTP-002", "CC-HTTP-007"]),
    ],
)
def test_a_body(body: bytes, breaks: list[str]) -> None:
    assert ids(findings(read_document(body))) == breaks


@pytest.mark.parametrize(
    ("body", "at"),
    [
        (b'{"a": NaN}', 6),
        (b'{"NaN": "Infinity", "b": -Infinity}', 25),
        ('{"é😀": Infinity}'.encode(), 11),
        (b'\xef\xbb\xbf  {"a" 1}', 10),
        (b'{"\xff": }', 6),
    ],
)
def test_an_error_is_located_in_bytes(body: bytes, at: int) -> None:
    document = read_document(body)

    assert document.error_at == at
    assert document.error is not None
    assert document.error.endswith(f"at byte {at}")


def test_the_end_is_located_in_bytes() -> None:
    body = '\ufeff {"é": "😀"} \n rest \n'.encode()
    document = read_document(body)

    assert body[document.end :] == b" \n rest \n"
    assert document.trailing == b"rest"
    assert document.bom


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a":', '["[",'])
def test_a_bottomless_document_is_an_error(opening: str) -> None:
    document = read_document((opening * 100_000).encode())

    assert document.value is None
    assert document.error is not None
    assert document.error.startswith(f"nesting deeper than {MAX_DEPTH}")


def test_depth_is_counted_and_not_brackets() -> None:
    deepest = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    wide = json.dumps([["[" * 300] for _ in range(300)])

    assert loads(deepest) != loads(wide)
    with pytest.raises(JsonError, match="nesting"):
        loads(f"[{deepest}]")


def test_an_unclosed_string_full_of_quotes_is_read_in_one_pass() -> None:
    assert read_document(b"[" * 300 + b'"' + b'\\"' * 500_000).value is None


def test_a_huge_integer_stays_an_integer() -> None:
    value = loads("[1" + "0" * 10_000 + ", -1" + "0" * 10_000 + ", 12345678901234567890]")

    assert isinstance(value, list)
    assert value[0] > 2**64
    assert value[1] < -(2**64)
    assert value[2] == 12345678901234567890


def test_a_tolerant_client_reads_on() -> None:
    assert loads_leniently('{"a": Infinity}') == {"a": float("inf")}
    assert loads_leniently('{"a": ') is None
    assert loads_leniently("[" * 100_000) is None
    assert loads_leniently("[" + 500 * "[]," + "NaN]") is not None


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@settings(max_examples=150, deadline=None)
@given(JSON, st.sampled_from([b"", b" ", b"\r\n\t"]))
def test_what_is_json_is_read(value: object, space: bytes) -> None:
    document = read_document(space + json.dumps(value).encode() + space)

    assert (document.value, document.error, document.trailing) == (value, None, b"")


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60) | st.text('{}[]":,\\ne1-.Naty ', max_size=40).map(str.encode))
def test_no_body_raises_and_offsets_stay_inside(body: bytes) -> None:
    document = read_document(body)

    assert 0 <= document.end <= len(body)
    assert document.error_at is None or 0 <= document.error_at <= len(body)
    if document.error is None:
        inner = body[3 * document.bom : document.end].decode("utf-8", "surrogateescape")
        assert loads(inner) == document.value
