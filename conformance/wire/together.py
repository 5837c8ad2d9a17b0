"""Several calls at the same moment, and callers who do not behave: one leaves, one does not read.

The laws:

1. A connection belongs to one thread: calls at once go out through twins of the client, and their
   logs are joined in the order of the requests.
2. Nothing raises for what the target does, and nothing outlives its deadline, as in `client`.
3. Who interrupts the run waits for no call: a call at once is a daemon thread.
"""

import contextlib
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from conformance.protocol.http1 import read_responses

from . import clock
from .client import Client
from .exchange import Exchange, Request
from .raw import Connection, head

FIRST_EVENT = b"data:"


def all_at_once(
    client: Client, requests: Sequence[Request], timeout: float | None = None
) -> list[Exchange]:
    """Send every request at the same moment, each on a connection of its own.

    The replies stand in the order of the requests; `timeout` (seconds) is each one's. Raises what
    the gate does when they may not be sent: all of them, or none.
    """
    if not requests:
        return []
    ticket = client.gate.admit(requests)
    twins = [client.twin() for _ in requests]
    start = threading.Barrier(len(requests))

    def one(twin: Client, request: Request, promised: Future[Exchange]) -> None:
        start.wait()
        try:
            promised.set_result(twin.exchange(request, timeout))
        except BaseException as error:  # raised again where it is waited for
            promised.set_exception(error)

    promises: list[Future[Exchange]] = [Future() for _ in requests]
    for call in zip(twins, requests, promises, strict=True):
        threading.Thread(target=one, args=call, daemon=True).start()
    found = [promised.result() for promised in promises]
    for twin in twins:
        client.log += twin.log
        twin.close()
    client.gate.settle(ticket, found)
    return found


@dataclass(slots=True)
class OpenStream:
    """A stream that was asked for on a connection of its own, and of which nothing is read unless
    `began` is asked; without a connection it never begins."""

    connection: Connection | None

    def leave_unread(self, seconds: float) -> None:
        """Read nothing for so long, from the moment on at which the reply begins."""
        if self.connection is not None:
            self.connection.wait()
            time.sleep(seconds)

    def began(self) -> bool:
        """Whether its first event comes, as soon as it does, or another reply, or the deadline."""
        if self.connection is None:
            return False
        self.connection.read_until(lambda raw: FIRST_EVENT in raw or _is_whole(raw))
        return FIRST_EVENT in self.connection.raw


def _is_whole(raw: bytes) -> bool:
    """Whether a reply is there from its first byte to its last."""
    found = read_responses(raw, False, ("POST",))
    return bool(found) and found[-1].complete


@contextlib.contextmanager
def open_stream(client: Client, request: Request, seconds: float) -> Iterator[OpenStream]:
    """Ask for a stream and leave it alone; at the end of the block hang up, whatever has come.

    `seconds` are the deadline of the whole. It does not count among the calls under way: others
    are made meanwhile. Raises what the gate does when it may not be sent.
    """
    ticket = client.gate.admit([request], flying=False)
    octets = request.body or b""
    length = ("Content-Length", str(len(octets)))
    try:
        connection = Connection(client.endpoint, clock.now() + seconds)
    except OSError:
        client.log.append((request, None))
        client.gate.settle(ticket, [Exchange(request, "")])
        yield OpenStream(None)
        return
    with connection:
        connection.write(head(client.endpoint, request, length, close=True) + octets)
        stream = OpenStream(connection)
        try:
            yield stream
        finally:
            status = 200 if FIRST_EVENT in connection.raw else None
            client.log.append((request, status))
            client.gate.settle(ticket, [Exchange(request, "", status)])


def abandon(client: Client, request: Request) -> bool:
    """Ask for a stream and hang up after its first event; whether there was one."""
    with open_stream(client, request, client.endpoint.timeout) as stream:
        return stream.began()
