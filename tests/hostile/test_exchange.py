"""One exchange with every row of the table, and a reset after every byte of a right answer.

Of the suite's client, its bare socket and the load generator's connection: none raises, each ends
within its bounds, and what is kept of a reply is small.
"""

import socket
import struct
from collections.abc import Iterator

import pytest

from conformance.wire.client import Client, Endpoint
from conformance.wire.exchange import Exchange, FailureKind, Request
from conformance.wire.raw import exchange_raw
from load.dial import Dialer, context
from load.exchange import Exchange as Loaded
from load.exchange import Limits
from load.failures import Kind
from load.place import place, post
from load.stream import Connection
from tests.hostile.stage import Stage, staged
from tests.hostile.targets import TARGETS
from tests.hostile.targets.row import CERTIFICATES, Scope
from tests.hostile.targets.wire import COMPLETION, STREAM
from tests.wire.tiny import Tiny, answer, serve

PLAIN = Request("POST", "/chat/completions", b'{"model": "m", "messages": []}')
STREAMED = Request("POST", "/chat/completions", b'{"model": "m", "messages": [], "stream": true}')
SECONDS = 0.5
MOST = 8 << 20


@pytest.fixture
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    with staged(TARGETS[request.param], Scope.ALL, "http://127.0.0.1:1") as running:
        yield running


every_row = pytest.mark.parametrize("stage", TARGETS, indirect=True)


@every_row
def test_the_client_of_the_suite(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATES / "authority.pem"))
    endpoint = Endpoint(stage.url, "sk-secret", timeout=SECONDS, linger=SECONDS)
    with Client(endpoint) as client:
        for request in (PLAIN, STREAMED):
            exchange = client.send(request)
            _bounded(exchange)
            _bounded(exchange_raw(client, request, linger=0.1).exchange)
    assert stage.elsewhere.received == []


def _bounded(exchange: Exchange) -> None:
    assert exchange.status is not None or exchange.failure is not None
    assert exchange.failure is None or exchange.failure.kind is not FailureKind.LOCAL
    assert len(exchange.body) <= MOST
    assert len(exchange.arrivals) <= 100_000
    assert sum(len(name) + len(value) for name, value in exchange.headers) < 256 * 1024


@every_row
def test_a_connection_of_the_load_generator(stage: Stage) -> None:
    limits = Limits(connect=SECONDS, stall=SECONDS, total=SECONDS)
    to = place(stage.url)
    trusted = context(authorities=str(CERTIFICATES / "authority.pem")) if to.secure else None
    connection = Connection(Dialer(to, limits, trusted), limits)
    for _ in range(2):
        into = Loaded()
        connection.exchange(post(to, {"model": "m", "stream": True}, "sk-secret", {}), into)
        assert into.end
        assert into.failure is None or into.failure.kind is not Kind.INTERNAL
        assert into.complete or into.failure is not None
        assert len(into.body) <= limits.body + (1 << 20)
    connection.close()
    assert stage.elsewhere.received == []


CHUNKED = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"%x\r\n%s\r\n0\r\n\r\n" % (len(STREAM), STREAM)
)
ANSWERS = {
    "plain": (PLAIN, answer(body=COMPLETION)),
    "streamed": (STREAMED, CHUNKED),
}


@pytest.mark.parametrize("end", ["reset", "close"])
@pytest.mark.parametrize("kind", ANSWERS)
def test_a_connection_that_ends_after_every_byte(kind: str, end: str) -> None:
    request, octets = ANSWERS[kind]
    offsets = iter([offset for offset in range(len(octets)) for _ in range(2)])

    def behave(tiny: Tiny, sock: socket.socket) -> None:
        tiny.read_request(sock)
        sock.sendall(octets[: next(offsets)])
        if end == "reset":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    limits = Limits(5.0, 5.0, 5.0)
    with serve(behave) as tiny, Client(Endpoint(tiny.url, timeout=5.0)) as client:
        to = place(tiny.url)
        dialer = Dialer(to, limits, None)
        for offset in range(len(octets)):
            exchange = client.send(request)
            assert exchange.failure is not None, offset
            assert octets.endswith(exchange.body) or exchange.body in octets
            into = Loaded()
            connection = Connection(dialer, limits)
            connection.exchange(post(to, {"stream": True}, None, {}), into)
            connection.close()
            assert into.failure is not None, offset
            assert not into.complete
