"""Replies that are too large, as they come or once they are unpacked."""

from __future__ import annotations

import zlib

from tests.hostile.targets.row import BROKEN, HUGE, HUGE_LIST, NO_MODELS, UNENDED, target
from tests.hostile.targets.wire import GIGABYTE, Wire, chunked, closing, head, whole


@target(HUGE_LIST, HUGE, UNENDED, load="too_large")
def body_of_a_gigabyte(wire: Wire) -> None:
    """A body of 1 GB, with its true Content-Length."""
    length = f"Content-Length: {GIGABYTE}"
    wire.send(head("200 OK", f"Content-Type: {wire.kind}", length), b'"')
    wire.many(b"x", GIGABYTE - 1)


@target(HUGE_LIST, HUGE, UNENDED, load="too_large")
def chunk_of_a_gigabyte(wire: Wire) -> None:
    """One chunk of 1 GB."""
    wire.send(chunked(wire), b"40000000\r\n")
    wire.many(b"x", GIGABYTE)


@target(HUGE, HUGE, UNENDED, load="bad_http")
def a_gigabyte_without_a_head(wire: Wire) -> None:
    """1 GB of one line that is no status line."""
    wire.many(b"x", GIGABYTE)


@target(HUGE_LIST, HUGE, UNENDED, load=("too_large", "empty"))
def a_million_events(wire: Wire) -> None:
    """A million events, sent at once."""
    wire.send(whole(wire, b"data: {}\n\n" * 1_000_000))


@target(HUGE_LIST, HUGE, UNENDED, load="too_large")
def a_line_of_100_mb(wire: Wire) -> None:
    """One `data` line of 100 MB that no newline ends."""
    wire.send(closing(wire), b'data: "')
    wire.many(b"x", 100_000_000)


@target(HUGE, HUGE, UNENDED, load="bad_http")
def headers_100_000(wire: Wire) -> None:
    """100,000 header fields."""
    wire.send(b"HTTP/1.1 200 OK\r\n")
    wire.send(b"".join(b"X-%d: %d\r\n" % (n, n) for n in range(100_000)))
    wire.send(whole(wire).partition(b"\r\n")[2])


@target(HUGE, HUGE, UNENDED, load="bad_http")
def header_of_1_mb(wire: Wire) -> None:
    """One header field of 1 MB."""
    wire.send(whole(wire, None, "X-Long: " + "x" * 1_000_000))


@target(HUGE, HUGE, UNENDED, load="bad_http")
def header_without_end(wire: Wire) -> None:
    """A header field that never ends."""
    wire.send(b"HTTP/1.1 200 OK\r\nX-Long: ")
    wire.forever(b"x")


@target(NO_MODELS, BROKEN, BROKEN, load="compressed")
def gzip_bomb(wire: Wire) -> None:
    """1 MB of gzip that unpacks to 1 GB, although identity was asked for."""
    wire.send(whole(wire, _bomb(31), "Content-Encoding: gzip"))


@target(NO_MODELS, BROKEN, BROKEN, load="compressed")
def deflate_bomb(wire: Wire) -> None:
    """The same as deflate."""
    wire.send(whole(wire, _bomb(15), "Content-Encoding: deflate"))


def _bomb(wbits: int) -> bytes:
    """Zeros of 1 GB: the same block again and again, each as long as its window is full of them."""
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    start = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return start + again * ((GIGABYTE >> 20) - 1) + packer.flush()
