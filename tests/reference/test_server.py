"""The server on the wire: framing, connections, its command line and its end."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from conformance.reference.call import Call, Reply
from conformance.reference.models import DOCUMENTED
from conformance.reference.wire import Speed, pauses, pieces

MODEL = DOCUMENTED[0].id
KEY = {"Authorization": "Bearer sk-reference"}
HELLO = {"model": MODEL, "messages": [{"role": "user", "content": "Say hello."}]}
COUNT = {
    "model": MODEL,
    "stream": True,
    "messages": [{"role": "user", "content": "Count from 1 to 300, separated by spaces."}],
}


@contextmanager
def started(*options: str, **streams: Any) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server of its own on a free port: the process and its base URL."""
    command = [sys.executable, "-m", "conformance.reference", "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **streams) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        try:
            yield process, line.removeprefix("listening on ").strip()
        finally:
            process.terminate()
            process.wait(10)


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    with started() as (_, url):
        yield url


@pytest.fixture
def client(base: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=base, headers=KEY, trust_env=False) as http:
        yield http


def raw(base: str, *sent: bytes) -> bytes:
    """Sends bytes on one connection and reads to its end."""
    url = httpx.URL(base)
    with socket.create_connection((url.host, url.port or 80), 10) as connection:
        for part in sent:
            connection.sendall(part)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


def post(body: bytes, *headers: str, path: str = "/v1/chat/completions", key: bool = True) -> bytes:
    """A POST as bytes; the last of several on a connection says `Connection: close`."""
    lines = [f"POST {path} HTTP/1.1", "Host: x", "Content-Type: application/json", *headers]
    if key:
        lines.append("Authorization: Bearer sk-reference")
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def sized(body: bytes, *headers: str) -> bytes:
    return post(body, f"Content-Length: {len(body)}", *headers)


BODY = json.dumps(HELLO).encode()


def test_a_call_is_answered(client: httpx.Client) -> None:
    reply = client.post("/chat/completions", json=HELLO)
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "application/json"
    assert reply.json()["choices"][0]["message"]["role"] == "assistant"


def test_two_calls_have_different_ids(client: httpx.Client) -> None:
    one, other = (client.post("/chat/completions", json=HELLO) for _ in range(2))
    assert one.json()["id"] != other.json()["id"]
    assert one.headers["x-request-id"] != other.headers["x-request-id"]


def test_a_stream_arrives_in_pieces(client: httpx.Client) -> None:
    with client.stream("POST", "/chat/completions", json=COUNT) as reply:
        assert reply.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert "content-length" not in reply.headers
        arrivals = list(reply.iter_raw())
    events = b"".join(arrivals).decode().split("\n\n")
    assert len(arrivals) >= 3
    assert events[-2:] == ["data: [DONE]", ""]
    assert len(events) == 304  # role, 300 tokens, finish, [DONE], and the end


def test_the_documented_models_are_listed_and_found(client: httpx.Client) -> None:
    listed = client.get("/models").json()
    assert [model["id"] for model in listed["data"]] == [model.id for model in DOCUMENTED]
    for spelling in (MODEL, MODEL.replace("/", "%2F")):
        assert client.get(f"/models/{spelling}").json()["id"] == MODEL
    assert client.get("/models/none").status_code == 404


def test_a_wrong_key_gets_exactly_the_documented_body(base: str) -> None:
    reply = httpx.post(
        f"{base}/chat/completions", content=b"{", headers={"Authorization": "Bearer no"}
    )
    assert reply.status_code == 401
    assert reply.headers["www-authenticate"].startswith("Bearer")
    assert reply.json() == {
        "error": {
            "message": "Invalid API key provided",
            "type": "invalid_request_error",
            "param": None,
            "code": "invalid_api_key",
        }
    }


@pytest.mark.parametrize(
    ("credentials", "status"),
    [
        ("bearer sk-reference", 200),
        ("BEARER  sk-reference  ", 200),
        ("Bearer ", 401),
        ("Basic c2s=", 401),
        ("sk-reference", 401),
        ("Bearer " + "k" * 8192, 401),
        ("Bearer k\xe9", 401),
        ("Bearer k\x01", 401),
        ("Bearer k\x00", 400),
    ],
    ids=["lower", "padded", "empty", "basic", "bare", "long", "latin", "control", "nul"],
)
def test_credentials_are_judged(base: str, credentials: str, status: int) -> None:
    sent = sized(BODY, f"Authorization: {credentials}", "Connection: close")
    sent = sent.replace(b"\r\nAuthorization: Bearer sk-reference", b"", 1)
    own = sent.decode().encode("latin-1")
    assert raw(base, own).startswith(b"HTTP/1.1 %d " % status)


def test_two_authorization_headers_are_refused(base: str) -> None:
    sent = sized(BODY, "Authorization: Bearer sk-reference", "Connection: close")
    assert raw(base, sent).startswith(b"HTTP/1.1 401 ")


def test_one_connection_serves_many_calls(base: str) -> None:
    stream = json.dumps(COUNT).encode()
    answered = raw(base, sized(BODY), sized(b"{"), sized(stream), sized(BODY, "Connection: close"))
    assert answered.count(b"HTTP/1.1 200 OK") == 3
    assert answered.count(b"HTTP/1.1 400 Bad Request") == 1


def test_a_chunked_body_is_read(base: str) -> None:
    halves = b"".join(b"%x\r\n%b\r\n" % (len(p), p) for p in (BODY[:9], BODY[9:])) + b"0\r\n\r\n"
    sent = post(halves, "Transfer-Encoding: chunked", "Connection: close")
    assert raw(base, sent).startswith(b"HTTP/1.1 200 ")


def test_an_expectation_is_met_before_the_body(base: str) -> None:
    head = post(b"", f"Content-Length: {len(BODY)}", "Expect: 100-continue", "Connection: close")
    url = httpx.URL(base)
    with socket.create_connection((url.host, url.port or 80), 10) as connection:
        connection.sendall(head)
        assert connection.recv(65_536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(BODY)
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200 ")


def test_a_body_over_the_limit_is_read_and_refused(client: httpx.Client) -> None:
    reply = client.post(
        "/chat/completions", content=b" " * (9 << 20), headers={"Content-Type": "application/json"}
    )
    assert reply.status_code == 413
    assert reply.json()["error"]["type"] == "invalid_request_error"
    assert client.post("/chat/completions", json=HELLO).status_code == 200


def test_what_is_no_http_is_refused(base: str) -> None:
    answered = raw(base, b"what is this\r\n\r\n")
    assert answered.startswith(b"HTTP/1.1 400 ")
    assert b'"error"' in answered


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("PUT", "/chat/completions", 405, "method_not_supported"),
        ("GET", "/chat/completions", 405, "method_not_supported"),
        ("POST", "/chat/completionz", 404, "unknown_url"),
        ("POST", "/chat/completions/", 404, "unknown_url"),
    ],
)
def test_other_methods_and_paths_are_refused(
    client: httpx.Client, method: str, path: str, status: int, code: str
) -> None:
    reply = client.request(method, path)
    assert (reply.status_code, reply.json()["error"]["code"]) == (status, code)
    assert ("allow" in reply.headers) == (status == 405)


