"""The matrix: what several runs found of each clause, side by side.

Laws
----
* One column is one run, its models folded by the worst verdict; the models stay in the cell.
* Who has not judged has no opinion: a cell that is undecided, blocked or not run disagrees with
  nobody, and never counts as held.
* A broken SHOULD is the same thing in a strict run and in another: where strictness differs, it is
  a warning in every column.
* Pure functions of saved results; every string may be hostile.

Theory
------
An *opinion* is one of four verdicts, ranked by how far they are from each other::

    PASS 0    UNSUPPORTED 1    WARN 2    FAIL 3

A row *differs* where two opinions do: the more, the wider they spread and the more pairs of targets
hold different ones. It *agrees* where two opinions or more are one, is *open* where fewer than two
targets have one, and *told* where it is an observation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from typing import Any, Final

from conformance.requirements import Requirement
from reports.told import told
from reports.verdict import LEVELS, Entry, Verdict, worst

__all__ = [
    "OPINIONS",
    "Cell",
    "Dissent",
    "Kind",
    "Matrix",
    "Pair",
    "Row",
    "Seen",
    "entries_alike",
    "matrix",
]

OPINIONS: Final[Mapping[str, int]] = {
    Verdict.PASS: 0,
    Verdict.UNSUPPORTED: 1,
    Verdict.WARN: 2,
    Verdict.FAIL: 3,
}


class Kind(StrEnum):
    """What the targets are to each other on one clause, in the order in which it is shown."""

    DIFFER = "differ"
    AGREE = "agree"
    OPEN = "open"
    TOLD = "told"


@dataclass(frozen=True, slots=True)
class Seen:
    """Models of one target that got one verdict for one reason."""

    verdict: str
    models: tuple[str | None, ...]
    told: str
    """What was seen, in one line; "" where nothing is to be told."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One clause on one target; ``verdict`` is None where it was not run."""

    verdict: str | None
    seen: tuple[Seen, ...] = ()
    """The worst first."""

    @property
    def of(self) -> int:
        """For how many models (or for the target as a whole) the clause was run."""
        return sum(len(group.models) for group in self.seen)

    @property
    def same(self) -> int:
        """How many of them have the verdict of the cell."""
        return sum(len(group.models) for group in self.seen if group.verdict == self.verdict)

    @property
    def opinion(self) -> int | None:
        """Its rank, or None where nothing was judged."""
        return None if self.verdict is None else OPINIONS.get(self.verdict)


@dataclass(frozen=True, slots=True)
class Row:
    """One clause on every target."""

    id: str
    level: str
    requirement: Requirement | None
    """None where the catalogue of this version does not have it."""
    cells: tuple[Cell, ...]
    kind: Kind
    spread: int
    """Distance of the two opinions that are furthest from each other."""
    pairs: int
    """Pairs of targets that differ."""


@dataclass(frozen=True, slots=True)
class Dissent:
    """How one target stands to the others, over the rows that differ."""

    differs: int
    """Rows that differ and on which it has an opinion."""
    alone: int
    """Of them: nobody shares its opinion, and all others share theirs."""
    worse: int
    """Of them: broken or with a warning here, and better on another target that has it too."""
    lacks: int
    """Of them: unsupported here, judged on another; no fault."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two targets: clauses on which both have an opinion, and those on which the two differ."""

    differ: int
    both: int


@dataclass(frozen=True, slots=True)
class Matrix:
    """Rows in the order in which they are shown; everything else by column."""

    rows: tuple[Row, ...]
    dissent: tuple[Dissent, ...]
    pairs: Mapping[tuple[int, int], Pair]
    """By columns, the lower first."""

    def of(self, kind: Kind) -> tuple[Row, ...]:
        """The rows of one kind."""
        return tuple(row for row in self.rows if row.kind == kind)


def matrix(runs: Sequence[Mapping[str, Any]], requirements: Mapping[str, Requirement]) -> Matrix:
    """Put saved results side by side.

    Args:
        runs: as ``results.read`` returns them, two or more, in the order of the columns.
        requirements: the catalogue, in its order.
    """
    columns = [_by_clause(entries) for entries in entries_alike(runs)]
    place = {clause: index for index, clause in enumerate(requirements)}
    ids = sorted(
        {clause for column in columns for clause in column},
        key=lambda clause: (place.get(clause, len(place)), clause),
    )
    rows = [_row(clause, columns, requirements.get(clause)) for clause in ids]
    return Matrix(
        rows=tuple(sorted(rows, key=_order)),  # stable: the catalogue decides the rest
        dissent=tuple(_dissent(rows, index) for index in range(len(runs))),
        pairs={pair: _pair(rows, *pair) for pair in combinations(range(len(runs)), 2)},
    )


