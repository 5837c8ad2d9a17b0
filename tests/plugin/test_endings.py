"""Runs that do not go to their end: the target hangs, dies, or the user has enough."""

import threading
from pathlib import Path

import pytest

import schemas
from tests.plugin.bench import canned, interrupted, run
from tests.wire.tiny import Tiny, serve

CHAPTER = ("--requirement", "CC-RESP", "--requirement", "CC-STREAM")


@pytest.mark.parametrize(
    "named", [(), ("--model", "m"), ("--model", "m", "-n", "1")], ids=["-", "named", "worker"]
)
def test_a_target_that_accepts_and_never_answers(named: tuple[str, ...], tmp_path: Path) -> None:
    with serve(canned(0, lambda tiny: tiny.hold())) as tiny:
        ran = run(tmp_path, "--target-url", tiny.url, "--timeout", "1", *CHAPTER, *named)
        asked = len(tiny.received)
    assert ran.status == 6
    assert set(ran.verdicts().values()) == {"BLOCKED"}
    assert asked <= 3  # not the timeout once per check
    assert "no complete reply in time" in ran.out
    assert ran.results()["verdict"] == "inconclusive"


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "worker"])
def test_a_target_that_dies_midway(workers: tuple[str, ...], tmp_path: Path) -> None:
    # The first clause is kept, so that nothing is asked again, and the others ask for much more.
    chosen = ("--requirement", "CC-RESP-002", "--requirement", "CC-ERR", "--examples", "0")
    with serve(canned(20, Tiny.die)) as tiny:
        ran = run(tmp_path, "--target-url", tiny.url, "--timeout", "5", *chosen, *workers)
    found = ran.verdicts()
    assert ran.status in (1, 6)
    assert "PASS" in found.values()
    assert list(found.values()).count("BLOCKED") > 5
    assert "the target stopped answering: connection refused" in ran.out
    assert ran.results()["interrupted"] is False
    assert not schemas.violations("results", ran.results())


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "worker"])
def test_ctrl_c_leaves_results_of_what_was_judged(workers: tuple[str, ...], tmp_path: Path) -> None:
    reached = threading.Event()

    def stall(tiny: Tiny) -> None:
        reached.set()
        tiny.hold()

    with serve(canned(5, stall)) as tiny:
        arguments = ("--target-url", tiny.url, "--timeout", "60", *CHAPTER, *workers)
        ran = interrupted(tmp_path, lambda: reached.wait(60), *arguments)
    results = ran.results()
    assert ran.status == 2
    assert results["interrupted"] is True
    assert results["verdict"] != "conformant"
    assert not schemas.violations("results", results)
    assert "Traceback" not in ran.said
    assert "Stopped: by Ctrl-C" in ran.out
    assert ".py:" not in ran.out  # no source line of ours
    assert "interrupted" in (tmp_path / "reports/out/compliance.html").read_text("utf-8").lower()
