"""Going on from what an earlier run has left: a journal, a results file, a page.

The laws:

1. Only what was judged is taken over, with its evidence. What could not be judged is asked again:
   the reason may be gone, a rate limit, a budget, a target that was down.
2. A check that is taken over asks nothing, and is reported like any other.
3. A journal beside a results file says more than the file, and is read in its place.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import reports.results
from conformance.target.capabilities import Capability

from .journal import Earlier, JournalError, Record, Taken, beside, is_journal, read
from .planning import BYTES_PER_TOKEN, Cost
from .terms import Terms, differences


def left_by(path: Path) -> Taken:
    """What the run has left whose results, page or journal is `path`.

    Raises `pytest.UsageError` with one line when there is nothing to go on from.
    """
    try:
        journal = beside(path)
        octets = (journal if journal.exists() else path).read_bytes()
        if is_journal(octets):
            return read(octets)
        return from_results(reports.results.read(path))
    except OSError as error:
        raise pytest.UsageError(f"--resume {path}: {error.strerror}") from None
    except JournalError as error:
        raise pytest.UsageError(f"--resume {path}: {error}") from None
    except ValueError as error:  # it names the file
        raise pytest.UsageError(f"--resume {error}") from None


def check(taken: Taken, ours: Terms, path: Path) -> None:
    """Raises `pytest.UsageError` with one line when `taken` is of another run."""
    found = differences(taken.terms, ours)
    if found:
        raise pytest.UsageError(
            f"--resume {path} is of another run: {'; '.join(found)}. Give the same options, or "
            "leave --resume out"
        )


def from_results(results: Mapping[str, Any]) -> Taken:
    """What the results of a run hold (`schemas/results.schema.json`).

    Raises `JournalError` where they do not say enough.
    """
    told = results.get("configuration")
    if told is None:
        raise JournalError("it does not say with which options it was made")
    target = results["target"]
    embedded = "--target-url" not in told["command"].split()
    terms = Terms(
        url=None if embedded else target["url"],
        profile=target["profile"],
        models=tuple(target["models"]),
        strict=results["strict"],
        examples=told["examples"],
        seed=told["seed"],
        long_context=told["long_context"],
        clients=told["clients"],
        suite=results["suite"]["version"],
        catalogue=None,
        documented=None,
    )
    tokens = results.get("tokens") or {}
    told_by_usage = tokens.get("told") or {}
    cost = Cost(
        requests=results["requests"],
        answered=tokens.get("answered", 0),
        output=tokens.get("output_at_most", 0),
        unbounded=tokens.get("unbounded", 0),
        octets=BYTES_PER_TOKEN * tokens.get("input_about", 0),
        repeated=results["repeated"],
        told=told_by_usage.get("answers", 0),
        told_read=told_by_usage.get("input", 0),
        told_written=told_by_usage.get("output", 0),
        told_total=told_by_usage.get("total", 0),
    )
    started = dt.datetime.fromisoformat(results["started"])
    earlier = Earlier(results.get("parts", 1), started, results["duration_s"], cost)
    known: dict[str, list[Capability]] = {}
    for row in told["capabilities"]:
        for model in row["models"]:
            known.setdefault(model, []).append(
                Capability(row["flag"], row["state"], row["because"])
            )
    return Taken(terms, earlier, tuple(results["requirements"]), known)


JUDGED = ("PASS", "FAIL", "WARN", "UNSUPPORTED", "OBSERVED")


def is_judged(record: Record) -> bool:
    """Whether a record decides: an observation that could not be made does not."""
    unseen = record["verdict"] == "OBSERVED" and record["evidence"].get("reason") is not None
    return record["verdict"] in JUDGED and not unseen


def place(nodeid: str) -> str:
    """A node id without the folder, which depends on where pytest was started."""
    path, _, rest = nodeid.partition("::")
    return f"{path.rpartition('/')[2]}::{rest}"


@dataclass(frozen=True, slots=True)
class Check:
    """A check of this run: what tells it from others."""

    nodeid: str
    id: str
    model: str | None
    title: str


def taken_over(taken: Taken, checks: Iterable[Check]) -> dict[str, Record]:
    """The record of each check, by node id, that an earlier part has judged already.

    A clause of which only the verdict is known is taken over where one check judges it.
    """
    checks = list(checks)
    judged = [record for record in taken.records if is_judged(record)]
    exact = {(place(r["nodeid"]), r["id"], r["model"]): r for r in judged if "nodeid" in r}
    whole = {(r["id"], r["model"]): r for r in judged if "nodeid" not in r}
    single: dict[tuple[str, str | None], int] = {}
    for check in checks:
        single[check.id, check.model] = single.get((check.id, check.model), 0) + 1
    found: dict[str, Record] = {}
    for check in checks:
        record = exact.get((place(check.nodeid), check.id, check.model))
        if record is None and single[check.id, check.model] == 1:
            record = whole.get((check.id, check.model))
        if record is not None:
            own = {"nodeid": check.nodeid, "title": check.title, "strict": taken.terms.strict}
            found[check.nodeid] = {**record, **own, "chapter": check.id.rpartition("-")[0]}
    return found
