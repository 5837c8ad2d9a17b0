"""Targets: what they say, and that nothing unmeasured ever holds."""

from __future__ import annotations

import pytest

from load.histogram import Histogram
from load.slo import (
    Standing,
    Verdict,
    decide,
    exit_status,
    keeps,
    parse,
    parse_request_target,
    wilson,
)

MS = 1_000_000


def standing(count: int = 1000, value: int = 100 * MS, failed: int = 0, **more: float) -> Standing:
    hist = Histogram()
    hist.extend([value] * count)
    good = more.get("good")
    return Standing(
        {"ttft": hist, "itl": hist},
        ended=count + failed,
        failed=failed,
        good=None if good is None else int(good),
        tokens_per_second=more.get("tokens", 50.0),
        requests_per_second=2.0,
    )


def verdict(spelled: str, one: Standing, *, valid: bool = True) -> Verdict:
    [outcome] = decide(parse(spelled), {"m": one}, valid=valid)
    return outcome.verdict


@pytest.mark.parametrize(
    ("spelled", "metric", "statistic", "model", "limit"),
    [
        ("ttft_p95<500ms", "ttft", "p95", "", 500 * MS),
        (" itl_p99 <= 20.5 ms ", "itl", "p99", "", 20.5 * MS),
        ("ttft_sched_p50<1s", "ttft_sched", "p50", "", 1000 * MS),
        ("e2e_max@meta/llama-3:8b<2s", "e2e", "max", "meta/llama-3:8b", 2000 * MS),
        ("failures<1%", "failures", "", "", 0.01),
        ("goodput>=0.99", "goodput", "", "", 0.99),
        ("tokens_per_second@m>100", "tokens_per_second", "", "m", 100),
    ],
)
def test_targets_are_read(
    spelled: str, metric: str, statistic: str, model: str, limit: float
) -> None:
    read = parse(spelled)
    assert (read.metric, read.statistic, read.model) == (metric, statistic, model)
    assert read.limit == pytest.approx(limit)


@pytest.mark.parametrize(
    "spelled",
    [
        *("", "ttft", "ttft<5ms", "ttft_p95<5", "ttft_p96<5ms", "foo_p95<5ms", "failures<5ms"),
        *("ttft_p95=5ms", "tokens_per_second>5ms", "ttft_p95<1.2.3ms", "failures_p95<1%"),
    ],
)
def test_what_is_no_target_is_refused(spelled: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse(spelled)


def test_a_request_target_has_no_statistic() -> None:
    read = parse_request_target("ttft<500ms")
    assert keeps(read, 499 * MS)
    assert not keeps(read, 500 * MS)
    with pytest.raises(ValueError, match="ttft<500ms"):
        parse_request_target("ttft_p95<500ms")


def test_a_target_holds_or_is_broken() -> None:
    assert verdict("ttft_p95<150ms", standing()) is Verdict.HELD
    assert verdict("ttft_p95<50ms", standing()) is Verdict.BROKEN
    assert verdict("ttft_mean<150ms", standing()) is Verdict.HELD
    assert verdict("tokens_per_second>40", standing()) is Verdict.HELD


def test_a_run_that_is_not_valid_decides_nothing() -> None:
    assert verdict("ttft_p95<150ms", standing(), valid=False) is Verdict.INCONCLUSIVE
    assert verdict("ttft_p95<50ms", standing(), valid=False) is Verdict.INCONCLUSIVE


def test_too_few_samples_decide_nothing() -> None:
    assert verdict("ttft_p99<150ms", standing(661)) is Verdict.INCONCLUSIVE
    assert verdict("ttft_p99<150ms", standing(662)) is Verdict.HELD


def test_failures_break_percentiles_as_infinitely_slow() -> None:
    assert verdict("ttft_p95<150ms", standing(950, failed=50)) is Verdict.HELD
    assert verdict("ttft_p95<150ms", standing(940, failed=60)) is Verdict.BROKEN
    assert verdict("ttft_max<150ms", standing(failed=1)) is Verdict.BROKEN
    assert verdict("failures<5%", standing(940, failed=60)) is Verdict.BROKEN


def test_what_was_not_measured_decides_nothing() -> None:
    assert verdict("ttfvt_p50<1s", standing()) is Verdict.INCONCLUSIVE
    assert verdict("goodput>1%", standing()) is Verdict.INCONCLUSIVE
    assert verdict("failures<1%", standing(0)) is Verdict.INCONCLUSIVE
    assert decide(parse("ttft_p50@x<1s"), {"m": standing()}, valid=True)[0].verdict is (
        Verdict.INCONCLUSIVE
    )


def test_goodput_counts_failures_as_bad() -> None:
    assert verdict("goodput>=95%", standing(940, failed=60, good=940)) is Verdict.BROKEN
    assert verdict("goodput>=90%", standing(940, failed=60, good=940)) is Verdict.HELD


def test_without_a_model_every_model_is_asked() -> None:
    outcomes = decide(
        parse("ttft_p50<150ms"), {"a": standing(), "b": standing(value=200 * MS)}, valid=True
    )
    assert [o.verdict for o in outcomes] == [Verdict.HELD, Verdict.BROKEN]
    assert exit_status(outcomes) == 1


def test_the_exit_status_is_the_worst() -> None:
    held = decide(parse("ttft_p50<150ms"), {"m": standing()}, valid=True)
    unknown = decide(parse("ttft_p50<150ms"), {"m": standing()}, valid=False)
    assert exit_status([]) is None
    assert exit_status(held) == 0
    assert exit_status([*held, *unknown]) == 6


def test_wilson_never_leaves_the_shares() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(100, 100)[1] == pytest.approx(1)
    assert wilson(0, 100)[0] == 0.0
    assert wilson(50, 100)[0] < 0.5 < wilson(50, 100)[1]


def test_a_limit_within_the_error_bar_decides_nothing() -> None:
    def at(limit: str, error: float | None) -> Verdict:
        target = parse(f"ttft_p50<{limit}")
        [outcome] = decide(target, {"m": standing()}, valid=True, error=error)
        return outcome.verdict

    assert at("103ms", 2 * MS) is Verdict.HELD
    assert at("101ms", 2 * MS) is Verdict.INCONCLUSIVE
    assert at("99ms", 2 * MS) is Verdict.INCONCLUSIVE
    assert at("97ms", 2 * MS) is Verdict.BROKEN
    assert at("9s", None) is Verdict.INCONCLUSIVE
