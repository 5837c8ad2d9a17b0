"""HTTP/1.x responses in the raw bytes of a connection, framed as RFC 9112 §6.3 has it: CC-HTTP-009.

Laws
----
* Never raises; what can be read is read, and what is wrong with the framing is a finding.
* The end of a response is decided by its own framing, never by what would be convenient: bytes
  after the declared end are kept apart, and bytes that never came are missed.
* While the connection is open (``eof=False``) nothing that is missing is held against anyone.

Theory (§6.3, in its order)
---------------------------
=====================================  =================================================
the response                           its body
=====================================  =================================================
to HEAD; 204; 304                      none
Transfer-Encoding, chunked last        ends with the zero chunk and its trailers
Transfer-Encoding, otherwise           until the connection closes
Content-Length                         so many bytes
neither                                until the connection closes
=====================================  =================================================

1xx responses are skipped: they come before the answer to the same request. Both headers at once
are a finding, and Transfer-Encoding wins.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from .finding import Finding, shorten

__all__ = ["RawResponse", "read_responses"]

_STATUS_LINE: Final = re.compile(rb"HTTP/(\d\.\d) (\d{3})(?: ([^\r\n]*))?")
_CHUNK_LINE: Final = re.compile(rb"([0-9A-Fa-f]+)[ \t]*(?:;.*)?")
_HEAD_END: Final = re.compile(rb"\r?\n\r?\n")
_MOST: Final = 20  # findings of one response: what breaks each line is told by its first
_LARGEST: Final = 2**63 - 1  # bytes; RFC 9112 §7.1: recipients must guard against overflow

_ID: Final = "CC-HTTP-009"


@dataclass(frozen=True, slots=True)
class RawResponse:
    """One final response. All offsets are bytes from the start of the connection's bytes.

    Attributes:
        status: the status code; 0 where the bytes begin with no status line.
        reason, version: the rest of the status line, ``version`` as in ``"1.1"``.
        headers: names as sent and values, stripped, in order.
        body: the content that came, chunked framing removed, content coding left on.
        framing: ``"length"``, ``"chunked"``, ``"close"`` or ``"none"``.
        complete: the whole response came, as its own framing has it.
        start, end: where it begins and ends.
        pieces: where the bytes of the body lie, in order: one span, or one per chunk.
        extra: what follows the end of the last response that was asked for.
        findings: CC-HTTP-009.
    """

    status: int
    reason: str
    version: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    framing: str
    complete: bool
    start: int
    end: int
    pieces: tuple[tuple[int, int], ...]
    extra: bytes
    findings: tuple[Finding, ...]

    def header(self, name: str) -> str | None:
        """The value of a header, several joined by a comma (RFC 9110 §5.3); None if absent."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        return ", ".join(values) if values else None


def read_responses(raw: bytes, eof: bool, methods: Sequence[str]) -> list[RawResponse]:
    """The responses in ``raw``, at most one per method; never raises.

    Args:
        raw: everything that the connection sent.
        eof: the other side closed it.
        methods: of the requests that were sent on it, in order (HEAD has no body).
    """
    responses: list[RawResponse] = []
    at = 0
    for number, method in enumerate(methods, start=1):
        if at >= len(raw):
            break
        reader = _Reader(raw, at, eof)
        response = reader.read(method, last=number == len(methods))
        if response is None:
            break
        responses.append(response)
        at = response.end
        if response.status == 0 or not response.complete:
            break
    return responses


