"""The bare socket: what is sent octet by octet, and what comes back with its framing."""

import socket
import struct
import time
from collections.abc import Callable

import pytest

from conformance.wire.client import Client, Endpoint
from conformance.wire.exchange import Exchange, FailureKind, Request
from conformance.wire.raw import RawReply, converse, exchange_raw
from tests.wire.tiny import Tiny, answer, drips, replies, replies_once, serve, unused_port

KEY = "sk-canary-1234"
ASK = Request("POST", "/chat/completions", b'{"model":"m"}')
GET = Request("GET", "/models")

Behave = Callable[[Tiny, socket.socket], None]


def reply_of(behave: Behave, request: Request = ASK, *, timeout: float = 5.0) -> RawReply:
    with serve(behave) as tiny, Client(Endpoint(tiny.url, KEY, timeout=timeout)) as client:
        return exchange_raw(client, request, linger=0.1)


def kind_of(found: Exchange) -> FailureKind | None:
    return found.failure.kind if found.failure else None


def test_a_request_is_sent_as_it_is() -> None:
    odd = ASK.with_headers(("X-Odd", "\tcaf\xe9 "), ("Accept", "text/x"))
    with serve(replies_once(answer())) as tiny, Client(Endpoint(tiny.url, KEY)) as client:
        exchange_raw(client, Request("POST", "/a?b=c", b"\xff", odd.headers, " bearer  $KEY "))
        sent = tiny.received[0]
    assert sent == (
        b"POST /v1/a?b=c HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\n"
        b"Accept-Encoding: identity\r\nX-Odd: \tcaf\xe9 \r\nAccept: text/x\r\n"
        b"Authorization:  bearer  sk-canary-1234 \r\nContent-Length: 1\r\n"
        b"Connection: close\r\n\r\n\xff" % tiny.port
    )


def test_a_whole_reply_is_an_exchange_like_the_clients() -> None:
    octets = answer(headers=("Content-Type: application/json", "X-A: 1"), body=b'{"a":1}')
    raw = reply_of(replies_once(octets)).exchange
    with serve(replies(octets)) as tiny, Client(Endpoint(tiny.url, KEY)) as client:
        other = client.send(ASK)
    assert (raw.status, raw.headers, raw.body) == (other.status, other.headers, other.body)
    assert (raw.complete, raw.http_version) == (True, "HTTP/1.1")
    assert [a.end for a in raw.arrivals] == [7]


def test_bytes_after_the_end_are_kept_apart() -> None:
    reply = reply_of(replies_once(answer() + b'{"more":1}'))
    assert reply.exchange.body == b"{}"
    assert reply.response is not None
    assert reply.response.extra == b'{"more":1}'


def test_late_bytes_are_waited_for_as_long_as_said() -> None:
    def behave(tiny: Tiny, sock: socket.socket) -> None:
        tiny.read_request(sock)
        sock.sendall(answer())
        time.sleep(0.1)
        sock.sendall(b"late")
        tiny.hold()

    with serve(behave) as tiny, Client(Endpoint(tiny.url, KEY)) as client:
        found = exchange_raw(client, ASK, linger=0.5).response
        assert found is not None
        assert found.extra == b"late"


def test_the_arrivals_of_a_chunked_body_count_its_own_bytes() -> None:
    def behave(tiny: Tiny, sock: socket.socket) -> None:
        tiny.read_request(sock)
        sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for piece in (b"3\r\nabc\r\n", b"4\r\nde", b"fg\r\n0\r\n\r\n"):
            time.sleep(0.05)
            sock.sendall(piece)

    found = reply_of(behave).exchange
    assert found.body == b"abcdefg"
    assert [a.end for a in found.arrivals] == [3, 5, 7]
    stamps = [a.at for a in found.arrivals]
    assert stamps == sorted(set(stamps))


def hang(tiny: Tiny, sock: socket.socket) -> None:
    tiny.read_request(sock)
    tiny.hold()


def reset(tiny: Tiny, sock: socket.socket) -> None:
    tiny.read_request(sock)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

BROKEN: dict[str, tuple[Behave, FailureKind]] = {
    "closes without a reply": (replies_once(b""), FailureKind.RESET),
    "resets": (reset, FailureKind.RESET),
    "hangs": (hang, FailureKind.TIMEOUT),
    "speaks SSH": (replies_once(b"SSH-2.0-OpenSSH_9.6\r\n"), FailureKind.PROTOCOL),
    "cuts a length": (replies_once(answer(length=99)), FailureKind.TRUNCATED),
    "cuts a chunk": (replies_once(CHUNKED + b"ff\r\ndata"), FailureKind.TRUNCATED),
    "drips": (drips(answer(body=b"x" * 400)), FailureKind.TIMEOUT),
}


