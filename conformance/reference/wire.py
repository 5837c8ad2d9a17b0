"""Reply -> the bytes that cross the wire, and the pauses between them: pure.

Laws: a message is framed by Content-Length or by chunks, never by both; a stream's head is a piece
of its own, every event is one, and so is the zero chunk; pauses stand before their piece.

Source: RFC 9112 §6 and §7; the event stream format of WHATWG HTML §9.2.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus

from conformance.reference.call import Call, Cut, Header, Item, Piece, Reply

PULSE = 0.001
"""Seconds of rest that let a stream without a pace of its own still arrive piece by piece."""

PULSE_EVERY = 4

ZERO_CHUNK = b"0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Speed:
    """The pace of a model, in seconds: to its first token, and between two tokens."""

    ttft: float = 0.0
    itl: float = 0.0


def spelled(item: Item) -> bytes:
    """One item of a stream as bytes: objects become one event each."""
    if isinstance(item, bytes):
        return item
    if isinstance(item, str):
        return item.encode()
    return f"data: {json.dumps(item, ensure_ascii=False, separators=(',', ':'))}\n\n".encode()


def chunk(content: bytes) -> bytes:
    """One chunk of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(content), content)


def document(reply: Reply) -> bytes:
    """The body of a plain reply."""
    if reply.content is not None:
        return reply.content
    return json.dumps(reply.body, ensure_ascii=False, separators=(",", ":")).encode()


def head(status: int, headers: tuple[Header, ...]) -> bytes:
    """The status line and the headers, with the empty line that ends them."""
    reason = HTTPStatus(status).phrase
    lines = [f"HTTP/1.1 {status} {reason}", *(f"{name}: {value}" for name, value in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def keeps_alive(call: Call) -> bool:
    """Whether the client lets the connection live on (RFC 9112 §9.3)."""
    asked = ",".join(call.values("connection")).lower()
    return "close" not in asked if call.version == "1.1" else "keep-alive" in asked


def pieces(reply: Reply, call: Call) -> list[Piece]:
    """The whole reply in the pieces in which it is written."""
    headers: tuple[Header, ...] = (("Date", formatdate(call.moment, usegmt=True)),)
    chunked = reply.events is not None and call.version == "1.1"
    alive = keeps_alive(call) and (reply.events is None or chunked)
    headers += (("Connection", "keep-alive" if alive else "close"),)
    if reply.events is None and reply.content is None:
        headers += (("Content-Type", "application/json"),)
    given = {name.lower() for name, _ in reply.headers}
    headers = tuple(h for h in headers if h[0].lower() not in given) + reply.headers
    end: list[Piece] = [] if alive else [Cut.CLOSE]
    if reply.events is None:
        content = document(reply)
        if reply.status != HTTPStatus.NO_CONTENT:
            headers += (("Content-Length", str(len(content))),)
        shown = b"" if call.method == "HEAD" else content
        return [head(reply.status, headers) + shown, *end]
    if not chunked:
        return [head(reply.status, headers), *map(spelled, reply.events), *end]
    headers += (("Transfer-Encoding", "chunked"),)
    told = [chunk(spelled(item)) for item in reply.events]
    return [head(reply.status, headers), *told, ZERO_CHUNK, *end]


def pauses(reply: Reply, speed: Speed) -> list[float]:
    """Seconds to wait before each piece; pieces beyond the list come without a pause."""
    if reply.events is None:
        return [speed.ttft + speed.itl * max(0, reply.cost - 1)] if reply.cost else [0.0]
    waits = [0.0]
    spoken = 0
    for number, item in enumerate(reply.events):
        rest = PULSE if number % PULSE_EVERY == 0 else 0.0
        if number == 0:
            waits.append(max(rest, speed.ttft))
        elif speed.itl and _leads(item):
            waits.append(speed.itl if spoken else 0.0)
            spoken += 1
        else:
            waits.append(0.0 if speed.itl else rest)
    return waits


def _leads(item: Item) -> bool:
    """Whether an item is the next token of the first choice (the others come along with it)."""
    if not isinstance(item, dict) or not item.get("choices"):
        return False
    choice = item["choices"][0]
    return isinstance(choice, dict) and choice.get("index") == 0 and bool(choice.get("delta"))
