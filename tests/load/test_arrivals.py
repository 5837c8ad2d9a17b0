"""Schedules: absolute, the same for every number of workers, and of the law that they name."""

from __future__ import annotations

import statistics
from itertools import islice, pairwise
from pathlib import Path

import pytest

from load.arrivals import Shares, read_trace, schedule


def gaps(process: str, count: int = 20_000, **more: float) -> list[float]:
    moments = list(islice(schedule(process, rate=100, seed=7, **more), count))  # type: ignore[arg-type]  # shape only
    return [(later - earlier) / 1e9 for earlier, later in pairwise(moments)]


def test_a_constant_schedule_never_drifts() -> None:
    moments = list(islice(schedule("constant", rate=3), 300_001))
    assert moments[300_000] == 100_000 * 10**9
    assert moments[1] == 333_333_333


@pytest.mark.parametrize(("shape", "variation"), [(0.25, 2.0), (1.0, 1.0), (4.0, 0.5)])
def test_gamma_gaps_have_their_mean_and_variation(shape: float, variation: float) -> None:
    found = gaps("gamma", shape=shape)
    assert statistics.mean(found) == pytest.approx(0.01, rel=0.05)
    assert statistics.stdev(found) / statistics.mean(found) == pytest.approx(variation, rel=0.05)


def test_poisson_is_gamma_of_shape_1() -> None:
    assert gaps("poisson", 100) == gaps("gamma", 100, shape=1.0)


def part(whole: list[int], *known: tuple[int, int, int]) -> list[int]:
    """What is one worker's of a schedule, by its shares (since, worker, workers)."""
    mine = Shares()
    for since, worker, workers in known:
        mine.add(since, worker, workers)
    return [moment for number, moment in enumerate(whole) if mine.hold(number, moment)]


@pytest.mark.parametrize("process", ["constant", "poisson", "gamma"])
@pytest.mark.parametrize("workers", [1, 2, 5])
def test_the_workers_together_make_the_schedule(process: str, workers: int) -> None:
    whole = list(islice(schedule(process, rate=50, shape=0.5, seed=3), 100))
    parts = [part(whole, (0, index, workers)) for index in range(workers)]
    assert sorted(moment for part in parts for moment in part) == whole


def test_a_worker_that_joins_takes_its_share_of_what_is_to_come() -> None:
    whole = list(islice(schedule("poisson", rate=50, seed=3), 200))
    since = whole[100]
    parts = [
        part(whole, (0, 0, 2), (since, 0, 3)),
        part(whole, (since, 1, 3), (0, 1, 2)),  # in whatever order they are told
        part(whole, (since, 2, 3)),
    ]
    assert sorted(moment for part in parts for moment in part) == whole
    assert min(parts[2]) >= since
    assert len(parts[2]) == pytest.approx(100 / 3, abs=1)


def test_a_trace_starts_at_its_first_moment(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    path.write_text('12.5\n\n{"timestamp": 10}\n11\n', encoding="utf-8")
    moments = read_trace(path)
    assert moments == [0, 10**9, 25 * 10**8]
    assert list(schedule("trace", rate=2, trace=moments)) == [0, 5 * 10**8, 125 * 10**7]


@pytest.mark.parametrize("line", ["{}", "x", '{"timestamp": null}', "[]", "1e999"])
def test_a_trace_that_cannot_be_read_names_the_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "trace.jsonl"
    path.write_text(f"1\n{line}\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"trace\.jsonl:2"):
        read_trace(path)


@pytest.mark.parametrize("rate", [0, -1, float("nan")])
def test_a_rate_is_above_0(rate: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        schedule("constant", rate=rate)


def test_an_unknown_process_or_worker_is_refused() -> None:
    with pytest.raises(ValueError, match="poisson"):
        schedule("uniform")
    with pytest.raises(ValueError, match="worker 2"):
        Shares().add(0, 2, 2)