@pytest.mark.parametrize(("behave", "kind"), BROKEN.values(), ids=BROKEN)
def test_a_broken_reply_is_a_failure_of_its_kind(behave: Behave, kind: FailureKind) -> None:
    found = reply_of(behave, timeout=0.5).exchange
    assert kind_of(found) is kind
    assert found.ended_at < 5


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("http://127.0.0.1:{port}/v1", FailureKind.REFUSED),
        ("http://no-such-host.invalid/v1", FailureKind.DNS),
    ],
)
def test_no_connection_is_a_failure_of_each_request(url: str, kind: FailureKind) -> None:
    with Client(Endpoint(url.format(port=unused_port()))) as client:
        found = converse(client, [ASK, GET])
    assert [kind_of(reply.exchange) for reply in found] == [kind, kind]
    assert [reply.response for reply in found] == [None, None]


def test_tls_to_a_plain_port_is_said() -> None:
    with serve(replies_once(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as tiny:
        url = tiny.url.replace("http:", "https:")
        with Client(Endpoint(url, timeout=1)) as client:
            found = exchange_raw(client, ASK).exchange
    assert kind_of(found) in (FailureKind.TLS, FailureKind.CONNECT_TIMEOUT)


def test_several_requests_go_over_one_connection() -> None:
    with serve(replies(answer(body=b"{1}"))) as tiny, Client(Endpoint(tiny.url, KEY)) as client:
        found = converse(client, [ASK, GET, ASK])
        assert (tiny.connections, client.sent) == (1, 3)
        methods = [octets.split()[0] for octets in tiny.received]
    assert methods == [b"POST", b"GET", b"POST"]
    assert [reply.exchange.body for reply in found] == [b"{1}"] * 3
    assert all(reply.exchange.complete for reply in found)


def test_a_connection_that_closes_leaves_the_next_request_without_a_status() -> None:
    with serve(replies_once(answer())) as tiny, Client(Endpoint(tiny.url, KEY)) as client:
        first, second = (reply.exchange for reply in converse(client, [ASK, ASK]))
    assert first.complete
    assert (second.status, kind_of(second)) == (None, FailureKind.RESET)


def test_a_chunked_request_is_framed_in_chunks() -> None:
    received = bytearray()

    def behave(tiny: Tiny, sock: socket.socket) -> None:
        while b"0\r\n\r\n" not in received:
            received.extend(sock.recv(65536))
        sock.sendall(answer())

    with serve(behave) as tiny, Client(Endpoint(tiny.url, KEY)) as client:
        assert exchange_raw(client, ASK, body="chunked").exchange.complete
    head, _, body = bytes(received).partition(b"\r\n\r\n")
    assert b"Transfer-Encoding: chunked" in head
    assert b"Content-Length" not in head
    assert body == b'6\r\n{"mode\r\n7\r\nl":"m"}\r\n0\r\n\r\n'


def expecting(first: bytes, received: bytearray) -> Behave:
    """Answers a header section with `Expect` by `first`, then reads for a body."""

    def behave(tiny: Tiny, sock: socket.socket) -> None:
        while b"\r\n\r\n" not in received:
            received.extend(sock.recv(65536))
        sock.sendall(first)
        if b" 4" not in first:
            while not received.endswith(b"}"):
                received.extend(sock.recv(65536))
            sock.sendall(answer())

    return behave


@pytest.mark.parametrize(
    ("first", "status", "sent"),
    [
        (b"HTTP/1.1 100 Continue\r\n\r\n", 200, True),
        (b"", 200, True),
        (answer("417 Expectation Failed"), 417, False),
    ],
    ids=["100", "silence", "417"],
)
def test_an_expected_body_is_sent_unless_it_is_refused(
    first: bytes, status: int, sent: bool
) -> None:
    received = bytearray()
    with serve(expecting(first, received)) as tiny, Client(Endpoint(tiny.url, KEY)) as client:
        found = exchange_raw(client, ASK, body="expect").exchange
    assert (found.status, found.complete) == (status, True)
    assert b"Expect: 100-continue" in received
    assert received.endswith(b'{"model":"m"}') is sent


def test_an_echoed_key_is_masked_in_the_exchange_and_in_its_framing() -> None:
    half = len(KEY) // 2
    body = b"%x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n" % (
        half,
        KEY[:half].encode(),
        len(KEY) - half,
        KEY[half:].encode(),
    )
    head = f"HTTP/1.1 200 {KEY}\r\nX-Echo: {KEY}\r\nSet-Cookie: a=b\r\nTransfer-Encoding: chunked"
    reply = reply_of(replies_once(f"{head}\r\n\r\n".encode() + body + KEY.encode()))
    assert reply.exchange.complete
    assert len(reply.exchange.body) == len(KEY)
    assert KEY not in repr(reply)
    assert KEY[:half] not in repr(reply.exchange)
    assert reply.exchange.header("set-cookie") == "[re"
    assert reply.response is not None
    assert len(reply.response.extra) == len(KEY)
