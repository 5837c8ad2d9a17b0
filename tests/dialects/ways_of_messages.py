"""Ways of sending: headers, framing, connections, and where the bytes of a reply are split.

The law: whoever reads the bytes by RFC 9112 reads the same message.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from conformance.reference.call import Call, Cut, Piece
from conformance.reference.faults.edits import prompted
from conformance.reference.wire import ZERO_CHUNK

from .axes import way


@way("failure", seam="bytes")
def resets_what_fails(pieces: list[Piece], call: Call) -> list[Piece]:
    """Resets the connection where a stream fails, instead of an error event."""
    if not (call.asks_stream and prompted(call, "Fail in")):
        return pieces
    at = [i for i, piece in enumerate(pieces) if isinstance(piece, bytes) and b'"error"' in piece]
    return [*pieces[: at[0]], Cut.RESET] if at else pieces


@dataclass(frozen=True, slots=True)
class Message:
    """An HTTP message taken apart.

    ``parts`` are the parts of its content as they stood in chunks, or all of it; ``chunked`` and
    ``whole`` (the zero chunk is there) say how they were framed, ``cut`` how the connection ends.
    """

    status_line: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    parts: tuple[bytes, ...]
    chunked: bool
    whole: bool
    cut: Cut | None

    @property
    def framed(self) -> bool:
        """Whether there is content to be framed: neither a HEAD nor a 204."""
        names = dict(self.headers)
        return self.chunked or (b"Content-Length" in names and bool(self.parts))

    def having(self, *headers: tuple[bytes, bytes]) -> Message:
        """The message with these headers instead of those that frame it."""
        gone = {b"Content-Length", b"Transfer-Encoding", *(name for name, _ in headers)}
        kept = (header for header in self.headers if header[0] not in gone)
        return replace(self, headers=(*kept, *headers))

    def pieces(self, *body: bytes) -> list[Piece]:
        """The message as it is written, with a body framed already."""
        lines = [self.status_line, *(b"%b: %b" % header for header in self.headers)]
        head = b"\r\n".join(lines) + b"\r\n\r\n"
        return [head, *body, *([self.cut] if self.cut else [])]


def taken_apart(pieces: list[Piece]) -> Message:
    """The message in the pieces that the reference server writes."""
    first, *octets = [piece for piece in pieces if isinstance(piece, bytes)]
    top, _, content = first.partition(b"\r\n\r\n")
    status_line, *lines = top.split(b"\r\n")
    headers = tuple((name, value) for name, _, value in (line.partition(b": ") for line in lines))
    chunked = (b"Transfer-Encoding", b"chunked") in headers
    parts = [one.partition(b"\r\n")[2][:-2] for one in octets if one != ZERO_CHUNK]
    return Message(
        status_line,
        headers,
        tuple(parts if chunked else filter(None, (content, *octets))),
        chunked,
        ZERO_CHUNK in octets,
        next((piece for piece in pieces if isinstance(piece, Cut)), None),
    )


@way("framing", seam="bytes")
def ends_bodies_by_closing(pieces: list[Piece], call: Call) -> list[Piece]:
    """Delimits every body by the close of the connection."""
    told = taken_apart(pieces)
    if not told.framed:
        return pieces
    closing = replace(told.having((b"Connection", b"close")), cut=told.cut or Cut.CLOSE)
    return closing.pieces(*told.parts)


@way("framing", seam="bytes")
def is_http_1_0(pieces: list[Piece], call: Call) -> list[Piece]:
    """Speaks HTTP/1.0, as mlx-lm does: the end of the connection ends every body."""
    told = taken_apart(ends_bodies_by_closing(pieces, call))
    first = told.status_line.replace(b"HTTP/1.1", b"HTTP/1.0")
    closing = replace(told, status_line=first, cut=told.cut or Cut.CLOSE)
    return replace(closing, headers=_closing(closing.headers)).pieces(*told.parts)


def _closing(headers: tuple[tuple[bytes, bytes], ...]) -> tuple[tuple[bytes, bytes], ...]:
    return tuple((n, b"close" if n == b"Connection" else v) for n, v in headers)


@way("framing", seam="bytes")
def chunks_as_it_likes(pieces: list[Piece], call: Call) -> list[Piece]:
    """Chunks documents too, cuts events in two chunks, and adds extensions and a trailer."""
    told = taken_apart(pieces)
    if not told.framed:
        return pieces
    halves = [half for part in told.parts for half in _halves(part)]
    body = [b"%X;part=%d\r\n%b\r\n" % (len(half), i, half) for i, half in enumerate(halves)]
    end = [b"00\r\nX-Checksum: 1\r\n\r\n"] if told.whole or not told.chunked else []
    return told.having((b"Transfer-Encoding", b"chunked")).pieces(*body, *end)


def _halves(part: bytes) -> list[bytes]:
    middle = len(part) // 2
    return [half for half in (part[:middle], part[middle:]) if half]


@way("connection", seam="bytes")
def closes_its_connections(pieces: list[Piece], call: Call) -> list[Piece]:
    """Lets no connection live on, and says so."""
    first, *rest = pieces
    assert isinstance(first, bytes)
    top, end, content = first.partition(b"\r\n\r\n")
    said = top.replace(b"Connection: keep-alive", b"Connection: close") + end + content
    ended = any(isinstance(piece, Cut) for piece in rest)
    return [said, *rest, *([] if ended else [Cut.CLOSE])]


@way("head", seam="bytes")
def writes_headers_in_lower_case(pieces: list[Piece], call: Call) -> list[Piece]:
    """Writes names of headers in lower case, no reason phrase, and no charset."""
    return _headed(pieces, lambda name, value: b"%b: %b" % (name.lower(), value), b"")


@way("head", seam="bytes")
def writes_headers_loudly(pieces: list[Piece], call: Call) -> list[Piece]:
    """Writes names and media types in capitals, blanks around values, and cookies."""

    def spell(name: bytes, value: bytes) -> bytes:
        if name in (b"Content-Type", b"Transfer-Encoding", b"Connection"):
            value = value.replace(b"application/json", b"Application/JSON ; charset=UTF-8").title()
        return b"%b:\t%b  " % (name.upper(), value)

    return _headed(pieces, spell, b" Whatever", b"Set-Cookie: a=1", b"Set-Cookie: b=2; Path=/")


@way("head", seam="bytes", warns=("CC-HDR-001",))
def writes_few_headers(pieces: list[Piece], call: Call) -> list[Piece]:
    """Writes what HTTP and SSE need, and nothing of upstream's own: no id of the request."""
    first, *rest = pieces
    assert isinstance(first, bytes)
    top, end, content = first.partition(b"\r\n\r\n")
    own = (b"x-", b"openai-")
    lines = [line for line in top.split(b"\r\n") if not line.lower().startswith(own)]
    return [b"\r\n".join(lines) + end + content, *rest]


