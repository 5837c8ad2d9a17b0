"""A relay on loopback between a run and its target: it counts what passes, and can stop it.

The law: what is counted is what went over the wire, whatever the run says of itself.
"""

import contextlib
import re
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

CALL = re.compile(rb"(?:GET|POST|HEAD|PUT|OPTIONS|DELETE) [^\r\n]+ HTTP/1\.1\r\n")
REPLY = re.compile(rb"HTTP/1\.1 (\d+)")
USAGE = re.compile(rb'"total_tokens": ?(\d+)')
EVENT = re.compile(rb'"content": ?"[^"]')


@dataclass(slots=True)
class Relay:
    """A running relay: `url` with the path of the target's."""

    url: str
    calls: int = 0
    """Requests that came from the run."""
    tokens: int = 0
    """As the target's `usage` says; of a stream without one, its events with content."""
    limit: int | None = None
    """After so many calls nothing more is passed on, until it is None again."""
    reached: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)

    def saw(self, octets: bytes) -> None:
        """Count the calls in what the run sends; wait while there are too many."""
        self.calls += len(CALL.findall(octets))
        while self.limit is not None and self.calls > self.limit and not self.over.is_set():
            self.reached.set()
            self.over.wait(0.05)

    def told(self, octets: bytes) -> None:
        """Count the tokens of all that one connection has brought."""
        for reply in REPLY.split(octets)[2::2]:
            usage = USAGE.findall(reply)
            self.tokens += int(usage[-1]) if usage else len(EVENT.findall(reply))


@contextlib.contextmanager
def relay(target: str) -> Iterator[Relay]:
    """Pass everything on to `target`, a URL on loopback, and back."""
    parts = urlsplit(target)
    listener = socket.create_server(("127.0.0.1", 0), backlog=50)
    passing = Relay(f"http://127.0.0.1:{listener.getsockname()[1]}{parts.path}")

    def pass_on(source: socket.socket, sink: socket.socket, see: Callable[[bytes], None]) -> None:
        with contextlib.suppress(OSError):
            while octets := source.recv(65536):
                see(octets)
                sink.sendall(octets)
            sink.shutdown(socket.SHUT_WR)

    def serve(caller: socket.socket) -> None:
        brought = bytearray()
        with caller, socket.create_connection(("127.0.0.1", parts.port or 80)) as server:
            back = threading.Thread(target=pass_on, args=(server, caller, brought.extend))
            back.start()
            pass_on(caller, server, passing.saw)
            back.join(30)
        passing.told(bytes(brought))

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                caller, _ = listener.accept()
                threading.Thread(target=serve, args=(caller,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield passing
    finally:
        passing.over.set()
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
