"""The canary in a load run: alone, spread over workers, crashing, in the web page, in a sweep.

A run is one that a target answers badly: what it says of each failure quotes the target.
"""

import contextlib
import html
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest

from load.keys import keyless
from tests.load.running import ROOT
from tests.secrets.canary import KEY, echoed, echoing, found_in
from tests.secrets.processes import Watch
from tests.wire.tiny import serve, unused_port

pytestmark = pytest.mark.slow

TOKEN = "gate-way/0a1b2c3d4e5f6a7b8c9d"
PROFILE = 'name = "canary"\n[headers]\nX-Gateway-Token = "$GATEWAY_TOKEN"\n'
SHORT = ("--headless", "-u", "2", "-r", "2", "-t", "2s", "--target-profile", "profile.toml")
WRITTEN = (
    *("--load-results", "load.json", "--load-raw", "raw.jsonl", "--html", "page.html"),
    *("--csv", "stats", "--csv-full-history", "--json-file", "stats"),
    *("--logfile", "log", "--loglevel", "DEBUG"),
)


def process(
    folder: Path, *options: str, module: str = "locust", file: Path | None = None, key: str = KEY
) -> "subprocess.Popen[str]":
    """Locust, or a command of ours, with the gateway's token in its environment."""
    (folder / "profile.toml").write_text(PROFILE, "utf-8")
    words = ["-f", str(file or ROOT / "load" / "chat.py")] if module == "locust" else []
    environ: Mapping[str, str] = {
        **os.environ,
        "TARGET_API_KEY": key,
        "GATEWAY_TOKEN": f"Bearer {TOKEN}",
        "PYTHONPATH": str(ROOT),
    }
    return subprocess.Popen(
        [sys.executable, "-m", module, *words, *options],
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def ended(running: "subprocess.Popen[str]") -> str:
    """What it said, at its end."""
    with running:
        try:
            return running.communicate(timeout=60)[0]
        finally:
            running.kill()


def nowhere(folder: Path, *said: str) -> None:
    assert found_in(folder, said, (KEY, TOKEN), spare=("profile.toml", "crash.py")) == []


def test_a_run_of_several_processes_shows_no_key_and_none_has_it_as_an_argument(
    tmp_path: Path,
) -> None:
    watch = Watch([KEY, TOKEN])
    with serve(echoing(lists=True, at_each=watch)) as tiny:
        options = ("--host", tiny.url, *SHORT, *WRITTEN, "--processes", "2", "--api-key", KEY)
        said = ended(process(tmp_path, *options, key=""))
        assert echoed(tiny)
        assert echoed(tiny, TOKEN)
        assert not any(b'"model":"Bearer' in raw for raw in tiny.received)
    results = json.loads((tmp_path / "load.json").read_text("utf-8"))
    assert list(results["models"]) == ["m"]  # the other that is listed is the echo
    assert sum(results["models"]["m"]["failures"].values()) > 0
    assert "[redacted]" in json.dumps(results["models"]["m"])
    assert "[redacted]" in "".join(path.read_text() for path in tmp_path.glob("raw*.jsonl"))
    assert (tmp_path / "page.html").exists()
    assert list(tmp_path.glob("stats*.csv"))
    nowhere(tmp_path, said)
    assert watch.arguments == []
    assert {name for _, name in watch.variables} == {"GATEWAY_TOKEN"}


CRASH = """
from load import recorder
from load.chat import Chat

end = recorder.Recorder.end

def crash(self, request, into):
    if into.failure is not None:  # the end of the run
        return end(self, request, into)
    raise RuntimeError(f"crashed with {bytes(into.body)!r}")

recorder.Recorder.end = crash
"""


def test_a_crash_of_the_generator_shows_no_key(tmp_path: Path) -> None:
    (tmp_path / "crash.py").write_text(CRASH, "utf-8")
    with serve(echoing()) as tiny:
        options = ("--host", tiny.url, *SHORT, *WRITTEN, "--model", "m")
        said = ended(process(tmp_path, *options, file=tmp_path / "crash.py"))
        assert echoed(tiny)
    assert "crashed with" in said + (tmp_path / "log").read_text("utf-8")
    assert "crashed with" in (tmp_path / "stats_exceptions.csv").read_text("utf-8")
    nowhere(tmp_path, said)


@contextlib.contextmanager
def browsing(folder: Path, *options: str) -> Iterator[httpx.Client]:
    """A Locust with its web page, and a client of the page."""
    port = unused_port()
    page = ("--web-host", "127.0.0.1", "--web-port", str(port), "--logfile", "log")
    running = process(folder, *page, *options, key="")
    address = f"http://127.0.0.1:{port}"
    with running, httpx.Client(base_url=address, trust_env=False, timeout=60) as client:
        try:
            until = time.monotonic() + 30
            while time.monotonic() < until:
                with contextlib.suppress(httpx.TransportError):
                    client.get("/").raise_for_status()
                    break
                time.sleep(0.2)
            yield client
        finally:
            running.terminate()
            running.communicate(timeout=30)


PAGES = (
    *("/", "/stats/requests", "/stats/report", "/stats/requests/csv", "/stats/failures/csv"),
    *("/exceptions", "/exceptions/csv", "/logs", "/tasks", "/chat/", "/chat/live.json"),
    *("/chat/load.json", "/chat/load.html"),
)


def test_a_key_that_is_typed_into_the_web_page_is_on_none(tmp_path: Path) -> None:
    with serve(echoing(lists=True)) as tiny:
        options = ("--host", tiny.url, "--target-profile", "profile.toml")
        with browsing(tmp_path, *options, "--load-results", "load.json") as page:
            form = {"user_count": "2", "spawn_rate": "2", "host": tiny.url, "api_key": KEY}
            assert page.post("/swarm", data=form).json()["success"]
            until = time.monotonic() + 30
            while not echoed(tiny) and time.monotonic() < until:
                time.sleep(0.2)
            time.sleep(1)
            page.post("/stop")
            while not (tmp_path / "load.json").exists() and time.monotonic() < until:
                time.sleep(0.2)
            shown = [page.get(path).text for path in PAGES]
    assert echoed(tiny)
    assert "[redacted]" in (tmp_path / "load.json").read_text("utf-8")
    nowhere(tmp_path, *shown, *map(html.unescape, shown))


def test_a_sweep_and_its_runs_have_no_key_as_an_argument(tmp_path: Path) -> None:
    watch = Watch([KEY, TOKEN])
    with serve(echoing(at_each=watch)) as tiny:
        options = ("--host", tiny.url, "--model", "m", "--target-profile", "profile.toml")
        more = (
            "--slo",
            "failures<=100%",
            "--seconds",
            "2",
            "--most",
            "1",
            "--runs",
            "1",
            "--arrivals",
            "constant",
        )
        said = ended(
            process(
                *(tmp_path, *options, *more, "--out", "out", "--api-key", KEY),
                module="load.sweep",
                key="",
            )
        )
        assert echoed(tiny)
    assert (tmp_path / "out" / "sweep-1.json").exists()
    nowhere(tmp_path, said)
    assert watch.arguments == []


@pytest.mark.parametrize(
    ("given", "kept", "variable"),
    [
        (["-u", "1"], ["-u", "1"], None),
        (["--api-key", "k", "-u", "1"], ["-u", "1"], "TARGET_API_KEY"),
        (["--api-key=k"], [], "TARGET_API_KEY"),
        (["--api-key-env", "V", "--api-key=k", "-x"], ["-x", "--api-key-env", "V"], "V"),
        (["--api-key-env=V", "-x"], ["-x", "--api-key-env", "V"], None),
    ],
)
def test_a_key_goes_from_the_arguments_into_the_environment(
    given: list[str], kept: list[str], variable: str | None
) -> None:
    environ = {"A": "b"} | ({} if variable is None else {variable: "k"})

    assert keyless(given, {"A": "b"}) == (kept, environ)
