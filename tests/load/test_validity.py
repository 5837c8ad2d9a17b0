"""A run's verdict on itself: each rule alone, and a clean run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from load.histogram import Histogram
from load.validity import ANCHOR_NS, Evidence, judge

MS = 1_000_000


def of(value: float, count: int = 1000) -> Histogram:
    made = Histogram()
    made.extend([int(value * MS)] * count)
    return made


def clean(*, kernel: bool = True) -> Evidence:
    return Evidence(
        kernel=kernel,
        lag=of(0.1) if kernel else Histogram(),
        loop=of(0.1),
        ttft=of(100),
        itl=of(20),
        tokens=1000,
        requests=10,
        cpu={"w0": 0.5},
    )


def rules(evidence: Evidence) -> list[str]:
    return [reason.rule for reason in judge(evidence).reasons]


@pytest.mark.parametrize("kernel", [True, False])
def test_a_clean_run_is_valid(kernel: bool) -> None:
    verdict = judge(clean(kernel=kernel))
    assert (verdict.valid, verdict.verdict) == (True, "VALID")


def test_the_error_bar_is_that_of_the_clock_in_use() -> None:
    assert judge(clean()).error_ns == ANCHOR_NS
    assert judge(clean(kernel=False)).error_ns == pytest.approx(0.1 * MS, rel=0.01)
    together = replace(clean(), streams=100, first_bunched=2)
    assert judge(together).error_ns == pytest.approx(ANCHOR_NS + 0.1 * MS, rel=0.01)
    for lag, error in ((9, 9), (11, 20), (50, 50)):  # the median gap is 20 ms
        bunched = judge(replace(together, loop=of(lag)))
        assert bunched.error_ns == pytest.approx(ANCHOR_NS + error * MS, rel=0.01)
    slow = judge(replace(clean(), sending=of(1)))
    assert slow.error_ns == pytest.approx(ANCHOR_NS + MS, rel=0.01)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"requests": 0}, "requests"),
        ({"dead": ("w1",)}, "workers"),
        ({"lost": 1}, "lost"),
        ({"not_sent": 1}, "not sent"),
        ({"clock_steps": 1}, "clock"),
        ({"loop": Histogram()}, "loop"),
        ({"lag": of(251)}, "lag"),
        ({"late": of(11)}, "schedule"),
        ({"sending": of(11)}, "sending"),
        ({"cpu": {"w0": 0.2, "w1": 0.96}}, "cpu"),
        ({"bunched": 51, "lag": of(21)}, "bunching"),
    ],
)
def test_each_rule_alone_makes_a_run_invalid(changes: dict[str, object], rule: str) -> None:
    verdict = judge(replace(clean(), **changes))  # type: ignore[arg-type]  # fields by name
    assert [reason.rule for reason in verdict.reasons] == [rule]
    assert verdict.verdict == "INVALID"
    assert all(reason.what and reason.spoils for reason in verdict.reasons)


def test_a_late_loop_spoils_only_user_space_stamps() -> None:
    assert rules(replace(clean(), loop=of(2))) == []
    assert rules(replace(clean(kernel=False), loop=of(2))) == ["loop"]  # itl; 2 % of ttft
    assert rules(replace(clean(kernel=False), loop=of(6))) == ["loop", "loop"]


def test_bunches_are_the_targets_where_we_were_quick() -> None:
    assert rules(replace(clean(), bunched=900)) == []


def test_a_slow_target_allows_a_later_schedule() -> None:
    assert rules(replace(clean(), ttft=of(1000), late=of(40))) == []
