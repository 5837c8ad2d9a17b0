"""Master and workers as processes of their own, and one that dies."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.load.running import KEY, MODEL, ROOT, reference
from tests.wire.tiny import unused_port

pytestmark = pytest.mark.slow


SPAWNED = '{"Chat": '  # Locust has other words where a worker was slow to say so


@pytest.fixture(scope="module")
def target() -> Iterator[str]:
    with reference("--ttft-ms", "20", "--itl-ms", "2") as url:
        yield url


def start(folder: Path, name: str, *options: str) -> subprocess.Popen[str]:
    """A Locust of its own; what it says goes to a file."""
    command = [sys.executable, "-m", "locust", "-f", str(ROOT / "load" / "chat.py"), *options]
    with (folder / name).open("w", encoding="utf-8") as said:
        return subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, "TARGET_API_KEY": KEY, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            text=True,
        )


def spread(target: str, folder: Path, *options: str) -> list[subprocess.Popen[str]]:
    """A master and two workers."""
    port = str(unused_port())
    master = ["--master", "--expect-workers", "2", "--master-bind-port", port]
    master += ["--headless", "-u", "4", "-r", "4", "--host", target, "--model", MODEL]
    master += ["--max-tokens", "10", "--load-results", "load.json", "--no-page", *options]
    worker = ("--worker", "--master-port", port)
    return [
        start(folder, "master", *master),
        start(folder, "one", *worker),
        start(folder, "two", *worker),
    ]


def end(processes: list[subprocess.Popen[str]]) -> None:
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.wait()


def wait_for(path: Path, text: str) -> None:
    until = time.monotonic() + 30
    while not (path.exists() and text in path.read_text("utf-8")):
        assert time.monotonic() < until, path.read_text("utf-8")
        time.sleep(0.1)


def test_separate_workers_are_gathered(target: str, tmp_path: Path) -> None:
    processes = spread(target, tmp_path, "-t", "4s", "--stop-timeout", "5")
    try:
        status = [process.wait(40) for process in processes]
    finally:
        end(processes)
    results = json.loads((tmp_path / "load.json").read_text("utf-8"))
    assert results["load"]["workers"] == 2
    assert results["validity"]["dead_workers"] == []
    assert results["validity"]["lost_requests"] == 0
    assert results["models"][MODEL]["cancelled"] == 0
    assert status == [0, 0, 0]


def test_a_worker_that_dies_is_named_and_what_it_reported_is_kept(
    target: str, tmp_path: Path
) -> None:
    processes = spread(target, tmp_path, "-t", "14s", "--slo", "ttft_p50<10s")
    try:
        wait_for(tmp_path / "master", SPAWNED)
        time.sleep(5)  # more than one report
        processes[1].send_signal(signal.SIGKILL)
        status = processes[0].wait(60)
    finally:
        end(processes)
    results = json.loads((tmp_path / "load.json").read_text("utf-8"))
    [dead] = results["validity"]["dead_workers"]
    assert dead.startswith("worker ")
    assert results["validity"]["verdict"] == "INVALID"
    assert results["slo"][0]["verdict"] == "inconclusive"
    assert status == 6
    assert results["load"]["workers"] == 1
    assert results["models"][MODEL]["requests"] > 20


def joined(target: str, folder: Path, *options: str) -> dict[str, Any]:
    """The results of a run with `options` that a second worker joins once it has begun."""
    port = str(unused_port())
    master = ["--master", "--expect-workers", "1", "--master-bind-port", port, "--max-tokens", "2"]
    master += ["--headless", "-u", "4", "-r", "4", "--host", target, "--model", MODEL]
    master += ["--stop-timeout", "5", "--load-results", "load.json", "--no-page"]
    worker = ("--worker", "--master-port", port)
    processes = [start(folder, "master", *master, "--load-raw", "raw", *options)]
    processes.append(start(folder, "one", *worker))
    try:
        wait_for(folder / "master", SPAWNED)
        processes.append(start(folder, "two", *worker))
        processes[0].wait(60)
    finally:
        end(processes)
    results: dict[str, Any] = json.loads((folder / "load.json").read_text("utf-8"))
    assert results["load"]["workers"] == 2
    return results


def test_a_worker_that_joins_a_run_gets_its_share_of_the_schedule(
    target: str, tmp_path: Path
) -> None:
    results = joined(target, tmp_path, "-t", "16s", "--rate", "40", "--arrivals", "constant")
    assert (results["validity"]["lost_requests"], results["validity"]["dead_workers"]) == (0, [])
    one, two = (
        sorted(
            json.loads(line)["sched"] for line in (tmp_path / name).read_text("utf-8").splitlines()
        )
        for name in ("raw", "raw-1")
    )
    assert 20 < len(two) < len(one)
    assert results["models"][MODEL]["requests"] == len(one) + len(two)
    # Their schedules begin with the workers, a little apart: what lies around the change is out.
    alone = [at for at in one if at < two[0] - 2e9]
    together = [at for at in one if at > two[0] + 2e9]
    assert [steps(part) for part in (alone, together, two)] == [{1}, {2}, {2}]


def test_a_worker_that_joins_is_ceded_a_part_of_the_budget(target: str, tmp_path: Path) -> None:
    bounded = ("-t", "60s", "--think-time", "0.1", "--budget-requests", "200")
    results = joined(target, tmp_path, *bounded)
    said = (tmp_path / "master").read_text("utf-8")
    assert "load: a worker joins the run, with " in said
    assert "load: the budget is spent" in said
    assert results["models"][MODEL]["requests"] == 200
    assert len((tmp_path / "raw-1").read_text("utf-8").splitlines()) > 5


def steps(moments: list[int]) -> set[int]:
    """The distances between moments, in gaps of the whole schedule."""
    return {round((later - earlier) / 25e6) for earlier, later in pairwise(moments)}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_has_its_results(
    target: str, tmp_path: Path, number: signal.Signals
) -> None:
    processes = spread(target, tmp_path)
    try:
        wait_for(tmp_path / "master", SPAWNED)
        time.sleep(2)
        processes[0].send_signal(number)
        processes[0].wait(40)
    finally:
        end(processes)
    results = json.loads((tmp_path / "load.json").read_text("utf-8"))
    assert results["validity"]["dead_workers"] == []
    assert results["models"][MODEL]["ok"] > 0
    assert results["models"][MODEL]["cancelled"] > 0
    assert "Load on" in (tmp_path / "master").read_text("utf-8")
