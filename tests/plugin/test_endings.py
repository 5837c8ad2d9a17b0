"""Runs that do not go to their end: the target hangs, dies, or the user has enough."""

import threading
from pathlib import Path

import pytest

import schemas
from tests.plugin.bench import ROOT, Ran, canned, interrupted, lists_and_resets, run
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
    assert set(ran.verdicts().values()) == {"INCONCLUSIVE"}
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
    assert list(found.values()).count("INCONCLUSIVE") > 5
    assert "BLOCKED" not in found.values()  # no clause is broken
    assert "the target stopped answering: connection refused" in ran.out
    assert ran.results()["interrupted"] is False
    assert not schemas.violations("results", ran.results())


def test_a_target_that_lists_its_models_and_answers_no_more(tmp_path: Path) -> None:
    chosen = ("CC-HTTP-001", "CC-RESP-002", "CC-ERR")
    words = [word for clause in chosen for word in ("--requirement", clause)]
    with serve(lists_and_resets(20)) as tiny:
        ran = run(tmp_path, "--target-url", tiny.url, "--timeout", "5", "--examples", "0", *words)
    found = ran.results()["requirements"]
    reasons = [one["evidence"]["reason"] for one in found if one["verdict"] == "INCONCLUSIVE"]
    assert ran.status == 6
    assert ran.verdicts()["CC-HTTP-001", "m"] == "PASS"
    assert "BLOCKED" not in ran.verdicts().values()  # no clause is broken
    assert len(reasons) > 10
    assert all("the model stopped answering: connection closed" in reason for reason in reasons)
    assert all("while GET /models is answered by 200" in reason for reason in reasons)


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


STRUCK = """
import signal

def pytest_runtest_makereport(call):
    if call.when == "call":
        signal.raise_signal(signal.SIGTERM)

def pytest_keyboard_interrupt():
    raise SystemError("AST constructor recursion depth mismatch")
"""
"""A signal while a report is made; and pytest cannot look up what was struck, as on Python 3.11."""


def test_a_report_that_is_being_made_is_made_and_no_other_check_begins(
    url: str, tmp_path: Path
) -> None:
    (tmp_path / "struck.py").write_text(STRUCK, "utf-8")
    where = {"PYTHONPATH": f"{tmp_path}:{ROOT}"}
    ran = run(tmp_path, "-p", "struck", "--target-url", url, "--examples", "0", *CHAPTER, env=where)
    assert ran.status == 2
    assert list(ran.verdicts().values()) == ["PASS"]
    assert ran.results()["interrupted"] is True
    assert "Error" not in ran.said


def test_a_file_of_checks_that_cannot_be_read_is_no_interruption(url: str, tmp_path: Path) -> None:
    (tmp_path / "test_broken.py").write_text("import no_such_module_anywhere\n", "utf-8")
    ran = run(tmp_path, "test_broken.py", "--target-url", url, "--requirement", "CC-RESP-002")
    assert "no_such_module_anywhere" in ran.out
    assert ran.status == 3


def test_the_results_of_a_run_that_goes_on_are_not_taken_by_another(tmp_path: Path) -> None:
    second: list[Ran] = []

    def start_another(tiny: Tiny) -> None:
        second.append(run(tmp_path, "--target-url", tiny.url, *CHAPTER))
        tiny.die()

    with serve(canned(3, start_another)) as tiny:
        first = run(tmp_path, "--target-url", tiny.url, "--model", "m", *CHAPTER)
    place = tmp_path / "reports/out/results.json"
    assert second[0].complaint.startswith(f"another run that is under way writes to {place}")
    assert second[0].status == 4
    assert first.results()["interrupted"] is False
    assert not place.with_name("results.json.journal").exists()
