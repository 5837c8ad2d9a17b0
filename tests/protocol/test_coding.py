"""Flushes are counted where a compressor was flushed, and nowhere else."""

from __future__ import annotations

import zlib

import pytest

from conformance.protocol.coding import flushes, inflate

EVENTS = [f'data: {{"choices": [{number}]}}\n\n'.encode() for number in range(40)]


def squeezed(*, flush: bool, bits: int = 31) -> bytes:
    squeeze = zlib.compressobj(wbits=bits)
    parts = [
        squeeze.compress(event) + (squeeze.flush(zlib.Z_SYNC_FLUSH) if flush else b"")
        for event in EVENTS
    ]
    return b"".join(parts) + squeeze.flush()


@pytest.mark.parametrize("bits", [15, 31])
def test_a_flush_after_each_event_is_seen(bits: int) -> None:
    body = squeezed(flush=True, bits=bits)

    assert flushes(body) == len(EVENTS)
    assert inflate(body) == b"".join(EVENTS)


def test_a_body_compressed_as_a_whole_has_no_flush() -> None:
    assert flushes(squeezed(flush=False)) == 0


@pytest.mark.parametrize(
    "body", [b"", b"data: {}\n\n", b"\x1f\x8b", b"\x1f\x8b\x08" + b"\xff" * 20]
)
def test_what_is_no_gzip_never_raises(body: bytes) -> None:
    assert inflate(body) in (None, b"")


def test_a_body_that_was_cut_is_read_as_far_as_it_goes() -> None:
    read = inflate(squeezed(flush=True)[:-30])

    assert read
    assert b"".join(EVENTS).startswith(read)
