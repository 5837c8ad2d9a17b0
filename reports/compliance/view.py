"""What the page shows, as plain data: the template only lays it out.

Laws
----
* Nothing here is HTML; every string may be hostile.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from conformance.requirements import Chapter, Requirement
from reports import words
from reports.filters import ABSENT, Filters, filters, marks, question
from reports.sentence import coverage
from reports.signs import SIGNS, TARGET, Sign
from reports.verdict import LEVELS, SEVERITY, Entry, Tally, tallies

__all__ = [
    "Bar",
    "Cell",
    "Heat",
    "Line",
    "Section",
    "Tile",
    "anchor",
    "bars",
    "complete",
    "heat",
    "narrowing",
    "sections",
    "tiles",
]


# --- what the schema lets a run leave out -------------------------------------------------------


_EVIDENCE: Final[Mapping[str, Any]] = {
    "findings": (),
    "exchanges": (),
    "reproduce": "",
    "reason": None,
    "observed": None,
    "seen_in": None,
    "repeated": None,
    "trials": None,
    "left_out": 0,
    "by": None,
}
_FINDING: Final[Mapping[str, Any]] = {"at": "", "mild": False, "reply": None}
_EXCHANGE: Final[Mapping[str, Any]] = {
    "reply": None,
    "headers": (),
    "transcript": (),
    "curl": "",
    "error": None,
}
_LINE: Final[Mapping[str, Any]] = {"arrival": None}


def complete(results: Mapping[str, Any]) -> dict[str, Any]:
    """Return the results as they are shown: optional members are there, and all can be seen."""
    entries = [_complete(entry) for entry in results["requirements"]]
    shown = {"configuration": None, "tokens": None, **results, "requirements": entries}
    return {name: _visible(value) for name, value in shown.items()}


def _visible(value: Any) -> Any:
    """A JSON value in whose strings nothing is hidden; keys are ours."""
    if isinstance(value, str):
        return words.visible(value)
    if isinstance(value, dict):
        return {name: _visible(item) for name, item in value.items()}
    return [_visible(item) for item in value] if isinstance(value, list | tuple) else value


def _complete(entry: Entry) -> dict[str, Any]:
    evidence = {**_EVIDENCE, **entry["evidence"]}
    evidence["findings"] = [{**_FINDING, **finding} for finding in evidence["findings"]]
    evidence["exchanges"] = [
        {**filled, "transcript": [{**_LINE, **line} for line in filled["transcript"]]}
        for filled in ({**_EXCHANGE, **exchange} for exchange in evidence["exchanges"])
    ]
    return {**entry, "evidence": evidence}


# --- the top ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure with its denominator in the label."""

    figure: str
    label: str
    css: str = ""


def tiles(results: Mapping[str, Any]) -> list[Tile]:
    """The counts: what is broken, what held, what is open, and what it cost."""
    found = tallies(results["requirements"])
    must, should = found["MUST"], found["SHOULD"]
    broken = should.broken + should.warned  # FAIL under strict, WARN otherwise
    undecided = sum(tally.undecided for tally in found.values())
    unsupported = sum(tally.unsupported for tally in found.values())
    run = words.number(sum(tally.run - tally.observed for tally in found.values()))
    requests = words.noun(results["requests"], "request")
    return [
        _tile(must.broken, f"of {words.number(must.judged)} judged MUST broken", "fail"),
        _tile(broken, f"of {words.number(should.judged)} judged SHOULD broken", "warn"),
        _tile(must.held + should.held, f"of {must.judged + should.judged} held", "pass"),
        _tile(undecided, f"of {run} clauses undecided", "open"),
        _tile(unsupported, f"of {run} clauses unsupported"),
        Tile(
            words.number(results["requests"]),
            f"{requests} in {words.duration(results['duration_s'])}",
        ),
    ]


def _tile(value: int, label: str, css: str = "") -> Tile:
    return Tile(words.number(value), label, css if value else "")


@dataclass(frozen=True, slots=True)
class Bar:
    """The catalogue of one level as shares: ``(css, clauses)``, the rest of ``total`` not run."""

    level: str
    total: int
    shares: tuple[tuple[str, int], ...]
    words: str


def bars(results: Mapping[str, Any]) -> list[Bar]:
    """One bar per level that the catalogue has clauses of."""
    found, said = tallies(results["requirements"]), coverage(results)
    total = results["catalogue"]["total"]
    return [
        Bar(level, total[level], _shares(found[level], total[level]), said[level])
        for level in LEVELS
        if total[level]
    ]


def _shares(tally: Tally, total: int) -> tuple[tuple[str, int], ...]:
    shares = (
        ("fail", tally.broken),
        ("warn", tally.warned),
        ("pass", tally.held),
        ("open", tally.undecided),
        ("none", tally.unsupported + tally.observed),
        ("rest", total - tally.run),
    )
    return tuple((css, clauses) for css, clauses in shares if clauses > 0)


