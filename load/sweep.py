"""``python -m load.sweep --host URL --slo "ttft_p95<500ms"``: the highest rate that holds.

Laws
----
* Each rate is a run of its own, an open loop in a process of its own; what it says of itself
  counts: a run that is not valid ends the sweep as unknown, never as held or broken.
* The rate is doubled until a target breaks, then halved in between (bisection). The answer is an
  interval: the highest rate that held, and the lowest that did not.

The exit status is 0 where a rate held, 1 where none did, 6 where it cannot be known.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

__all__ = ["Found", "search"]

VERDICTS: Final = {0: "held", 1: "broken", 6: "inconclusive"}


@dataclass(slots=True)
class Found:
    """What a search has found: the highest rate that held, the lowest that broke."""

    held: float | None = None
    broken: float | None = None
    unknown: float | None = None
    runs: list[tuple[float, str]] = field(default_factory=list)


def search(judge: Callable[[float], str], start: float, *, precision: float, most: float) -> Found:
    """Find the highest rate at which ``judge`` says ``held``.

    Args:
        judge: runs a rate; ``held``, ``broken`` or anything else, which ends the search.
        start: the first rate.
        precision: stop once the interval is narrower than this share of it.
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
        elif broken - held <= precision * broken:
            break
        else:
            rate = (held + broken) / 2
    return found


def _run(rate: float, seconds: int, out: Path, rest: Sequence[str]) -> str:
    """One rate; its verdict. What Locust says goes to a file beside the results."""
    name = f"sweep-{rate:g}"
    command = [sys.executable, "-m", "load", *rest, "--headless", "-u", "1", "--only-summary"]
    command += ["--rate", f"{rate:g}", "-t", f"{seconds}s", "--stop-timeout", "30"]
    command += ["--load-results", str(out / f"{name}.json")]
    with (out / f"{name}.log").open("w", encoding="utf-8") as log:
        done = subprocess.run(
            command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False
        )
    verdict = VERDICTS.get(done.returncode, f"failed with status {done.returncode}")
    print(f"{rate:g} requests/s: {verdict} ({out / name}.json)", flush=True)
    return verdict


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
    add("--out", type=Path, default=Path("reports/out"), help="where results go")
    given, rest = parser.parse_known_args(arguments)
    if not 0 < given.start <= given.most or not 0 < given.precision < 1:
        parser.error("--start is above 0 and at most --most; --precision is between 0 and 1")
    given.out.mkdir(parents=True, exist_ok=True)
    passed = ["--host", given.host, *rest]
    for target in given.slo:
        passed += ["--slo", target]
    found = search(
        lambda rate: _run(rate, given.seconds, given.out, passed),
        given.start,
        precision=given.precision,
        most=given.most,
    )
    if found.unknown is not None:
        print(f"Unknown: the run at {found.unknown:g} requests/s decides nothing")
    if found.held is not None:
        bound = "" if found.broken is None else f", and not at {found.broken:g}"
        print(f"The targets hold at {found.held:g} requests/s{bound}")
    elif found.unknown is None:
        print("The targets hold at no rate that was tried")
    return 6 if found.unknown is not None else 0 if found.held is not None else 1


if __name__ == "__main__":
    sys.exit(main())
