"""Locust's web page: a field for each option, the key in none of them, and runs that it starts."""

from __future__ import annotations

import html
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from load.options import OPTIONS
from tests.load.running import KEY, MODEL, ROOT, reference
from tests.wire.tiny import unused_port

pytestmark = pytest.mark.slow


@pytest.fixture
def page(tmp_path: Path) -> Iterator[httpx.Client]:
    """The web page of a Locust that knows the key from its command line."""
    port = unused_port()
    with reference("--ttft-ms", "20", "--itl-ms", "2") as url:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "locust", "-f", str(ROOT / "load" / "chat.py")),
                *("--web-host", "127.0.0.1", "--web-port", str(port), "--api-key", KEY),
                *("--host", url, "--load-results", "load.json"),
            ],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), "TARGET_API_KEY": ""},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        with (
            process,
            httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
        ):
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
            process.terminate()


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
