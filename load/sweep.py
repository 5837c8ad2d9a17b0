"""``python -m load.sweep --host URL --slo "ttft_p95<500ms"``: the highest rate that holds.

Laws
----
* Each rate is a run of its own, an open loop in a process of its own; what it says of itself
  counts: a run that is not valid ends the sweep as unknown, never as held or broken.
* The rate is doubled until a target breaks, then halved in between (bisection). The answer is an
  interval: the highest rate that held, and the lowest that did not.
* One run may hold by luck. The highest rate is run again, ``--runs`` times in all; where it breaks
  once, it did not hold, and the next lower one is on trial.
* How sure that is stands beside it (`sweep_results`).

The answer goes to ``sweep.json`` too, with each run, and to a page, ``sweep.html``. The exit status
is 0 where a rate held, 1 where none did, 6 where it cannot be known.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from conformance.wire.redact import Redactor
from load import slo, sweep_results
from load.command import command_line
from load.conclusion import own_version, page
from load.options import ENVIRONMENT, keyless
from load.writing import put

__all__ = ["Found", "confirm", "main", "said", "search"]

SEARCH: Final = ("start", "most", "precision", "seconds", "runs")
VERDICTS: Final = {0: "held", 1: "broken", 6: "inconclusive"}


@dataclass(slots=True)
class Found:
    """What a search has found: the highest rate that held, the lowest that broke."""

    held: float | None = None
    broken: float | None = None
    unknown: float | None = None
    runs: list[tuple[float, str]] = field(default_factory=list)

    def times(self, rate: float) -> tuple[int, int]:
        """How many runs of a rate held, and of how many."""
        verdicts = [verdict for run, verdict in self.runs if run == rate]
        return verdicts.count("held"), len(verdicts)


def search(judge: Callable[[float], str], start: float, *, precision: float, most: float) -> Found:
    """Find the highest rate at which ``judge`` says ``held``.

    Args:
        judge: runs a rate; ``held``, ``broken`` or anything else, which ends the search.
        start: the first rate.
        precision: stop once the interval is narrower than this share of it, or where nothing holds
            at this share of the first rate either.
        most: no rate above this.

    >>> found = search(lambda rate: "held" if rate <= 11 else "broken", 2, precision=0.1, most=99)
    >>> found.held, found.broken
    (11.0, 12.0)
    """
    found = Found()
    rate = start
    while found.unknown is None:
        verdict = judge(rate)
        found.runs.append((rate, verdict))
        if verdict == "held":
            found.held = max(rate, found.held or 0.0)
        elif verdict == "broken":
            found.broken = min(rate, found.broken or rate)
        else:
            found.unknown = rate
        held, broken = found.held or 0.0, found.broken
        if broken is None:
            if held >= most:
                break
            rate = min(most, rate * 2)
        elif broken - held <= precision * broken or broken <= precision * start:
            break
        else:
            rate = (held + broken) / 2
    return found


def confirm(judge: Callable[[float], str], found: Found, runs: int) -> None:
    """Run the highest rate that held again, ``runs`` times in all; lower it where it breaks once.

    >>> verdicts = iter(["held", "broken", "held", "held"])
    >>> found = Found(held=12.0, broken=13.0, runs=[(10.0, "held"), (12.0, "held")])
    >>> confirm(lambda rate: next(verdicts), found, runs=3)
    >>> found.held, found.broken, found.times(10.0)
    (10.0, 12.0, (3, 3))
    """
    while found.held is not None and found.unknown is None:
        rate = found.held
        while found.times(rate) != (runs, runs):
            verdict = judge(rate)
            found.runs.append((rate, verdict))
            if verdict not in ("held", "broken"):
                found.unknown = rate
                return
            if verdict == "broken":
                found.broken = rate
                lower = [r for r, v in found.runs if v == "held" and r < rate]
                found.held = max(lower, default=None)
                break
        else:
            return


def _run(rate: float, number: int, out: Path, options: Sequence[str], env: dict[str, str]) -> str:
    """One rate for the ``number``-th time; its verdict. What Locust says goes to a file."""
    name = _name(rate, number)
    command = [sys.executable, "-m", "load", *options, "--headless", "-u", "1", "--only-summary"]
    command += ["--rate", f"{rate:g}", "--stop-timeout", "30"]
    path = out / f"{name}.json"
    path.unlink(missing_ok=True)  # of an earlier sweep, should this run write none
    command += ["--load-results", str(path), "--no-page"]
    with (out / f"{name}.log").open("w", encoding="utf-8") as log:
        done = subprocess.run(
            command,
            env=env,
            stdout=log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    verdict = VERDICTS.get(done.returncode, f"failed with status {done.returncode}")
    print(f"{rate:g} requests/s: {verdict} ({path})", flush=True)
    return verdict


def _name(rate: float, number: int) -> str:
    return f"sweep-{rate:g}" + (f"-{number}" if number > 1 else "")


def _steps(found: Found, out: Path) -> list[tuple[float, str, str, Mapping[str, Any] | None]]:
    """Each run: rate, verdict, the name of its file, and the results in it."""
    made: list[tuple[float, str, str, Mapping[str, Any] | None]] = []
    tried: Counter[float] = Counter()
    for rate, verdict in found.runs:
        tried[rate] += 1
        path = out / f"{_name(rate, tried[rate])}.json"
        results = json.loads(path.read_text("utf-8")) if path.exists() else None
        made.append((rate, verdict, path.name, results))
    return made


def _redactor(options: Sequence[str], environ: Mapping[str, str]) -> Redactor:
    """Knows the key of the run."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--api-key-env", default=ENVIRONMENT)
    name = parser.parse_known_args(options)[0].api_key_env
    return Redactor([environ.get(name, "")])


