"""Results: a run as one JSON file, and back, be it from that file or from the page.

Laws
----
* What is written is valid against ``schemas/results.schema.json``; what is read is checked by it.
* The same run gives the same bytes: keys sorted, entries in the order of catalogue and profile.
* A reader never sees half a file.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import schemas
from conformance.requirements import REQUIREMENTS, Requirement

from . import files, words
from .verdict import LEVELS, Entry, Overall, Record, counts, deviations, fold, overall

__all__ = ["FORMAT", "build", "dump", "read", "write"]

FORMAT: Final = 1

_ENTRY: Final = ("id", "model", "level", "kind", "verdict")
_EVIDENCE: Final = (
    "summary",
    "findings",
    "exchanges",
    "reproduce",
    "reason",
    "observed",
    "seen_in",
    "repeated",
    "trials",
    "duration_s",
    "left_out",
    "by",
)


def build(
    records: Iterable[Record],
    *,
    suite: Mapping[str, Any],
    target: Mapping[str, Any],
    started: dt.datetime,
    finished: dt.datetime,
    requests: int,
    repeated: int = 0,
    strict: bool = False,
    interrupted: bool = False,
    reached: bool = True,
    profile_deviations: Iterable[Mapping[str, Any]] = (),
    judged: Iterable[str] | None = None,
    catalogue: Mapping[str, Requirement] | None = None,
    configuration: Mapping[str, Any] | None = None,
    tokens: Mapping[str, Any] | None = None,
    parts: int = 1,
    duration_s: float | None = None,
) -> dict[str, Any]:
    """Fold the records of a run into its results.

    Args:
        records: one per executed check, in any order.
        suite: ``{name, version, python, packages}``.
        target: ``{url, profile, models}``; the models in the order in which they are shown.
        started, finished: aware instants.
        requests: HTTP requests sent to the target.
        repeated: how many of them were sent once more, since 429, 5xx or nothing had come.
        strict: whether a broken SHOULD was a failure.
        interrupted: the run ended before its last check; then nothing is called conformant.
        reached: whether the target ever answered; if not, the verdict is *error*.
        profile_deviations: ``{id, models, reason, expires}``.
        judged: ids for which the suite has a check; the ids of ``records`` when not given.
        catalogue: the requirements by id; those of the suite when not given.
        configuration: what the run was asked to do, and what it knew; by the schema.
        tokens: what models may have read and written: ``{answered, input_about, output_at_most,
            unbounded}``, the first and the last in requests; and what the target told of it:
            ``told``, ``{answers, input, output, total}``.
        parts: the processes that made the run, one after the other.
        duration_s: seconds that they took; from ``started`` to ``finished`` when not given.

    Returns:
        A dict in the form of ``schemas/results.schema.json``.
    """
    known = REQUIREMENTS if catalogue is None else catalogue
    entries = _ordered(fold(records), list(known), target["models"])
    checked = {entry["id"] for entry in entries} | set(judged or ())
    seconds = (finished - started).total_seconds() if duration_s is None else duration_s
    return {
        "format": FORMAT,
        "suite": dict(suite),
        "target": dict(target),
        "verdict": _verdict(entries, strict=strict, interrupted=interrupted, reached=reached),
        "strict": strict,
        "interrupted": interrupted,
        "started": started.isoformat(),
        "finished": finished.isoformat(),
        "duration_s": max(0.0, round(seconds, 3)),
        "requests": requests,
        "repeated": repeated,
        "counts": counts(entries),
        "catalogue": {
            "entries": len(known),
            "judged": _by_level(entry for entry in known.values() if entry.id in checked),
            "total": _by_level(known.values()),
            "unjudgeable": [
                {"id": entry.id, "level": entry.level, "reason": entry.unjudged}
                for entry in known.values()
                if entry.unjudged and entry.id not in checked
            ],
        },
        "requirements": [_written(entry) for entry in entries],
        "deviations": deviations(profile_deviations, entries, finished.date()),
        **({"configuration": dict(configuration)} if configuration is not None else {}),
        **({"tokens": dict(tokens)} if tokens is not None else {}),
        **({"parts": parts} if parts > 1 else {}),
    }


def _verdict(
    entries: Sequence[Entry], *, strict: bool, interrupted: bool, reached: bool
) -> Overall:
    if not reached:
        return "error"
    found = overall(entries, strict)
    return "inconclusive" if interrupted and found == "conformant" else found


def _ordered(
    entries: Iterable[dict[str, Any]], ids: Sequence[str], models: Sequence[str]
) -> list[dict[str, Any]]:
    place = {name: index for index, name in enumerate(ids)}
    column = {name: index for index, name in enumerate(models)}

    def key(entry: Entry) -> tuple[int, str, int, str]:
        model = entry["model"]
        rank = -1 if model is None else column.get(model, len(column))
        return place.get(entry["id"], len(place)), entry["id"], rank, model or ""

    return sorted(entries, key=key)


def _by_level(requirements: Iterable[Requirement]) -> dict[str, int]:
    found = dict.fromkeys(LEVELS, 0)
    for requirement in requirements:
        found[requirement.level] += 1
    return found


def _written(entry: Entry) -> dict[str, Any]:
    """The entry as the schema has it: what the catalogue knows as well is left out."""
    evidence = {key: entry["evidence"][key] for key in _EVIDENCE if key in entry["evidence"]}
    if (by := entry["evidence"].get("by")) and by not in (evidence.get("reason") or ""):
        evidence["reason"] = f"{by}: {evidence['reason']}" if evidence.get("reason") else by
    for absent in [name for name in ("left_out", "by") if not evidence.get(name)]:
        evidence.pop(absent, None)
    if evidence.get("trials"):
        evidence["trials"] = {key: evidence["trials"][key] for key in ("passed", "counted", "of")}
    return {key: entry[key] for key in _ENTRY} | {"evidence": evidence}


# --- the file -----------------------------------------------------------------------------------


def dump(results: Mapping[str, Any]) -> str:
    """Return the text of the file; it encodes to UTF-8 whatever a target sent.

    Raises:
        ValueError: a number that JSON does not have (NaN, Infinity).
    """
    text = json.dumps(results, ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False)
    # The escape of a lone surrogate is the same in Python and in JSON, so it reads back unchanged.
    return words.tidy(text) + "\n"


def write(results: Mapping[str, Any], path: Path) -> None:
    """Write ``results`` to ``path``, whole or not at all; folders are made.

    Raises:
        OSError: the place cannot be written.
    """
    files.write(dump(results), path)


def read(path: Path) -> dict[str, Any]:
    """Read the results of a run from the file that holds them, or from its compliance page.

    Either gives the same: a page embeds the whole results. The path ``-`` is the standard input.

    Raises:
        OSError: it cannot be read.
        ValueError: it is neither, or of another format; the message is one line.
    """
    name = files.named(path)
    try:
        results = files.saved(path)
    except ValueError as fault:
        raise ValueError(f"{name}: not a results file: {fault}") from fault
    if files.kind(results) != "results" and (told := files.misplaced(results)):
        raise ValueError(f"{name}: not a results file but {told}")
    if not isinstance(results, dict) or "format" not in results:
        raise ValueError(f"{name}: not a results file: no `format`, which this suite writes")
    found = results["format"]
    if found != FORMAT:
        newer = ": a newer suite wrote it" if isinstance(found, int) and found > FORMAT else ""
        said = words.short(repr(found), 60)
        raise ValueError(f"{name}: format {said}, this version reads {FORMAT}{newer}")
    if faults := schemas.violations("results", results):
        raise ValueError(f"{name}: not a results file: {faults[0].path}: {faults[0].message}")
    return results
