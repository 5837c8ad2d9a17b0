"""The reader against tiny servers: what it measures, and each failure by its name."""

from __future__ import annotations

import contextlib
import gc
import json
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import gevent  # type: ignore[import-untyped]  # gevent has no marker for its types
import pytest

from load.decoding import decode
from load.dial import Dialer, context
from load.exchange import Exchange, Limits
from load.failures import Failure, Kind
from load.outcome import judge
from load.place import place, post
from load.stream import Connection
from tests.wire.tiny import Tiny, answer, replies, replies_once, serve, unused_port

LIMITS = Limits(connect=2.0, stall=0.3, total=1.5)
HEAD = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
CHUNKED = (HEAD + "Transfer-Encoding: chunked\r\n\r\n").encode()
SPOKEN = '{"choices":[{"index":0,"delta":{"content":"%s"},"finish_reason":null}]}'
FINISH = '{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}'
EVENTS = [f"data: {SPOKEN % word}\n\n".encode() for word in ("one", " two", " three")]
END = [f"data: {FINISH}\n\n".encode(), b"data: [DONE]\n\n"]


OPEN: list[Connection] = []


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    """Close what a test has opened."""
    yield
    while OPEN:
        OPEN.pop().close()


def chunk(octets: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(octets), octets)


WHOLE = CHUNKED + b"".join(map(chunk, EVENTS + END)) + b"0\r\n\r\n"


def ask(connection: Connection, url: str) -> Exchange:
    into = Exchange()
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": True}
    connection.exchange(post(place(url), body, "sk-secret", {}), into)
    return into


def opened(url: str, limits: Limits = LIMITS, settings: ssl.SSLContext | None = None) -> Connection:
    OPEN.append(Connection(Dialer(place(url), limits, settings), limits))
    return OPEN[-1]


def ended(into: Exchange) -> Failure | None:
    body = bytes(into.body)
    return judge(into.failure, into.status, into.fields, body, decoded=decode(body))


def kind(url: str, limits: Limits = LIMITS) -> str:
    failure = ended(ask(opened(url, limits), url))
    return failure.kind.value if failure else "ok"


def paced(*pieces: bytes, pause: float = 0.05) -> Callable[[Tiny, socket.socket], None]:
    def behave(tiny: Tiny, sock: socket.socket) -> None:
        while tiny.read_request(sock):
            for piece in pieces:
                sock.sendall(piece)
                time.sleep(pause)

    return behave


def silent(tiny: Tiny, sock: socket.socket) -> None:
    tiny.read_request(sock)
    tiny.hold()


def test_a_stream_is_read_with_one_stamp_for_each_arrival() -> None:
    with serve(paced(CHUNKED, *map(chunk, EVENTS + END), b"0\r\n\r\n", pause=0.03)) as tiny:
        into = ask(opened(tiny.url), tiny.url)
    assert ended(into) is None
    assert (into.status, into.complete, into.reused) == (200, True, False)
    assert bytes(into.body) == b"".join(EVENTS + END)
    assert len(into.at) == len(into.ends) == 5
    assert list(into.at) == sorted(into.at)
    assert into.send < (into.headers or 0) <= into.at[0] <= into.end
    assert into.connect is not None
    assert into.tls is None


def test_a_stream_that_is_over_waits_for_no_garbage_collection() -> None:
    with serve(paced(WHOLE)) as tiny:
        connection = opened(tiny.url)
        gc.disable()
        try:
            into = ask(connection, tiny.url)
            held = sys.getrefcount(into)
        finally:
            gc.enable()
        assert ask(connection, tiny.url).reused
    assert into.complete
    assert held <= 2  # our name and the argument: neither connection nor parser hold it


def test_the_kernel_stamps_each_read() -> None:
    with serve(paced(WHOLE)) as tiny:
        into = ask(opened(tiny.url), tiny.url)
    if not into.kernel:
        pytest.skip("this kernel gives no receive stamps")
    assert len(into.lags) >= 1
    assert all(lag >= -1_000_000 for lag in into.lags)
    assert into.send <= into.at[0] <= into.end
    assert not into.clock_step


def test_without_stamps_of_the_kernel_the_clock_is_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("load.dial._ask_for_stamps", lambda raw: None)
    with serve(paced(WHOLE)) as tiny:
        into = ask(opened(tiny.url), tiny.url)
    assert ended(into) is None
    assert not into.kernel
    assert len(into.lags) == 0
    assert into.send < into.at[0] <= into.end