def test_head_has_the_length_and_no_body(client: httpx.Client) -> None:
    reply = client.head("/models")
    assert int(reply.headers["content-length"]) == len(client.get("/models").content)
    assert reply.content == b""


def test_a_preflight_is_answered_without_a_key(base: str) -> None:
    asked = {"Origin": "https://example.com", "Access-Control-Request-Method": "POST"}
    reply = httpx.options(f"{base}/chat/completions", headers=asked)
    assert reply.status_code == 204
    assert reply.headers["access-control-allow-origin"] == "*"
    assert "POST" in reply.headers["access-control-allow-methods"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"[]",
        b'"x"',
        b"1",
        b'{"model":',
        b'{"model":"\\ud800"}',
        b'{"model":1e999}',
        b'{"model":NaN}',
        b"\xff",
        b'{"x":' + b"[" * 100_000,
        b'{"x":%b}' % (b"1" * 5000),
    ],
    ids=lambda content: content[:12].decode("latin-1"),
)
def test_a_body_that_is_no_json_object_is_refused(client: httpx.Client, content: bytes) -> None:
    reply = client.post("/chat/completions", content=content, headers={"Content-Type": "text/json"})
    assert reply.status_code == 415
    reply = client.post(
        "/chat/completions", content=content, headers={"Content-Type": "application/json"}
    )
    assert reply.status_code == 400
    assert set(reply.json()["error"]) == {"message", "type", "param", "code"}


