"""Puts a row of the table on a loopback port, in one of its scopes, before a real reference server.

Laws
----
* What the scope spares is answered by the reference server, byte for byte; so whatever goes wrong
  in a run is the hostile answer's doing.
* The stage keeps nothing that it sends, and ends with its `with` block.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from conformance.protocol.http1 import read_responses
from tests.hostile.targets.row import CERTIFICATES, Scope, Target
from tests.hostile.targets.wire import PIECE, Wire
from tests.wire.tiny import Tiny, answer, replies, serve

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@dataclass(slots=True)
class Stage:
    """A running target: its base URL, and what came to the listener that no key may reach."""

    url: str
    elsewhere: Tiny
    hostile: int = 0
    """Requests (or connections) that met the hostile answer."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def met(self) -> None:
        """Count one."""
        with self._lock:
            self.hostile += 1


def read_request(sock: socket.socket, ahead: bytearray) -> bytes:
    """One request, head and body; b"" at the end. ``ahead`` holds what was read beyond it."""

    def more() -> bool:
        piece = sock.recv(PIECE)
        ahead.extend(piece)
        return bool(piece)

    while b"\r\n\r\n" not in ahead:
        if not more():
            return b""
    start = ahead.index(b"\r\n\r\n") + 4
    head = bytes(ahead[:start]).lower()
    if b"\r\nexpect:" in head:
        sock.sendall(CONTINUE)
    length = 0
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name == b"content-length" and value.strip().isdigit():
            length = int(value)
    is_chunked = b"\r\ntransfer-encoding:" in head
    while (b"0\r\n\r\n" not in ahead[start:]) if is_chunked else (len(ahead) < start + length):
        if not more():
            return b""
    stop = ahead.index(b"0\r\n\r\n", start) + 5 if is_chunked else start + length
    request = bytes(ahead[:stop])
    del ahead[:stop]
    return request


def is_spared(scope: Scope, request: bytes) -> bool:
    """Whether the reference server answers this request."""
    if scope is Scope.ALL:
        return False
    if not request.startswith(b"POST"):
        return True
    return scope is Scope.STREAMS and b'"stream": true' not in request


def relay(request: bytes, back: socket.socket, upstream: socket.socket) -> bool:
    """Hand a request on and its answer back; whether both connections live."""
    upstream.sendall(request)
    came = bytearray()
    method = request.split(b" ", 1)[0].decode("latin-1")
    while True:
        piece = upstream.recv(PIECE)
        if not piece:
            return False
        back.sendall(piece)
        came += piece
        found = read_responses(bytes(came), False, (method,))
        if found and found[0].complete:
            return True


@contextlib.contextmanager
def staged(target: Target, scope: Scope, reference: str) -> Iterator[Stage]:
    """Serve ``target``; ``reference`` is the address of a reference server, without a path."""
    there = urlsplit(reference)
    over = threading.Event()
    context: ssl.SSLContext | None = None
    if target.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATES / target.certificate)

    def serve_one(sock: socket.socket) -> None:
        if context is not None:
            sock = context.wrap_socket(sock, server_side=True)
        if target.speaks_first:
            stage.met()
            target.behave(Wire(sock, b"", elsewhere.url, over))
            return
        ahead = bytearray()
        with contextlib.ExitStack() as stack:
            upstream: socket.socket | None = None
            while request := read_request(sock, ahead):
                if not is_spared(scope, request):
                    stage.met()
                    target.behave(Wire(sock, request, elsewhere.url, over))
                    return
                if upstream is None:
                    where = (there.hostname or "", there.port or 80)
                    upstream = stack.enter_context(socket.create_connection(where))
                if not relay(request, sock, upstream):
                    return

    def one(sock: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), sock:
            serve_one(sock)

    def accept() -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=one, args=(sock,), daemon=True).start()

    secure = target.certificate or target.name.startswith("tls-")
    with serve(replies(answer())) as elsewhere, socket.create_server(("127.0.0.1", 0)) as listener:
        scheme = "https" if secure else "http"
        stage = Stage(f"{scheme}://127.0.0.1:{listener.getsockname()[1]}/v1", elsewhere)
        threading.Thread(target=accept, daemon=True).start()
        try:
            yield stage
        finally:
            over.set()
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
