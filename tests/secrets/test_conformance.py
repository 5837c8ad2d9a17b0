"""The canary in a conformance run: a target that echoes its keys everywhere, and no artefact that
shows one.

The keys go through normal and failing runs, the most talkative ones, workers, client libraries, a
plan, a crash inside a check, a crash of the plugin, and Ctrl-C. Everything that a run leaves is
searched in every spelling, and every process is looked at while it runs.
"""

import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.plugin.bench import ROOT, Ran, canned, command, environment, interrupted, run
from tests.secrets.canary import KEY, echo_of, echoed, echoing, every_spelling
from tests.secrets.canary import found_in as search
from tests.secrets.processes import Watch
from tests.wire.tiny import Tiny, serve

SELECTED = ("--model", "m", "--requirement", "CC-AUTH", "--requirement", "CC-RESP")


def found_in(ran: Ran, *secrets: str) -> list[str]:
    """Where a secret is, and in which spelling."""
    return search(ran.folder, (ran.out, ran.err), (KEY, *secrets), spare=("crash.py",))


TALKATIVE = (
    "-vv", "--showlocals", "--tb=long", "-rA", "--log-level=DEBUG", "-o", "junit_logging=all",
)  # fmt: skip


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        (*TALKATIVE, "--strict"),
        ("--log-cli-level=DEBUG", "--log-file=all.log", "--log-file-level=DEBUG", "-s", "--debug"),
        ("--requirement", "CC-STREAM", "--requirement", "CC-SSE"),
        ("--requirement", "CC-SDK"),
    ],
    ids=["plain", "talkative", "logs", "streams", "clients"],
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


PROFILE = """
name = "canary"
auth = "bearer"
base_url = "https://documented.example/v1"

[headers]
X-Gateway-Token = "$GATEWAY_TOKEN"
X-Api-Key = "{written}"

[keys]
limited = "$LIMITED_KEY"
exhausted = "$EXHAUSTED_KEY"
restricted = "$RESTRICTED_KEY"

[[examples]]
language = "curl"
key = "$YOUR_API_KEY"
text = '''
curl https://documented.example/v1/chat/completions \\
-H "Authorization: Bearer $YOUR_API_KEY" -d '{{}}'
'''
"""

SECRETS = {
    "GATEWAY_TOKEN": "Bearer gate-way/0a1b2c3d4e5f6a7b8c9d",
    "LIMITED_KEY": "sk-limited-0a1b2c3d4e5f6a7b8c9d",
    "EXHAUSTED_KEY": "sk-exhausted+0a1b2c3d4e5f6a7b8c9d",
    "RESTRICTED_KEY": "sk-restricted=0a1b2c3d4e5f6a7b8c9d",
}
WRITTEN = "key-of-the-profile-0a1b2c3d4e5f"

LIBRARY = """
import json, os, sys, urllib.request

url = json.load(sys.stdin)["base_url"] + "/models"
key = os.environ["CONFORMANCE_CLIENT_KEY"]
asked = urllib.request.Request(url, headers={"Authorization": "Bearer " + key, "User-Agent": key})
try:
    urllib.request.urlopen(asked)
except OSError as error:
    print("on stderr", key, error, file=sys.stderr)
print(json.dumps({"name": "start"}))
told = {"method": "GET", "url": url, "user_agent": key, "status": 200, "headers": [["a", key]]}
raised = {"class": key, "bases": [key], "message": "x" * 90 + key, key: key}
print(json.dumps({"name": "openai", "raised": raised, "exchanges": [told]}))
"""


def library(folder: Path) -> None:
    """A client library that says what it must not."""
    home = folder / "clients" / "python"
    module = home / "lib" / "python3" / "site-packages" / "litellm" / "__init__.py"
    python = home / "bin" / "python"
    for path in (module, python):
        path.parent.mkdir(parents=True)
    module.touch()
    script = home / "library.py"
    script.write_text(LIBRARY, "utf-8")
    # Not the interpreter in the first line: its path may hold a space.
    start = shlex.join(["exec", sys.executable, str(script)])
    python.write_text(f"#!/bin/sh\n{start}\n", "utf-8")
    python.chmod(0o755)


