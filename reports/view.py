"""What the page shows, as plain data: the template only lays it out.

Laws
----
* Nothing here is HTML; every string may be hostile.
* One clause broken on ten models is one card.
* A verdict is an icon *and* a word; colour repeats it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from conformance.requirements import Chapter, Requirement

from . import words
from .sentence import coverage
from .text import timed
from .verdict import LEVELS, SEVERITY, Entry, Tally, Verdict, tallies

__all__ = [
    "SIGNS",
    "Card",
    "Cell",
    "Heat",
    "Row",
    "Section",
    "Sign",
    "Tile",
    "cards",
    "heat",
    "open_rows",
    "rows",
    "sections",
    "tiles",
]

TARGET: Final = "the target as a whole"


@dataclass(frozen=True, slots=True)
class Sign:
    """How a verdict looks: ``css`` class, icon, and a word that fits a cell."""

    css: str
    icon: str
    word: str
    meaning: str


SIGNS: Final[Mapping[str, Sign]] = {
    "FAIL": Sign("fail", "✕", "fail", "a MUST is broken (a SHOULD, under strict)"),
    "ERROR": Sign("fail", "‼", "error", "the suite itself failed; never the target's fault"),
    "INCONCLUSIVE": Sign("open", "?", "open", "the target could not be judged: 429, 5xx, timeout"),
    "BLOCKED": Sign("open", "⊘", "blocked", "a requirement that this one rests on is broken"),
    "WARN": Sign("warn", "!", "warn", "a SHOULD is broken"),
    "PASS": Sign("pass", "✓", "held", "demanded, exercised, held"),
    "UNSUPPORTED": Sign("none", "–", "n/a", "the capability is refused cleanly or declared absent"),  # noqa: RUF001  # a dash is meant
}


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
    broken = should.broken if results["strict"] else should.warned
    undecided = sum(tally.undecided for tally in found.values())
    unsupported = sum(tally.unsupported for tally in found.values())
    run = words.number(sum(tally.run for tally in found.values()))
    return [
        _tile(must.broken, f"of {words.number(must.judged)} judged MUST broken", "fail"),
        _tile(broken, f"of {words.number(should.judged)} judged SHOULD broken", "warn"),
        _tile(must.held + should.held, f"of {must.judged + should.judged} held", "pass"),
        _tile(undecided, f"of {run} clauses undecided", "open"),
        _tile(unsupported, f"of {run} clauses unsupported"),
        Tile(
            words.number(results["requests"]),
            f"requests in {words.duration(results['duration_s'])}",
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
        ("none", tally.unsupported),
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
    entries = results["requirements"]
    models: list[str | None] = [*results["target"]["models"]]
    if any(entry["model"] is None for entry in entries):
        models.insert(0, None)
    met: dict[tuple[str, str | None], list[Entry]] = {}
    for entry in entries:
        met.setdefault((entry["id"].rpartition("-")[0], entry["model"]), []).append(entry)
    rows, absent = [], []
    for chapter in chapters:
        cells = tuple(_cell(chapter, model, met.get((chapter.prefix, model))) for model in models)
        if any(cells):
            rows.append((chapter, cells))
        else:
            absent.append(chapter.name)
    columns = tuple((_short(model), model or TARGET) for model in models)
    return Heat(columns, tuple(rows), tuple(absent))


def _short(model: str | None) -> str:
    return words.short(model.rpartition("/")[2] or model, 30) if model else "target"


def _cell(chapter: Chapter, model: str | None, entries: Sequence[Entry] | None) -> Cell | None:
    if not entries:
        return None
    worst = min(entries, key=lambda entry: SEVERITY[entry["verdict"]])
    sign = SIGNS[worst["verdict"]]
    same = sum(entry["verdict"] == worst["verdict"] for entry in entries)
    href = anchor(worst["id"], worst["verdict"]) or f"chapter-{chapter.prefix}"
    what = f"{same} of {words.amount(len(entries), 'clause')}: {sign.word}"
    return Cell(sign, same, href, f"{chapter.name} · {model or TARGET} · {what}")


def anchor(clause: str, verdict: str) -> str:
    """Id of the place in the page that speaks of this clause and verdict; "" where none does."""
    match verdict:
        case "FAIL":
            return clause
        case "WARN":
            return f"warn-{clause}"
        case "ERROR" | "INCONCLUSIVE" | "BLOCKED":
            return f"open-{clause}"
    return ""


# --- failures and warnings ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Card:
    """One clause with one verdict, on all models that got it."""

    id: str
    level: str
    kind: str
    sign: Sign
    anchor: str
    requirement: Requirement | None
    shown: Entry
    """The entry whose evidence is shown in full."""
    others: tuple[Entry, ...]
    of: int
    """For how many models (or targets) the clause was run."""
    accepted: frozenset[str] = field(default=frozenset())
    """States of the known deviations that speak of it."""

    @property
    def models(self) -> tuple[str, ...]:
        """Every model that is broken, the shown one first."""
        return tuple(entry["model"] or TARGET for entry in (self.shown, *self.others))

    @property
    def share(self) -> str:
        """``2 of 10 models``."""
        if self.shown["model"] is None:
            return TARGET
        return f"{len(self.models)} of {words.amount(self.of, 'model')}"


def cards(
    results: Mapping[str, Any], requirements: Mapping[str, Requirement], verdict: Verdict
) -> list[Card]:
    """One card per clause that has ``verdict`` on some model; by level, then in catalogue order."""
    found: dict[str, list[Entry]] = {}
    run: dict[str, int] = {}
    for entry in results["requirements"]:
        run[entry["id"]] = run.get(entry["id"], 0) + 1
        if entry["verdict"] == verdict:
            found.setdefault(entry["id"], []).append(entry)
    made = [
        _card(entries, requirements.get(clause), run[clause], results["deviations"])
        for clause, entries in found.items()
    ]
    return sorted(made, key=lambda card: LEVELS.index(card.level))


def _card(
    entries: Sequence[Entry],
    requirement: Requirement | None,
    run: int,
    deviations: Iterable[Mapping[str, Any]],
) -> Card:
    shown = max(entries, key=_telling)  # the first of several
    return Card(
        id=shown["id"],
        level=shown["level"],
        kind=shown["kind"],
        sign=SIGNS[shown["verdict"]],
        anchor=anchor(shown["id"], shown["verdict"]),
        requirement=requirement,
        shown=shown,
        others=tuple(entry for entry in entries if entry is not shown),
        of=run,
        accepted=frozenset(row["state"] for row in deviations if row["id"] == shown["id"]),
    )


def _telling(entry: Entry) -> tuple[bool, bool]:
    exchanges = entry["evidence"].get("exchanges", ())
    marked = any(line["mark"] for e in exchanges for line in e.get("transcript", ()))
    return marked, bool(exchanges)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a transcript; ``cut``: another read than the one before began here."""

    time: str
    """``212.4 ms``, once per moment, and on every marked line."""
    text: str
    mark: bool
    cut: bool
    css: str