# --- the map of chapters and models -------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cell:
    """One chapter for one model: its worst verdict, and how many clauses have it."""

    sign: Sign
    clauses: int
    href: str
    """Id of what tells of the first of these clauses."""
    asks: str
    """What the table of all clauses is asked for to show them all (``filters.question``)."""
    title: str


@dataclass(frozen=True, slots=True)
class Heat:
    """Columns are models (and the target as a whole), rows are chapters that were run."""

    columns: tuple[tuple[str, str], ...]
    """(short name, full name)."""
    rows: tuple[tuple[Chapter, tuple[Cell | None, ...]], ...]
    absent: tuple[str, ...]
    """Names of the chapters of which nothing was run."""


def heat(results: Mapping[str, Any], chapters: Iterable[Chapter]) -> Heat:
    """The map: where to look first."""
    entries, models = results["requirements"], _columns(results)
    met: dict[tuple[str, str | None], list[Entry]] = {}
    for entry in entries:
        met.setdefault((entry["id"].rpartition("-")[0], entry["model"]), []).append(entry)
    rows, absent = [], []
    for chapter in chapters:
        cells = tuple(
            _cell(chapter, model, met.get((chapter.prefix, model)), len(models) > 1)
            for model in models
        )
        if any(cells):
            rows.append((chapter, cells))
        else:
            absent.append(chapter.name)
    columns = tuple((_short(model), model or TARGET) for model in models)
    return Heat(columns, tuple(rows), tuple(absent))


def _columns(results: Mapping[str, Any]) -> list[str | None]:
    """The models, after None where something was judged of the target as a whole."""
    models: list[str | None] = [*results["target"]["models"]]
    whole = any(entry["model"] is None for entry in results["requirements"])
    return [None, *models] if whole else models


def _short(model: str | None) -> str:
    return words.short(model.rpartition("/")[2] or model, 30) if model else "target"


def _cell(
    chapter: Chapter, model: str | None, entries: Sequence[Entry] | None, several: bool
) -> Cell | None:
    if not entries:
        return None
    worst = min(entries, key=lambda entry: SEVERITY[entry["verdict"]])
    sign = SIGNS[worst["verdict"]]
    same = sum(entry["verdict"] == worst["verdict"] for entry in entries)
    href = anchor(worst["id"], worst["verdict"]) or f"chapter-{chapter.prefix}"
    what = f"{same} of {words.amount(len(entries), 'clause')}: {sign.word}"
    asks = question(
        chapter=chapter.prefix,
        on=(model or TARGET) if several else "",
        verdict=worst["verdict"],
    )
    return Cell(sign, same, href, asks, f"{chapter.name} · {model or TARGET} · {what}")


def anchor(clause: str, verdict: str) -> str:
    """Id of the place in the page that speaks of this clause and verdict; "" where none does."""
    match verdict:
        case "FAIL":
            return clause
        case "WARN":
            return f"warn-{clause}"
        case "ERROR" | "INCONCLUSIVE" | "BLOCKED":
            return f"open-{clause}"
        case "OBSERVED":
            return f"observed-{clause}"
    return ""


# --- every clause -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """One clause of the full table."""

    clause: Requirement
    states: tuple[tuple[Sign, int, str], ...]
    """``(sign, models, href)``, the worst first."""
    marks: str
    """Its verdicts by model (``filters.marks``)."""


@dataclass(frozen=True, slots=True)
class Section:
    """One chapter of the full table."""

    chapter: Chapter
    lines: tuple[Line, ...]
    judged: int
    """Clauses of which something was run."""


def sections(results: Mapping[str, Any], chapters: Iterable[Chapter]) -> list[Section]:
    """Every clause of the catalogue, run or not."""
    columns = _columns(results)
    found: dict[str, dict[str | None, str]] = {}
    for entry in results["requirements"]:
        found.setdefault(entry["id"], {})[entry["model"]] = entry["verdict"]

    def line(clause: Requirement) -> Line:
        by_model = found.get(clause.id)
        counted = Counter((by_model or {}).values())
        worst_first = sorted(counted.items(), key=lambda item: SEVERITY[item[0]])
        return Line(
            clause,
            tuple((SIGNS[name], n, anchor(clause.id, name)) for name, n in worst_first),
            marks([by_model.get(model) if by_model else ABSENT for model in columns]),
        )

    return [
        Section(
            chapter=chapter,
            lines=tuple(map(line, chapter.requirements)),
            judged=sum(entry.id in found for entry in chapter.requirements),
        )
        for chapter in chapters
    ]


def narrowing(results: Mapping[str, Any], chapters: Sequence[Chapter]) -> Filters:
    """The filters of the full table: the verdicts that occur, and whatever was judged."""
    met = {entry["verdict"] for entry in results["requirements"]}
    verdicts = [(name, SIGNS[name].word) for name in SEVERITY if name in met]
    return filters(
        ((entry.id, entry.level) for chapter in chapters for entry in chapter.requirements),
        chapters,
        state="verdict",
        states=[*verdicts, (ABSENT, "not run")],
        column="model",
        columns=[(model or TARGET, model or TARGET) for model in _columns(results)],
    )