def test_all_keys_at_once_are_nowhere_and_no_process_is_started_with_one(tmp_path: Path) -> None:
    (tmp_path / "profile.toml").write_text(PROFILE.format(written=WRITTEN), "utf-8")
    library(tmp_path)
    values = [KEY, WRITTEN, *(value.removeprefix("Bearer ") for value in SECRETS.values())]
    watch = Watch(values)
    chosen = ("CC-HTTP-001", "CC-ERR-013", "CC-ERR-014", "CC-SDK-007", "CC-AUTH-011")
    arguments = [word for clause in chosen for word in ("--requirement", clause)]
    arguments += ["-n", "2", "-vv", "--showlocals", "--model", "m"]
    arguments += ["--profile", "profile.toml", "--api-key", KEY, "--timeout", "5"]
    with serve(echoing(at_each=watch)) as tiny:
        where = {**SECRETS, "CONFORMANCE_CLIENTS": str(tmp_path / "clients")}
        ran = run(tmp_path, "--target-url", tiny.url, *arguments, key=None, env=where)
        assert all(echoed(tiny, value) for value in values)
        agents = b"".join(tiny.received).lower()
    assert ran.status == 1
    assert b"user-agent: curl/" in agents  # the documented example has run
    assert b"user-agent: sk-canary" in agents  # the library too
    assert search(ran.folder, (ran.out, ran.err), values, spare=("profile.toml",)) == []
    assert watch.arguments == []
    # The run and its workers have what they were given, a process of theirs the keys of its own
    # programme: a library's is answered 403 and 429 for those.
    held = watch.variables
    programmes = {programme for programme, name in held if name in SECRETS}
    assert {name.rstrip("0123456789.") for name in programmes} <= {"pytest", "python"}
    assert {name for _, name in held} - SECRETS.keys() == {
        *("CONFORMANCE_CLIENT_KEY", "CONFORMANCE_CLIENT_HEADERS", "YOUR_API_KEY"),
        *(f"CONFORMANCE_CLIENT_KEY_{kind}_KEY" for kind in ("RESTRICTED", "LIMITED", "EXHAUSTED")),
    }


def test_a_plan_shows_no_key(tmp_path: Path) -> None:
    ran = run(tmp_path, "--plan", "--model", "m", "-vv", "--showlocals", "--debug", key=KEY)

    assert ran.status == 0
    assert (tmp_path / "pytestdebug.log").exists()
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
import logging
import threading

import httpx
import pytest

@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    def crash(self, request, **kwargs):
        authorization = request.headers["authorization"]
        print("on stdout", authorization)
        logging.getLogger().exception(authorization, exc_info=KeyError(authorization))
        thread = threading.Thread(target=int, args=(authorization,))
        thread.start()
        thread.join()
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


def test_a_crash_inside_a_check_shows_no_key(tmp_path: Path) -> None:
    (tmp_path / "crash.py").write_text(CRASH, "utf-8")
    arguments = ("-p", "crash", "--requirement", "CC-RESP", "--model", "m", *TALKATIVE)
    with serve(echoing()) as tiny:
        where = {"PYTHONPATH": f"{tmp_path}:{ROOT}"}
        ran = run(tmp_path, "--target-url", tiny.url, *arguments, key=KEY, env=where)
    assert "ERROR" in ran.verdicts().values()
    assert "RuntimeError" in ran.out
    assert "PytestUnhandledThreadExceptionWarning" in ran.out
    assert found_in(ran) == []


def test_a_crash_of_the_suite_itself_shows_no_key(tmp_path: Path) -> None:
    (tmp_path / "crash.py").write_text(INTERNAL, "utf-8")
    with serve(echoing()) as tiny:
        where = {"PYTHONPATH": f"{tmp_path}:{ROOT}"}
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


def test_the_journal_of_a_run_that_was_killed_shows_no_key(tmp_path: Path) -> None:
    reached = threading.Event()

    def stall(tiny: Tiny) -> None:
        reached.set()
        tiny.hold()

    with serve(echoing(12, stall)) as tiny:
        words = command(("--target-url", tiny.url, *SELECTED, *TALKATIVE))
        environ = environment(KEY, {})
        with (tmp_path / "all.log").open("w") as log:
            running = subprocess.Popen(
                words, cwd=tmp_path, env=environ, stdout=log, stderr=log, start_new_session=True
            )
            reached.wait(60)
            os.killpg(running.pid, signal.SIGKILL)
            running.wait(20)
    [journal] = tmp_path.glob("reports/out/*.journal")
    assert "[redacted]" in journal.read_text("utf-8")
    assert search(tmp_path, ()) == []


@pytest.mark.parametrize("key", ["test", "FAIL"])
def test_a_key_that_is_an_ordinary_word_spares_our_own_words(key: str, tmp_path: Path) -> None:
    with serve(canned(10_000, Tiny.die)) as tiny:
        ran = run(tmp_path, "--target-url", tiny.url, "--requirement", "CC-RESP-003", key=key)
    entry = ran.results()["requirements"][0]
    assert ran.status == 1
    assert (entry["id"], entry["model"], entry["verdict"]) == ("CC-RESP-003", "m", "FAIL")
    assert entry["evidence"]["reproduce"].startswith("pytest --pyargs conformance --target-url")
    assert "test_response.py::test_created" in ran.out


@pytest.mark.parametrize("key", ["stop", "chat.completion", "none"])
def test_a_right_target_is_not_blamed_for_a_key_that_its_replies_hold(
    key: str, tmp_path: Path
) -> None:
    chosen = ("--requirement", "CC-FIN-001", "--requirement", "CC-RESP-002")
    with serve(canned(10_000, Tiny.die)) as tiny:
        ran = run(tmp_path, "--target-url", tiny.url, *chosen, "--examples", "0", key=key)
    assert set(ran.verdicts().values()) == {"PASS"}
    assert "[redac" not in (tmp_path / "reports/out/results.json").read_text("utf-8")
