"""Verdicts: fold, count, decide.

Laws
----
* Pure functions of plain data: no clock, no file, no target.
* The overall verdict tells the truth; only the exit status knows about accepted deviations.
* UNSUPPORTED, INCONCLUSIVE and BLOCKED never count as held, and every count has a denominator.
* An observation is no verdict: it decides nothing and is counted among observations alone.
* What was not judged is never called conformant.

Theory
------
Several checks of one requirement and model fold into one entry by the worst of their verdicts, and
the entries of one requirement fold into one state of the clause::

    FAIL -> broken    ERROR, INCONCLUSIVE, BLOCKED -> undecided    WARN -> warned
    PASS -> held      UNSUPPORTED -> unsupported                   OBSERVED -> observed

A clause that holds for nine models and is unsupported by the tenth is held: PASS is worse than
UNSUPPORTED because it says more.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final, Literal, TypeAlias

__all__ = [
    "LEVELS",
    "SEVERITY",
    "UNDECIDED",
    "Entry",
    "Overall",
    "Record",
    "Tally",
    "Verdict",
    "clauses",
    "counts",
    "demanded",
    "deviations",
    "exit_status",
    "fold",
    "overall",
    "tallies",
    "worst",
]

Record: TypeAlias = Mapping[str, Any]
"""One executed check: id, model, level, kind, verdict, chapter, nodeid, title, evidence."""
Entry: TypeAlias = Mapping[str, Any]
"""One requirement for one model: a record with the number of ``checks`` that it folds."""
Overall: TypeAlias = Literal["conformant", "not conformant", "inconclusive", "error"]


class Verdict(StrEnum):
    """How one requirement fares with one model, the worst first."""

    FAIL = "FAIL"
    """A MUST is broken (a SHOULD, under strict)."""
    ERROR = "ERROR"
    """The suite itself failed; never the target's fault."""
    INCONCLUSIVE = "INCONCLUSIVE"
    """The target could not be judged: 429, 5xx storm, timeout, quota, truncated by length."""
    BLOCKED = "BLOCKED"
    """A requirement that this one rests on is broken."""
    WARN = "WARN"
    """A SHOULD is broken."""
    PASS = "PASS"
    """Demanded, exercised, held."""
    UNSUPPORTED = "UNSUPPORTED"
    """The capability is refused cleanly, or declared absent."""
    OBSERVED = "OBSERVED"
    """An INFO entry: what the target does is told, and not judged."""


SEVERITY: Final[Mapping[str, int]] = {verdict: rank for rank, verdict in enumerate(Verdict)}
"""Rank by verdict; 0 is the worst."""

UNDECIDED: Final = frozenset({Verdict.ERROR, Verdict.INCONCLUSIVE, Verdict.BLOCKED})
LEVELS: Final = ("MUST", "SHOULD", "MAY", "INFO")


# --- folding ------------------------------------------------------------------------------------


def worst(verdicts: Iterable[str]) -> Verdict:
    """Return the worst verdict.

    Raises:
        ValueError: there is none, or one of them is no verdict.
    """
    return min((Verdict(verdict) for verdict in verdicts), key=SEVERITY.__getitem__)


def fold(records: Iterable[Record]) -> list[dict[str, Any]]:
    """Fold the records of each id and model into one entry, in the order of first appearance.

    The entry is the first of its worst records, with ``checks``, the number of records folded.
    """
    folded: dict[tuple[str, str | None], dict[str, Any]] = {}
    for record in records:
        key = record["id"], record["model"]
        known = folded.get(key)
        if known is None or SEVERITY[record["verdict"]] < SEVERITY[known["verdict"]]:
            folded[key] = dict(record) | {"checks": known["checks"] if known else 0}
        folded[key]["checks"] += 1
    return list(folded.values())


def clauses(entries: Iterable[Entry]) -> dict[str, Verdict]:
    """Return the worst verdict of each requirement over all models."""
    found: dict[str, Verdict] = {}
    for entry in entries:
        verdict = Verdict(entry["verdict"])
        known = found.setdefault(entry["id"], verdict)
        found[entry["id"]] = worst((known, verdict))
    return found


# --- counting -----------------------------------------------------------------------------------


def counts(entries: Iterable[Entry]) -> dict[str, int]:
    """Return the number of entries (requirement and model) by verdict, zeros included."""
    seen = Counter(entry["verdict"] for entry in entries)
    return {verdict.value: seen[verdict] for verdict in Verdict}


@dataclass(frozen=True, slots=True)
class Tally:
    """Clauses of one level by state; the six states exclude each other."""

    broken: int = 0
    warned: int = 0
    held: int = 0
    undecided: int = 0
    unsupported: int = 0
    observed: int = 0

    @property
    def judged(self) -> int:
        """Clauses that got an answer: broken, warned or held."""
        return self.broken + self.warned + self.held

    @property
    def run(self) -> int:
        """Clauses that some check of this run was about."""
        return self.judged + self.undecided + self.unsupported + self.observed


