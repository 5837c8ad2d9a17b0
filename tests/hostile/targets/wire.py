"""An accepted connection, and the right answers of which the wrong ones are made."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from threading import Event
from typing import Final

GIGABYTE: Final = 1 << 30
PIECE: Final = 1 << 16


@dataclass(slots=True)
class Wire:
    """An accepted connection, and what was read from it."""

    sock: socket.socket
    request: bytes
    elsewhere: str
    """The base URL of a second listener, which no key may reach."""
    over: Event

    @property
    def streaming(self) -> bool:
        """Whether the request asks for a stream."""
        return b'"stream": true' in self.request or b'"stream":true' in self.request

    @property
    def kind(self) -> str:
        """The media type of a right answer."""
        return "text/event-stream" if self.streaming else "application/json"

    @property
    def body(self) -> bytes:
        """The body of a right answer."""
        if self.request.startswith(b"GET"):
            return LIST
        return STREAM if self.streaming else COMPLETION

    def send(self, *octets: bytes) -> None:
        """Send all of it."""
        for piece in octets:
            self.sock.sendall(piece)

    def many(self, piece: bytes, total: int) -> None:
        """Send so many bytes, made of ``piece``."""
        block = piece * max(1, PIECE // len(piece))
        for _ in range(total // len(block)):
            self.sock.sendall(block)
        self.sock.sendall(block[: total % len(block)])

    def forever(self, piece: bytes) -> None:
        """Send ``piece`` until the other side has had enough."""
        block = piece * max(1, PIECE // len(piece))
        while not self.over.is_set():
            self.sock.sendall(block)

    def hold(self) -> None:
        """Keep the connection open and say nothing, until the other side leaves."""
        self.sock.settimeout(0.2)
        while not self.over.is_set():
            try:
                if not self.sock.recv(PIECE):
                    return
            except TimeoutError:
                continue

    def reset(self) -> None:
        """Close so that the other side is told of an error."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


# --- right answers --------------------------------------------------------------------------------

LIST: Final = b'{"object":"list","data":[{"id":"m","object":"model","created":1,"owned_by":"x"}]}'
COMPLETION: Final = (
    b'{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,'
    b'"finish_reason":"stop","logprobs":null,"message":{"role":"assistant","content":"Hello.",'
    b'"refusal":null}}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}'
)


def chunk(delta: str, finish: str = "null") -> bytes:
    """One event of a right stream."""
    return (
        b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":'
        b'[{"index":0,"delta":%s,"finish_reason":%s}]}\n\n' % (delta.encode(), finish.encode())
    )


TOKEN: Final = chunk('{"content":"Hello"}')
STREAM: Final = b"".join(
    (chunk('{"role":"assistant","content":""}'), TOKEN, chunk("{}", '"stop"'), b"data: [DONE]\n\n")
)


def head(status: str, *fields: str) -> bytes:
    """A status line and header section."""
    return "\r\n".join([f"HTTP/1.1 {status}", *fields, "", ""]).encode("latin-1")


def whole(wire: Wire, body: bytes | None = None, *fields: str, status: str = "200 OK") -> bytes:
    """An answer with its true length."""
    body = wire.body if body is None else body
    length = f"Content-Length: {len(body)}"
    return head(status, f"Content-Type: {wire.kind}", length, *fields) + body


def closing(wire: Wire, *fields: str) -> bytes:
    """The head of an answer that ends with its connection."""
    return head("200 OK", f"Content-Type: {wire.kind}", "Connection: close", *fields)


def chunked(wire: Wire) -> bytes:
    """The head of an answer in chunks."""
    return head("200 OK", f"Content-Type: {wire.kind}", "Transfer-Encoding: chunked")
