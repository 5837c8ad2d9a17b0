"""``python -m load.sweep --host URL --slo "ttft_p95<500ms"``: the highest rate that holds.

Laws
----
* Each rate is a run of its own, an open loop in a process of its own; what it says of itself
  counts: a run that is not valid ends the sweep as unknown, never as held or broken.
* The rate is doubled until a target breaks, then halved in between (bisection). The answer is an
  interval: the highest rate that held, and the lowest that did not.
* One run may hold by luck. The highest rate is run again, ``--runs`` times in all; where it breaks
  once, it did not hold, and the next lower one is on trial.
* How sure that is stands beside it: how many runs held, and the 95 % Wilson interval of the share
  of such runs that do; for each target what was seen, and its own 95 % interval, over these runs.

The answer goes to ``sweep.json`` too. The exit status is 0 where a rate held, 1 where none did, 6
where it cannot be known.
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
from pathlib import Path
from typing import Any, Final

from load import slo
from load.options import keyless

__all__ = ["Found", "confirm", "margins", "said", "search"]

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
    command += ["--load-results", str(out / f"{name}.json")]
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
    print(f"{rate:g} requests/s: {verdict} ({out / name}.json)", flush=True)
    return verdict


def _name(rate: float, number: int) -> str:
    return f"sweep-{rate:g}" + (f"-{number}" if number > 1 else "")


def _results(found: Found, out: Path) -> list[Mapping[str, Any]]:
    """The results of the runs at the highest rate that held."""
    if found.held is None:
        return []
    paths = [
        out / f"{_name(found.held, number + 1)}.json"
        for number in range(found.times(found.held)[1])
    ]
    return [json.loads(path.read_text("utf-8")) for path in paths if path.exists()]


def margins(results: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What each target saw in these runs, and the widest edges of its 95 % intervals.

    Intervals are those of percentiles and of goodput; a rate, a mean or a maximum has none (null).
    """
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for run in results:
        for outcome in run["slo"]:
            key = (outcome["target"], outcome["model"])
            row = rows.setdefault(
                key, {"target": key[0], "model": key[1], "seen": [], "interval": None}
            )
            row["seen"].append(outcome["seen"])
            interval = _interval(outcome["target"], run["models"].get(outcome["model"], {}))
            if interval is not None:
                known = row["interval"] or interval
                row["interval"] = [min(known[0], interval[0]), max(known[1], interval[1])]
    return list(rows.values())


def _interval(spelled: str, model: Mapping[str, Any]) -> Sequence[float] | None:
    target = slo.parse(spelled)
    if target.metric == "goodput":
        found: Sequence[float] | None = (model.get("goodput") or {}).get("interval")
    else:
        measured = model.get(f"{target.metric}_ms") or {}
        found = measured.get("ci95", {}).get(target.statistic)
    return found


def _answer(found: Found, out: Path) -> dict[str, Any]:
    """The answer as plain data, for ``sweep.json``."""
    held, of = found.times(found.held) if found.held is not None else (0, 0)
    low, high = slo.wilson(held, of)
    return {
        "held": found.held,
        "broken": found.broken,
        "unknown": found.unknown,
        "runs": [{"rate": rate, "verdict": verdict} for rate, verdict in found.runs],
        "confidence": {"held": held, "of": of, "share": [round(low, 4), round(high, 4)]},
        "targets": margins(_results(found, out)),
    }


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
    given, rest = parser.parse_known_args(arguments)
    if not 0 < given.start <= given.most or not 0 < given.precision < 1 or given.runs < 1:
        parser.error("0 < --start <= --most; 0 < --precision < 1; --runs is 1 or more")
    given.out.mkdir(parents=True, exist_ok=True)
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
    answer = _answer(found, given.out)
    (given.out / "sweep.json").write_text(json.dumps(answer, indent=1) + "\n", encoding="utf-8")
    print(said(answer))
    return 6 if found.unknown is not None else 0 if found.held is not None else 1


if __name__ == "__main__":
    sys.exit(main())