class _Reader:
    """Reads one response; ``at`` is the next byte to read."""

    def __init__(self, raw: bytes, start: int, eof: bool) -> None:
        self.raw = raw
        self.start = start
        self.at = start
        self.eof = eof
        self.pieces: list[tuple[int, int]] = []
        self.findings: list[Finding] = []

    def breach(self, required: str, seen: object, at: int) -> None:
        if len(self.findings) >= _MOST:
            return
        text = seen if isinstance(seen, str) else shorten(seen)
        self.findings.append(Finding(_ID, required, text, f"byte {at}", (at, at + 1)))

    def missing(self, required: str, seen: str) -> None:
        """Something did not come: a breach only once nothing more can come."""
        if self.eof:
            self.breach(required, seen, len(self.raw))

    def read(self, method: str, *, last: bool) -> RawResponse | None:
        while True:
            head = self._head()
            if head is None:
                return self._headless()
            version, status, reason, headers = head
            if not 100 <= status < 200 or status == 101:
                break
        framing, length = self._framing(method, status, version, headers)
        complete = self._body(framing, length)
        extra = b""
        follows = self.raw[self.at : self.at + 5]
        if complete and framing != "close" and (last or not b"HTTP/".startswith(follows)):
            extra = self.raw[self.at :]
            if extra:
                self.breach("no byte follows the declared end", extra, self.at)
        body = b"".join(self.raw[start:stop] for start, stop in self.pieces)
        return RawResponse(
            status=status,
            reason=reason,
            version=version,
            headers=headers,
            body=body,
            framing=framing,
            complete=complete,
            start=self.start,
            end=self.at,
            pieces=tuple(self.pieces),
            extra=extra,
            findings=tuple(self.findings),
        )

    def _headless(self) -> RawResponse | None:
        """The bytes hold no complete head: wait for more, or say what is there instead."""
        rest = self.raw[self.at :]
        begins = rest[:5]
        if b"HTTP/".startswith(begins) and not self.eof:
            return None
        self.breach("a response begins with a status line and a whole head", rest, self.at)
        start, end = self.start, len(self.raw)
        found = tuple(self.findings)
        return RawResponse(0, "", "", (), b"", "none", False, start, end, (), rest, found)

    def _head(self) -> tuple[str, int, str, tuple[tuple[str, str], ...]] | None:
        stop = _HEAD_END.search(self.raw, self.at)
        line = _STATUS_LINE.match(self.raw, self.at)
        if stop is None or line is None:
            return None
        lines = self.raw[self.at : stop.start()].split(b"\n")[1:]
        self.at = stop.end()
        fields = (text.rstrip(b"\r").decode("latin-1").partition(":") for text in lines)
        headers = tuple((name.strip(), value.strip()) for name, _, value in fields)
        reason = (line[3] or b"").decode("latin-1")
        return line[1].decode(), int(line[2]), reason, headers

    def _framing(
        self, method: str, status: int, version: str, headers: tuple[tuple[str, str], ...]
    ) -> tuple[str, int]:
        codings = _tokens(headers, "transfer-encoding")
        lengths = _tokens(headers, "content-length")
        if codings and lengths:
            seen = f"Transfer-Encoding {', '.join(codings)} and Content-Length {lengths[0]}"
            self.breach("never both Transfer-Encoding and Content-Length", seen, self.start)
        if method.upper() == "HEAD" or status in (204, 304):
            return "none", 0
        if codings:
            if version == "1.0":
                self.breach("HTTP/1.0 has no Transfer-Encoding", ", ".join(codings), self.start)
            return ("chunked" if codings[-1].lower() == "chunked" else "close"), 0
        if lengths:
            if len(set(lengths)) == 1 and re.fullmatch(r"[0-9]{1,19}", lengths[0]):
                return "length", int(lengths[0])
            required = "Content-Length is one decimal number"
            self.breach(required, ", ".join(lengths)[:80], self.start)
        return "close", 0

    def _body(self, framing: str, length: int) -> bool:
        match framing:
            case "none":
                return True
            case "length":
                return self._take(length, f"Content-Length {length} bytes come")
            case "chunked":
                return self._chunks()
            case _:
                self._take(len(self.raw) - self.at, "")
                return self.eof

    def _take(self, length: int, required: str) -> bool:
        stop = min(self.at + length, len(self.raw))
        came = stop - self.at
        if came:
            self.pieces.append((self.at, stop))
        self.at = stop
        if came < length:
            self.missing(required, f"the connection closed after {came} bytes")
        return came == length

    def _chunks(self) -> bool:
        ended = "the chunked body ends with the zero chunk"
        while True:
            line_at = self.at
            line = self._line()
            if line is None:
                self.missing(ended, "the connection closed before it")
                return False
            size_line = _CHUNK_LINE.fullmatch(line)
            size = int(size_line[1], 16) if size_line and len(size_line[1]) <= 64 else _LARGEST + 1
            if size_line is None or size > _LARGEST:
                self.breach("a chunk begins with its size, hexadecimal, below 2^63", line, line_at)
                self.at = len(self.raw)  # nobody knows where this body ends
                return False
            if size == 0:
                return self._trailers(ended)
            if not self._take(size, f"a chunk of {size} bytes is whole"):
                return False
            if len(self.raw) - self.at < 2 and b"\r\n".startswith(self.raw[self.at :]):
                self.missing(ended, "the connection closed after a chunk")
                return False
            if self.raw[self.at : self.at + 2] != b"\r\n":
                seen = self.raw[self.at : self.at + 20]
                self.breach("CRLF follows the bytes of a chunk", seen, self.at)
                self.at = len(self.raw)
                return False
            self.at += 2

    def _trailers(self, ended: str) -> bool:
        while True:
            line = self._line()
            if line is None:
                self.missing(ended, "the connection closed before the blank line after it")
                return False
            if not line:
                return True

    def _line(self) -> bytes | None:
        """The next line of a chunked body, without its CRLF; None where it is not whole."""
        stop = self.raw.find(b"\n", self.at)
        if stop < 0:
            return None
        line = self.raw[self.at : stop]
        if not line.endswith(b"\r"):
            self.breach("lines of a chunked body end with CRLF", line, stop)
        self.at = stop + 1
        return line.removesuffix(b"\r")


def _tokens(headers: tuple[tuple[str, str], ...], name: str) -> list[str]:
    """The comma-separated members of all headers with this name."""
    values = [value for key, value in headers if key.lower() == name]
    return [token.strip() for value in values for token in value.split(",") if token.strip()]
