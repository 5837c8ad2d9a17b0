"""The curl command, pasted into a real shell, sends what the suite sent."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from conformance.wire.client import Client, Endpoint
from conformance.wire.curl import LONGEST_BODY, curl
from conformance.wire.exchange import Request, bearer_of
from tests.wire.tiny import Tiny, answer, replies, serve

KEY = "sk-canary-\"$HOME`'\\-1234"
TEAM = "hush $PATH"
HEADERS = {"X-Team": "$TEAM_SECRET", "X-Open": "it's $5"}
SENT = {"X-Team": TEAM, "X-Open": "it's $5"}

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")

CHAT = "/chat/completions"
JSON = ("Content-Type", "application/json")

REQUESTS: dict[str, Request] = {
    "plain": Request("POST", CHAT, b'{"model":"m"}'),
    "get": Request("GET", "/models"),
    "get, globs in the path": Request("GET", "/models/a[1-3]%2Fd"),
    "delete": Request("DELETE", "/models"),
    "options": Request("OPTIONS", CHAT),
    "get with a body": Request("GET", "/models", b"{}"),
    "post without a body": Request("POST", CHAT),
    "post with an empty body": Request("POST", CHAT, b""),
    "no authorization": Request("POST", CHAT, b"{}", authorization=None),
    "another scheme": Request("POST", CHAT, b"{}", authorization="Basic dXNlcjpwYXNz"),
    "key in the middle": Request("POST", CHAT, b"{}", authorization="Bearer x$KEY$KEYx"),
    "another key": Request("POST", CHAT, b"{}", authorization='Bearer "$HOME`id`\\'),
    "quotes": Request("POST", CHAT, b"""{"a":"it's \\"$HOME\\" `id` $(id) !! \\\\"}"""),
    "at sign": Request("POST", CHAT, b"@/etc/passwd"),
    "percent": Request("POST", CHAT, b"100%s %d \\n\0"),
    "new lines": Request("POST", CHAT, b'{\n\t"a": 1\r\n}\n'),
    "controls": Request("POST", CHAT, b"\x1b[31m\x07\x7f"),
    "NUL": Request("POST", CHAT, b"a\0b\0"),
    "not UTF-8": Request("POST", CHAT, bytes(range(256))),
    "UTF-8": Request("POST", CHAT, "é你🙂👩‍👧".encode()),
    "bidi override": Request("POST", CHAT, "é\u202e".encode()),
    "no content type": Request("POST", CHAT, b"{}", headers=()),
    "content type left out": Request("POST", CHAT, b"{}", headers=(("Content-Type", ""),)),
    "accept left out": Request("POST", CHAT, b"{}", headers=(JSON, ("Accept", ""))),
    "a header of the profile replaced": Request("POST", CHAT, b"{}", headers=(("X-Team", "x"),)),
}


def parsed(raw: bytes) -> tuple[bytes, set[tuple[str, str]], bytes]:
    """Request line, headers but those that name the client, body."""
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    pairs = [line.decode("latin-1").partition(":")[::2] for line in lines]
    mine = {"user-agent", "connection", "host", "accept-encoding"}
    found = {(name.lower(), value.strip()) for name, value in pairs if name.lower() not in mine}
    return first, found, body


def run(command: str) -> subprocess.CompletedProcess[bytes]:
    environ = {**os.environ, "TARGET_API_KEY": KEY, "TEAM_SECRET": TEAM}
    return subprocess.run(
        ["sh", "-c", command], check=False, env=environ, capture_output=True, timeout=20
    )


def command_of(request: Request, tiny: Tiny) -> str:
    return curl(request, tiny.url + request.path, extra_headers=tuple(HEADERS.items()))


@needs_curl
@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_the_command_sends_what_the_client_sends(request_: Request) -> None:
    with serve(replies(answer())) as tiny:
        with Client(Endpoint(tiny.url, KEY, SENT, HEADERS)) as client:
            assert client.send(request_).complete
        done = run(command_of(request_, tiny))
        assert done.returncode == 0, done.stderr.decode()
        ours, its = map(parsed, tiny.received)
    bodiless = request_.body in (None, b"")
    if bodiless:  # curl and httpx differ in whether they say "Content-Length: 0"
        ours, its = ((f, {p for p in h if p[0] != "content-length"}, b) for f, h, b in (ours, its))
    assert its == ours


@needs_curl
def test_a_head_request_does_not_wait_for_a_body() -> None:
    octets = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"
    with serve(replies(octets)) as tiny:
        done = run(command_of(Request("HEAD", "/models"), tiny))
    assert done.returncode == 0
    assert b"200 OK" in done.stdout


@needs_curl
def test_a_body_too_long_to_paste_is_read_from_a_file(tmp_path: Path) -> None:
    body = b'"' + b"x" * LONGEST_BODY + b'"'
    (tmp_path / "BODY.json").write_bytes(body)
    with serve(replies(answer())) as tiny:
        command = command_of(Request("POST", CHAT, body), tiny)
        assert run(f"cd {tmp_path} && {command}").returncode == 0
        assert parsed(tiny.received[0])[2] == body
    assert len(command) < 1000


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_a_command_is_one_printable_line_without_the_key(request_: Request) -> None:
    command = curl(request_, "http://h/v1" + request_.path, extra_headers=tuple(HEADERS.items()))
    assert command.replace("\u200d", "").isprintable()
    assert KEY not in command
    assert TEAM not in command


def test_the_variable_of_the_key_can_be_another() -> None:
    command = curl(Request("GET", "/models"), "http://h/v1/models", key_variable="MY_KEY")
    assert '-H "Authorization: Bearer $MY_KEY"' in command


def test_another_key_is_a_variable_that_expands() -> None:
    request = Request("POST", "/x", b"{}", authorization=bearer_of("LIMITED_KEY"))
    assert '-H "Authorization: Bearer ${LIMITED_KEY}"' in curl(request, "http://h/v1/x")