_STATE: Final[Mapping[Verdict, str]] = {
    Verdict.FAIL: "broken",
    Verdict.ERROR: "undecided",
    Verdict.INCONCLUSIVE: "undecided",
    Verdict.BLOCKED: "undecided",
    Verdict.WARN: "warned",
    Verdict.PASS: "held",
    Verdict.UNSUPPORTED: "unsupported",
    Verdict.OBSERVED: "observed",
}


def tallies(entries: Iterable[Entry]) -> dict[str, Tally]:
    """Return the clauses by level and state; every level is there."""
    entries = list(entries)
    level = {entry["id"]: entry["level"] for entry in entries}
    found = dict.fromkeys(LEVELS, Tally())
    for clause, verdict in clauses(entries).items():
        tally, state = found[level[clause]], _STATE[verdict]
        found[level[clause]] = replace(tally, **{state: getattr(tally, state) + 1})
    return found


# --- deciding -----------------------------------------------------------------------------------


def demanded(entry: Entry, strict: bool) -> bool:
    """Whether conformance asks for it: a MUST, and under ``strict`` a SHOULD."""
    return entry["level"] == "MUST" or (strict and entry["level"] == "SHOULD")


def overall(entries: Sequence[Entry], strict: bool) -> Overall:
    """Return what the run says about the target, whatever deviations are accepted."""
    verdicts = {entry["verdict"] for entry in entries}
    if Verdict.FAIL in verdicts:
        return "not conformant"
    if Verdict.ERROR in verdicts:
        return "error"
    if any(demanded(entry, strict) and entry["verdict"] in UNDECIDED for entry in entries):
        return "inconclusive"
    # A target that refuses every capability has shown nothing.
    return "conformant" if verdicts & {Verdict.PASS, Verdict.WARN} else "inconclusive"


_EXIT: Final[Mapping[Overall, Literal[0, 1, 3, 6]]] = {
    "conformant": 0,
    "not conformant": 1,
    "error": 3,
    "inconclusive": 6,
}


def exit_status(
    entries: Sequence[Entry], strict: bool, accepted_deviations: Iterable[Mapping[str, Any]] = ()
) -> Literal[0, 1, 3, 6]:
    """Return the exit status of a run: that of the overall verdict, less accepted failures.

    Args:
        entries: folded entries.
        strict: whether a SHOULD is demanded.
        accepted_deviations: as ``deviations`` returns them; only the *known* ones excuse.

    Returns:
        1: a FAIL that no known deviation covers; else 3: an ERROR; else 6: something demanded is
        INCONCLUSIVE or BLOCKED, or nothing was judged; else 0.
    """
    excused = {(row["id"], row["model"]) for row in accepted_deviations if row["state"] == "known"}
    passing = [
        {**entry, "verdict": Verdict.WARN}
        if entry["verdict"] == Verdict.FAIL and (entry["id"], entry["model"]) in excused
        else entry
        for entry in entries
    ]
    return _EXIT[overall(passing, strict)]


def deviations(
    profile_deviations: Iterable[Mapping[str, Any]], entries: Iterable[Entry], today: dt.date
) -> list[dict[str, Any]]:
    """Confront the deviations that a profile knows with what this run found.

    Args:
        profile_deviations: ``{id, models, reason, expires}``; ``models`` empty or absent means all
            models and the target itself; ``expires`` is a date or its ISO form, valid that day.
        entries: folded entries.
        today: the day of the run.

    Returns:
        One row per deviation and entry that it is about, ``{id, model, reason, expires, state}``.
        ``fixed``: the requirement holds, the deviation can go; ``expired``: its date is past;
        ``known``: neither. A deviation that this run did not exercise has no row.

    Raises:
        ValueError: ``expires`` is no date.
    """
    entries = list(entries)
    rows: list[dict[str, Any]] = []
    for known in profile_deviations:
        expires = _date(known["expires"])
        about = _about(known)
        rows += [
            {
                "id": entry["id"],
                "model": entry["model"],
                "reason": known["reason"],
                "expires": expires.isoformat(),
                "state": _state(entry, expires, today),
            }
            for entry in entries
            if about(entry)
        ]
    return rows


def _date(value: dt.date | str) -> dt.date:
    return dt.date.fromisoformat(value) if isinstance(value, str) else value


def _about(known: Mapping[str, Any]) -> Callable[[Entry], bool]:
    models = tuple(known.get("models") or ())
    return lambda entry: entry["id"] == known["id"] and (not models or entry["model"] in models)


def _state(entry: Entry, expires: dt.date, today: dt.date) -> str:
    if entry["verdict"] == Verdict.PASS:
        return "fixed"
    return "expired" if expires < today else "known"
