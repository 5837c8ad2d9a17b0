"""The verdict of a run in words.

The laws: every count stands beside its denominator; the denominator of a judgement is what was
judged, the denominator of the suite is the catalogue; nothing unjudged is called held.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from . import words
from .verdict import LEVELS, UNDECIDED, Tally, Verdict, tallies

__all__ = ["coverage", "sentence"]


def sentence(results: Mapping[str, Any]) -> str:
    """Return the run's verdict in one sentence, every count with its denominator."""
    entries, strict = results["requirements"], results["strict"]
    tally = {
        level: found
        for level, found in tallies(entries).items()
        if level == "MUST" or (strict and level == "SHOULD")
    }
    tell = {
        "not conformant": _not_conformant,
        "error": _error,
        "inconclusive": _inconclusive,
        "conformant": _conformant,
    }[results["verdict"]]
    ending = "; the run was interrupted before its end" if results["interrupted"] else ""
    # A selection that holds is not the contract: nobody shall read "Conformant" over it.
    partial = results["verdict"] == "conformant" and _left_out(results, tally)
    head = "Partial run" if partial else results["verdict"].capitalize()
    return f"{head}: {tell(results, tally)}{ending}."


def _left_out(results: Mapping[str, Any], tally: Mapping[str, Tally]) -> dict[str, int]:
    """How many demanded clauses that have a check were not in this run, by level."""
    judged = results["catalogue"]["judged"]
    missing = {level: judged[level] - found.run for level, found in tally.items()}
    return {level: count for level, count in missing.items() if count > 0}


def _not_conformant(results: Mapping[str, Any], tally: Mapping[str, Tally]) -> str:
    # A FAIL is reported whatever its level, even where the run's strictness would not ask for it.
    every = tallies(results["requirements"])
    broken = {level: every[level] for level in LEVELS if every[level].broken}
    what = words.listed(
        f"{words.number(found.broken)} of {words.number(found.judged)} {level}"
        for level, found in broken.items()
    )
    one = sum(found.broken for found in broken.values()) == 1
    judged = words.noun(sum(found.judged for found in broken.values()), "clause")
    said = f"{what} {judged} {'is' if one else 'are'} broken {_where(results, Verdict.FAIL)}"
    known = {(row["id"], row["model"]) for row in results["deviations"] if row["state"] == "known"}
    fails = {(e["id"], e["model"]) for e in results["requirements"] if e["verdict"] == "FAIL"}
    return f"{said}; every breach is a known deviation" if fails <= known else said


def _error(results: Mapping[str, Any], tally: Mapping[str, Tally]) -> str:
    ids = {entry["id"] for entry in results["requirements"] if entry["verdict"] == Verdict.ERROR}
    if not ids:
        return "the target was never reached"
    return f"the suite itself failed on {words.amount(len(ids), 'clause')}; {_unbroken(tally)}"


def _inconclusive(results: Mapping[str, Any], tally: Mapping[str, Tally]) -> str:
    undecided = {level: found for level, found in tally.items() if found.undecided}
    if not undecided:
        return _unbroken(tally)
    what = words.listed(
        f"{words.number(found.undecided)} of {words.number(found.judged + found.undecided)} {level}"
        for level, found in undecided.items()
    )
    total = sum(found.judged + found.undecided for found in undecided.values())
    where = _where(results, *UNDECIDED)
    return f"{what} {words.noun(total, 'clause')} could not be judged {where}; {_unbroken(tally)}"


def _unbroken(tally: Mapping[str, Tally]) -> str:
    judged = sum(found.judged for found in tally.values())
    if not judged:
        return f"no {words.listed(tally, 'or')} clause was judged"
    what = words.amount(judged, f"judged {words.listed(tally, 'or')} clause")
    return f"none of the {what} is broken" if judged > 1 else f"the {what} is not broken"


def _conformant(results: Mapping[str, Any], tally: Mapping[str, Tally]) -> str:
    every = tallies(results["requirements"])
    on = words.amount(len(results["target"]["models"]), "model")
    judged = {level: found for level, found in tally.items() if found.judged}
    if judged:
        what = words.listed(
            f"{words.number(found.judged)} judged {level}" for level, found in judged.items()
        )
        total = sum(found.judged for found in judged.values())
        all_ = "all" if min(found.judged for found in judged.values()) > 1 else "the"
        said = f"{all_} {what} {'clause holds' if total == 1 else 'clauses hold'} on {on}"
    else:
        total = sum(found.judged for found in every.values())
        said = f"no MUST clause was judged; the {words.amount(total, 'other clause')} "
        said += f"{'holds' if total == 1 else 'hold'} on {on}"
    if missing := _left_out(results, tally):
        what = words.listed(f"{words.number(n)} {level}" for level, n in missing.items())
        said += f"; {what} that the suite has checks for were left out"
    warned = {level: found.warned for level, found in every.items() if found.warned}
    if not warned:
        return said
    many = sum(warned.values())
    what = words.listed(f"{words.number(n)} {level}" for level, n in warned.items())
    return f"{said}; {what} {words.noun(many, 'clause')} {'warns' if many == 1 else 'warn'}"


def _where(results: Mapping[str, Any], *verdicts: Verdict) -> str:
    """Where the verdicts were given: ``on 2 of 10 models and for the target as a whole``."""
    models = results["target"]["models"]
    found = {entry["model"] for entry in results["requirements"] if entry["verdict"] in verdicts}
    places = []
    if hit := found - {None}:
        # "on all 10 models" would say that each clause is broken on each of them.
        one = len(models) == 1
        places.append(f"on {models[0]}" if one else f"on {len(hit)} of {len(models)} models")
    if None in found:
        places.append("for the target as a whole")
    return words.listed(places)


def coverage(results: Mapping[str, Any]) -> dict[str, str]:
    """Return, by level, what became of the catalogue's clauses.

    >>> coverage(results)["MUST"]
    '118 in the catalogue: 3 broken · 82 held · 2 unsupported · 31 without a check yet'
    """
    catalogue, found = results["catalogue"], tallies(results["requirements"])
    beyond = Counter(entry["level"] for entry in catalogue["unjudgeable"])
    lines: dict[str, str] = {}
    for level in LEVELS:
        tally, total = found[level], catalogue["total"][level]
        checked = max(catalogue["judged"][level], tally.run)
        states = {
            "broken": tally.broken,
            "held": tally.held,
            "held with a warning" if level == "MUST" else "warned": tally.warned,
            "undecided": tally.undecided,
            "unsupported": tally.unsupported,
            "observed": tally.observed,
            "not in this run": checked - tally.run,
            "unjudgeable": beyond[level],
            "without a check yet": total - checked - beyond[level],
        }
        lines[level] = f"{words.number(total)} in the catalogue: {words.figures(states)}"
    return lines
