"""What HTTP forbids, and what it lets a target lie about."""

from __future__ import annotations

from tests.hostile.targets.row import (
    BROKEN,
    CANNED,
    CLOSED,
    CUT_LIST,
    HUGE,
    HUGE_LIST,
    LATE,
    LATE_LIST,
    NO_HTTP,
    NO_MODELS,
    UNENDED,
    Behave,
    target,
)
from tests.hostile.targets.wire import Wire, chunked, head, whole


@target(NO_MODELS, BROKEN, BROKEN, load=("status_other", "bad_http"))
def status_204_with_a_body(wire: Wire) -> None:
    """204 No Content, and a body all the same."""
    wire.send(whole(wire, status="204 No Content"))


@target(NO_MODELS, BROKEN, BROKEN, load="redirect")
def status_304(wire: Wire) -> None:
    """304 Not Modified, though nothing was asked for by condition."""
    wire.send(head("304 Not Modified", "Content-Length: 1000", 'ETag: "x"'))


@target(NO_MODELS, BROKEN, BROKEN, load="redirect")
def redirect_to_another_host(wire: Wire) -> None:
    """A redirect to another host; the key must not follow."""
    location = f"Location: {wire.elsewhere}/chat/completions"
    wire.send(whole(wire, b"", location, status="307 Temporary Redirect"))


@target(NO_MODELS, BROKEN, BROKEN, load="redirect")
def redirect_to_itself(wire: Wire) -> None:
    """A redirect to the address that was asked."""
    path = wire.request.split(b" ", 2)[1].decode("latin-1")
    wire.send(whole(wire, b"", f"Location: {path}", status="308 Permanent Redirect"))


@target(BROKEN, BROKEN, BROKEN, load="truncated")
def length_too_large(wire: Wire) -> None:
    """Content-Length says 100 more than come, and the connection is closed."""
    body = wire.body
    wire.send(head("200 OK", f"Content-Type: {wire.kind}", f"Content-Length: {len(body) + 100}"))
    wire.send(body)


@target(LATE_LIST, LATE, UNENDED, load=("timeout", "stall"), slow=True)
def length_too_large_and_held(wire: Wire) -> None:
    """Content-Length says 100 more than come, and the connection is held open."""
    body = wire.body
    wire.send(head("200 OK", f"Content-Type: {wire.kind}", f"Content-Length: {len(body) + 100}"))
    wire.send(body)
    wire.hold()


@target(NO_MODELS, BROKEN, BROKEN, load=("no_done", "empty", "bad_http", "broken_chunk"))
def length_too_small(wire: Wire) -> None:
    """Content-Length says 20 fewer than come."""
    body = wire.body
    wire.send(head("200 OK", f"Content-Type: {wire.kind}", f"Content-Length: {len(body) - 20}"))
    wire.send(body)


def _sized(size: bytes) -> Behave:
    def behave(wire: Wire) -> None:
        wire.send(chunked(wire), size + b"\r\n" + wire.body + b"\r\n0\r\n\r\n")

    return behave


@target(BROKEN, BROKEN, BROKEN, load="bad_http")
def chunk_size_overflows(wire: Wire) -> None:
    """A chunk of ffffffffffffffffff bytes."""
    _sized(b"ffffffffffffffffff")(wire)


@target(CUT_LIST, BROKEN, BROKEN, load="bad_http")
def chunk_size_negative(wire: Wire) -> None:
    """A chunk of -1 bytes."""
    _sized(b"-1")(wire)


@target(CUT_LIST, BROKEN, BROKEN, load="bad_http")
def chunk_size_junk(wire: Wire) -> None:
    """A chunk of zz bytes."""
    _sized(b"zz")(wire)


@target(HUGE_LIST, HUGE, UNENDED, load="bad_http")
def chunk_size_of_a_megabyte(wire: Wire) -> None:
    """A chunk size spelled with a million digits."""
    _sized(b"0" * 1_000_000 + b"%x" % len(wire.body))(wire)


@target(CLOSED, BROKEN, BROKEN, load="bad_http")
def http_0_9(wire: Wire) -> None:
    """A body without a status line, as HTTP/0.9 has it."""
    wire.send(wire.body)


@target(NO_HTTP, BROKEN, BROKEN, load="bad_http")
def http_2(wire: Wire) -> None:
    """The frames with which an HTTP/2 server begins."""
    wire.send(b"\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x80\0\x04\0\x01\0\0\0\x05\0\xff\xff\xff")
    wire.send(b"\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\x01")


@target(CANNED, CANNED, CANNED, load=())
def keep_alive_lies(wire: Wire) -> None:
    """Promises to keep the connection, and closes it after each answer."""
    wire.send(whole(wire, None, "Connection: keep-alive", "Keep-Alive: timeout=600, max=1000"))


@target(CANNED, CANNED, CANNED, load=())
def close_lies(wire: Wire) -> None:
    """Says that it closes the connection, and holds it open."""
    wire.send(whole(wire, None, "Connection: close"))
    wire.hold()
