"""Runs every row of the table, says how each ended and what it cost, and writes docs/hostile.md.

    python -m tests.hostile.table                  # all of it, half an hour on an idle machine
    python -m tests.hostile.table NAME … [--say]   # these rows, and what the runs printed
    python -m tests.hostile.table --go-on          # those that have not been run yet

Laws
----
* The exit status is 1 where a row does not end as `targets` says, leaks a control character or the
  key, or costs more than it may.
* What a row came to is kept as it comes (`record`). The page shows the newest run of each row, and
  is written once each has been run.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.hostile import record, trial
from tests.hostile.page import page
from tests.hostile.record import Came, key
from tests.hostile.stage import Stage, staged
from tests.hostile.targets import TARGETS
from tests.hostile.targets.row import Scope, Target
from tests.hostile.trial import MOST_MIB, Measured
from tests.plugin.bench import KEY, ROOT, reference

GRACE = 5.0
"""Seconds that a run may take beyond --timeout and what a run against a right target takes."""

CHANCE = ("no_reply", "reset", "timeout", "stall")
"""How requests may fail besides: a row closes its connection, which the next request may meet; a
machine is busy."""

PAGE = ROOT / "docs" / "hostile.md"


@dataclass(frozen=True, slots=True)
class Row:
    """One run: against which row, in which scope ("load": the load generator), and how it went."""

    target: Target
    scope: str
    measured: Measured | None
    healthy: float
    """Seconds of the same run against a right target."""
    timeout: float
    leaked: bool

    @property
    def cost(self) -> float:
        """Seconds beyond those of a right target."""
        return max(0.0, self.measured.seconds - self.healthy) if self.measured else 0.0

    @property
    def wrong(self) -> list[str]:
        """What is not as it should be; empty where all is well."""
        found = self.measured
        if found is None:
            return [f"hung: not over after {trial.LONGEST:g} s"]
        told = [self._end(found)] if self.scope != "load" else [self._load(found)]
        if "Traceback" in found.text:
            told.append("a traceback")
        if found.raw:
            told.append(f"raw on the terminal: {' '.join(found.raw)}")
        if self.leaked or KEY in found.text:
            told.append("the key went elsewhere")
        if found.peak > MOST_MIB:
            told.append(f"{found.peak} MiB")
        if self.cost > self.timeout + GRACE:
            told.append(f"{self.cost:.1f} s")
        return [line for line in told if line]

    def _end(self, found: Measured) -> str:
        end = self.target.ends[Scope(self.scope)]
        if found.status not in end.statuses:
            return f"status {found.status}, not {' or '.join(map(str, end.statuses))}"
        if end.says not in found.text:
            return f"does not say {end.says!r}"
        if found.status != 4 and found.results is None:
            return "no results"
        lines = [line for line in found.text.splitlines() if line.strip()]
        if found.status == 4 and len(lines) != 1:
            return f"{len(lines)} lines of complaint"
        return "ERROR" if "ERROR" in found.verdicts else ""

    def _load(self, found: Measured) -> str:
        if found.results is None:
            return "no results"
        others = set(found.failures) - {*self.target.load, *CHANCE}
        return f"failures {found.failures}, not {self.target.load}" if others else ""

    @property
    def ended(self) -> str:
        """How it ended, for the page."""
        found = self.measured
        if found is None:
            return "hung"
        if self.scope == "load":
            kinds = ", ".join(f"`{kind}`" for kind in sorted(found.failures))
            return kinds or ("all succeed" if self.target.load == () else "cut off by the end")
        if found.status == 4:
            line = next(line for line in found.text.splitlines() if line.strip())
            return f"4: {_briefly(line)}"
        counts = ", ".join(f"{n} {verdict}" for verdict, n in sorted(found.verdicts.items()))
        return f"{found.status}: {counts}"

    @property
    def came(self) -> Came:
        """What is kept of it."""
        peak = self.measured.peak if self.measured else None
        return Came(self.ended, "; ".join(self.wrong), round(self.cost, 1), peak, self.timeout)


def _briefly(complaint: str) -> str:
    """A complaint without the address."""
    words = complaint.removeprefix("ERROR: ").split(" ")
    return " ".join(word for word in words if "://" not in word)[:110].replace("|", "\\|")


def run(target: Target, scope: str, address: str, timeout: float, *, say: bool = False) -> Row:
    """One run against a row."""
    where = Scope.ALL if scope == "load" else Scope(scope)
    with tempfile.TemporaryDirectory() as name, staged(target, where, address) as stage:
        measured = _measured(scope, stage, Path(name), timeout)
        leaked = bool(stage.elsewhere.received)
    if say and measured is not None:
        print(measured.text)
    return Row(target, scope, measured, 0.0, timeout, leaked)


def _measured(scope: str, stage: Stage, folder: Path, timeout: float) -> Measured | None:
    try:
        if scope == "load":
            return trial.load(stage.url, folder, timeout, "--model", "m")
        return trial.judge(stage.url, folder, timeout)
    except subprocess.TimeoutExpired:
        return None


def rows(asked: Iterable[tuple[Target, str]], timeout: float, say: bool) -> Iterator[Row]:
    """Run them one after the other, what a right target costs first."""
    with reference() as address:
        healthy: dict[str, float] = {}
        for target, scope in asked:
            kind = "load" if scope == "load" else "suite"
            if kind not in healthy:
                with tempfile.TemporaryDirectory() as folder:
                    costs = trial.load if kind == "load" else trial.judge
                    healthy[kind] = costs(f"{address}/v1", Path(folder), timeout).seconds
            row = run(target, scope, address, timeout, say=say)
            yield Row(target, scope, row.measured, healthy[kind], timeout, row.leaked)


def main() -> int:
    """Run what the command line names."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="rows (default: all)")
    parser.add_argument("--scope", action="append", default=[], help="everything, chat, … or load")
    parser.add_argument("--go-on", action="store_true", help="only what has not been run")
    parser.add_argument("--timeout", type=float, default=5.0, help="of the runs, in seconds")
    parser.add_argument("--say", action="store_true", help="show what the runs print")
    given = parser.parse_args()
    if unknown := set(given.names) - set(TARGETS):
        parser.error(f"no row is called {', '.join(unknown)}: see tests/hostile/targets/")
    whole = [(target, scope) for target in TARGETS.values() for scope in (*target.ends, "load")]
    kept = record.read() if given.names or given.scope or given.go_on else {}
    asked = [
        (target, scope)
        for target, scope in whole
        if (not given.names or target.name in given.names)
        and (not given.scope or scope in given.scope)
        and not (given.go_on and key(target.name, scope) in kept)
    ]
    wrong = 0
    for number, row in enumerate(rows(asked, given.timeout, given.say), 1):
        came = row.came
        kept[key(row.target.name, row.scope)] = came
        record.write(kept)
        cost = f"{came.cost:5.1f} s {came.peak:4} MiB" if came.peak is not None else ""
        told = f"   WRONG: {came.wrong}" if came.wrong else ""
        where = f"{number:3}/{len(asked)} {row.target.name:28} {row.scope:10}"
        print(f"{where} {cost}  {came.ended}{told}", flush=True)
        wrong += bool(came.wrong)
    missing = [key(target.name, scope) not in kept for target, scope in whole].count(True)
    if missing:
        print(f"{PAGE.name} is not written: {missing} rows have not been run (--go-on runs them)")
    else:
        PAGE.write_text(page(whole, kept), "utf-8")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
