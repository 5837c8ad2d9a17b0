"""What changed between two runs of one target.

Laws
----
* What is no longer judged is never called fixed; what was not judged before never held before.
* What breaks now and was not known to be broken fails the comparison, also where the old run had
  not judged it: else a run that could not judge hides a breach from both of its neighbours.
* A deviation that the profile of the new run knows of is told and fails nothing.
* Observations are told by each run and compared by none.
* Pure functions of saved results; every string may be hostile.

Theory
------
Verdicts are one of six states: broken (FAIL), warned (WARN), held (PASS), unsupported, undecided
(INCONCLUSIVE, BLOCKED, ERROR) and absent (not in that run). ``TABLE`` says what two of them make.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlsplit

from conformance.requirements import Requirement
from reports.signs import TARGET
from reports.told import told
from reports.verdict import LEVELS, Entry, Verdict, clauses

from .matrix import entries_alike

__all__ = [
    "MEANING",
    "TABLE",
    "Change",
    "Changed",
    "Changes",
    "changes",
    "same_target",
]


class Change(StrEnum):
    """What became of a clause on one model, in the order in which it is shown."""

    BROKE = "newly broken"
    FOUND = "found broken"
    STILL = "still broken"
    LOST = "no longer judged"
    WARNED = "newly warned"
    EASED = "broken before, warned now"
    WARNS = "still warned"
    GONE = "no longer supported"
    FIXED = "newly fixed"
    CLEARED = "warned before, held now"
    GAINED = "newly supported"
    JUDGED = "newly judged"
    SAME = "unchanged"


MEANING: Final[Mapping[Change, str]] = {
    Change.BROKE: "not broken in the old run, broken in the new one",
    Change.FOUND: "not judged in the old run, broken in the new one",
    Change.STILL: "broken in both",
    Change.LOST: "judged in the old run, not in the new one: nothing is fixed by that",
    Change.WARNED: "a SHOULD that did not warn before",
    Change.EASED: "a breach that clients tolerate now",
    Change.WARNS: "warned in both",
    Change.GONE: "offered in the old run, refused or declared absent in the new one",
    Change.FIXED: "broken in the old run, held in the new one",
    Change.CLEARED: "the warning is gone",
    Change.GAINED: "refused or declared absent in the old run, held in the new one",
    Change.JUDGED: "not judged in the old run; held or unsupported in the new one",
    Change.SAME: "the same in both",
}

_TABLE: Final = """
now/was      broken  warned   held    unsupported  undecided  absent
broken       STILL   BROKE    BROKE   BROKE        FOUND      FOUND
warned       EASED   WARNS    WARNED  WARNED       WARNED     WARNED
held         FIXED   CLEARED  SAME    GAINED       JUDGED     JUDGED
unsupported  GONE    GONE     GONE    SAME         JUDGED     JUDGED
undecided    LOST    LOST     LOST    LOST         SAME       SAME
absent       LOST    LOST     LOST    LOST         SAME       SAME
"""


def _read(table: str) -> dict[tuple[str, str], Change]:
    (_, *was), *rows = (line.split() for line in table.strip().splitlines())
    return {
        (before, now): Change[name]
        for now, *names in rows
        for before, name in zip(was, names, strict=True)
    }


TABLE: Final[Mapping[tuple[str, str], Change]] = _read(_TABLE)
"""What (was, now) make."""

_STATES: Final[Mapping[str | None, str]] = {
    Verdict.FAIL: "broken",
    Verdict.WARN: "warned",
    Verdict.PASS: "held",
    Verdict.UNSUPPORTED: "unsupported",
    Verdict.ERROR: "undecided",
    Verdict.INCONCLUSIVE: "undecided",
    Verdict.BLOCKED: "undecided",
    Verdict.OBSERVED: "absent",
    None: "absent",
}


@dataclass(frozen=True, slots=True)
class Changed:
    """One clause that changed in one way, on all models on which it did."""

    id: str
    level: str
    requirement: Requirement | None
    """None where the catalogue of this version does not have it."""
    change: Change
    was: str | None
    """The old verdict; None where the old run did not have it."""
    now: str | None
    models: tuple[str | None, ...]
    told: str
    """What the new run saw; where it says nothing, ``before:`` and what the old one had seen."""
    known: bool
    """Whether the profile of the new run declares the breach, for each of the models."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed, in the order in which it is shown."""

    rows: tuple[Changed, ...]
    """Everything but what is the same."""
    same: int
    """Judgements (clause and model) that are the same and neither broken nor warned."""
    folded: bool
    """No model is in both runs: clauses are compared over all models."""

    @property
    def whole(self) -> str:
        """What a row is called that is of no model."""
        return "the worst of all models" if self.folded else TARGET

    @property
    def told_as(self) -> str:
        """``broke``, ``open`` or ``good``: where a breach stays, or is not seen, it is not good."""
        if self.broke:
            return "broke"
        bad = Change.BROKE, Change.FOUND, Change.STILL, Change.LOST
        return "open" if self.of(*bad) else "good"

    def of(self, *wanted: Change) -> tuple[Changed, ...]:
        """The rows of these changes."""
        return tuple(row for row in self.rows if row.change in wanted)

    @property
    def broke(self) -> tuple[Changed, ...]:
        """What fails the comparison: breaks now, was not known to, and is not declared."""
        return tuple(row for row in self.of(Change.BROKE, Change.FOUND) if not row.known)

    @property
    def exit_status(self) -> int:
        """1 where something newly broke, else 0."""
        return 1 if self.broke else 0


