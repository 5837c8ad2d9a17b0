"""The targets of a comparison: their names, and what makes them less comparable.

Laws
----
* No two columns have one name.
* Whatever makes two runs less comparable is said before they are compared.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from conformance.requirements import Requirement
from reports import words
from reports.sentence import sentence
from reports.verdict import LEVELS, Tally, tallies

from .changes import same_target

__all__ = ["Column", "columns", "notes", "time_notes"]


@dataclass(frozen=True, slots=True)
class Column:
    """One run, as the head of a column shows it."""

    letter: str
    """``A``, ``B`` …; of two runs of one target ``old`` and ``new``."""
    name: str
    results: Mapping[str, Any]

    @property
    def url(self) -> str:
        """The base URL that was judged."""
        return str(self.results["target"]["url"])

    @property
    def sentence(self) -> str:
        """The run's verdict in one sentence."""
        return sentence(self.results)

    @property
    def css(self) -> str:
        """How its verdict is coloured: a partial run is not green."""
        if self.sentence.startswith("Partial"):
            return "open"
        return _CSS[self.results["verdict"]]

    @property
    def standing(self) -> Mapping[str, str]:
        """By level, what became of the clauses: ``102 of 103 held · 1 broken · 5 undecided``."""
        total = self.results["catalogue"]["total"]
        found = tallies(self.results["requirements"])
        return {level: _standing(found[level], total[level]) for level in LEVELS if total[level]}


def _standing(tally: Tally, total: int) -> str:
    held = f"{words.number(tally.held)} of {words.number(tally.judged)} held"
    rest = {
        "broken": tally.broken,
        "warned": tally.warned,
        "undecided": tally.undecided,
        "unsupported": tally.unsupported,
        "observed": tally.observed,
        "not run": max(0, total - tally.run),
    }
    return " · ".join(filter(None, [held if tally.judged else "", words.figures(rest)]))


_CSS: Final = {"conformant": "pass", "not conformant": "fail", "inconclusive": "open"} | {
    "error": "fail"
}


def columns(
    runs: Sequence[Mapping[str, Any]], files: Sequence[Path], names: Sequence[str] = ()
) -> list[Column]:
    """Name the columns.

    Args:
        runs: as ``results.read`` returns them.
        files: where each was read from.
        names: as the user wants them; none: the host, with what tells it from its like.

    Raises:
        ValueError: not one name for each run, or a name twice.
    """
    if names and len(names) != len(runs):
        given = words.amount(len(names), "name")
        raise ValueError(f"--names: {given} for {words.amount(len(runs), 'file')}")
    if twice := [name for name, n in Counter(names).items() if n > 1]:
        raise ValueError(f"--names: {twice[0]!r} stands for two files")
    called = names or _named(runs, files)
    return [
        Column(_letter(index), name, run)
        for index, (name, run) in enumerate(zip(called, runs, strict=True))
    ]


def _named(runs: Sequence[Mapping[str, Any]], files: Sequence[Path]) -> list[str]:
    """The shortest names that differ; runs of one target are told apart by time, then by file."""
    tell: tuple[Callable[[int], str], ...] = (
        lambda at: words.host(runs[at]["target"]["url"]),
        lambda at: runs[at]["target"]["url"].partition("://")[2].rstrip("/"),
        lambda at: f"{words.host(runs[at]['target']['url'])} {words.day(runs[at]['started'])}",
        lambda at: f"{words.host(runs[at]['target']['url'])} ({files[at].stem})",
        lambda at: f"{words.host(runs[at]['target']['url'])} ({files[at]})",
        lambda at: f"{words.host(runs[at]['target']['url'])} (run {at + 1})",
    )
    names = [tell[0](at) or "?" for at in range(len(runs))]
    for name in {name for name in names if names.count(name) > 1}:
        alike = [at for at, known in enumerate(names) if known == name]
        others = set(names) - {name}
        for way in tell[1:]:
            fresh = [way(at) for at in alike]
            if len(set(fresh)) == len(fresh) and not others & set(fresh):
                for at, better in zip(alike, fresh, strict=True):
                    names[at] = better
                break
    return names


def _letter(index: int) -> str:
    """``A`` … ``Z``, ``AA`` …"""
    head, last = divmod(index, 26)
    return (_letter(head - 1) if head else "") + chr(ord("A") + last)


