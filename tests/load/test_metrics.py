"""Histograms against the samples themselves, and merging against concatenation."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from load.histogram import ERROR, Histogram, carries, needed
from load.metrics import OPENING, OWN, STEADY, Book, Tally

SAMPLES = st.lists(st.integers(-5, 10**13), min_size=1, max_size=200)


def histogram(samples: list[int]) -> Histogram:
    made = Histogram()
    made.extend(samples)
    return made


def nearest_rank(samples: list[int], p: float) -> int:
    return sorted(samples)[max(0, math.ceil(round(p * len(samples), 6)) - 1)]


@given(SAMPLES)
def test_count_sum_minimum_and_maximum_are_exact(samples: list[int]) -> None:
    made = histogram(samples)
    assert (made.count, made.total) == (len(samples), sum(samples))
    assert (made.least, made.most) == (min(samples), max(samples))
    assert made.mean == sum(samples) / len(samples)


@given(SAMPLES, st.sampled_from([0.01, 0.5, 0.9, 0.95, 0.99, 1.0]))
def test_a_quantile_is_off_by_at_most_the_error(samples: list[int], p: float) -> None:
    made = histogram(samples)
    true = nearest_rank(samples, p)
    seen = made.quantile(p)
    assert seen is not None
    assert abs(seen - max(true, 0)) <= ERROR * abs(true) * (1 + 1e-9) or true <= 0
    assert made.least <= seen <= made.most


@given(SAMPLES, st.integers(1, 7))
def test_the_histograms_of_workers_equal_that_of_all_samples(
    samples: list[int], workers: int
) -> None:
    merged = Histogram()
    for index in range(workers):
        merged.merge(
            Histogram.of(json.loads(json.dumps(histogram(samples[index::workers]).plain())))
        )
    assert merged == histogram(samples)


def test_failures_count_as_infinite_where_asked() -> None:
    made = histogram([1000] * 95)
    assert made.quantile(0.95) == 1000
    assert made.quantile(0.95, failed=5) == 1000
    assert made.quantile(0.95, failed=6) == math.inf
    assert Histogram().quantile(0.5) is None


@pytest.mark.parametrize(("p", "count"), [(0.5, 11), (0.9, 64), (0.95, 130), (0.99, 662)])
def test_a_percentile_needs_samples(p: float, count: int) -> None:
    assert needed(p) == count
    assert carries(p, count)
    assert not carries(p, count - 1)


def test_a_confidence_interval_holds_the_quantile_between() -> None:
    made = histogram(list(range(1, 10_001)))
    interval = made.interval(0.5)
    assert interval is not None
    assert interval[0] < 5000 < interval[1]
    assert interval[0] > 4800
    assert histogram([1, 2, 3]).interval(0.99) is None


def test_tallies_merge_and_travel() -> None:
    one, two = Tally(), Tally()
    one.hist("ttft").extend([5, 6])
    one.counts["sent"] += 2
    one.failures["stall"] += 1
    one.examples["stall"] = "first"
    two.hist("ttft").add(7)
    two.hist("itl").add(1)
    two.counts["sent"] += 1
    two.at("tokens", 100, 4)
    two.examples["stall"] = "second"
    one.merge(Tally.of(json.loads(json.dumps(two.plain()))))
    assert one.hists["ttft"] == histogram([5, 6, 7])
    assert one.hists["itl"] == histogram([1])
    assert (one.counts["sent"], one.failures["stall"], one.series["tokens"][100]) == (3, 1, 4)
    assert one.examples["stall"] == "first"


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 10**9)), max_size=60))
def test_what_is_taken_in_parts_adds_up_to_the_whole(samples: list[tuple[str, int]]) -> None:
    whole, worker, master = Book(), Book(), Book()
    for number, (model, value) in enumerate(samples):
        phase = OPENING if number < 5 else STEADY
        for book in (whole, worker):
            book.tally(model, phase).hist("ttft").add(value)
            book.tally(model, phase).counts["requests"] += 1
        if number % 7 == 0:
            master.add(json.loads(json.dumps(worker.take())))
    master.add(worker.take())
    assert worker.tallies == {}
    assert master.tallies == whole.tallies
    assert master.models == sorted({model for model, _ in samples})
    assert master.whole("a").counts["requests"] == sum(model == "a" for model, _ in samples)


def test_a_phase_can_be_left_out() -> None:
    book = Book()
    book.tally("m", OPENING).counts["requests"] += 1
    book.tally("m", STEADY).counts["requests"] += 2
    book.tally(OWN, STEADY).counts["probes"] += 1
    assert book.whole("m", STEADY).counts["requests"] == 2
    assert book.whole("m").counts["requests"] == 3
    assert book.models == ["m"]