def changes(
    old: Mapping[str, Any], new: Mapping[str, Any], requirements: Mapping[str, Requirement]
) -> Changes:
    """Compare two runs of one target, clause by clause and model by model.

    Args:
        old, new: as ``results.read`` returns them.
        requirements: the catalogue, in its order.
    """
    before, after = entries_alike([old, new])
    folded = _strangers(old, new)
    was = _by_key(_folded(before) if folded else before)
    now = _by_key(_folded(after) if folded else after)
    known = _known(new, after, folded)
    groups: dict[tuple[str, Change, str | None, str | None, bool], list[tuple[str, str | None]]]
    groups, same = {}, 0
    for key in [*now, *(key for key in was if key not in now)]:
        first, last = (_verdict(run.get(key)) for run in (was, now))
        change = TABLE[_STATES[first], _STATES[last]]
        if change == Change.SAME:
            same += 1
        else:
            group = key[0], change, first, last, key in known
            groups.setdefault(group, []).append(key)
    rows = [
        Changed(
            id=clause,
            level=(now.get(keys[0]) or was[keys[0]])["level"],
            requirement=requirements.get(clause),
            change=change,
            was=first,
            now=last,
            models=tuple(model for _, model in keys),
            told=_told(was.get(keys[0]), now.get(keys[0])),
            known=declared,
        )
        for (clause, change, first, last, declared), keys in groups.items()
    ]
    place = {clause: index for index, clause in enumerate(requirements)}
    order = tuple(Change)

    def key_of(row: Changed) -> tuple[int, int, int, str]:
        return (
            order.index(row.change),
            LEVELS.index(row.level),
            place.get(row.id, len(place)),
            row.id,
        )

    return Changes(tuple(sorted(rows, key=key_of)), same, folded)


def same_target(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two runs judged the same base URL."""
    return _place(one["target"]["url"]) == _place(other["target"]["url"])


def _place(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:  # no URL at all, "https://[x"
        return url
    return f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}?{parts.query}"


def _strangers(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    before, after = set(old["target"]["models"]), set(new["target"]["models"])
    return bool(before and after) and not before & after


def _folded(entries: Sequence[Entry]) -> list[Entry]:
    """One entry for each clause, that of the model which fares worst."""
    verdicts = clauses(entries)
    found: dict[str, Entry] = {}
    for entry in entries:
        if entry["verdict"] == verdicts[entry["id"]]:
            found.setdefault(entry["id"], {**entry, "model": None})
    return list(found.values())


def _known(
    new: Mapping[str, Any], entries: Sequence[Entry], folded: bool
) -> set[tuple[str, str | None]]:
    """The breaches that the profile declares; of a folded clause, every one must be."""
    known = {(row["id"], row["model"]) for row in new["deviations"] if row["state"] == "known"}
    if not folded:
        return known
    broken = {(e["id"], e["model"]) for e in entries if e["verdict"] == Verdict.FAIL}
    undeclared = {clause for clause, _ in broken - known}
    return {(clause, None) for clause, _ in broken if clause not in undeclared}


def _by_key(entries: Sequence[Entry]) -> dict[tuple[str, str | None], Entry]:
    return {(entry["id"], entry["model"]): entry for entry in entries}


def _verdict(entry: Entry | None) -> str | None:
    return None if entry is None else str(entry["verdict"])


def _told(was: Entry | None, now: Entry | None) -> str:
    if said := told(now) if now else "":
        return said
    before = told(was) if was else ""
    return f"before: {before}" if before else ""
