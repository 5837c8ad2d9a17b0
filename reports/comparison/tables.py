"""A comparison in the terminal: the matrix, and what changed between two runs.

Laws
----
* Without colour, within ``width`` columns; a column is named by a letter, its legend stands on top.
* What differs is shown line by line, what agrees is counted; every count has its denominator.
* What a target sent is printable, shortened, and the cut is visible.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from reports import words
from reports.signs import SIGNS
from reports.told import printable
from reports.verdict import Verdict

from .changes import MEANING, Change, Changed, Changes
from .columns import Column
from .matrix import Cell, Dissent, Kind, Matrix, Row

__all__ = ["changes_lines", "headline", "legend", "matrix_lines", "outcome"]

_WORD: Final = 9
"""Columns that a verdict takes as a word, with the gap before it."""
_HEAD: Final = 22
"""Columns that a clause and its level take."""
_SHORT: Final = dict(zip(Verdict, "F!?bW+-o", strict=True))
"""A verdict as one character, where words do not fit; ``.`` was not run."""
_BROKEN: Final = frozenset({Verdict.FAIL, Verdict.WARN})
_LISTED: Final = 40
"""At most so many rows of a change that breaks nothing; the rest is counted."""


def legend(shown: Sequence[Column], notes: Iterable[str], width: int = 100) -> Iterator[str]:
    """The targets by letter, each with the verdict of its run; then the notes."""
    for column in shown:
        run = column.results
        models = words.amount(len(run["target"]["models"]), "model")
        url = words.short(printable(run["target"]["url"]), 80)
        name = printable(column.name)
        places = [name, url] if name not in url else [url]
        head = f"{column.letter:<2} "
        when = f"{words.day(run['started'])} UTC"
        yield f"{head}{' · '.join([*places, models, when])}"
        yield from _wrapped(printable(column.sentence), width, " " * len(head))
    yield from (line for note in notes for line in _wrapped(printable(note), width, "", "note: "))


# --- the matrix ---------------------------------------------------------------------------------


def headline(found: Matrix, shown: Sequence[Column]) -> str:
    """``1 of 3 targets was found conformant. They differ on 8 of 316 clauses that …``"""
    differ, agree = len(found.of(Kind.DIFFER)), len(found.of(Kind.AGREE))
    good = sum(column.css == "pass" for column in shown)  # whole runs only
    first = f"{good} of {len(shown)} targets {'was' if good == 1 else 'were'} found conformant."
    if not differ + agree:
        return f"{first} No clause was judged on two of them."
    of = words.amount(differ + agree, "clause")
    return f"{first} They differ on {words.number(differ)} of {of} that two or more were judged on."


def matrix_lines(
    found: Matrix, shown: Sequence[Column], notes: Iterable[str], *, width: int = 100
) -> Iterator[str]:
    """The matrix: what differs in full, what is broken everywhere, and the rest as counts."""
    yield from legend(shown, notes, width)
    yield ""
    yield from textwrap.wrap(headline(found, shown), width)
    for index, column in enumerate(shown):
        dissent = found.dissent[index]
        if dissent.differs:
            yield f"{column.letter:<3}{_stands(dissent)}"
    words_fit = _HEAD + _WORD * len(shown) <= width
    broken = [row for row in found.of(Kind.AGREE) if _has(row, _BROKEN)]
    for heading, rows in (
        ("Different", found.of(Kind.DIFFER)),
        ("Broken, or with a warning, wherever it was judged", broken),
    ):
        if rows:
            yield ""
            yield f"{heading} ({words.amount(len(rows), 'clause')})"
            yield from _rows(rows, shown, width, words_fit)
    yield ""
    yield from _rest(found)
    if not words_fit:
        yield (
            "  ".join(f"{sign} {SIGNS[name].word}" for name, sign in _SHORT.items()) + "  . not run"
        )


def _stands(dissent: Dissent) -> str:
    clauses = words.amount(dissent.differs, "differing clause")
    return (
        f"worse than another on {dissent.worse} of {clauses}, unsupported on {dissent.lacks}, "
        f"alone with its verdict on {dissent.alone}"
    )


def _rows(
    rows: Iterable[Row], shown: Sequence[Column], width: int, words_fit: bool
) -> Iterator[str]:
    each = _WORD if words_fit else 3
    yield " " * _HEAD + "".join(f"{column.letter:<{each}}" for column in shown).rstrip()
    for row in rows:
        cells = "".join(f"{_cell(cell, words_fit):<{each}}" for cell in row.cells)
        head = f"{row.id:<15}{row.level:<7}{cells}"
        room = width - len(head)
        title = (
            words.plain(row.requirement.title or row.requirement.sentence)
            if row.requirement
            else ""
        )
        if room < 30:
            yield head.rstrip()
            yield f"  {words.short(title, width - 2)}"
        else:
            yield f"{head}{words.short(title, room)}".rstrip()
        yield from _seen(row, shown, width)


def _cell(cell: Cell, words_fit: bool) -> str:
    if cell.verdict is None:
        return "not run" if words_fit else "."
    return SIGNS[cell.verdict].word if words_fit else _SHORT[Verdict(cell.verdict)]


def _seen(row: Row, shown: Sequence[Column], width: int) -> Iterator[str]:
    """What was seen where it is broken, the same said once."""
    said: dict[str, list[str]] = {}
    for column, cell in zip(shown, row.cells, strict=True):
        if cell.verdict in _BROKEN:
            at_times = f"{cell.same} of {cell.of} models: " if cell.of > 1 else ""
            said.setdefault(at_times + cell.seen[0].told, []).append(column.letter)
    for told, letters in said.items():
        head = f"    {' '.join(letters)}  "
        yield head + words.short(printable(told), max(20, width - len(head)))


def _has(row: Row, verdicts: frozenset[Verdict]) -> bool:
    return any(cell.verdict in verdicts for cell in row.cells)


def _rest(found: Matrix) -> Iterator[str]:
    alike = [row for row in found.of(Kind.AGREE) if not _has(row, _BROKEN)]
    held = sum(_has(row, frozenset({Verdict.PASS})) for row in alike)
    rest = {
        "held wherever judged": held,
        "unsupported wherever judged": len(alike) - held,
        "judged on fewer than two targets": len(found.of(Kind.OPEN)),
        "observed": len(found.of(Kind.TOLD)),
    }
    if total := sum(rest.values()):
        yield f"The other {words.amount(total, 'clause')}: {words.figures(rest)}."
    if gaps := sum(any(cell.opinion is None for cell in row.cells) for row in found.of(Kind.AGREE)):
        yield f"Of those alike, {words.amount(gaps, 'clause')} could not be judged on every target."


# --- changes ------------------------------------------------------------------------------------


def outcome(found: Changes) -> str:
    """The diff in one sentence, which says first whether something newly broke."""
    told: dict[str, dict[str, None]] = {}
    for row in found.rows:
        told.setdefault(row.change.value, {})[row.id] = None
    figures = words.figures({name: len(ids) for name, ids in told.items()}, ", ")
    counted = f" By clause: {figures}." if figures else " Nothing else changed."
    if broke := {row.id for row in found.broke}:
        one = len(broke) == 1
        what = words.amount(len(broke), "clause")
        were = "was" if one else "were"
        return f"Something newly broke: {what} that {were} not known to be broken.{counted}"
    if known := found.of(Change.BROKE, Change.FOUND):
        what = words.amount(len({row.id for row in known}), "known deviation")
        return f"Nothing newly broke beyond {what}.{counted}"
    return f"Nothing newly broke.{counted}"


def changes_lines(
    found: Changes, shown: Sequence[Column], notes: Iterable[str], *, width: int = 100
) -> Iterator[str]:
    """What changed, one heading for each kind of change; the sentence comes last."""
    yield from legend(shown, notes, width)
    for change in Change:
        rows = found.of(change)
        if not rows:
            continue
        yield ""
        ids = len({row.id for row in rows})
        yield f"{change.value.capitalize()} ({words.amount(ids, 'clause')}): {MEANING[change]}"
        whole = change in (Change.BROKE, Change.FOUND, Change.STILL) or len(rows) <= _LISTED
        for row in rows if whole else rows[:_LISTED]:
            yield from _changed(row, found.whole, width)
        if not whole:
            yield f"  … and {len(rows) - _LISTED} more"
    yield ""
    yield from _wrapped(f"{outcome(found)} {_same(found)}", width, "")


def _same(found: Changes) -> str:
    by = "clause" if found.folded else "judgement"
    return (
        f"{words.amount(found.same, by)}{'' if found.folded else ' (clause and model)'} as before."
    )


def _changed(row: Changed, target: str, width: int) -> Iterator[str]:
    arrow = f"{row.was or 'not run'} -> {row.now or 'not run'}"
    known = " · known deviation" if row.known else ""
    models = [printable(model or target) for model in row.models]
    on = words.listed(models) if len(models) <= 2 else words.amount(len(models), "model")
    yield words.short(f"  {row.id:<15}{row.level:<7}{arrow} · {on}{known}", width)
    if row.told:
        yield f"      {words.short(printable(row.told), width - 6)}"


def _wrapped(text: str, width: int, indent: str, first: str | None = None) -> list[str]:
    head = indent if first is None else first
    return textwrap.wrap(
        text, width, initial_indent=head, subsequent_indent=" " * len(head), break_on_hyphens=False
    )