def said(answer: Mapping[str, Any]) -> str:
    """The answer in words."""
    lines = []
    if answer["unknown"] is not None:
        lines.append(f"Unknown: the run at {answer['unknown']:g} requests/s decides nothing")
    if answer["held"] is not None:
        sure = answer["confidence"]
        bound = "" if answer["broken"] is None else f", and not at {answer['broken']:g}"
        lines.append(
            f"The targets hold at {answer['held']:g} requests/s{bound}: in {sure['held']} of "
            f"{sure['of']} runs, so with 95 % confidence in {sure['share'][0]:.0%} or more of such "
            f"runs of this length"
        )
        for row in answer["targets"]:
            seen = ", ".join("-" if value is None else f"{value:.4g}" for value in row["seen"])
            edges = row["interval"]
            within = f"; 95 % within {edges[0]:.4g} to {edges[1]:.4g}" if edges else ""
            lines.append(f"  {row['target']} for {row['model']}: seen {seen}{within}")
    elif answer["unknown"] is None:
        lines.append("The targets hold at no rate that was tried")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; other options go to Locust."""
    parser = argparse.ArgumentParser(prog="python -m load.sweep", description=__doc__)
    add = parser.add_argument
    add("--host", required=True, help="base URL of the target, with /v1")
    add("--slo", action="append", required=True, metavar="TARGET", help="as for locust")
    add("--start", type=float, default=1.0, help="first rate, in requests/s (default: %(default)s)")
    add("--most", type=float, default=1000.0, help="no rate above this (default: %(default)s)")
    add("--precision", type=float, default=0.1, help="width of the interval, as a share of it")
    add("--seconds", type=int, default=60, help="length of each run (default: %(default)s)")
    add("--runs", type=int, default=3, help="of the highest rate, in all (default: %(default)s)")
    add("--out", type=Path, default=Path("reports/out"), help="where results go")
    line = list(sys.argv[1:] if arguments is None else arguments)
    given, rest = parser.parse_known_args(line)
    if not 0 < given.start <= given.most or not 0 < given.precision < 1 or given.runs < 1:
        parser.error("0 < --start <= --most; 0 < --precision < 1; --runs is 1 or more")
    try:
        for target in given.slo:
            slo.parse(target)
    except ValueError as error:
        parser.error(str(error))
    given.out.mkdir(parents=True, exist_ok=True)
    started = datetime.now(UTC)
    rest, environ = keyless(rest, os.environ)
    passed = ["--host", given.host, *rest, "-t", f"{given.seconds}s"]
    for target in given.slo:
        passed += ["--slo", target]
    tried: Counter[float] = Counter()

    def judge(rate: float) -> str:
        tried[rate] += 1
        return _run(rate, tried[rate], given.out, passed, environ)

    found = search(judge, given.start, precision=given.precision, most=given.most)
    confirm(judge, found, given.runs)
    asked = sweep_results.Asked(
        url=given.host,
        targets=given.slo,
        search={name: getattr(given, name) for name in SEARCH},
        started=started.isoformat(timespec="seconds"),
        duration=(datetime.now(UTC) - started).total_seconds(),
        command="python -m "
        + command_line(["load.sweep", *line], _redactor(rest, environ), Path.cwd()),
        version=own_version(),
    )
    rates = {"held": found.held, "broken": found.broken, "unknown": found.unknown}
    answer = sweep_results.build(asked, rates, _steps(found, given.out))
    where = given.out / "sweep.json"
    put(where, json.dumps(answer, indent=1, ensure_ascii=False) + "\n")
    print(said(answer))
    print(f"Results: {where}\n{page(answer, where)}", end="")
    return 6 if found.unknown is not None else 0 if found.held is not None else 1


if __name__ == "__main__":
    sys.exit(main())
