"""Tiny raw servers on loopback, each one behaviour, for what a real server never does.

The laws: a server speaks octets, not HTTP, so that nothing repairs what it is to get wrong; it ends
with its `with` block; nothing it does raises in the test.
"""

import contextlib
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

STEP = 0.05
"""Seconds between two bytes of a slow server."""


@dataclass(slots=True)
class Tiny:
    """A running server: `url` (with `/v1`), connections so far, and what was read from them."""

    url: str
    connections: int = 0
    received: list[bytes] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    listener: socket.socket | None = field(default=None, repr=False)

    @property
    def port(self) -> int:
        """The TCP port that it listens on."""
        return urlsplit(self.url).port or 0

    def read_request(self, sock: socket.socket) -> bytes:
        """One request off `sock`, head and body (Content-Length); b"" at its end."""
        raw = b""
        while b"\r\n\r\n" not in raw:
            piece = sock.recv(65536)
            if not piece:
                return b""
            raw += piece
        head, _, body = raw.partition(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        while len(body) < length:
            body += sock.recv(65536)
        self.received.append(head + b"\r\n\r\n" + body)
        return self.received[-1]

    def die(self) -> None:
        """Listen no more: what comes now is refused."""
        if self.listener is not None:
            with contextlib.suppress(OSError):
                self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()

    def hold(self, seconds: float = 30.0) -> None:
        """Do nothing until the test is over."""
        self.over.wait(seconds)


@contextlib.contextmanager
def serve(behave: Callable[[Tiny, socket.socket], None]) -> Iterator[Tiny]:
    """Serve every connection by `behave`, in a thread of its own."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=50)
    tiny = Tiny(f"http://127.0.0.1:{listener.getsockname()[1]}/v1", listener=listener)

    def one(sock: socket.socket) -> None:
        with contextlib.suppress(OSError), sock:
            behave(tiny, sock)

    def accept() -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            tiny.connections += 1
            threading.Thread(target=one, args=(sock,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield tiny
    finally:
        tiny.over.set()
        tiny.die()
        thread.join(5)


def unused_port() -> int:
    """A port on which nothing listens, and which no outgoing connection is given meanwhile."""
    while True:
        port = random.randrange(15_000, 32_000)  # below those that systems give to connections
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def answer(
    status: str = "200 OK",
    headers: tuple[str, ...] = ("Content-Type: application/json",),
    body: bytes = b"{}",
    *,
    length: int | None = None,
) -> bytes:
    """A reply with Content-Length (`length` instead of the true one)."""
    lines = [f"HTTP/1.1 {status}", *headers]
    lines.append(f"Content-Length: {len(body) if length is None else length}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def replies(octets: bytes) -> Callable[[Tiny, socket.socket], None]:
    """Answers every request of a connection by `octets`."""

    def behave(tiny: Tiny, sock: socket.socket) -> None:
        while tiny.read_request(sock):
            sock.sendall(octets)

    return behave


def replies_once(octets: bytes) -> Callable[[Tiny, socket.socket], None]:
    """Answers one request by `octets` and closes."""

    def behave(tiny: Tiny, sock: socket.socket) -> None:
        tiny.read_request(sock)
        sock.sendall(octets)

    return behave


def drips(octets: bytes, pieces: int = 1) -> Callable[[Tiny, socket.socket], None]:
    """Answers by `octets`, `pieces` bytes every `STEP` seconds."""

    def behave(tiny: Tiny, sock: socket.socket) -> None:
        tiny.read_request(sock)
        for at in range(0, len(octets), pieces):
            sock.sendall(octets[at : at + pieces])
            time.sleep(STEP)

    return behave