def _headed(
    pieces: list[Piece], spell: Callable[[bytes, bytes], bytes], reason: bytes, *more: bytes
) -> list[Piece]:
    first, *rest = pieces
    assert isinstance(first, bytes)
    top, end, content = first.partition(b"\r\n\r\n")
    status_line, *lines = top.split(b"\r\n")
    told = [b" ".join(status_line.split(b" ")[:2]) + (reason or b" ")]
    for line in lines:
        name, _, value = line.partition(b": ")
        told.append(spell(name, value.replace(b"; charset=utf-8", b"")))
    return [b"\r\n".join([*told, *more]) + end + content, *rest]


def _rewritten(pieces: list[Piece], cut: Callable[[list[bytes]], list[bytes]]) -> list[Piece]:
    """The same bytes in other writes."""
    octets = [piece for piece in pieces if isinstance(piece, bytes)]
    return [*cut(octets), *(piece for piece in pieces if isinstance(piece, Cut))]


@way("writes", seam="bytes")
def writes_bytes_one_by_one(pieces: list[Piece], call: Call) -> list[Piece]:
    """Writes every byte of a line end, and of what is not ASCII, by itself."""
    return _rewritten(pieces, lambda octets: [b for piece in octets for b in _ALONE.findall(piece)])


_ALONE = re.compile(rb"[\x80-\xff\r\n]|[^\x80-\xff\r\n]{1,200}")


@way("writes", seam="bytes")
def writes_across_its_events(pieces: list[Piece], call: Call) -> list[Piece]:
    """Writes the second half of an event with the first half of the next."""

    def cut(octets: list[bytes]) -> list[bytes]:
        halves = [half for piece in octets for half in _halves(piece)]
        return [halves[0], *(b"".join(halves[i : i + 2]) for i in range(1, len(halves), 2))]

    return _rewritten(pieces, cut)


@way("writes", seam="bytes")
def writes_everything_at_once(pieces: list[Piece], call: Call) -> list[Piece]:
    """Has a reply ready, as a cache has, and writes it at once."""
    return _rewritten(pieces, lambda octets: [b"".join(octets)])