def test_an_invalid_stream_is_refused_before_it_begins(client: httpx.Client) -> None:
    reply = client.post("/chat/completions", json={**COUNT, "temperature": 3})
    assert (reply.status_code, reply.json()["error"]["param"]) == (400, "temperature")


def test_a_prompt_beyond_the_window_is_refused_by_code(client: httpx.Client) -> None:
    long = {**HELLO, "messages": [{"role": "user", "content": "word " * 140_000}]}
    reply = client.post("/chat/completions", json=long)
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, "context_length_exceeded")


def test_a_fault_is_one_path_away(base: str, client: httpx.Client) -> None:
    root = base.removesuffix("/v1")
    broken = client.post(f"{root}/fault/counts_milliseconds/v1/chat/completions", json=HELLO)
    assert broken.json()["created"] > 2**32
    assert client.post("/chat/completions", json=HELLO).json()["created"] < 2**32
    assert client.get(f"{root}/fault/nobody/v1/models").status_code == 404


def test_a_fault_can_cut_the_connection(base: str, client: httpx.Client) -> None:
    root = base.removesuffix("/v1")
    url = f"{root}/fault/ends_a_stream_without_the_zero_chunk/v1/chat/completions"
    with pytest.raises(httpx.RemoteProtocolError):
        client.post(url, json=COUNT)


def test_an_old_client_gets_a_body_that_ends_with_the_connection(base: str) -> None:
    stream = json.dumps(COUNT).encode()
    head, _, body = raw(base, sized(stream).replace(b"HTTP/1.1", b"HTTP/1.0", 1)).partition(
        b"\r\n\r\n"
    )
    assert b"chunked" not in head
    assert body.endswith(b"data: [DONE]\n\n")


def test_a_client_that_leaves_hurts_nobody(client: httpx.Client) -> None:
    for _ in range(5):
        with client.stream("POST", "/chat/completions", json=COUNT) as reply:
            next(reply.iter_raw())
    assert client.post("/chat/completions", json=HELLO).status_code == 200


def test_the_key_comes_from_the_environment_and_sigterm_is_a_clean_end() -> None:
    with started("--key-env", "REF_KEY", env={"REF_KEY": "other"}) as (process, url):
        reply = httpx.get(f"{url}/models", headers={"Authorization": "Bearer other"})
        assert reply.status_code == 200
        process.terminate()
        assert process.wait(10) == 0


def test_the_server_ends_with_its_parent() -> None:
    with started("--exit-with-parent", stdin=subprocess.PIPE) as (process, _):
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(10) == 0


def test_a_server_can_serve_other_models_with_one_fault() -> None:
    with started("--models", "a/b,c", "--fault", "lists_a_model_twice") as (_, url):
        listed = httpx.get(f"{url}/models", headers=KEY).json()
    assert [model["id"] for model in listed["data"]] == ["a/b", "c", "a/b"]


def test_a_stream_keeps_the_pace_of_its_model() -> None:
    with started("--model-speed", f"{MODEL}=100,10") as (_, url):
        body = {**COUNT, "max_tokens": 20}
        begun = time.monotonic()
        httpx.post(f"{url}/chat/completions", json=body, headers=KEY)
    assert time.monotonic() - begun > 0.28  # it may be late, never early


def test_pauses_stand_before_the_tokens() -> None:
    def chunk(**delta: str) -> dict[str, Any]:
        return {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}

    events = (chunk(role="assistant"), chunk(content="a"), chunk(content="b"), chunk(), "x")
    waits = pauses(Reply(200, events=events), Speed(0.5, 0.1))
    assert waits == [0.0, 0.5, 0.0, 0.1, 0.0, 0.0]
    assert pauses(Reply(200, {}, cost=3), Speed(0.5, 0.1)) == [0.7]


def test_a_plain_reply_is_one_piece_and_a_stream_is_many() -> None:
    call = Call(1, "POST", "/v1/chat/completions", "/chat/completions")
    assert len(pieces(Reply(200, {}), call)) == 1
    assert len(pieces(Reply(200, events=("a", "b")), call)) == 4