def test_a_late_callback_does_not_move_the_stamps() -> None:
    with serve(paced(CHUNKED, *map(chunk, EVENTS + END), b"0\r\n\r\n", pause=0.02)) as tiny:
        connection = opened(tiny.url)
        asked = gevent.spawn(ask, connection, tiny.url)
        gevent.sleep(0.03)  # it has been sent
        time.sleep(0.6)  # the hub is busy: every read is late
        into = asked.get()
    if not into.kernel:
        pytest.skip("this kernel gives no receive stamps")
    assert max(into.lags) > 100_000_000  # and the stamps are earlier by as much


def test_a_connection_is_reused_and_opened_anew_when_it_has_ended() -> None:
    with serve(paced(WHOLE, pause=0)) as tiny:
        connection = opened(tiny.url)
        first, second = ask(connection, tiny.url), ask(connection, tiny.url)
        assert (ended(first), ended(second)) == (None, None)
        assert (second.reused, second.connect, tiny.connections) == (True, None, 1)
    with serve(replies_once(WHOLE)) as tiny:
        connection = opened(tiny.url)
        first = ask(connection, tiny.url)
        time.sleep(0.05)
        second = ask(connection, tiny.url)
        assert (ended(first), ended(second), tiny.connections) == (None, None, 2)


def test_a_body_that_the_close_delimits_is_whole() -> None:
    with serve(replies_once(HEAD.encode() + b"\r\n" + b"".join(EVENTS + END))) as tiny:
        assert kind(tiny.url) == "ok"


def test_an_interim_reply_is_passed_over() -> None:
    with serve(replies(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + WHOLE)) as tiny:
        into = ask(opened(tiny.url), tiny.url)
    assert ended(into) is None
    assert "link" not in into.fields


STREAM = ("Content-Type: text/event-stream",)
FAILURES: dict[str, tuple[Callable[[Tiny, socket.socket], None], Kind]] = {
    "no reply": (replies_once(b""), Kind.NO_REPLY),
    "no HTTP": (replies_once(b"SSH-2.0-x\r\n\r\n"), Kind.BAD_HTTP),
    "cut in a chunk": (replies_once(WHOLE[:-40]), Kind.TRUNCATED),
    "short of its length": (replies_once(answer(headers=STREAM, length=9999)), Kind.TRUNCATED),
    "429": (replies(answer("429 Too Many Requests")), Kind.RATE_LIMITED),
    "401": (replies(answer("401 Unauthorized")), Kind.CLIENT_ERROR),
    "503": (replies(answer("503 Service Unavailable")), Kind.SERVER_ERROR),
    "204": (replies(b"HTTP/1.1 204 No Content\r\n\r\n"), Kind.STATUS),
    "302": (replies(answer("302 Found", ("Location: http://127.0.0.1:1/",))), Kind.REDIRECT),
    "gzip": (
        replies(answer(headers=(*STREAM, "Content-Encoding: gzip"), body=b"x")),
        Kind.COMPRESSED,
    ),
    "JSON": (replies(answer()), Kind.NOT_A_STREAM),
    "error event": (
        replies(answer(headers=STREAM, body=EVENTS[0] + b'data: {"error":{"message":"x"}}\n\n')),
        Kind.ERROR_EVENT,
    ),
    "broken chunk": (
        replies(answer(headers=STREAM, body=b"data: {oops\n\n" + END[1])),
        Kind.BROKEN_CHUNK,
    ),
    "empty": (replies(answer(headers=STREAM, body=b"".join(END))), Kind.EMPTY),
    "no finish_reason": (
        replies(answer(headers=STREAM, body=EVENTS[0] + END[1])),
        Kind.NO_FINISH_REASON,
    ),
    "no [DONE]": (replies(answer(headers=STREAM, body=EVENTS[0] + END[0])), Kind.NO_DONE),
    "stall": (paced(CHUNKED, *map(chunk, EVENTS), pause=0.05), Kind.STALL),
    "silence": (silent, Kind.TIMEOUT),
}


@pytest.mark.parametrize("name", FAILURES)
def test_each_failure_has_its_name(name: str) -> None:
    behave, wanted = FAILURES[name]
    with serve(behave) as tiny:
        assert kind(tiny.url) == wanted


def test_comments_do_not_hide_a_stall() -> None:
    pings = [chunk(b": ping\n\n")] * 40
    with serve(paced(CHUNKED, chunk(EVENTS[0]), *pings, pause=0.05)) as tiny:
        assert kind(tiny.url) == Kind.STALL


