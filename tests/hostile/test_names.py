"""A resolver that never answers costs no more than the time of an exchange."""

import socket
import threading
from collections.abc import Iterator

import gevent  # type: ignore[import-untyped]  # gevent has no marker for its types
import pytest

from conformance.wire import names
from conformance.wire.client import Client, Endpoint
from conformance.wire.exchange import FailureKind, Request
from conformance.wire.raw import exchange_raw
from load.dial import Dialer
from load.exchange import Exchange, Limits
from load.failures import Kind
from load.place import place

URL = "http://slow.invalid/v1"


@pytest.fixture(autouse=True)
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Names are looked up for ever."""
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **options: over.wait(60) and [])
    monkeypatch.setattr(gevent.socket, "getaddrinfo", lambda *args, **options: gevent.sleep(60))
    yield
    over.set()


def test_the_suite_gives_up() -> None:
    with Client(Endpoint(URL, timeout=0.2)) as client:
        found = client.send(Request("GET", "/models"))
        raw = exchange_raw(client, Request("GET", "/models")).exchange
    for exchange in (found, raw):
        assert exchange.failure is not None
        assert exchange.failure.kind is FailureKind.DNS
        assert "no answer of the resolver after 0." in exchange.failure.detail


def test_the_load_generator_gives_up() -> None:
    into = Exchange()
    assert Dialer(place(URL), Limits(connect=0.2), None).dial(into) is None
    assert into.failure is not None
    assert into.failure.kind is Kind.DNS


def test_a_name_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def answer(host: str, port: int, **options: object) -> list[object]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    monkeypatch.setattr(names, "_known", {})
    assert names.addresses("a.example", 80, 1.0) == [("127.0.0.1", 80)]
    assert names.addresses("a.example", 80, 1.0) == [("127.0.0.1", 80)]
    assert asked == ["a.example"]
