"""A run over time and its distributions: all adds up, nothing is invented, all is bounded."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import pytest

from conformance.wire.redact import Redactor
from load import results, series
from load.histogram import Histogram, needed
from load.metrics import OPENING, OWN, STEADY, Book
from load.recorder import Recorder
from tests.load.test_gather import MS, book, facts


def hist(*values: float) -> Histogram:
    made = Histogram()
    made.extend(int(value * MS) for value in values)
    return made


def test_the_columns_of_a_model_add_up_to_its_totals() -> None:
    made = results.build(facts(book(700, failed=30)))
    model = made["models"]["m"]
    columns, bins = model["series"], made["series"]
    for name, total in (("requests", 700), ("ok", 670), ("failed", 30), ("tokens", 6700)):
        assert sum(columns[name]) == total == model.get(name, model["output_tokens"]), name
        assert len(columns[name]) == bins["bins"]
    assert (bins["start"], bins["seconds"], bins["bins"]) == (1000, 5, 2)
    assert bins["in_flight"] == [None, 4]


@pytest.mark.parametrize("length", [7, 1_199, 1_200, 40_000, 10_000_000])
def test_a_run_of_any_length_has_few_bins_and_loses_nothing(length: int) -> None:
    made = Book()
    tally = made.tally("m", STEADY)
    for second in range(103, 103 + length, max(1, length // 500)):
        tally.at("ok", second)
    tally.at("ok", 103 + length - 1)
    bins = series.grid(made)
    assert bins is not None
    assert bins.bins <= series.BINS
    assert bins.start % bins.seconds == 0
    assert bins.start <= 103 < bins.start + bins.seconds
    assert sum(series.of_model(made, "m", bins)["ok"]) == sum(tally.row("ok").values())


def test_a_run_without_anything_has_no_bins() -> None:
    made = results.build(facts(Book()))
    assert (made["series"], made["models"]) == (None, {})


def test_a_percentile_over_time_has_the_samples_that_it_needs() -> None:
    windows = [(start, hist(*[start] * 6)) for start in (5, 10, 15, 20, 25)]
    found = series.stretches(windows, 5, 0.5)
    # Two windows have the 11 samples that a median needs; the fifth one's belong to the last.
    assert [(start, seconds, count) for start, seconds, _, count in found] == [
        (5, 10, 12),
        (15, 15, 18),
    ]
    assert all(count >= needed(0.5) for *_, count in found)
    assert [value for _, _, value, _ in found] == pytest.approx([5, 20], rel=0.005)
    assert series.stretches(windows, 5, 0.95) == []
    gap = [(5, hist(*[1] * 6)), (10, Histogram()), (20, hist(*[1] * 6))]
    assert [row[:2] for row in series.stretches(gap, 5, 0.5)] == [[5, 20]]


def test_no_stretch_holds_the_opening_and_the_steady_phase() -> None:
    made = Book()
    for second, phase, value in ((100, OPENING, 900), (105, STEADY, 50), (110, STEADY, 50)):
        made.window("m", phase, second).hist("ttft").extend([value * MS] * 11)
    bins = series.grid(made)
    assert bins is not None
    found = series.of_model(made, "m", bins)["ttft_ms"]["p50"]
    assert [row[:2] for row in found] == [[100, 5], [105, 5], [110, 5]]
    assert [row[2] for row in found] == [900, 50, 50]


@pytest.mark.parametrize("count", [1, 5, 999, 30_000])
def test_a_distribution_is_true_at_each_of_its_points(count: int) -> None:
    draw = random.Random(count)
    values = [draw.lognormvariate(3, 1.5) for _ in range(count)]
    made = hist(*values)
    points = series.distribution(made)
    assert len(points) <= series.POINTS + 1
    assert all(a[0] <= b[0] and a[1] < b[1] for a, b in pairwise(points))
    assert points[-1] == [made.most / MS, count]
    exact = sorted(int(value * MS) for value in values)
    for value, below in points:
        assert sum(each <= value * MS + 1 for each in exact) == pytest.approx(below, abs=1)
    steps = [b[1] - a[1] for a, b in pairwise(points)]
    assert max(steps, default=0) <= 2 * count / series.POINTS + max(made.buckets.values())


def test_a_distribution_of_nothing_has_no_points() -> None:
    assert series.distribution(Histogram()) == []
    assert series.distribution(hist(0, 0, 7)) == [[0.0, 2], [7.0, 3]]


def test_two_workers_draw_what_one_would() -> None:
    def built(*books: Book) -> dict[str, Any]:
        whole = Book()
        for each in books:
            whole.add(each.take())
        made = results.build(facts(whole))
        return {"series": made["series"], "model": made["models"]["m"]["series"]} | {
            "distributions": made["models"]["m"]["distributions"]
        }

    def part(*numbers: int) -> Book:
        made = Book()
        for number in numbers:
            second = 1000 + number % 50
            window = made.window("m", STEADY, second)
            window.hist("ttft").add((number % 97 + 1) * MS)
            window.hist("itl").extend([(number % 13 + 1) * MS] * 3)
            made.tally("m", STEADY).at("tokens", second, 4)
            made.tally("m", STEADY).at("in_flight", second, number % 3)
            made.tally(OWN, STEADY).at("in_flight", second, number % 3)
        return made

    whole = built(part(*range(3000)))
    assert whole == built(part(*range(0, 3000, 2)), part(*range(1, 3000, 2)))
    assert len(whole["model"]["ttft_ms"]["p95"]) > 1
    assert whole["distributions"]["ttft_ms"][-1] == [97.0, 3000]


def test_what_was_held_back_is_a_failure_of_its_second() -> None:
    made = Book()
    Recorder(made, Redactor([]), ()).held_back("m", STEADY, 1003 * 10**9)
    assert results.build(facts(made))["models"]["m"]["series"]["failed"] == [1]
