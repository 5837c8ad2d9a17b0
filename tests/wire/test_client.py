"""The client against servers that misbehave: every outcome is an exchange, none is an exception."""

import gzip
import socket
import struct
import time
from collections.abc import Callable

import pytest

from conformance.wire.client import Client, Endpoint
from conformance.wire.exchange import Exchange, FailureKind, Request
from tests.wire.tiny import Tiny, answer, drips, replies, replies_once, serve, unused_port

ASK = Request("POST", "/chat/completions", b'{"model":"m"}')
SSE = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"

Behave = Callable[[Tiny, socket.socket], None]


def exchange(
    behave: Behave,
    request: Request = ASK,
    *,
    timeout: float = 5.0,
    linger: float = 0.3,
    body_limit: int = 1 << 20,
    key: str | None = "sk-canary-1234",
) -> Exchange:
    """The exchange of one request with a server that does `behave`."""
    with serve(behave) as tiny:
        endpoint = Endpoint(tiny.url, key, timeout=timeout, linger=linger, body_limit=body_limit)
        with Client(endpoint) as client:
            return client.send(request)


def kind_of(found: Exchange) -> FailureKind | None:
    return found.failure.kind if found.failure else None


def chunk(octets: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(octets), octets)


def hang_up(tiny: Tiny, sock: socket.socket) -> None:
    tiny.read_request(sock)


def reset(tiny: Tiny, sock: socket.socket) -> None:
    tiny.read_request(sock)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def hang(tiny: Tiny, sock: socket.socket) -> None:
    tiny.read_request(sock)
    tiny.hold()


