"""The canary: a target that echoes the key everywhere, and no artefact that shows it.

The key goes through normal and failing runs, the most talkative ones, workers, a crash inside a
check, a crash of the plugin, and Ctrl-C. Everything a run leaves is searched in every spelling.
"""

import base64
import html
import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.plugin.bench import Ran, canned, interrupted, run
from tests.wire.tiny import Tiny, serve

KEY = "sk-canary/7+Q=&<x>'\"0123456789abcdef"
SELECTED = ("--model", "m", "--requirement", "CC-AUTH", "--requirement", "CC-RESP")


def spellings() -> Iterator[tuple[str, str]]:
    """Name and text of every form in which the key must not be found."""
    yield "raw", KEY
    yield "a piece", KEY[10:24]
    yield "the end", KEY[-12:]
    yield "URL", quote(KEY, safe="")
    yield "JSON", json.dumps(KEY)[1:-1]
    yield "JSON, every character", "".join(f"\\u{ord(c):04x}" for c in KEY)
    yield "HTML", html.escape(KEY)
    yield "HTML, some quotes", html.escape(KEY, quote=False)
    for lead in range(3):
        coded = base64.b64encode(b"x" * lead + KEY.encode()).decode()
        yield f"Base64 at {lead}", coded[4:-4]


def found_in(ran: Ran) -> list[str]:
    """Where the key is, and in which spelling."""
    texts = {"stdout": ran.out, "stderr": ran.err}
    for path in sorted(ran.folder.rglob("*")):
        if path.is_file() and path.suffix in (".json", ".xml", ".html", ".log"):
            texts[path.name] = path.read_text("utf-8", "replace")
    return [
        f"{name}: {spelling}"
        for name, text in texts.items()
        for spelling, secret in spellings()
        if secret in text
    ]


def echo_of(raw: bytes) -> str:
    """The value of the Authorization header, as the target got it."""
    lines = raw.partition(b"\r\n\r\n")[0].split(b"\r\n")
    values = [line.partition(b":")[2] for line in lines if line[:14].lower() == b"authorization:"]
    return values[0].decode("latin-1").strip() if values else "none"


def every_spelling(text: str) -> list[str]:
    """The forms in which the target echoes."""
    coded = text.encode()
    return [
        text,
        quote(text, safe=""),
        "".join(f"\\u{ord(c):04x}" for c in text),
        html.escape(text),
        *(base64.b64encode(b"x" * lead + coded).decode() for lead in range(3)),
        base64.urlsafe_b64encode(coded).decode(),
    ]


def reply(raw: bytes) -> bytes:
    """An answer in which every part holds the key in every spelling."""
    echo = echo_of(raw)
    forms = every_spelling(echo) + every_spelling(echo.removeprefix("Bearer "))
    text = " ".join(forms)
    headers = [f"X-Echo-{number}: {form}" for number, form in enumerate(forms)]
    headers += [f"Location: https://elsewhere.example/?key={forms[1]}", f"Set-Cookie: key={echo}"]
    body = json.dumps({"id": text, "object": text, "error": {"message": text, "code": echo}})
    kind, status = "application/json", "200 OK"
    if b'"stream": true' in raw:
        delta = json.dumps({"choices": [{"index": 0, "delta": {"content": text, "role": echo}}]})
        body = f"data: {delta}\n\ndata: {text}\n\n: {text}\n\n"
        kind = "text/event-stream"
    elif raw.startswith(b"GET"):
        status = "307 Temporary Redirect"
    elif b"sk-wrong" in raw or echo == "none":
        status = f"401 {echo}"
    length = len(body.encode())
    head = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {length}", *headers]
    return "\r\n".join([*head, "", body]).encode("latin-1", "replace")


def echoing(
    limit: int = 10_000, at_limit: Callable[[Tiny], None] = Tiny.die
) -> Callable[[Tiny, socket.socket], None]:
    """A server that echoes its first `limit` requests, then does `at_limit`."""

    def behave(tiny: Tiny, sock: socket.socket) -> None:
        while raw := tiny.read_request(sock):
            if len(tiny.received) > limit:
                at_limit(tiny)
                return
            sock.sendall(reply(raw))

    return behave


def echoed(tiny: Tiny) -> bool:
    """Whether the key was there to be leaked."""
    return any(f"Bearer {KEY}".encode() in raw for raw in tiny.received)


