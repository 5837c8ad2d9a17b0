"""The search for the highest rate: an interval, and no answer from a run that decides nothing."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import schemas
from load.search import INTERRUPTED, Found, confirm, search
from load.stages import Stage, users_at
from load.sweep import main
from load.sweep_results import margins
from load.sweep_run import Progress, Stop, run
from load.sweep_words import found as found_in
from load.sweep_words import said
from reports.load import page as load_page
from tests.load.running import ROOT, reference
from tests.reports import load_sample as sample
from tests.wire.tiny import unused_port


@pytest.mark.parametrize("limit", [0.3, 1.0, 7.0, 11.0, 63.9])
def test_the_interval_holds_the_limit(limit: float) -> None:
    found = search(lambda rate: "held" if rate <= limit else "broken", 1, precision=0.05, most=1000)
    assert found.broken is not None
    assert (found.held or 0) <= limit < found.broken
    assert found.broken - (found.held or 0) <= 0.05 * found.broken
    assert len(found.runs) < 25


def test_a_limit_beyond_the_most_is_no_limit() -> None:
    found = search(lambda rate: "held", 3, precision=0.1, most=20)
    assert (found.held, found.broken) == (20, None)
    assert [rate for rate, _ in found.runs] == [3, 6, 12, 20]


def test_a_run_that_decides_nothing_ends_the_search() -> None:
    found = search(lambda rate: "held" if rate < 4 else "inconclusive", 1, precision=0.1, most=99)
    assert (found.held, found.broken, found.unknown) == (2, None, 4)


def test_a_target_that_never_holds_is_not_sought_for_ever() -> None:
    found = search(lambda rate: "broken", 8, precision=0.1, most=99)
    assert found.held is None
    assert [rate for rate, _ in found.runs] == [8, 4, 2, 1, 0.5]


def test_a_rate_that_holds_by_luck_does_not_hold() -> None:
    found = Found(held=8.0, broken=10.0, runs=[(4.0, "held"), (8.0, "held"), (10.0, "broken")])
    confirm(lambda rate: "held" if rate < 8 else "broken", found, runs=3)
    assert (found.held, found.broken, found.unknown) == (4.0, 8.0, None)
    assert (found.times(4.0), found.times(8.0)) == ((3, 3), (1, 2))


def test_a_rate_that_never_holds_again_leaves_none() -> None:
    found = Found(held=8.0, runs=[(8.0, "held")])
    confirm(lambda rate: "broken", found, runs=2)
    assert (found.held, found.broken) == (None, 8.0)
    doubtful = Found(held=8.0, runs=[(8.0, "held")])
    confirm(lambda rate: "inconclusive", doubtful, runs=2)
    assert (doubtful.held, doubtful.unknown) == (8.0, 8.0)


def test_an_answer_says_how_sure_it_is() -> None:
    def run(seen: float, low: float, high: float) -> dict[str, Any]:
        outcome = {"target": "ttft_p95<500ms", "model": "m", "verdict": "held", "seen": seen}
        return {"slo": [outcome], "models": {"m": {"ttft_ms": {"ci95": {"p95": [low, high]}}}}}

    [row] = margins([run(300, 280, 330), run(310, 290, 350)])
    assert row == {
        "target": "ttft_p95<500ms",
        "model": "m",
        "seen": [300, 310],
        "interval": [280, 350],
    }
    answer = {"held": 12.0, "broken": 13.0, "unknown": None, "targets": [row], "state": "over"}
    text = said({**answer, "confidence": {"held": 3, "of": 3, "share": [0.4385, 1.0]}})
    assert "hold at 12 requests/s, and not at 13: in 3 of 3 runs" in text
    assert "with 95 % confidence in 44% or more" in text
    assert "ttft_p95<500ms for m: seen 300, 310; 95 % within 280 to 350" in text


# --- a sweep that is interrupted ------------------------------------------------------------------


def test_a_run_that_is_interrupted_counts_for_nothing() -> None:
    verdicts = iter(["held", "held", INTERRUPTED])
    found = search(lambda rate: next(verdicts), 1, precision=0.1, most=99)
    assert (found.held, found.broken, found.unknown) == (2, None, None)
    assert found.interrupted
    assert not found.goes_on()
    assert found.runs == [(1, "held"), (2, "held")]
    confirm(lambda rate: pytest.fail("it is over"), found, runs=3)
    doubtful = Found(held=8.0, broken=10.0, runs=[(8.0, "held")])
    confirm(lambda rate: INTERRUPTED, doubtful, runs=3)
    assert (doubtful.held, doubtful.times(8.0), doubtful.interrupted) == (8.0, (1, 1), True)


SLEEP = "import signal, sys, time; signal.signal(signal.SIGTERM, {}); print(1, flush=True); "


@pytest.mark.parametrize(
    ("handler", "signals"),
    [
        ("lambda *_: sys.exit(0)", [signal.SIGINT]),
        ("signal.SIG_IGN", [signal.SIGTERM, signal.SIGINT]),  # the second ends it at once
    ],
)
def test_a_signal_ends_the_run_and_not_the_sweep(
    handler: str, signals: list[signal.Signals], tmp_path: Path
) -> None:
    log = tmp_path / "log"
    command = [sys.executable, "-c", SLEEP.format(handler) + "time.sleep(60)"]

    def tick(passed: float) -> None:
        if signals and "1" in log.read_text("utf-8"):
            while signals:
                signal.raise_signal(signals.pop())

    began, before = time.monotonic(), signal.getsignal(signal.SIGINT)
    with Stop().heeded() as stop:
        assert run(command, {}, log, stop, tick) is None
    assert stop.asked > 0
    assert time.monotonic() - began < 50
    assert signal.getsignal(signal.SIGINT) is before


def test_a_run_has_its_status_and_leaves_nobody_behind(tmp_path: Path) -> None:
    child = "import time; time.sleep(60)"
    code = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {child!r}]); exit(6)"
    assert run([sys.executable, "-c", code], {}, tmp_path / "log", Stop(), lambda _: None) == 6


def test_progress_is_written_anew_on_a_terminal_alone() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for out, text in (
        (io.StringIO(), "8: held\n"),
        (Terminal(), "\r8: 1 s\x1b[K\r8: 2 s\x1b[K\r\x1b[K8: held\n"),
    ):
        progress = Progress(out)
        progress.passing("8: 1 s")
        progress.passing("8: 2 s")
        progress.final("8: held")
        assert out.getvalue() == text
    wide = Terminal()
    Progress(wide).passing("x" * 5000)
    assert len(wide.getvalue()) < 5000


def outcome(verdict: str, seen: float | None, why: str = "", target: str = "t<5ms") -> Any:
    return {"target": target, "model": "m", "verdict": verdict, "seen": seen, "why": why}


@pytest.mark.parametrize(
    ("reasons", "outcomes", "log", "line"),
    [
        ([], [outcome("held", 3)], "", "t<5ms: seen 3"),
        ([], [outcome("held", 3), outcome("broken", 7)], "", "t<5ms: seen 7"),
        (
            [],
            [outcome("held", 9, target="r>5"), outcome("held", 6, target="r>5")],
            "",
            "r>5: seen 6",
        ),
        ([], [outcome("inconclusive", None, "8 samples")], "", "t<5ms: 8 samples"),
        ([("cpu", "0.99")], [outcome("inconclusive", 3)], "", "cpu: 0.99"),
        (None, [], "x\nload: no model is known\nTraceback\n", "no model is known"),
        (None, [], "usage\nlocust: error: \x1b[31m--x\n\n", "locust: error: \ufffd[31m--x"),
        (None, [], "", "it said nothing"),
    ],
)
def test_a_line_says_what_a_run_found(
    reasons: list[tuple[str, str]] | None, outcomes: list[Any], log: str, line: str
) -> None:
    made = reasons is not None and {
        "validity": {"reasons": [{"rule": rule, "what": what} for rule, what in reasons]},
        "slo": outcomes,
    }
    assert found_in(made or None, log) == line


def start(folder: Path, *options: str) -> subprocess.Popen[str]:
    """A sweep in a process of its own, whose SIGINT is as a terminal's."""
    reset = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    code = f"{reset}from load.sweep import main; sys.exit(main())"
    return subprocess.Popen(
        [sys.executable, "-c", code, *options, "--out", str(folder / "out")],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_a_sweep_that_is_interrupted_keeps_what_it_has(tmp_path: Path) -> None:
    with reference("--ttft-ms", "20") as url:
        limits = ("--slo", "failures<=100%", "--seconds", "3600", "--model", "m")
        sweep = start(tmp_path, "--host", url, *limits)
        assert sweep.stdout is not None
        assert sweep.stdout.readline().startswith(f"Sweep of {url}: from 1 requests/s")
        state = tmp_path / "out" / "sweep.json"
        until = time.monotonic() + 30
        while not (tmp_path / "out" / "sweep-1.log").exists() and time.monotonic() < until:
            time.sleep(0.05)
        assert json.loads(state.read_text("utf-8"))["state"] == "running"
        sweep.send_signal(signal.SIGINT)
        out = sweep.communicate(timeout=40)[0]
    assert sweep.returncode == 6, out
    assert "1 requests/s: interrupted, not counted\nInterrupted: the search was" in out
    assert "Traceback" not in out
    answer = json.loads(state.read_text("utf-8"))
    assert schemas.violations("load_sweep", answer) == []
    assert (answer["state"], answer["steps"]) == ("interrupted", [])
    assert load_page.read(tmp_path / "out" / "sweep.html") == answer
    assert not (tmp_path / "out" / "sweep-1.json").exists()


def test_the_rates_that_are_done_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    statuses = iter([0, 0, 1, None])  # held, held, broken, interrupted
    states: list[tuple[str, int]] = []

    def ran(command: list[str], environ: Any, log: Path, *_: Any) -> int | None:
        known = json.loads((tmp_path / "sweep.json").read_text("utf-8"))
        states.append((known["state"], len(known["steps"])))
        made = sample.run(["m"], seconds=10, targets=["failures<50%"])
        Path(command[command.index("--load-results") + 1]).write_text(json.dumps(made), "utf-8")
        log.write_text("", "utf-8")
        return next(statuses)

    monkeypatch.setattr("load.sweep.run", ran)
    limits = ("--slo", "failures<50%", "--start", "5", "--seconds", "10")
    assert main(["--host", "http://h/v1", *limits, "--out", str(tmp_path)]) == 6
    assert states == [("running", number) for number in range(4)]
    answer = json.loads((tmp_path / "sweep.json").read_text("utf-8"))
    assert schemas.violations("load_sweep", answer) == []
    assert (answer["state"], answer["held"], answer["broken"]) == ("interrupted", 10, 20)
    assert [step["rate"] for step in answer["steps"]] == [5, 10, 20]
    assert load_page.read(tmp_path / "sweep.html") == answer
    assert not (tmp_path / "sweep-15.json").exists()
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == f"5 requests/s: held: failures<50%: seen 0 ({tmp_path / 'sweep-5.json'})"
    assert lines[4:6] == [
        "15 requests/s: interrupted, not counted",
        "Interrupted: the search was not finished",
    ]
    assert lines[6].startswith("The targets hold at 10 requests/s, and not at 20: in 1 of 1 runs")


def test_a_sweep_of_nobody_says_so_in_one_line(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{unused_port()}/v1"
    sweep = start(tmp_path, "--host", url, "--slo", "failures<1%", "--seconds", "2")
    out = sweep.communicate(timeout=40)[0]
    assert sweep.returncode == 2, out
    [line] = [line for line in out.splitlines() if line.startswith("1 requests/s: ")]
    assert "failed with status 2: no model is known: give --model ID (GET /models: refused" in line


@pytest.mark.parametrize(
    "options",
    [
        *(("--most", "inf"), ("--start", "nan"), ("--seconds", "0"), ("--slo", "ttft<5")),
        ("--out", "/proc/none"),
    ],
)
def test_what_a_sweep_cannot_use_is_one_line(
    options: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--host", "http://h/v1", "--slo", "failures<1%", *options])
    assert left.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("python -m load.sweep: error: ")


# --- a sweep that is not --------------------------------------------------------------------------


@pytest.mark.slow
def test_a_sweep_of_a_real_server(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TARGET_API_KEY", "sk-load-9f1c2e7d5a")
    with reference("--ttft-ms", "20") as url:
        status = main(
            [
                *("--host", url, "--slo", "failures<50%", "--start", "5", "--most", "10"),
                *("--seconds", "3", "--out", str(tmp_path), "--max-tokens", "5", "--runs", "2"),
            ]
        )
    said = capfd.readouterr().out
    assert status in (0, 6), said
    assert "5 requests/s: " in said
    assert (tmp_path / "sweep-5.json").exists()
    answer = json.loads((tmp_path / "sweep.json").read_text("utf-8"))
    assert schemas.violations("load_sweep", answer) == []
    assert load_page.read(tmp_path / "sweep.html") == answer
    assert answer["steps"][0]["rate"] == 5
    assert answer["state"] == "over"
    assert "sk-load" not in answer["command"]
    if status == 0:
        assert answer["confidence"]["of"] == 2
        assert (tmp_path / f"sweep-{answer['held']:g}-2.json").exists()


def test_users_follow_the_table_of_stages() -> None:
    table = [Stage(10, 20), Stage(5, 20), Stage(5, 100, at_once=True), Stage(10, 0)]
    seen = [users_at(table, moment) for moment in (0, 5, 9.9, 12, 15, 19.9, 25, 29.9, 30)]
    assert seen == [1, 10, 20, 20, 100, 100, 50, 1, None]
    assert users_at([], 0) is None
