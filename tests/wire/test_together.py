"""Calls at once, and callers who leave or do not read."""

import socket
import threading

from conformance.wire.client import Client, Endpoint
from conformance.wire.exchange import FailureKind, Request, bearer_of
from conformance.wire.together import abandon, all_at_once, open_stream
from tests.wire.tiny import Tiny, answer, replies, serve, unused_port

STREAM = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"9\r\ndata: 1\n\n\r\n"
)


def ask(number: int) -> Request:
    return Request("POST", "/chat/completions", b"%d" % number)


def test_calls_at_once_are_answered_each_on_its_own() -> None:
    together = threading.Barrier(8)

    def wait_for_all(tiny: Tiny, sock: socket.socket) -> None:
        raw = tiny.read_request(sock)
        together.wait(10)  # nobody is answered before everybody has come
        sock.sendall(answer(body=raw.rpartition(b"\r\n\r\n")[2]))

    with serve(wait_for_all) as tiny, Client(Endpoint(tiny.url, timeout=10)) as client:
        found = all_at_once(client, [ask(number) for number in range(8)])
        assert [exchange.body for exchange in found] == [b"%d" % number for number in range(8)]
        assert [request for request, _ in client.log] == [ask(number) for number in range(8)]
        assert {status for _, status in client.log} == {200}
        assert tiny.connections == 8


def test_no_calls_at_once_are_none() -> None:
    with Client(Endpoint(f"http://127.0.0.1:{unused_port()}/v1")) as client:
        assert all_at_once(client, []) == []


def test_each_call_has_its_own_end() -> None:
    def hang_for_odd(tiny: Tiny, sock: socket.socket) -> None:
        raw = tiny.read_request(sock)
        if raw.endswith(b"1"):
            tiny.hold()
        sock.sendall(answer(body=b"{}"))

    with serve(hang_for_odd) as tiny, Client(Endpoint(tiny.url)) as client:
        found = all_at_once(client, [ask(0), ask(1)], timeout=0.5)
    assert found[0].complete
    assert found[1].failure is not None
    assert found[1].failure.kind is FailureKind.TIMEOUT


def test_an_abandoned_stream_is_left_after_its_first_event() -> None:
    left = threading.Event()

    def stream(tiny: Tiny, sock: socket.socket) -> None:
        tiny.read_request(sock)
        sock.sendall(STREAM)
        if sock.recv(1) == b"":
            left.set()

    with serve(stream) as tiny, Client(Endpoint(tiny.url, timeout=10)) as client:
        assert abandon(client, ask(1))
        assert left.wait(10)
        assert client.log == [(ask(1), 200)]


def test_what_is_no_stream_has_not_begun() -> None:
    endpoints = [Endpoint(f"http://127.0.0.1:{unused_port()}/v1", timeout=5)]
    with serve(replies(answer("429 Too Many Requests"))) as tiny:
        endpoints.append(Endpoint(tiny.url, timeout=30))
        for endpoint in endpoints:
            with Client(endpoint) as client:
                assert not abandon(client, ask(1))
                assert client.log == [(ask(1), None)]


def test_an_open_stream_is_not_read_until_it_is_asked() -> None:
    with (
        serve(replies(STREAM)) as tiny,
        Client(Endpoint(tiny.url)) as client,
        open_stream(client, ask(1), 10) as stream,
    ):
        assert stream.connection is not None
        assert stream.connection.raw == b""
        assert stream.began()


def test_another_key_is_sent_and_never_shown() -> None:
    def reveal(tiny: Tiny, sock: socket.socket) -> None:
        while raw := tiny.read_request(sock):
            lines = [line for line in raw.split(b"\r\n") if line.lower().startswith(b"auth")]
            sock.sendall(answer(body=b"".join(lines)))

    with serve(reveal) as tiny:
        spare = {"OTHER_KEY": "sk-other-secret-5678"}
        endpoint = Endpoint(tiny.url, "sk-canary-1234", spare_keys=spare)
        with Client(endpoint) as client:
            template = bearer_of("OTHER_KEY")
            found = client.send(Request("POST", "/x", b"", authorization=template))
        sent = b"".join(tiny.received)
    assert b"Bearer sk-other-secret-5678" in sent
    assert b"sk-canary-1234" not in sent
    assert b"secret" not in found.body
    assert "secret" not in repr((endpoint, found, template))
