"""When INVALID windows make a run INVALID: the decision as a table, and whole runs."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

import schemas
from load import facts, reliance, results
from load.histogram import Histogram
from load.metrics import OWN, STEADY
from load.reliance import Shift
from load.summary import summary
from load.windows import LENGTH
from tests.load import test_windows
from tests.load.test_gather import MS, SECOND, settings
from tests.load.test_windows import START


def shift(run: float, low: float, high: float, metric: str = "ttft") -> Shift:
    """In milliseconds."""
    return Shift("m", metric, 95, run * MS, low * MS, high * MS)


@pytest.mark.parametrize(
    ("valid", "seconds", "moved", "error_ms", "rules"),
    [
        (0, 0, [], 0, []),  # no whole second: nothing to say
        (60, 60, [], 0, []),
        (30, 60, [], 0, []),  # half is enough
        (29, 60, [], 0, ["windows"]),
        (0, 5, [], 0, ["windows"]),
        (60, 60, [shift(104, 90, 100)], 0, []),  # 4 % outside
        (60, 60, [shift(110, 90, 100)], 0, ["shifted"]),
        (60, 60, [shift(80, 90, 100)], 0, ["shifted"]),  # below it, too
        (60, 60, [shift(110, 90, 100)], 10, []),  # the error bar holds it
        (60, 60, [shift(110, 90, 100)], None, ["shifted"]),
        (10, 60, [shift(110, 90, 100)], 0, ["windows", "shifted"]),
    ],
)
def test_when_windows_speak_against_a_run(
    valid: int, seconds: int, moved: list[Shift], error_ms: float | None, rules: list[str]
) -> None:
    error = None if error_ms is None else error_ms * MS
    found = reliance.reasons(valid, seconds, moved, error)
    assert [reason.rule for reason in found] == rules
    assert all(reason.what and reason.spoils for reason in found)


def test_the_worst_shift_is_told_and_the_others_are_counted() -> None:
    moved = [shift(110, 90, 100), shift(300, 90, 100, "e2e"), shift(101, 90, 100, "itl")]
    [reason] = reliance.reasons(60, 60, moved, 0)
    assert reason.what == ("e2e p95 of m is 300 ms, over VALID windows alone 90 to 100 ms; 1 more")
    assert reason.spoils == "ttft, e2e"


def of(*parts: tuple[float, int]) -> dict[str, Histogram]:
    made = Histogram()
    for value, count in parts:
        made.extend([int(value * MS)] * count)
    return {"ttft": made}


@pytest.mark.parametrize(
    ("run", "valid", "percents"),
    [
        (of((100, 700)), of((100, 600)), []),
        (of((100, 700), (900, 5)), of((100, 700)), []),  # p99 is not reached
        (of((100, 700), (900, 20)), of((100, 700)), [99]),
        (of((100, 700), (900, 300)), of((100, 700)), [90, 95, 99]),
        (of((100, 50), (900, 30)), of((100, 50)), []),  # 50 do not carry p90
        (of((100, 700), (900, 300)), {}, []),  # no VALID sample: `windows` speaks
    ],
)
def test_what_is_compared_is_what_samples_carry(
    run: dict[str, Histogram], valid: dict[str, Histogram], percents: list[int]
) -> None:
    found = reliance.shifts("m", run, valid)
    assert [s.percent for s in found if s.outside > 0.05 * s.run] == percents


def test_a_run_is_invalid_where_less_than_half_of_it_is_valid() -> None:
    run = test_windows.run(cpu=0.3, windows=5)
    for start in (1000, 1005, 1010):
        run.book.window(OWN, STEADY, start).counts["cpu_ns/0"] = LENGTH * SECOND
    made = results.build(run)
    assert schemas.violations("load_results", json.loads(json.dumps(made))) == []
    assert made["validity"]["verdict"] == "INVALID"
    assert [reason["rule"] for reason in made["validity"]["reasons"]] == ["windows"]
    assert "windows: 10 of 25 s lie in VALID windows, less than half" in summary(made)


def test_a_run_is_invalid_where_its_invalid_windows_carry_a_figure() -> None:
    run = test_windows.run(cpu=0.99, windows=30)  # in the second one TTFT is 900 ms, else 100
    assert facts.judge(run).verdict.valid  # 20 of 600 samples: they reach no percentile
    window = run.book.window("m", STEADY, START + LENGTH)
    window.hist("ttft").extend([900 * MS] * 40)
    [reason] = facts.judge(run).verdict.reasons
    assert (reason.rule, reason.spoils) == ("shifted", "ttft")
    assert "ttft p95 of m is 897.5 ms, over VALID windows alone 100 to 100 ms" in reason.what
    targeted = replace(run, settings=settings(slo=["ttft_p50<1s"]))
    assert [row["verdict"] for row in results.build(targeted)["slo"]] == ["inconclusive"]
