"""The search for the highest rate: an interval, and no answer from a run that decides nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import schemas
from load.stages import Stage, users_at
from load.sweep import Found, confirm, main, said, search
from load.sweep_results import margins
from reports.load import page as load_page
from tests.load.running import reference


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
    answer = {"held": 12.0, "broken": 13.0, "unknown": None, "targets": [row]}
    text = said({**answer, "confidence": {"held": 3, "of": 3, "share": [0.4385, 1.0]}})
    assert "hold at 12 requests/s, and not at 13: in 3 of 3 runs" in text
    assert "with 95 % confidence in 44% or more" in text
    assert "ttft_p95<500ms for m: seen 300, 310; 95 % within 280 to 350" in text


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
    assert "sk-load" not in answer["command"]
    if status == 0:
        assert answer["confidence"]["of"] == 2
        assert (tmp_path / f"sweep-{answer['held']:g}-2.json").exists()


def test_users_follow_the_table_of_stages() -> None:
    table = [Stage(10, 20), Stage(5, 20), Stage(5, 100, at_once=True), Stage(10, 0)]
    seen = [users_at(table, moment) for moment in (0, 5, 9.9, 12, 15, 19.9, 25, 29.9, 30)]
    assert seen == [1, 10, 20, 20, 100, 100, 50, 1, None]
    assert users_at([], 0) is None
