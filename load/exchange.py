"""One request and what came back, as raw stamps and bytes; and the head and framing of a reply.

Laws: stamps are nanoseconds on the monotonic clock of this process; nothing is decoded here but the
framing of HTTP/1.1 (RFC 9112), by httptools.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import Final

import httptools

from load.failures import Failure

__all__ = ["Exchange", "Limits", "Reply"]


LARGEST: Final = 4 * 1024 * 1024
"""Bytes of a body that are kept, where not more tokens are asked for than fit."""

LONGEST_HEAD: Final = 256 * 1024
"""Bytes that may come before the head of a final status is whole, 1xx among them."""


class HeadTooLargeError(httptools.HttpParserError):
    """There is no end of the head, or of those before it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a target may take of one exchange.

    Attributes:
        connect, stall, total: seconds: to connect; without a token after the first; for all of it,
            from the send.
        body: bytes of a reply's body.
    """

    connect: float = 10.0
    stall: float = 30.0
    total: float = 300.0
    body: int = LARGEST


@dataclass(slots=True)
class Exchange:
    """One request and what came back.

    Attributes:
        send: just before the bytes were handed to the open socket; 0 where none was opened.
        sending: how long it took to hand them over; None where that failed.
        headers: stamp of the read that completed the head.
        at, ends: for each read that brought bytes of the body, its stamp, and the body's length.
        lags: for each of them that the kernel stamped, from its stamp to the callback.
        end: when the reply was over or given up.
        anchor: the wall clock minus the monotonic clock at the send, or at the end without one.
        dns, connect, tls: durations of what this exchange had to open, None where it reused.
        kernel: every stamp is the kernel's.
        clock_step: the wall clock was set meanwhile.
        status, fields: of the head; names in lower case.
        body: without its HTTP framing.
        complete: the body reached its announced end, or the close that delimits it.
    """

    send: int = 0
    sending: int | None = None
    headers: int | None = None
    at: array[int] = field(default_factory=lambda: array("q"))
    ends: array[int] = field(default_factory=lambda: array("q"))
    lags: array[int] = field(default_factory=lambda: array("q"))
    end: int = 0
    anchor: int = 0
    dns: int | None = None
    connect: int | None = None
    tls: int | None = None
    reused: bool = False
    kernel: bool = True
    clock_step: bool = False
    status: int = 0
    fields: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    complete: bool = False
    failure: Failure | None = None


class Reply:
    """The reader of one reply: bytes in, head and body into an `Exchange`.

    Attributes:
        framed: a length or chunks delimit the body; otherwise the end of the connection does.
        keeps_alive: the reply is whole, and the connection may carry another exchange.
    """

    def __init__(self, into: Exchange) -> None:
        self._into = into
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)
        self.framed = False
        self.keeps_alive = False
        self._before = 0  # bytes before the head of the final status was whole

    def feed(self, data: bytes) -> None:
        """Take bytes. Raises httptools.HttpParserError where they are no HTTP/1.1."""
        if self._parser is None:
            return
        self._parser.feed_data(data)
        if not self._into.status:
            self._before += len(data)
            if self._before > LONGEST_HEAD:
                raise HeadTooLargeError(f"no head of a reply within {LONGEST_HEAD} bytes")

    def release(self) -> None:
        """Read no more, and let go of the parser.

        It holds this reply, and this reply the body: a circle that stays in memory until the
        garbage collector comes by, which under load is thousands of streams later.
        """
        self._parser = None

    # What httptools calls.

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field of the head; what trails a body says nothing."""
        if self._into.status:
            return
        self._into.fields[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """The head is whole; that of 100 and 103 announces the real one."""
        assert self._parser is not None  # it is the caller
        status = self._parser.get_status_code()
        fields = self._into.fields
        if status < 200:
            fields.clear()
            return
        self._into.status = status
        self.framed = "transfer-encoding" in fields or "content-length" in fields

    def on_body(self, data: bytes) -> None:
        """A piece of the body."""
        self._into.body += data

    def on_message_complete(self) -> None:
        """The body has reached its end."""
        self._into.complete = self._into.status != 0
        assert self._parser is not None  # it is the caller
        self.keeps_alive = self._into.complete and self._parser.should_keep_alive()