def test_a_reset_is_told_from_an_end() -> None:
    def resets(tiny: Tiny, sock: socket.socket) -> None:
        tiny.read_request(sock)
        sock.sendall(CHUNKED + chunk(EVENTS[0]))
        time.sleep(0.1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    with serve(resets) as tiny:
        assert kind(tiny.url) == Kind.RESET


def test_no_redirect_is_followed_with_the_key() -> None:
    with serve(replies(WHOLE)) as other:
        there = f"Location: {other.url}/chat/completions"
        with serve(replies(answer("307 Temporary Redirect", (there,)))) as tiny:
            assert kind(tiny.url) == Kind.REDIRECT
        assert other.connections == 0


def test_what_cannot_be_reached_has_its_name() -> None:
    assert kind(f"http://127.0.0.1:{unused_port()}/v1") == Kind.REFUSED
    assert kind("http://no-such-host.invalid/v1") == Kind.DNS


def test_a_killed_greenlet_notes_its_end() -> None:
    into = Exchange()
    with serve(paced(CHUNKED, *map(chunk, EVENTS), pause=0.2)) as tiny:
        connection = opened(tiny.url, Limits())
        asked = gevent.spawn(connection.exchange, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", into)
        gevent.sleep(0.3)
        asked.kill()
    assert into.failure == Failure(Kind.CANCELLED)
    assert len(into.at) >= 1
    assert into.end > into.at[-1]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that signs itself, and its key, in one file."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
        "-subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 -keyout key.pem -out cert.pem",
        shell=True,
        check=True,
        capture_output=True,
        cwd=folder,
    )
    both = folder / "both.pem"
    both.write_text((folder / "cert.pem").read_text() + (folder / "key.pem").read_text())
    return both


@contextlib.contextmanager
def secured(certificate: Path, behave: Callable[[Tiny, socket.socket], None]) -> Iterator[str]:
    settings = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    settings.load_cert_chain(certificate)

    def over_tls(tiny: Tiny, sock: socket.socket) -> None:
        with (
            contextlib.suppress(OSError, ssl.SSLError),
            settings.wrap_socket(sock, server_side=True) as wrapped,
        ):
            behave(tiny, wrapped)
            wrapped.unwrap()

    with serve(over_tls) as tiny:
        yield tiny.url.replace("http:", "https:")


def test_tls_is_read_with_the_same_stamps(certificate: Path) -> None:
    pieces = (CHUNKED, *map(chunk, EVENTS + END), b"0\r\n\r\n")
    with secured(certificate, paced(*pieces, pause=0.03)) as url:
        connection = opened(url, settings=context(authorities=str(certificate)))
        first, second = ask(connection, url), ask(connection, url)
    for into in (first, second):
        assert ended(into) is None
        assert len(into.at) == 5
        assert into.send < into.at[0]
    assert first.tls is not None
    assert (second.reused, second.tls) == (True, None)


def test_a_certificate_that_nobody_signed_is_refused(certificate: Path) -> None:
    with secured(certificate, paced(WHOLE)) as url:
        trusting = opened(url, settings=context(verify=False))
        assert ended(ask(trusting, url)) is None
        doubting = ask(opened(url, settings=context()), url)
    assert doubting.failure is not None
    assert doubting.failure.kind is Kind.TLS
    assert "self" in doubting.failure.detail


def test_a_tls_body_without_its_end_is_cut_off(certificate: Path) -> None:
    def vanishes(tiny: Tiny, sock: socket.socket) -> None:
        tiny.read_request(sock)
        sock.sendall(HEAD.encode() + b"\r\n" + b"".join(EVENTS + END))
        time.sleep(0.05)
        socket.socket(fileno=sock.detach()).close()  # no close_notify

    with secured(certificate, vanishes) as url:
        into = ask(opened(url, settings=context(verify=False)), url)
    assert into.failure is not None
    assert into.failure.kind is Kind.TRUNCATED


def test_plain_http_on_a_tls_port_has_its_name() -> None:
    with serve(replies_once(answer("400 Bad Request"))) as tiny:
        url = tiny.url.replace("http:", "https:")
        into = ask(opened(url, settings=context()), url)
    assert into.failure is not None
    assert into.failure.kind in (Kind.TLS, Kind.CONNECT_TIMEOUT)


def test_many_streams_at_once_are_kept_apart() -> None:
    def echoes(tiny: Tiny, sock: socket.socket) -> None:
        asked = tiny.read_request(sock)
        word = json.loads(asked.partition(b"\r\n\r\n")[2])["messages"][0]["content"]
        time.sleep(0.05)
        event = f"data: {SPOKEN % word}\n\n".encode()
        sock.sendall(answer(headers=STREAM, body=event + b"".join(END)))

    def one(url: str, word: str) -> str:
        into = Exchange()
        body = {"messages": [{"role": "user", "content": word}]}
        opened(url, Limits()).exchange(post(place(url), body, None, {}), into)
        return decode(bytes(into.body)).text

    before = threading.active_count()
    with serve(echoes) as tiny:
        asked = [gevent.spawn(one, tiny.url, f"w{n}") for n in range(30)]
        gevent.joinall(asked)
        assert [each.value for each in asked] == [f"w{n}" for n in range(30)]
    assert threading.active_count() <= before + 40  # the server's threads, none of ours
