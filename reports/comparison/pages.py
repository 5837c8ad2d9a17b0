"""Comparisons as pages: the matrix of several targets, and what changed between two runs of one.

Laws
----
* Each is one self-contained file that reads without JavaScript, on paper and on a phone.
* The filters are held in the fragment of its address (``filters``), so a link shows what was seen.
* Jinja2 escapes everything, and what cannot be seen is spelled out; what was seen is shortened, the
  more targets the more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any, Final

import jinja2

from conformance.requirements import Chapter
from reports import words
from reports.compliance.view import bars
from reports.filters import ABSENT, Filters, filters, marks
from reports.signs import SIGNS, TARGET
from reports.templates import document, environment, own
from reports.verdict import Verdict

from .changes import MEANING, Change, Changed, Changes
from .columns import Column
from .matrix import Kind, Matrix, Row
from .tables import headline, outcome

__all__ = ["BOUND", "Line", "changes_page", "lines", "matrix_page"]

BOUND: Final = 3_000_000
"""Bytes that a matrix may have; where it would have more, what was seen is cut shorter."""
_CUTS: Final = ((400, 10), (160, 3), (40, 1))
"""(Characters of what was seen, lines for a target below a row): the first that keeps the bound."""
_LINE: Final = 150
"""Bytes of markup that a line has at least."""

HEADINGS: Final[Mapping[Kind, tuple[str, str]]] = {
    Kind.DIFFER: ("Different", "the targets disagree: by level, the widest apart first"),
    Kind.AGREE: ("Alike", "every target that was judged got the same; the broken first"),
    Kind.OPEN: ("Not compared", "judged on fewer than two targets"),
    Kind.TOLD: ("Observed", "told, and not judged"),
}


def matrix_page(
    found: Matrix, shown: Sequence[Column], notes: Sequence[str], chapters: Sequence[Chapter]
) -> str:
    """The matrix as a page.

    Args:
        found: the matrix.
        shown: its columns.
        notes: what makes the runs less comparable.
        chapters: the catalogue, for the names of its chapters.
    """
    render = partial(
        _templates().get_template("comparison/matrix.html").render,
        **_shared(shown, notes),
        title=f"Comparison · {words.amount(len(shown), 'target')}",
        headline=headline(found, shown),
        matrix=found,
        groups=[(kind, *HEADINGS[kind], rows) for kind in Kind if (rows := found.of(kind))],
        filters=_of_targets(found, shown, chapters),
        verdicts=[verdict for verdict in Verdict if _occurs(found, verdict)],
    )
    for said, limit in _CUTS:
        if (said, limit) != _CUTS[-1] and _least(found, said, limit) > BOUND:
            continue
        made = document(words.tidy(render(said=said, limit=limit)))
        if len(made.encode()) <= BOUND:
            break
    return made


def _least(found: Matrix, said: int, limit: int) -> int:
    """Bytes that the page would have at least, so that none is made to be thrown away."""
    return sum(
        _LINE + min(len(told), said)
        for row in found.rows
        for told in {group.told for cell in row.cells for group in cell.seen[:limit] if group.told}
    )


@dataclass(frozen=True, slots=True)
class Line:
    """What one target saw of a clause, or several that have nothing to tell but their verdict."""

    letters: tuple[str, ...]
    verdict: str | None
    share: str
    """``1 of 2 models``; "" where it was judged once."""
    models: tuple[str | None, ...]
    """Named only where the models of one target differ."""
    told: str


def lines(row: Row, shown: Sequence[Column], limit: int = 10) -> list[Line]:
    """What lies below a row, at most ``limit`` lines for a target; the same is said once."""
    found: list[Line] = []
    alike: dict[tuple[str | None, str, str], int] = {}
    for column, cell in zip(shown, row.cells, strict=True):
        made = [
            Line(
                letters=(column.letter,),
                verdict=group.verdict,
                share=f"{len(group.models)} of {words.amount(cell.of, 'model')}" * (cell.of > 1),
                models=group.models if len(cell.seen) > 1 else (),
                told=group.told,
            )
            for group in cell.seen[:limit]
        ]
        if len(cell.seen) <= 1:
            one = made[0] if made and made[0].told else Line((), cell.verdict, "", (), "")
            at = alike.setdefault((one.verdict, one.share, one.told), len(found))
            if at == len(found):
                found.append(replace(one, letters=()))
            found[at] = replace(found[at], letters=(*found[at].letters, column.letter))
            continue
        found += made
        if rest := cell.seen[limit:]:
            told = f"… and {sum(len(group.models) for group in rest)} more, in its results"
            found.append(Line((column.letter,), rest[0].verdict, "", (), told))
    return found


def _occurs(found: Matrix, verdict: Verdict) -> bool:
    return any(cell.verdict == verdict for row in found.rows for cell in row.cells)


def _of_targets(found: Matrix, shown: Sequence[Column], chapters: Iterable[Chapter]) -> Filters:
    met = [(verdict, SIGNS[verdict].word) for verdict in Verdict if _occurs(found, verdict)]
    return filters(
        ((row.id, row.level) for row in found.rows),
        chapters,
        state="verdict",
        states=[*met, (ABSENT, "not run")],
        column="target",
        columns=[(column.letter, f"{column.letter} {column.name}") for column in shown],
        tick="only what differs",
    )


def _marks(row: Row) -> str:
    return marks([cell.verdict or ABSENT for cell in row.cells])


def changes_page(
    found: Changes, shown: Sequence[Column], notes: Sequence[str], chapters: Sequence[Chapter]
) -> str:
    """What changed, as a page; the columns are the old run and the new one."""
    told = outcome(found)
    models = list(dict.fromkeys(model for row in found.rows for model in row.models))
    groups = [(change, MEANING[change], rows) for change in Change if (rows := found.of(change))]

    def marked(row: Changed) -> str:
        state = row.change.name.lower()
        return marks([state if model in row.models else None for model in models])

    html = (
        _templates()
        .get_template("comparison/changes.html")
        .render(
            **_shared(shown, notes),
            title=f"{told.partition('.')[0].partition(':')[0]} · {shown[1].name}",
            outcome=told,
            changes=found,
            groups=groups,
            filters=filters(
                ((row.id, row.level) for row in found.rows),
                chapters,
                state="change",
                states=[(change.name.lower(), change.value) for change, _, _ in groups],
                column="model",
                columns=[(model or found.whole, model or found.whole) for model in models],
            ),
            marks=marked,
            css=_CSS,
            told_open=(Change.BROKE, Change.FOUND, Change.STILL, Change.WARNED, Change.FIXED),
        )
    )
    return document(words.tidy(html))


_CSS: Final[Mapping[Change, str]] = {
    Change.BROKE: "fail",
    Change.FOUND: "fail",
    Change.STILL: "fail",
    Change.LOST: "open",
    Change.WARNED: "warn",
    Change.EASED: "warn",
    Change.WARNS: "warn",
    Change.GONE: "none",
    Change.FIXED: "pass",
    Change.CLEARED: "pass",
    Change.GAINED: "pass",
    Change.JUDGED: "none",
}


def _shared(shown: Sequence[Column], notes: Sequence[str]) -> dict[str, Any]:
    return {
        "columns": shown,
        "notes": notes,
        "bars": [bars(column.results)[:2] for column in shown],
        "signs": SIGNS,
        "whole": TARGET,
        "style": own("base.css", "comparison/compare.css"),
        "script": own("filters.js", "base.js"),
    }


@cache
def _templates() -> jinja2.Environment:
    return environment({"day": words.day, "lines": lines, "marks": _marks})
