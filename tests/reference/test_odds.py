"""Faults that come and go: at the odds that their name says, for whole calls, and repeatably."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.reference.call import Call
from conformance.reference.faults import FAULTS, named
from conformance.reference.faults.odds import sometimes, struck
from conformance.reference.faults.registry import Fault, on_clock, on_events, on_request

CALLS = 3000


def test_one_call_in_three_is_struck() -> None:
    for seed in range(5):
        hits = [number for number in range(CALLS) if struck(number, 3, seed)]
        assert 0.3 < len(hits) / CALLS < 0.37
        assert hits == [number for number in range(CALLS) if struck(number, 3, seed)]


def test_seeds_strike_other_calls() -> None:
    patterns = {tuple(struck(number, 3, seed) for number in range(40)) for seed in range(10)}
    assert len(patterns) == 10


def test_one_in_one_is_every_call() -> None:
    assert all(struck(number, 1, 0) for number in range(100))


@pytest.mark.parametrize("name", ["", "x", "x~3", "~3"])
def test_what_is_no_fault_is_none(name: str) -> None:
    assert named(name) is None


@pytest.mark.parametrize("odds", ["", "0", "-3", "3.", "three", "3.x", "3~3", "³", "3\n"])
def test_what_is_no_odds_is_no_fault(odds: str) -> None:
    assert named(f"nulls_a_count~{odds}") is None


def test_a_fault_at_odds_breaks_what_it_breaks() -> None:
    rare = named("nulls_a_count~3.7")
    assert rare is not None
    assert rare.breaks == FAULTS["nulls_a_count"].breaks


def test_a_name_without_odds_is_the_fault_itself() -> None:
    assert named("nulls_a_count") is FAULTS["nulls_a_count"]


def test_a_call_is_struck_at_every_seam_or_at_none() -> None:
    def call_of(number: int) -> Call:
        return Call(number, "POST", "/v1/chat/completions", "/chat/completions")

    def hurry(call: Call) -> Call:
        return call.understood_as({"struck": True})

    def lose(events: list[Any], call: Call) -> list[Any]:
        return []

    def wait(pauses: list[float], call: Call) -> list[float]:
        return [9.0]

    parts = (
        Fault("a", frozenset(), "request", "A.", hurry),
        Fault("b", frozenset(), "events", "B.", lose),
        Fault("c", frozenset(), "clock", "C.", wait),
    )
    rare = sometimes(Fault("all", frozenset(), "request", "All.", hurry, parts), 3, seed=4)
    seen = set()
    for number in range(60):
        call = call_of(number)
        hit = struck(number, 3, 4)
        seen.add(hit)
        assert (on_request(rare, call) != call) == hit
        assert (on_events(rare, ["x"], call) == []) == hit
        assert (on_clock(rare, [0.0], call) == [9.0]) == hit
    assert seen == {True, False}