def rows(transcript: Iterable[Mapping[str, Any]]) -> list[Row]:
    """The lines of a transcript, with the borders between the reads that brought them."""
    made: list[Row] = []
    moment: float | None = None
    read: int | None = None
    for line in transcript:
        at, arrival, mark, said = line["at_ms"], line.get("arrival"), line["mark"], line["text"]
        states = {"mark": mark, "gap": at is None, "blank": not (said or mark)}
        made.append(
            Row(
                time="" if at is None or (at == moment and not mark) else timed(line).strip(),
                text=said or ("(blank line)" if mark else ""),
                mark=mark,
                cut=bool(made) and arrival is not None and arrival != read,
                css="".join(f" {name}" for name, holds in states.items() if holds),
            )
        )
        moment = at if at is not None else moment
        read = arrival if arrival is not None else read
    return made


# --- what was not judged, and everything --------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OpenRow:
    """One clause that was not judged for some models, for one reason."""

    id: str
    level: str
    sign: Sign
    reason: str
    models: tuple[str, ...]
    rerun: str
    anchor: str
    """Set on the first row of a clause only: an id occurs once in a page."""


def open_rows(results: Mapping[str, Any], verdicts: Iterable[str]) -> list[OpenRow]:
    """The entries with one of ``verdicts``, those with the same reason together."""
    wanted = frozenset(verdicts)
    found: dict[tuple[str, str, str], list[Entry]] = {}
    for entry in results["requirements"]:
        if entry["verdict"] in wanted:
            reason = entry["evidence"].get("reason") or entry["evidence"]["summary"]
            found.setdefault((entry["id"], entry["verdict"], reason), []).append(entry)
    seen: set[str] = set()
    rows = []
    for (clause, verdict, reason), entries in found.items():
        place = "" if clause in seen else anchor(clause, verdict)
        seen.add(clause)
        rows.append(
            OpenRow(
                id=clause,
                level=entries[0]["level"],
                sign=SIGNS[verdict],
                reason=reason,
                models=tuple(entry["model"] or TARGET for entry in entries),
                rerun=entries[0]["evidence"].get("reproduce", ""),
                anchor=place,
            )
        )
    return rows


@dataclass(frozen=True, slots=True)
class Section:
    """One chapter of the full table: each clause with ``(sign, models, href)``, the worst first."""

    chapter: Chapter
    clauses: tuple[tuple[Requirement, tuple[tuple[Sign, int, str], ...]], ...]
    judged: int
    """Clauses of which something was run."""


def sections(results: Mapping[str, Any], chapters: Iterable[Chapter]) -> list[Section]:
    """Every clause of the catalogue, run or not."""
    found: dict[str, dict[str, int]] = {}
    for entry in results["requirements"]:
        verdicts = found.setdefault(entry["id"], {})
        verdicts[entry["verdict"]] = verdicts.get(entry["verdict"], 0) + 1

    def states(clause: str) -> tuple[tuple[Sign, int, str], ...]:
        verdicts = sorted(found.get(clause, {}).items(), key=lambda item: SEVERITY[item[0]])
        return tuple((SIGNS[name], n, anchor(clause, name)) for name, n in verdicts)

    return [
        Section(
            chapter=chapter,
            clauses=tuple((entry, states(entry.id)) for entry in chapter.requirements),
            judged=sum(entry.id in found for entry in chapter.requirements),
        )
        for chapter in chapters
    ]
