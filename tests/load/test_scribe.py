"""The results of a run while it goes: what is kept, how it is marked, and that it holds no key."""

from __future__ import annotations

import io
import json
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import schemas
from load import results
from load.dictation import _environ, due
from load.facts import UNFINISHED
from load.gather import Pulse
from load.notes import Notes, Opening, secretless
from load.scribe import keep
from reports.load import head
from reports.load import page as load_page
from tests.load.running import KEY, MODEL, ROOT, reference
from tests.load.test_gather import SECOND, book, final, settings


def opening(folder: Path, **options: Any) -> Opening:
    given = {"load_results": str(folder / "load.json"), "slo": ["ttft_p50<1s"], **options}
    return Opening(settings(**given), "00c0ffee", "2.47.0", "0.1.0", "locust -u 5")


def report(requests: int = 700, at: int = 1010, oldest: int | None = None) -> dict[str, Any]:
    began = oldest and oldest * SECOND
    pulse = Pulse(0, at * SECOND, 1000 * SECOND, 1000 * SECOND + 1, began, 0.5)
    return {"run": "00c0ffee", "book": book(requests).take(), "pulse": pulse.plain()}


def test_notes_are_what_results_would_be_by_now(tmp_path: Path) -> None:
    notes = Notes(opening(tmp_path))
    assert notes.empty
    notes.take("w", report(400), users=3)
    notes.take("w", report(300), users=5)
    made = results.build(notes.facts("running"))
    assert (made["state"], made["models"]["m"]["ok"], made["load"]["users"]) == ("running", 700, 5)
    assert made["duration_s"] == 10
    over = {"run": "00c0ffee", "book": {}, "final": final(begun=700).plain()}
    notes.take("w", over, users=0)
    ended = results.build(notes.facts("over"))
    assert ended["models"] == made["models"]
    assert [(row["verdict"], row["why"]) for row in ended["slo"]] == [("held", "")]


def test_figures_reach_as_far_as_all_is_known(tmp_path: Path) -> None:
    notes = Notes(opening(tmp_path))
    notes.take("w", report(at=1010, oldest=1006), users=1)
    assert results.build(notes.facts("running"))["duration_s"] == 6


@pytest.mark.parametrize("state", UNFINISHED)
def test_no_target_of_a_run_that_is_not_over_is_decided(state: str, tmp_path: Path) -> None:
    notes = Notes(opening(tmp_path))
    notes.take("w", report(), users=1)
    made = results.build(notes.facts(state))
    assert schemas.violations("load_results", json.loads(json.dumps(made))) == []
    [row] = made["slo"]
    assert (row["verdict"], row["why"]) == ("inconclusive", UNFINISHED[state])
    assert row["seen"] == pytest.approx(100, rel=0.01)
    told = head.verdict(made)
    assert told.css == "open"
    assert told.lead == {"running": "This run goes on."}.get(state, "This run was cut off.")
    assert told.rest == (
        "What it had reported after 10 s is here; up to then it is VALID. No target is decided."
    )


def told(*frames: object) -> io.BytesIO:
    return io.BytesIO(b"".join(map(pickle.dumps, frames)))


def written(folder: Path) -> Any:
    return json.loads((folder / "load.json").read_text("utf-8"))


def test_results_and_page_are_written_and_what_follows_when_it_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[Any] = []
    write = load_page.write
    monkeypatch.setattr(load_page, "write", lambda made, where: seen.append(made["state"]))
    frames = (opening(tmp_path), ("w", report(10), 4), ("w", report(7), 4))
    keep(told(*frames), every=0)
    assert seen == ["running", "running", "cut off"]
    assert written(tmp_path)["models"]["m"]["ok"] == 17
    assert written(tmp_path)["state"] == "cut off"
    assert "the run was cut off; what it had reported is in" in capsys.readouterr().err
    monkeypatch.setattr(load_page, "write", write)
    broken = told(*frames).getvalue()[:-9]  # killed in the middle of a report
    keep(io.BytesIO(broken), every=60)
    assert written(tmp_path)["models"]["m"]["ok"] == 10
    assert load_page.read(tmp_path / "load.html") == written(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"load.json", "load.csv", "load.html"}


@pytest.mark.parametrize("frames", [(), (0,)])
def test_a_run_that_reported_nothing_leaves_nothing(
    frames: tuple[int, ...], tmp_path: Path
) -> None:
    keep(told(*(opening(tmp_path) for _ in frames)), every=0)
    assert list(tmp_path.iterdir()) == []


def test_a_scribe_is_told_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TARGET_API_KEY", KEY)
    monkeypatch.setenv("GATEWAY", "Bearer gate-77")
    profile = tmp_path / "p.toml"
    profile.write_text('name = "p"\n[headers]\nX-Token = "$GATEWAY"\n', "utf-8")
    given = settings(target_profile=str(profile), extra_body='{"user":"u"}')
    assert given.key == KEY
    told = pickle.dumps(secretless(given))
    for secret in (KEY, "gate-77"):
        assert secret.encode() not in told
        assert not any(secret in value for value in _environ(os.environ, given.secrets).values())
    assert pickle.loads(told).to.url == given.to.url


@pytest.mark.parametrize(
    ("every", "run_time", "wanted"),
    [
        *((60, None, True), (60, 0, True), (60, 61, True), (60, 60, False), (60, 20, False)),
        *((0, None, False), (0, 3600, False), (5, 20, True)),
    ],
)
def test_a_scribe_is_there_where_a_run_lasts_longer_than_an_interval(
    every: float, run_time: float | None, wanted: bool
) -> None:
    assert due(settings(page_every=every), run_time) is wanted


@pytest.fixture(scope="module")
def target() -> Iterator[str]:
    with reference("--ttft-ms", "20", "--itl-ms", "2") as url:
        yield url


def test_a_run_that_is_killed_leaves_what_it_had_reported(target: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "locust", "-f", str(ROOT / "load" / "chat.py")]
    command += ["--host", target, "--headless", "-u", "4", "-r", "10", "--model", MODEL]
    command += ["--max-tokens", "5", "--load-results", "load.json", "--page-every", "1"]
    environ = {**os.environ, "TARGET_API_KEY": KEY, "PYTHONPATH": str(ROOT)}
    with (tmp_path / "log").open("w") as log:
        running = subprocess.Popen(
            [*command, "--only-summary", "--no-page"],
            cwd=tmp_path,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    path = tmp_path / "load.json"
    until = time.monotonic() + 40
    try:
        while not path.exists():
            assert time.monotonic() < until, (tmp_path / "log").read_text("utf-8")
            time.sleep(0.1)
        first = written(tmp_path)
        assert first["state"] == "running"
        running.send_signal(signal.SIGKILL)
    finally:
        running.kill()
        running.wait()
    while written(tmp_path)["state"] != "cut off" and time.monotonic() < until:
        time.sleep(0.1)
    made = written(tmp_path)
    assert schemas.violations("load_results", made) == []
    assert made["state"] == "cut off"
    assert made["models"][MODEL]["ok"] >= first["models"][MODEL]["ok"] > 0
    assert "the run was cut off" in (tmp_path / "log").read_text("utf-8")