def entries_alike(runs: Sequence[Mapping[str, Any]]) -> list[list[Entry]]:
    """The entries of each run; where some runs are strict and some not, as if none were."""
    alike = len({run["strict"] for run in runs}) == 1
    return [[entry if alike else _relaxed(entry) for entry in run["requirements"]] for run in runs]


def _relaxed(entry: Entry) -> Entry:
    demanded = entry["level"] == "MUST"
    return entry if demanded or entry["verdict"] != "FAIL" else {**entry, "verdict": "WARN"}


def _by_clause(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        found.setdefault(entry["id"], []).append(entry)
    return found


# --- rows ---------------------------------------------------------------------------------------


def _row(
    clause: str,
    columns: Sequence[Mapping[str, Sequence[Entry]]],
    requirement: Requirement | None,
) -> Row:
    cells = tuple(_cell(column.get(clause, ())) for column in columns)
    level = next(entries[0]["level"] for column in columns if (entries := column.get(clause)))
    opinions = [cell.opinion for cell in cells if cell.opinion is not None]
    spread = max(opinions) - min(opinions) if opinions else 0
    return Row(
        id=clause,
        level=requirement.level if requirement else level,
        requirement=requirement,
        cells=cells,
        kind=_kind(cells, opinions),
        spread=spread,
        pairs=sum(one != other for one, other in combinations(opinions, 2)),
    )


def _kind(cells: Iterable[Cell], opinions: Sequence[int]) -> Kind:
    if len(set(opinions)) > 1:
        return Kind.DIFFER
    if len(opinions) > 1:
        return Kind.AGREE
    only_told = {cell.verdict for cell in cells} <= {Verdict.OBSERVED, None}
    return Kind.TOLD if only_told else Kind.OPEN


def _order(row: Row) -> tuple[int, ...]:
    """Differing rows by level and by how much they differ; others the worst and the gaps first."""
    kind, level = tuple(Kind).index(row.kind), LEVELS.index(row.level)
    if row.kind == Kind.DIFFER:
        return kind, level, -row.spread, -row.pairs
    found = {cell.verdict for cell in row.cells}
    first = (Verdict.FAIL, Verdict.WARN, Verdict.PASS, Verdict.UNSUPPORTED)
    worst_of_all = next((rank for rank, one in enumerate(first) if one in found), len(first))
    gaps = any(cell.opinion is None for cell in row.cells)
    return kind, worst_of_all, not gaps, level


def _cell(entries: Sequence[Entry]) -> Cell:
    if not entries:
        return Cell(None)
    groups: dict[tuple[str, str], list[str | None]] = {}
    for entry in entries:
        groups.setdefault((entry["verdict"], told(entry)), []).append(entry["model"])
    order = tuple(Verdict)
    seen = [Seen(verdict, tuple(models), said) for (verdict, said), models in groups.items()]
    seen.sort(key=lambda group: (order.index(Verdict(group.verdict)), -len(group.models)))
    return Cell(worst(group.verdict for group in seen), tuple(seen))


# --- who disagrees ------------------------------------------------------------------------------


def _dissent(rows: Iterable[Row], index: int) -> Dissent:
    lacking = OPINIONS[Verdict.UNSUPPORTED]
    differs = alone = worse = lacks = 0
    for row in rows:
        mine = row.cells[index].opinion
        if row.kind != Kind.DIFFER or mine is None:
            continue
        others = [cell.opinion for at, cell in enumerate(row.cells) if at != index]
        heard = [opinion for opinion in others if opinion is not None]
        differs += 1
        alone += len(heard) > 1 and mine not in heard and len(set(heard)) == 1
        worse += mine != lacking and any(opinion < mine for opinion in {*heard} - {lacking})
        lacks += mine == lacking
    return Dissent(differs, alone, worse, lacks)


def _pair(rows: Iterable[Row], one: int, other: int) -> Pair:
    both = [
        (row.cells[one].opinion, row.cells[other].opinion)
        for row in rows
        if row.cells[one].opinion is not None and row.cells[other].opinion is not None
    ]
    return Pair(differ=sum(mine != theirs for mine, theirs in both), both=len(both))
