"""Dialects in combination: every two right ways of two axes meet in a server, blamed for nothing.

The axes are declared in ``ways_of_*.py``, each combination is judged by the whole suite.
"""

from collections.abc import Mapping
from concurrent.futures import Future
from inspect import getmembers, isfunction, signature
from itertools import combinations, product
from types import ModuleType

import pytest

from tests.inprocess import Judgement

from . import (
    axes,
    ways_of_calls,
    ways_of_members,
    ways_of_messages,
    ways_of_sequence,
    ways_of_spelling,
)
from .covering import covering, held, pairs
from .dialect import DIALECTS, check

MODULES = (ways_of_sequence, ways_of_calls, ways_of_members, ways_of_spelling, ways_of_messages)

FAILS = 'triggers = { stream_error = "Fail in the middle of the stream." }\n'

MINE = [
    axes.combined(number, chosen, module=__name__, profile=FAILS).name
    for number, chosen in enumerate(axes.combinations(), 1)
]


@pytest.mark.slow
@pytest.mark.parametrize("name", MINE)
def test_right_ways_combined_are_blamed_for_nothing(
    spoken: Mapping[str, Future[Judgement]], name: str
) -> None:
    check(DIALECTS[name], spoken[name].result())


def test_every_two_ways_meet() -> None:
    met = {
        frozenset((one, other))
        for chosen in axes.combinations()
        for one, other in combinations(chosen, 2)
    }
    for one, other in combinations(axes.AXES.values(), 2):
        assert {frozenset(pair) for pair in product(one, other)} <= met


@pytest.mark.parametrize("sizes", [(2, 2), (3, 2, 2), (1, 4, 3), (2,) * 10, (5, 4, 3, 3, 2, 2)])
def test_a_covering_array_holds_every_pair(sizes: tuple[int, ...]) -> None:
    rows = covering(sizes)
    assert set().union(*map(held, rows)) == pairs(sizes)
    assert all(0 <= value < size for row in rows for value, size in zip(row, sizes, strict=True))
    assert covering(sizes) == rows


def test_a_covering_array_is_far_smaller_than_the_product() -> None:
    assert len(covering((3,) * 13)) <= 30  # of 1,594,323; 27 is a good greedy result


def test_every_way_says_what_it_is() -> None:
    ways = [one for ways in axes.AXES.values() for one in ways[1:]]
    assert all(one.says.endswith(".") for one in ways)
    assert {name for pair in axes.TOGETHER for name in pair} <= {one.name for one in ways}


@pytest.mark.parametrize("module", MODULES)
def test_every_function_of_a_way_is_one(module: ModuleType) -> None:
    seams = (["reply", "call"], ["pieces", "call"])
    functions = [
        one for _, one in getmembers(module, isfunction) if one.__module__ == module.__name__
    ]
    public = [one for one in functions if not one.__name__.startswith("_")]
    meant = {one.__name__ for one in public if list(signature(one).parameters) in seams}
    assert meant
    assert meant <= {one.name for ways in axes.AXES.values() for one in ways}