def reset_in_the_body(tiny: Tiny, sock: socket.socket) -> None:
    tiny.read_request(sock)
    sock.sendall(answer(body=b"{", length=100))
    time.sleep(0.1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def endless(tiny: Tiny, sock: socket.socket) -> None:
    tiny.read_request(sock)
    sock.sendall(SSE.encode())
    while not tiny.over.is_set():
        sock.sendall(chunk(b"data: {}\n\n" * 1000))


BROKEN: list[tuple[str, Behave, FailureKind]] = [
    ("closes without a reply", hang_up, FailureKind.RESET),
    ("resets", reset, FailureKind.RESET),
    ("resets in the body", reset_in_the_body, FailureKind.RESET),
    ("cuts a length", replies_once(answer(body=b'{"a":', length=99)), FailureKind.TRUNCATED),
    ("cuts a chunk", replies_once(SSE.encode() + b"ff\r\ndata"), FailureKind.TRUNCATED),
    (
        "omits the last chunk",
        replies_once(SSE.encode() + chunk(b"data: 1\n\n")),
        FailureKind.TRUNCATED,
    ),
    # Less than a head is no reply at all: h11 waits for the blank line.
    ("speaks SSH", replies_once(b"SSH-2.0-OpenSSH_9.6\r\n"), FailureKind.RESET),
    ("speaks SMTP", replies_once(b"220 mail ESMTP\r\n\r\n"), FailureKind.PROTOCOL),
    ("sends bytes", replies_once(bytes(range(256))), FailureKind.PROTOCOL),
    ("sends a bad chunk size", replies_once(SSE.encode() + b"zz\r\n"), FailureKind.PROTOCOL),
    (
        "sends a bad length",
        replies_once(b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"),
        FailureKind.PROTOCOL,
    ),
    ("ends in its head", replies_once(b"HTTP/1.1 200 OK\r\nContent-Ty"), FailureKind.RESET),
]


@pytest.mark.parametrize(("behave", "kind"), [b[1:] for b in BROKEN], ids=[b[0] for b in BROKEN])
def test_a_broken_reply_is_a_failure_of_its_kind(behave: Behave, kind: FailureKind) -> None:
    found = exchange(behave)
    assert kind_of(found) is kind
    assert not found.complete


def test_what_came_before_the_failure_is_kept() -> None:
    found = exchange(replies_once(answer(body=b'{"a":', length=99)))
    assert (found.status, found.body) == (200, b'{"a":')
    assert found.header("content-length") == "99"


def test_a_closed_port_is_refused() -> None:
    with Client(Endpoint(f"http://127.0.0.1:{unused_port()}/v1")) as client:
        found = client.send(ASK)
    assert kind_of(found) is FailureKind.REFUSED
    assert found.status is None


def test_a_name_that_does_not_resolve_is_said() -> None:
    with Client(Endpoint("http://no-such-host.invalid/v1")) as client:
        assert kind_of(client.send(ASK)) is FailureKind.DNS


def test_tls_to_a_plain_port_is_said() -> None:
    with (
        serve(replies(answer())) as tiny,
        Client(Endpoint(tiny.url.replace("http:", "https:"), timeout=1)) as client,
    ):
        assert kind_of(client.send(ASK)) is FailureKind.TLS


def test_a_hang_ends_at_the_deadline() -> None:
    found = exchange(hang, timeout=0.5)
    assert kind_of(found) is FailureKind.TIMEOUT
    assert 0.4 < found.ended_at < 5


@pytest.mark.parametrize(
    "octets",
    [answer(body=b"x" * 400), b"HTTP/1.1 200 OK\r\n" + b"X-Slow: yes\r\n" * 40],
    ids=["in the body", "in the head"],
)
def test_a_deadline_bounds_the_whole_reply_not_each_read(octets: bytes) -> None:
    found = exchange(drips(octets), timeout=0.5)
    assert kind_of(found) is FailureKind.TIMEOUT
    assert found.ended_at < 5


def test_chunks_are_recorded_without_their_framing_each_with_its_arrival() -> None:
    def behave(tiny: Tiny, sock: socket.socket) -> None:
        tiny.read_request(sock)
        sock.sendall(SSE.encode())
        for number in range(3):
            time.sleep(0.05)
            sock.sendall(chunk(b"data: %d\n\n" % number))
        sock.sendall(b"0\r\n\r\n")

    found = exchange(behave)
    assert found.complete
    assert found.body == b"data: 0\n\ndata: 1\n\ndata: 2\n\n"
    assert [a.end for a in found.arrivals] == [9, 18, 27]
    stamps = [a.at for a in found.arrivals]
    assert stamps == sorted(stamps)
    assert found.headers_at is not None
    assert found.headers_at <= stamps[0] <= stamps[-1] <= found.ended_at
    assert found.arrived_at(9) == stamps[1]
    assert found.arrived_at(27) is None


def test_a_body_that_ends_with_the_connection_is_complete() -> None:
    found = exchange(replies_once(b"HTTP/1.1 200 OK\r\n\r\n" + b"{}" * 10))
    assert found.complete
    assert found.body == b"{}" * 10


def test_an_endless_body_is_cut_at_the_limit() -> None:
    found = exchange(endless, body_limit=50_000)
    assert kind_of(found) is FailureKind.TOO_LARGE
    assert 50_000 < len(found.body) < 1_000_000


def test_an_endless_body_is_cut_at_the_deadline() -> None:
    def behave(tiny: Tiny, sock: socket.socket) -> None:
        tiny.read_request(sock)
        sock.sendall(SSE.encode())
        while not tiny.over.wait(0.02):
            sock.sendall(chunk(b": keep-alive\n\n"))

    found = exchange(behave, timeout=0.4)
    assert kind_of(found) is FailureKind.TIMEOUT
    assert found.status == 200


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(code: int) -> None:
    with serve(replies(answer(f"{code} Moved", ("Location: /v1/elsewhere",)))) as tiny:
        with Client(Endpoint(tiny.url)) as client:
            found = client.send(ASK)
        assert (found.status, found.header("location")) == (code, "/v1/elsewhere")
        assert len(tiny.received) == 1


LAST = [
    b"data: [DONE]\n\n",
    b"data:[DONE]\r\n\r\n",
    b'data: {"error":{"message":"no"}}\n\n',
    b'data: {"choices":[]}\n\ndata: [DONE]\n\n',
]


@pytest.mark.parametrize("last", LAST)
def test_a_stream_held_open_after_its_last_event_is_cut(last: bytes) -> None:
    def behave(tiny: Tiny, sock: socket.socket) -> None:
        tiny.read_request(sock)
        sock.sendall(SSE.encode() + chunk(last))
        tiny.hold()

    found = exchange(behave, timeout=20, linger=0.3)
    assert kind_of(found) is FailureKind.HELD_OPEN
    assert found.body == last
    assert 0.2 < found.ended_at < 10


def test_a_stream_without_framing_is_cut_and_said_to_be() -> None:
    def behave(tiny: Tiny, sock: socket.socket) -> None:
        tiny.read_request(sock)
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + LAST[0])
        tiny.hold()

    assert kind_of(exchange(behave, timeout=20)) is FailureKind.HELD_OPEN


def test_a_connection_that_was_cut_is_not_used_again() -> None:
    def behave(tiny: Tiny, sock: socket.socket) -> None:
        tiny.read_request(sock)
        sock.sendall(SSE.encode() + chunk(LAST[0]))
        tiny.hold(5 if tiny.connections == 1 else 0)
        sock.sendall(b"0\r\n\r\n")

    with serve(behave) as tiny, Client(Endpoint(tiny.url, linger=0.2)) as client:
        assert kind_of(client.send(ASK)) is FailureKind.HELD_OPEN
        assert client.send(ASK).complete


def test_the_deadline_bounds_a_second_request_on_the_same_connection_too() -> None:
    def behave(tiny: Tiny, sock: socket.socket) -> None:
        tiny.read_request(sock)
        sock.sendall(answer())
        drips(b"HTTP/1.1 200 OK\r\n" + b"X-Slow: yes\r\n" * 40)(tiny, sock)

    with serve(behave) as tiny, Client(Endpoint(tiny.url, timeout=0.5)) as client:
        assert client.send(ASK).complete
        found = client.send(ASK)
        assert tiny.connections == 1
    assert kind_of(found) is FailureKind.TIMEOUT
    assert found.ended_at < 5


def test_comments_after_done_do_not_keep_a_stream_alive() -> None:
    def behave(tiny: Tiny, sock: socket.socket) -> None:
        tiny.read_request(sock)
        sock.sendall(SSE.encode() + chunk(b"data: [DONE]\n\n"))
        for _ in range(4):
            time.sleep(0.15)
            sock.sendall(chunk(b": more\n\n"))
        sock.sendall(b"0\r\n\r\n")

    found = exchange(behave, linger=0.3)
    assert found.failure is not None
    assert found.failure.kind is FailureKind.HELD_OPEN


def test_a_quiet_stream_is_not_cut_before_its_last_event() -> None:
    def behave(tiny: Tiny, sock: socket.socket) -> None:
        tiny.read_request(sock)
        sock.sendall(SSE.encode() + chunk(b'data: {"text":"the word [DONE]"}\n\n'))
        time.sleep(0.5)
        sock.sendall(chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n")

    assert exchange(behave, linger=0.1).complete


def test_content_codings_are_not_undone() -> None:
    packed = gzip.compress(b"{}")
    found = exchange(replies(answer(headers=("Content-Encoding: gzip",), body=packed)))
    assert found.body == packed
    assert found.header("content-encoding") == "gzip"


def test_what_is_sent_is_what_the_request_says() -> None:
    request = Request(
        "POST", "/chat/completions", b"\xff\x00{", headers=(("Content-Type", ""), ("Accept", ""))
    )
    with serve(replies(answer())) as tiny:
        endpoint = Endpoint(tiny.url, "sk-canary-1234", {"X-Team": "hush"}, {"X-Team": "$TEAM"})
        with Client(endpoint) as client:
            found = client.send(request)
        sent = tiny.received[0]
    head, _, body = sent.partition(b"\r\n\r\n")
    names = {line.partition(b":")[0].lower() for line in head.split(b"\r\n")[1:]}
    assert head.startswith(b"POST /v1/chat/completions HTTP/1.1\r\n")
    assert b"Authorization: Bearer sk-canary-1234" in head
    assert b"X-Team: hush" in head
    assert not names & {b"accept", b"content-type", b"cookie"}
    assert body == b"\xff\x00{"
    assert "sk-canary" not in repr(found)


@pytest.mark.parametrize(
    ("key", "template", "sent"),
    [
        ("sk-1", "Bearer $KEY", b"Bearer sk-1"),
        ("sk-1", "bearer   $KEY", b"bearer   sk-1"),
        ("sk-1", "Basic abc", b"Basic abc"),
        ("sk-1", None, None),
        (None, "Bearer $KEY", None),
        (None, "Bearer other", b"Bearer other"),
    ],
)
def test_the_key_is_filled_in_at_the_socket(
    key: str | None, template: str | None, sent: bytes | None
) -> None:
    with serve(replies(answer())) as tiny:
        with Client(Endpoint(tiny.url, key)) as client:
            client.send(Request("GET", "/models", authorization=template))
        lines = tiny.received[0].split(b"\r\n")
    found = [
        line.partition(b":")[2].strip() for line in lines if line[:14].lower() == b"authorization:"
    ]
    assert found == ([] if sent is None else [sent])


def test_the_environment_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{unused_port()}")
    monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{unused_port()}")
    assert exchange(replies(answer())).status == 200


ECHO = "sk-canary-1234"


def test_an_echoed_key_is_masked_wherever_it_comes_back() -> None:
    octets = answer(
        "401 Unauthorized",
        ("Set-Cookie: session=abc", f"X-Echo: {ECHO}", f"Location: /?key={ECHO}"),
        f'{{"error":"{ECHO}"}}'.encode(),
    )
    found = exchange(replies(octets), key=ECHO)
    assert ECHO not in repr(found)
    assert found.header("set-cookie") == "[redacted]*"
    assert len(found.body) == len(f'{{"error":"{ECHO}"}}')


def test_a_cookie_that_is_set_comes_with_the_next_request() -> None:
    setting = answer(headers=("Set-Cookie: node=7; Path=/",))
    with serve(replies(setting)) as tiny, Client(Endpoint(tiny.url)) as client:
        client.send(ASK)
        client.send(ASK)

    first, second = (raw.lower() for raw in tiny.received)
    assert b"cookie" not in first
    assert b"\r\ncookie: node=7\r\n" in second


def test_requests_share_a_connection() -> None:
    with serve(replies(answer())) as tiny, Client(Endpoint(tiny.url)) as client:
        for _ in range(3):
            assert client.send(ASK).complete
        assert (tiny.connections, client.sent) == (1, 3)


@pytest.mark.parametrize("value", ["a\nb", "a\0b", " padded "])
def test_a_header_that_no_library_sends_is_a_local_failure(value: str) -> None:
    found = exchange(replies(answer()), ASK.with_headers(("X-Bad", value)))
    assert kind_of(found) is FailureKind.LOCAL
    assert found.status is None
