"""JSON and characters that few have thought of."""

from __future__ import annotations

import json
from typing import Final

from tests.hostile.targets.row import BROKEN, CANNED, NO_MODELS, UNDECIDED, target
from tests.hostile.targets.wire import STREAM, Wire, whole


def data(wire: Wire, value: bytes) -> bytes:
    """``value`` as the body of an answer: as it is, or in the event of a stream that ends well."""
    return b"data: " + value + b"\n\n" + STREAM if wire.streaming else value


@target(NO_MODELS, BROKEN, BROKEN, load="broken_chunk")
def nesting_of_100_000(wire: Wire) -> None:
    """JSON nested 100,000 deep."""
    wire.send(whole(wire, data(wire, b"[" * 100_000 + b"]" * 100_000)))


@target(NO_MODELS, BROKEN, BROKEN, load="broken_chunk")
def nested_objects(wire: Wire) -> None:
    """Objects nested 100,000 deep, in the place of an error and of a choice."""
    deep = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
    wire.send(whole(wire, data(wire, b'{"error":%s,"choices":[%s]}' % (deep, deep))))


@target(CANNED, CANNED, CANNED, load=())
def always_the_same_answer(wire: Wire) -> None:
    """The same answer to everything, right in form: what these rows have in common, and no more."""
    wire.send(whole(wire))


@target(CANNED, CANNED, CANNED, load="broken_chunk")
def numbers_of_10_000_digits(wire: Wire) -> None:
    """Numbers with 10,000 digits wherever a number stands."""
    digits = b"9" * 10_000
    body = wire.body.replace(b'"created":1', b'"created":' + digits)
    body = body.replace(b'"index":0', b'"index":1e' + digits).replace(b":1,", b":-%s," % digits)
    wire.send(whole(wire, body))


@target(NO_MODELS, BROKEN, BROKEN, load="broken_chunk")
def invalid_utf8(wire: Wire) -> None:
    """Bytes that are no UTF-8 in every string."""
    wire.send(whole(wire, wire.body.replace(b'":"', b'":"\xff\xc0\x80\xed\xa0\x80')))


@target(NO_MODELS, BROKEN, BROKEN, load=("broken_chunk",))
def nul(wire: Wire) -> None:
    """NUL bytes in the body, bare and escaped."""
    wire.send(whole(wire, b"\0" + wire.body.replace(b'":"', b'":"\\u0000\0')))


ESCAPES: Final = "\x1b]0;owned\x07\x1b[2J\x1b[31mred\x9b31m\u202e"
"""A terminal would set its title, clear itself and go red."""


@target(NO_MODELS, BROKEN, BROKEN, load="bad_http")
def ansi_escapes(wire: Wire) -> None:
    """Terminal escapes in header, body and error message."""
    escaped = json.dumps(ESCAPES)[1:-1].encode()
    body = wire.body.replace(b'":"', b'":"' + escaped)
    wire.send(whole(wire, body, f"X-Title: {ESCAPES[:-1]}"))


@target(NO_MODELS, BROKEN, BROKEN, load=("status_4xx",))
def ansi_escapes_in_an_error(wire: Wire) -> None:
    """The same raw, in the reason phrase and the message of a status 418."""
    message = b'{"error":{"message":"%s","type":"t"}}' % ESCAPES.encode()
    wire.send(whole(wire, message, status=f"418 {ESCAPES[:-1]}"))


@target(NO_MODELS, BROKEN, UNDECIDED, load="too_large")
def keys_by_the_million(wire: Wire) -> None:
    """An object with a million times the same key."""
    wire.send(whole(wire, data(wire, b'{"a":0' + b',"a":0' * 1_000_000 + b"}")))


@target(NO_MODELS, BROKEN, BROKEN, load="empty")
def empty_body(wire: Wire) -> None:
    """Status 200 and no body."""
    wire.send(whole(wire, b""))


@target(CANNED, CANNED, CANNED, load=())
def byte_order_mark(wire: Wire) -> None:
    """A byte-order mark before the body."""
    wire.send(whole(wire, b"\xef\xbb\xbf" + wire.body))