def _started(run: Mapping[str, Any]) -> dt.datetime:
    return dt.datetime.fromisoformat(run["started"]).astimezone(dt.UTC)


# --- what must be known -------------------------------------------------------------------------


def notes(
    shown: Sequence[Column], requirements: Mapping[str, Requirement], *, twice: bool = True
) -> list[str]:
    """What makes these runs less comparable, one sentence each.

    Args:
        shown: two columns or more.
        requirements: the catalogue of this version.
        twice: whether it is worth telling that two columns are one target.
    """
    runs = [column.results for column in shown]
    found = [*_unlike(shown), *_levels(shown)]
    if len({run["strict"] for run in runs}) > 1:
        strict = _letters(column for column in shown if column.results["strict"])
        found.append(f"{strict} ran under --strict; here a broken SHOULD is a warning everywhere.")
    for column in shown:
        found += _shortcomings(column, requirements)
    return found + (_twice(shown) if twice else [])


def _twice(shown: Sequence[Column]) -> list[str]:
    """Which columns are one target, or one run."""
    groups: list[list[Column]] = []
    for column in shown:
        for group in groups:
            if same_target(group[0].results, column.results):
                group.append(column)
                break
        else:
            groups.append([column])
    return [
        f"{_letters(group)} are the same "
        f"{'run' if all(one.results == group[0].results for one in group) else 'target'}."
        for group in groups
        if len(group) > 1
    ]


def time_notes(old: Column, new: Column) -> list[str]:
    """What two runs of one target have to tell about themselves."""
    found = []
    if not same_target(old.results, new.results):
        found.append("The runs are of different targets.")
    if new.results == old.results:
        found.append("Both files hold the same run: nothing can have changed.")
    if _started(new.results) < _started(old.results):
        found.append("The new run began before the old one: are the files in the right order?")
    before, after = (column.results["target"]["models"] for column in (old, new))
    gone = [model for model in before if model not in after]
    come = [model for model in after if model not in before]
    if before and after and len(gone) == len(before):
        return [*found, "No model is in both runs: clauses are compared over all models."]
    for which, models in (("old", gone), ("new", come)):
        if models:
            few = len(models) < 4
            named = words.listed(models) if few else words.amount(len(models), "model")
            found.append(f"Only the {which} run has {named}{'' if few else ' of its own'}.")
    return found


def _unlike(shown: Sequence[Column]) -> list[str]:
    found = []
    for what, part, member in (
        ("The suite's version", "suite", "version"),
        ("The number of clauses in the catalogue", "catalogue", "entries"),
    ):
        groups: dict[object, list[Column]] = {}
        for column in shown:
            groups.setdefault(column.results[part][member], []).append(column)
        if len(groups) > 1:
            told = words.listed(f"{value} in {_letters(had)}" for value, had in groups.items())
            found.append(f"{what} differs: {told}.")
    return found


def _levels(shown: Sequence[Column]) -> list[str]:
    levels: dict[str, dict[str, list[Column]]] = {}
    for column in shown:
        for clause, level in {(e["id"], e["level"]) for e in column.results["requirements"]}:
            levels.setdefault(clause, {}).setdefault(level, []).append(column)
    return [
        f"{clause} is {words.listed(f'{name} in {_letters(had)}' for name, had in found.items())}."
        for clause, found in sorted(levels.items())
        if len(found) > 1
    ]


def _shortcomings(column: Column, requirements: Mapping[str, Requirement]) -> list[str]:
    run, letter, found = column.results, column.letter, []
    if run["interrupted"]:
        found.append(f"{letter} was interrupted before its end.")
    judged = sum(run["catalogue"]["judged"].values())
    ran = sum(tally.run for tally in tallies(run["requirements"]).values())
    if ran < judged:
        found.append(f"{letter} ran {ran} of {judged} clauses that have a check.")
    ids = {entry["id"] for entry in run["requirements"]}
    if unknown := sorted(ids - set(requirements)):
        which = words.listed(unknown) if len(unknown) < 4 else words.amount(len(unknown), "clause")
        found.append(f"{letter} names {which}, unknown to the catalogue of this version.")
    return found


def _letters(shown: Iterable[Column]) -> str:
    return words.listed(column.letter for column in shown)
