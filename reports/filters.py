"""The filters of a table: what a page asks of its rows, and what its rows say of themselves.

Laws
----
* Nothing here is HTML; every string may be hostile.
* What is asked is text that any address may hold, and means the same in every page.

Theory
------
A row is a clause, or a change of one. It has a *state* (a verdict, a change) in some *columns*
(models, targets), which it tells as ``FAIL:0,2 PASS:1``. The macro ``filters`` of ``parts.html``
makes the form, ``filters.js`` narrows the rows and keeps what is asked in the address:
``#chapter=CC-SSE&verdict=FAIL&on=vendor%2Fmodel``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from conformance.requirements import Chapter

from .verdict import LEVELS

__all__ = ["ABSENT", "Filters", "filters", "marks", "question"]

ABSENT: Final = "-"
"""The state of what was not run."""


@dataclass(frozen=True, slots=True)
class Filters:
    """The form: which choices it offers. Each choice is ``(value, what the reader sees)``."""

    chapters: tuple[tuple[str, str], ...]
    levels: tuple[tuple[str, str], ...]
    state: str
    """What a state is called: ``verdict``, ``change``."""
    states: tuple[tuple[str, str], ...]
    column: str
    """What a column is called: ``model``, ``target``."""
    columns: tuple[tuple[str, str], ...]
    """In the order in which rows count them."""
    tick: str = ""
    """What a box to tick says; "": there is none."""


def filters(
    rows: Iterable[tuple[str, str]],
    chapters: Iterable[Chapter],
    *,
    state: str,
    states: Iterable[tuple[str, str]],
    column: str,
    columns: Iterable[tuple[str, str]],
    tick: str = "",
) -> Filters:
    """The form for ``rows``, each ``(id, level)``: no chapter and level that none of them has."""
    present = list(rows)
    prefixes = {clause.rpartition("-")[0] for clause, _ in present}
    levels = {level for _, level in present}
    return Filters(
        chapters=tuple((one.prefix, one.name) for one in chapters if one.prefix in prefixes),
        levels=tuple((level, level) for level in LEVELS if level in levels),
        state=state,
        states=tuple(states),
        column=column,
        columns=tuple(columns),
        tick=tick,
    )


def marks(states: Sequence[str | None]) -> str:
    """The states of a row by column, None where it has none there.

    >>> marks(["FAIL", "PASS", "FAIL", None])
    'FAIL:0,2 PASS:1'
    """
    columns: dict[str, list[str]] = {}
    for column, state in enumerate(states):
        if state is not None:
            columns.setdefault(state, []).append(str(column))
    return " ".join(f"{state}:{','.join(found)}" for state, found in columns.items())


def question(**asked: str) -> str:
    """What an address asks for, behind its ``#``; what is empty is not asked.

    >>> question(chapter="CC-SSE", on="a/b c", verdict="")
    'chapter=CC-SSE&on=a%2Fb+c'
    """
    return urlencode({name: value for name, value in asked.items() if value})
