"""The decoder: vectors at every byte split, a naive decoder as oracle, and arbitrary bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.protocol.finding import Finding
from conformance.protocol.framing import findings, items
from conformance.protocol.sse import Decoder, Event, decode

from .talk import ids

VECTORS = json.loads((Path(__file__).parent / "data" / "sse.json").read_text("utf-8"))


def body_of(vector: dict[str, Any]) -> bytes:
    return bytes.fromhex(vector["hex"]) if "hex" in vector else vector["body"].encode()


def judged(decoder: Decoder, *, complete: bool = True) -> list[Finding]:
    return findings(decoder, items(decoder.events), complete=complete)


def in_pieces(body: bytes, cuts: list[int]) -> tuple[Decoder, list[Event]]:
    """Fed in pieces: the decoder, and the events in the order in which they were given out."""
    decoder, given_out = Decoder(), []
    for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True):
        given_out += decoder.feed(body[start:end])
    return decoder, given_out + decoder.close()


def notes(decoder: Decoder) -> tuple[object, ...]:
    return (
        decoder.blocks,
        decoder.events,
        decoder.comments,
        decoder.line_ends,
        decoder.first_cr,
        decoder.bom,
        decoder.bad_utf8,
    )


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["says"])
def test_the_vectors(vector: dict[str, Any]) -> None:
    decoder = decode(body_of(vector))

    assert [[e.data, e.type, e.terminated] for e in decoder.events] == vector["events"]
    assert ids(judged(decoder, complete=vector.get("complete", True))) == vector["breaks"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["says"])
def test_every_split_in_two_gives_the_same(vector: dict[str, Any]) -> None:
    body = body_of(vector)
    whole = decode(body)

    for cut in range(len(body) + 1):
        decoder, given_out = in_pieces(body, [cut])
        assert notes(decoder) == notes(whole)
        assert given_out == whole.events


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["says"])
def test_byte_by_byte_gives_the_same(vector: dict[str, Any]) -> None:
    body = body_of(vector)
    decoder, given_out = in_pieces(body, list(range(1, len(body))) if body else [])

    assert notes(decoder) == notes(decode(body))
    assert given_out == decoder.events
    assert judged(decoder) == judged(decode(body))


ODD = st.sampled_from(
    b"data|: |:| |\n|\r|\r\n|\n\n|id|event|retry|\0|{}|[DONE]|x|"
    b"\xef\xbb\xbf|\xc3\xa9|\xf0\x9f\x98\x80|\xff".split(b"|")
)
STREAMS = st.lists(ODD, max_size=30).map(b"".join)


@settings(max_examples=200, deadline=None)
@given(STREAMS, st.data())
def test_any_stream_in_any_pieces_gives_the_same(body: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=6)))
    decoder, given_out = in_pieces(body, cuts)
    whole = decode(body)

    assert notes(decoder) == notes(whole)
    assert given_out == whole.events
    assert judged(decoder) == judged(whole)


def naive(body: bytes) -> list[tuple[str, str, str]]:
    """§9.2.6 word for word, on the whole text at once: (data, type, last event id)."""
    text = body.decode("utf-8", "replace").removeprefix("\ufeff")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")[:-1]
    events, data, kind, last_id = [], "", "", ""
    for line in lines:
        if not line:
            if data:
                events.append((data.removesuffix("\n"), kind or "message", last_id))
            data = kind = ""
        elif not line.startswith(":"):
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if name == "data":
                data += value + "\n"
            elif name == "event":
                kind = value
            elif name == "id" and "\0" not in value:
                last_id = value
    return events


@settings(max_examples=300, deadline=None)
@given(STREAMS)
def test_what_is_dispatched_is_what_the_standard_says(body: bytes) -> None:
    dispatched = [(e.data, e.type, e.id) for e in decode(body).events if e.terminated]

    assert dispatched == naive(body)


@settings(max_examples=200, deadline=None)
@given(STREAMS | st.binary(max_size=80))
def test_offsets_point_at_the_bytes(body: bytes) -> None:
    decoder = decode(body)

    for block in decoder.blocks:
        assert 0 <= block.start < block.end <= len(body)
        for line in block.lines:
            assert body[line.start : line.end].decode("utf-8", "replace") == line.text
    for event in decoder.events:
        again = decode(body[event.start : event.end]).events
        assert [e.data for e in again] == [event.data]
    for finding in judged(decoder):
        assert finding.span is None or 0 <= finding.span[0] < finding.span[1] <= len(body)


def test_a_stream_without_done_breaks_the_clause_at_its_last_event() -> None:
    last = b'data: {"choices":[]}\n\n'
    body = b"data: 1\n\n" + last
    (span,) = [each.span for each in judged(decode(body)) if each.id == "CC-SSE-005"]

    assert span is not None
    assert body[slice(*span)].strip() == last.strip()


def test_a_lone_cr_at_the_end_waits_for_the_next_byte() -> None:
    decoder = Decoder()

    assert decoder.feed(b"data: a\r\r") == []
    assert [event.data for event in decoder.feed(b"data: b\r\n\r")] == ["a"]
    assert [event.data for event in decoder.feed(b"\n")] == ["b"]
    assert decoder.line_ends == {"\r": 2, "\r\n": 2}


def test_close_is_repeatable_and_ends_feeding() -> None:
    decoder = Decoder()
    decoder.feed(b"data: a")

    assert [event.terminated for event in decoder.close()] == [False]
    assert decoder.close() == []
    with pytest.raises(ValueError, match="closed"):
        decoder.feed(b"x")


def test_line_numbers_count_blank_lines() -> None:
    decoder = decode(b"\n: a\r\n\r\n\ndata: b\n\n")

    assert [line.number for block in decoder.blocks for line in block.lines] == [2, 5]


def test_a_long_line_in_small_pieces_costs_little() -> None:
    decoder = Decoder()
    for _ in range(200_000):
        decoder.feed(b"x" * 10)
    decoder.feed(b"\n\n")

    assert len(decoder.blocks[0].lines[0].text) == 2_000_000
