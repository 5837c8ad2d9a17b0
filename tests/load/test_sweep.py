"""The search for the highest rate: an interval, and no answer from a run that decides nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from load.stages import Stage, users_at
from load.sweep import main, search
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
    assert found.broken is not None


@pytest.mark.slow
def test_a_sweep_of_a_real_server(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TARGET_API_KEY", "sk-load-9f1c2e7d5a")
    with reference("--ttft-ms", "20") as url:
        status = main(
            [
                *("--host", url, "--slo", "failures<50%", "--start", "5", "--most", "10"),
                *("--seconds", "3", "--out", str(tmp_path), "--max-tokens", "5"),
            ]
        )
    said = capfd.readouterr().out
    assert status in (0, 6), said
    assert "5 requests/s: " in said
    assert (tmp_path / "sweep-5.json").exists()


def test_users_follow_the_table_of_stages() -> None:
    table = [Stage(10, 20), Stage(5, 20), Stage(5, 100, at_once=True), Stage(10, 0)]
    seen = [users_at(table, moment) for moment in (0, 5, 9.9, 12, 15, 19.9, 25, 29.9, 30)]
    assert seen == [1, 10, 20, 20, 100, 100, 50, 1, None]
    assert users_at([], 0) is None
