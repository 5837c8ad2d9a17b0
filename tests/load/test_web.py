"""Locust's web page: a field for each option, the live view, the key in none of them, and runs."""

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
from tests.load.agreement import assert_figures_agree
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
            until = time.monotonic() + 90
            while True:
                try:
                    client.get("/")
                except httpx.TransportError:
                    assert process.poll() is None, "it has ended"
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


def live(page: httpx.Client, what: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """The live view, once it says so; the key is never in it."""
    until = time.monotonic() + 30
    while True:
        answer = page.get("/chat/live.json").raise_for_status()
        assert KEY not in answer.text
        view: dict[str, Any] = answer.json()
        if what(view):
            return view
        assert time.monotonic() < until, view
        time.sleep(0.2)


def assert_view_is_of(view: dict[str, Any], made: dict[str, Any]) -> None:
    """When a run is over, the live view says what the results say."""
    assert [row["model"] for row in view["models"]] == sorted(made["models"])
    assert_figures_agree(view, made)
    assert view["run"] == made["run"]
    assert view["validity"]["verdict"] == made["validity"]["verdict"]
    assert view["validity"]["reasons"] == made["validity"]["reasons"]
    assert view["slo"] == made["slo"]


def test_a_run_of_the_web_page(page: httpx.Client, tmp_path: Path) -> None:
    shown = html.unescape(page.get("/").text)
    assert '<script src="./chat/tab.js">' in shown
    assert '"title": "Models"' in shown
    assert page.get("/chat/live.json").json()["state"] == "ready"
    assert page.get("/chat/load.json").status_code == 409
    for name in ("", "live.css", "live.js", "charts.js", "tab.js", "uPlot.iife.min.js"):
        assert page.get(f"/chat/{name}").raise_for_status().content
    assert page.get("/chat/uPlot.LICENSE").status_code == 404
    assert KEY not in shown
    for option in OPTIONS:
        assert f'"{option.name.replace("-", "_")}"' in shown
    form = {"user_count": "3", "spawn_rate": "3", "host": "", "max_tokens": "5", "slo": ""}
    form |= {"model": "", "goodput": "", "api_key": "", "temperature": "", "rate": "0"}
    started = page.post("/swarm", data={**form, "host": "no base URL"}).json()
    assert started["success"]
    time.sleep(2)
    assert not (tmp_path / "load.json").exists()  # refused in the log, nothing was sent
    assert "base URL" in page.get("/chat/live.json").json()["problem"]
    host = json.loads(shown.split('"host": ')[1].split(",")[0])
    assert page.post("/swarm", data={**form, "host": host}).json()["success"]
    view = live(page, lambda view: view.get("models") and view["models"][0]["ok"])
    assert (view["state"], view["over"], view["problem"]) == ("running", False, "")
    assert page.get("/chat/load.json").status_code == 409
    page.post("/stop")
    made: Any = results(tmp_path)
    view = live(page, lambda view: view["over"])
    assert_view_is_of(view, made)
    assert page.get(f"/chat/live.json?since={view['mark']}").json()["points"] == []
    assert page.get("/chat/load.json").json() == made
    assert page.get("/chat/load.csv").text == (tmp_path / "load.csv").read_text("utf-8")
    report = page.get("/chat/load.html").raise_for_status()
    assert "attachment" in report.headers["content-disposition"]
    assert html.escape(MODEL) in report.text
    assert KEY not in report.text
    page.post("/stats/reset").raise_for_status()
    assert live(page, lambda view: view["reset_at"])["models"] == []
    assert page.get("/chat/load.json").json() == made  # of the whole run
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
            now = live(page, lambda view: view.get("workers") == 2 and view["models"])
            assert (now["dead"], now["over"]) == ([], False)
            assert page.post("/stop").json()["success"]
            made: Any = results(tmp_path)
            assert_view_is_of(live(page, lambda view: view["over"]), made)
            assert page.get("/chat/load.json").json() == made
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


LOGIN = """
import flask, flask_login
from locust import events
from load.chat import Chat

@events.init.add_listener
def guard(environment, **_):
    app, ui = environment.web_ui.app, environment.web_ui
    app.secret_key = "for this test"
    ui.login_manager.user_loader(lambda name: None if name != "ann" else Ann())

    @app.route("/enter")
    def enter():
        flask_login.login_user(Ann())
        return "welcome"

class Ann(flask_login.UserMixin):
    def get_id(self):
        return "ann"
"""


def test_the_login_of_the_web_page_protects_the_live_view_too(target: str, tmp_path: Path) -> None:
    (tmp_path / "guarded.py").write_text(LOGIN, "utf-8")
    with browsing(tmp_path, target, "--web-login", "-f", "guarded.py") as page:
        for name in ("", "live.json", "load.json", "load.html", "live.js", "tab.js"):
            refused = page.get(f"/chat/{name}")
            assert (refused.status_code, "/login" in refused.headers["location"]) == (302, True)
        page.get("/enter").raise_for_status()
        assert page.get("/chat/live.json").json()["state"] == "ready"
        assert page.get("/chat/load.json").status_code == 409
        assert "chat/tab.js" in page.get("/").text
