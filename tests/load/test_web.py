"""Locust's web page: a field for each option, the key in none of them, and runs that it starts."""

from __future__ import annotations

import contextlib
import csv
import html
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from load.options import OPTIONS
from tests.load.running import KEY, MODEL, ROOT, reference
from tests.wire.tiny import unused_port

pytestmark = pytest.mark.slow


def start(folder: Path, *options: str) -> subprocess.Popen[bytes]:
    """A Locust of its own that knows the key from its command line."""
    return subprocess.Popen(
        [sys.executable, "-m", "locust", "-f", str(ROOT / "load" / "chat.py"), *options],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TARGET_API_KEY": ""},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@contextlib.contextmanager
def browsing(folder: Path, host: str, *options: str) -> Iterator[httpx.Client]:
    """A Locust with its web page, and a client of the page."""
    port = unused_port()
    page = ("--web-host", "127.0.0.1", "--web-port", str(port), "--api-key", KEY)
    process = start(folder, *page, "--host", host, "--load-results", "load.json", *options)
    with process, httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        try:
            until = time.monotonic() + 30
            while True:
                try:
                    client.get("/").raise_for_status()
                except httpx.TransportError:
                    assert time.monotonic() < until
                    time.sleep(0.2)
                else:
                    break
            yield client
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def target() -> Iterator[str]:
    with reference("--ttft-ms", "20", "--itl-ms", "2") as url:
        yield url


@pytest.fixture
def page(target: str, tmp_path: Path) -> Iterator[httpx.Client]:
    """The web page of a Locust that runs alone."""
    with browsing(tmp_path, target) as client:
        yield client


def results(folder: Path) -> dict[str, object]:
    """The results, once they are there."""
    until = time.monotonic() + 20
    while not (folder / "load.json").exists():
        assert time.monotonic() < until
        time.sleep(0.1)
    found: dict[str, object] = json.loads((folder / "load.json").read_text("utf-8"))
    return found


def test_a_run_of_the_web_page(page: httpx.Client, tmp_path: Path) -> None:
    shown = html.unescape(page.get("/").text)
    assert KEY not in shown
    for option in OPTIONS:
        assert f'"{option.name.replace("-", "_")}"' in shown
    form = {"user_count": "3", "spawn_rate": "3", "host": "", "max_tokens": "5", "slo": ""}
    form |= {"model": "", "goodput": "", "api_key": "", "temperature": "", "rate": "0"}
    started = page.post("/swarm", data={**form, "host": "no base URL"}).json()
    assert started["success"]
    time.sleep(2)
    assert not (tmp_path / "load.json").exists()  # refused in the log, nothing was sent
    host = json.loads(shown.split('"host": ')[1].split(",")[0])
    assert page.post("/swarm", data={**form, "host": host}).json()["success"]
    time.sleep(3)
    page.post("/stop")
    made = results(tmp_path)
    models = made["models"]
    assert isinstance(models, dict)
    assert models[MODEL]["ok"] > 0
    assert models[MODEL]["failures"] == {}
    assert KEY not in json.dumps(made)
    assert KEY not in html.unescape(page.get("/").text)


def waiting_for(page: httpx.Client, what: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """Locust's own statistics, once they say so."""
    until = time.monotonic() + 30
    while True:
        stats: dict[str, Any] = page.get("/stats/requests").json()
        if what(stats):
            return stats
        assert time.monotonic() < until, stats
        time.sleep(0.2)


def test_a_distributed_run_of_the_web_page(target: str, tmp_path: Path) -> None:
    port = str(unused_port())
    with browsing(tmp_path, target, "--master", "--master-bind-port", port) as page:
        workers = [
            start(tmp_path, "--worker", "--master-port", port, "--api-key", KEY) for _ in range(2)
        ]
        try:
            waiting_for(page, lambda stats: len(stats["workers"]) == 2)
            form = {"user_count": "4", "spawn_rate": "4", "host": target, "max_tokens": "5"}
            form |= {"model": MODEL, "slo": "ttft_p50<10s", "budget_requests": "0"}
            assert page.post("/swarm", data=form).json()["success"]
            shown = waiting_for(page, lambda stats: stats["total_rps"] > 0)
            assert {worker["state"] for worker in shown["workers"]} == {"running"}
            assert [row["name"] for row in shown["stats"]] == [MODEL, "Aggregated"]
            assert page.post("/stop").json()["success"]
            made: Any = results(tmp_path)
            model = made["models"][MODEL]
            # Locust counts what it was told of: all but what the end of the run cut off.
            waiting_for(page, lambda stats: stats["stats"][0]["num_requests"] == model["ok"])
            report = page.get("/stats/requests/csv").text
            assert KEY not in report + page.get("/stats/report").text + page.get("/").text
        finally:
            for worker in workers:
                worker.terminate()
                worker.wait(20)
    assert (made["load"]["workers"], made["validity"]["lost_requests"]) == (2, 0)
    assert (made["load"]["users"], made["validity"]["dead_workers"]) == (4, [])
    assert model["ok"] > 0
    assert model["failures"] == {}
    assert made["slo"][0]["target"] == "ttft_p50<10s"
    [row] = [row for row in csv.DictReader(io.StringIO(report)) if row["Name"] == MODEL]
    assert int(row["Request Count"]) == model["ok"]
    assert KEY not in json.dumps(made)