TALKATIVE = (
    "-vv", "--showlocals", "--tb=long", "-rA", "--log-level=DEBUG", "-o", "junit_logging=all",
)  # fmt: skip


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("-v", "--strict"),
        TALKATIVE,
        ("-n", "1", "-vv", "--showlocals"),
        ("--log-cli-level=DEBUG", "--log-file=all.log", "--log-file-level=DEBUG", "-s"),
        ("--requirement", "CC-STREAM", "--requirement", "CC-SSE", "--requirement", "CC-HTTP"),
        ("--requirement", "CC-SDK"),
    ],
    ids=["plain", "strict", "talkative", "worker", "logs", "streams", "clients"],
)
def test_a_key_that_is_echoed_is_in_no_artefact(arguments: tuple[str, ...], tmp_path: Path) -> None:
    with serve(echoing()) as tiny:
        ran = run(
            tmp_path, "--target-url", tiny.url, "--timeout", "5", *SELECTED, *arguments, key=KEY
        )
        assert echoed(tiny)
    assert ran.status == 1
    assert "FAIL" in ran.verdicts().values()
    assert "[redacted]" in (tmp_path / "reports/out/results.json").read_text("utf-8")
    assert found_in(ran) == []


@pytest.mark.parametrize("status", ["401 No", "400 No", "200 OK"])
def test_a_preflight_that_complains_shows_no_key(status: str, tmp_path: Path) -> None:
    def behave(tiny: Tiny, sock: socket.socket) -> None:
        while raw := tiny.read_request(sock):
            body = " ".join(every_spelling(echo_of(raw))).encode()
            head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}"
            sock.sendall(head.encode() + b"\r\n\r\n" + body)

    with serve(behave) as tiny:
        ran = run(tmp_path, "--target-url", tiny.url, "-vv", "--showlocals", key=KEY)
        assert echoed(tiny)
    assert ran.status == 4
    assert "[redacted]" in ran.complaint
    assert found_in(ran) == []


CRASH = """
import httpx
import pytest

@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    def crash(self, request, **kwargs):
        authorization = request.headers["authorization"]
        print("on stdout", authorization)
        raise RuntimeError(f"crashed with {authorization}", kwargs)

    send, httpx.Client.send = httpx.Client.send, crash
    try:
        return (yield)
    finally:
        httpx.Client.send = send
"""

INTERNAL = """
import pytest

def pytest_collection_modifyitems(config):
    client = config.pluginmanager.get_plugin("conformance-run").target.client
    key = client.endpoint.key
    raise RuntimeError(f"crashed with {key}")
"""


@pytest.mark.parametrize("talk", [(), TALKATIVE], ids=["plain", "talkative"])
def test_a_crash_inside_a_check_shows_no_key(talk: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "crash.py").write_text(CRASH, "utf-8")
    arguments = ("-p", "crash", "--requirement", "CC-RESP", "--model", "m", *talk)
    with serve(echoing()) as tiny:
        where = {"PYTHONPATH": f"{tmp_path}:{Path(__file__).parents[1]}"}
        ran = run(tmp_path, "--target-url", tiny.url, *arguments, key=KEY, env=where)
    assert "ERROR" in ran.verdicts().values()
    assert "RuntimeError" in ran.out
    assert found_in(ran) == []


def test_a_crash_of_the_suite_itself_shows_no_key(tmp_path: Path) -> None:
    (tmp_path / "crash.py").write_text(INTERNAL, "utf-8")
    with serve(echoing()) as tiny:
        where = {"PYTHONPATH": f"{tmp_path}:{Path(__file__).parents[1]}"}
        arguments = ("-p", "crash", "--showlocals", *SELECTED)
        ran = run(tmp_path, "--target-url", tiny.url, *arguments, key=KEY, env=where)
    assert ran.status == 3
    assert "INTERNALERROR" in ran.said
    assert found_in(ran) == []


def test_ctrl_c_shows_no_key(tmp_path: Path) -> None:
    reached = threading.Event()

    def stall(tiny: Tiny) -> None:
        reached.set()
        tiny.hold()

    with serve(echoing(6, stall)) as tiny:
        arguments = ("--target-url", tiny.url, *SELECTED, *TALKATIVE, "--full-trace")
        ran = interrupted(tmp_path, lambda: reached.wait(60), *arguments, key=KEY)
        assert echoed(tiny)
    assert ran.status == 2
    assert found_in(ran) == []


@pytest.mark.parametrize("key", ["test", "PASS", "model", "FAIL"])
def test_a_key_that_is_an_ordinary_word_spares_our_own_words(key: str, tmp_path: Path) -> None:
    with serve(canned(10_000, Tiny.die)) as tiny:
        ran = run(tmp_path, "--target-url", tiny.url, "--requirement", "CC-RESP-003", key=key)
    entry = ran.results()["requirements"][0]
    assert ran.status == 1
    assert (entry["id"], entry["model"], entry["verdict"]) == ("CC-RESP-003", "m", "FAIL")
    assert entry["evidence"]["reproduce"].startswith("pytest --pyargs conformance --target-url")
    assert "test_response.py::test_created" in ran.out
