"""Covering arrays: few rows that hold every pair of values of any two axes.

The laws: pure and deterministic; every pair of values stands in at least one row.

Theory. One row at a time, greedily (the scheme of AETG: Cohen, Dalal, Fredman, Patton 1997). A row
begins with a pair that no row has yet; every other axis then takes the value that makes the most
new pairs with what the row holds already. Of a few such rows, each begun with another pair, the
best is kept. A covering needs at least as many rows as the two longest axes have pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, product
from typing import TypeAlias

Value: TypeAlias = tuple[int, int]
"""An axis, and the number of one of its values."""

Pair: TypeAlias = tuple[Value, Value]
"""Two values of two axes, the lower axis first."""

CANDIDATES = 10
"""Rows that are made for every one that is kept."""


def pairs(sizes: Sequence[int]) -> set[Pair]:
    """Every pair of values of two axes, of which axis `i` has `sizes[i]` values."""
    return {
        ((i, a), (j, b))
        for i, j in combinations(range(len(sizes)), 2)
        for a, b in product(range(sizes[i]), range(sizes[j]))
    }


def held(row: Sequence[int]) -> set[Pair]:
    """The pairs that a row holds."""
    return set(combinations(enumerate(row), 2))


def covering(sizes: Sequence[int]) -> list[tuple[int, ...]]:
    """Rows of one value for each axis that hold every pair.

    >>> covering([2, 2, 2])
    [(0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0)]
    """
    missing = pairs(sizes)
    rows: list[tuple[int, ...]] = []
    while missing:
        begun = sorted(missing)
        step = -(-len(begun) // CANDIDATES)
        made = [_row(sizes, pair, missing) for pair in begun[::step]]
        best = max(made, key=lambda row: len(held(row) & missing))
        rows.append(best)
        missing -= held(best)
    return rows


def _row(sizes: Sequence[int], begun: Pair, missing: set[Pair]) -> tuple[int, ...]:
    """A row around a pair, every other axis filled greedily, the longest first."""
    row = dict(begun)
    for axis in sorted(range(len(sizes)), key=lambda one: -sizes[one]):
        if axis not in row:
            new = [_new(row, (axis, value), missing) for value in range(sizes[axis])]
            row[axis] = new.index(max(new))
    return tuple(row[axis] for axis in range(len(sizes)))


def _new(row: dict[int, int], value: Value, missing: set[Pair]) -> int:
    """How many missing pairs a value makes with a row."""
    return sum(((one, value) if one < value else (value, one)) in missing for one in row.items())
