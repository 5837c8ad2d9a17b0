"""The kill matrix: which fault turns which clause red. `python -m tests.faults.matrix`.

Reads what `tests/test_faults.py` has found (`KEPT`), prints it in short, and writes it as one
self-contained page. The laws:

1. Only trials that were made are shown; nothing is taken from what a fault declares.
2. A clause is *caught* by a fault that it fails or warns under; a fault is *seen in* the replies
   that the most attentive check has blamed.

`docs/faults.html` is the page of the last such run that was committed.
"""

import argparse
import json
import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.checks import judged
from conformance.reference.faults import FAULTS, Fault
from conformance.requirements import CHAPTERS, REQUIREMENTS, Chapter, Requirement
from reports.templates import document, environment, own
from tests.inprocess import ROOT, Judgement

from .odds import broken_replies, found_in

KEPT = ROOT / ".cache" / "faults.json"
"""Where a complete trial of every fault is kept."""

AMONG = 3
"""The odds for which the page states a probability: one call in three."""

Found = Mapping[str, Mapping[str, Any]]
"""By fault: `red`, the ids it turned red, and `replies`, in how many it was seen."""


def found_by(trials: Mapping[str, Judgement]) -> dict[str, dict[str, Any]]:
    """What is kept of the trials of faults."""
    return {
        name: {
            "red": sorted(trial.ids("FAIL", "WARN")),
            "replies": broken_replies(trial),
        }
        for name, trial in trials.items()
    }


@dataclass(frozen=True, slots=True)
class Killer:
    """A fault, and what it did."""

    fault: Fault
    red: tuple[str, ...]
    replies: int

    @property
    def at_odds(self) -> float:
        """The probability that a run finds it where it strikes one call in `AMONG`."""
        return found_in(self.replies, AMONG)


@dataclass(frozen=True, slots=True)
class Section:
    """One chapter: its judged clauses, and the faults that turned any of them red."""

    chapter: Chapter
    clauses: tuple[Requirement, ...]
    killers: tuple[Killer, ...]

    def red(self, clause: str) -> tuple[Killer, ...]:
        """The faults that this clause is caught by."""
        return tuple(one for one in self.killers if clause in one.red)

    def caught(self, faults: int = 1) -> int:
        """How many clauses are caught by at least so many faults."""
        return sum(len(self.red(clause.id)) >= faults for clause in self.clauses)


def killers(found: Found) -> list[Killer]:
    """Every fault that was on trial, in the order of its registration."""
    place = {clause: number for number, clause in enumerate(REQUIREMENTS)}
    return [
        Killer(
            fault, tuple(sorted(found[name]["red"], key=place.__getitem__)), found[name]["replies"]
        )
        for name, fault in FAULTS.items()
        if name in found
    ]


def sections(found: Found) -> list[Section]:
    """Every chapter with judged clauses; an INFO entry has no verdict, and no place here."""
    every, checked = killers(found), judged()
    made = []
    for chapter in CHAPTERS:
        clauses = tuple(
            entry for entry in chapter.requirements if entry.id in checked and entry.level != "INFO"
        )
        ids = {entry.id for entry in clauses}
        if clauses:
            made.append(Section(chapter, clauses, tuple(k for k in every if ids & set(k.red))))
    return made


def odds(every: Sequence[Killer]) -> str:
    """With what probability faults are found that strike one call in `AMONG`."""
    chances = sorted(one.at_odds for one in every if one.red)
    nearly = sum(chance >= 0.9 for chance in chances)
    return (
        f"a fault that strikes one call in {AMONG} is found with a probability of at least "
        f"{chances[0]:.0%} each, {statistics.median(chances):.0%} in the median, and 90% or more "
        f"for {nearly} of {len(chances)}"
    )


def lines(found: Found) -> Iterator[str]:
    """The matrix in short: a line for each chapter, the totals, and the odds."""
    shown, every = sections(found), killers(found)
    head = ("", "clauses", "caught", "by one fault only", "faults")
    yield f"{head[0]:<38}{head[1]:>8}{head[2]:>8}{head[3]:>19}{head[4]:>8}"
    for one in shown:
        caught, twice = one.caught(), one.caught(2)
        yield (
            f"{one.chapter.name:<38}{len(one.clauses):>8}{caught:>8}{caught - twice:>19}"
            f"{len(one.killers):>8}"
        )
    clauses = sum(len(one.clauses) for one in shown)
    caught = sum(one.caught() for one in shown)
    once = caught - sum(one.caught(2) for one in shown)
    yield f"{'all':<38}{clauses:>8}{caught:>8}{once:>19}{len(every):>8}"
    yield odds(every)


def page(found: Found) -> str:
    """The matrix as one self-contained page of HTML."""
    template = Path(__file__).with_name("matrix.html").read_text("utf-8")
    every, shown = killers(found), sections(found)
    fragment = (
        environment({}, spelled=False)
        .from_string(template)
        .render(
            sections=shown,
            killers=every,
            clauses=sum(len(one.clauses) for one in shown),
            caught=sum(one.caught() for one in shown),
            odds=odds(every),
            known=REQUIREMENTS,
            style=own("base.css"),
        )
    )
    return document(fragment)


def keep(trials: Mapping[str, Judgement], path: Path = KEPT) -> None:
    """Keep what the trials of every fault have found, for this command."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(found_by(trials), indent=1) + "\n", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the matrix, and write it where `--html` says; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.matrix", description=__doc__)
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the page there too")
    given = parser.parse_args(arguments)
    if not KEPT.exists():
        print("no complete trial of the faults is kept: run make faults", file=sys.stderr)
        return 1
    found = json.loads(KEPT.read_text("utf-8"))
    print("\n".join(lines(found)))
    if given.html is not None:
        given.html.write_text(page(found), encoding="utf-8")
        print(f"written: {given.html}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
