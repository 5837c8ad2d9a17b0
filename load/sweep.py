"""``python -m load.sweep --host URL --slo "ttft_p95<500ms"``: the highest rate that holds.

Laws
----
* Each rate is a run of its own, an open loop in a process of its own; what it says of itself
  counts: a run that is not valid ends the sweep as unknown, never as held or broken.
* How the rates are searched is `search`; how sure the answer is stands beside it (`sweep_results`).
* What is known is written after each run, marked as running; a sweep that is interrupted keeps the
  rates that it has done, and writes its results and page as one that is not.

The answer goes to ``sweep.json``, with each run, and to a page, ``sweep.html``. The exit status is
0 where a rate held, 1 where none did, 6 where it cannot be known or the sweep was interrupted, 2
where an option cannot be used.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from conformance.wire.redact import Redactor
from load import slo, sweep_results
from load.command import command_line
from load.conclusion import own_version, page
from load.keys import ENVIRONMENT, key_in_the_wrong_place, keyless
from load.search import INTERRUPTED, Found, confirm, search
from load.sweep_run import Progress, Stop, run
from load.sweep_words import found as found_in
from load.sweep_words import said
from load.writing import put, unwritable

__all__ = ["main"]

SEARCH: Final = ("start", "most", "precision", "seconds", "runs")
VERDICTS: Final = {0: "held", 1: "broken", 6: "inconclusive"}
UNUSABLE: Final = "failed with status 2"
ROOT: Final = Path(__file__).parents[1]
PRINTED: Final = "sweep.json"


class Sweep:
    """A sweep under way: runs rates, and keeps ``sweep.json``.

    Args:
        out: the folder of the results.
        options: of each run.
        asked: what is to be done, its duration not yet known.
    """

    def __init__(
        self,
        out: Path,
        options: Sequence[str],
        environ: Mapping[str, str],
        asked: sweep_results.Asked,
        stop: Stop,
    ) -> None:
        self.found = Found()
        self._out, self._options, self._environ = out, options, environ
        self._asked, self._stop = asked, stop
        self._began = datetime.fromisoformat(asked.started)
        self._tried: Counter[float] = Counter()
        self.progress = Progress(sys.stdout)

    def judge(self, rate: float) -> str:
        """Run a rate, once more; its verdict."""
        if self._stop.asked:
            return INTERRUPTED
        self._write("running")  # what is known before this run
        self._tried[rate] += 1
        number, name = self._tried[rate], _name(rate, self._tried[rate])
        results, log = self._out / f"{name}.json", self._out / f"{name}.log"
        results.unlink(missing_ok=True)  # of an earlier sweep, should this run write none
        command = [sys.executable, "-m", "locust", "-f", str(Path(__file__).with_name("chat.py"))]
        command += [*self._options, "--headless", "-u", "1", "--only-summary", "--no-page"]
        command += ["--page-every", "0", "--rate", f"{rate:g}", "--stop-timeout", "30"]
        command += ["--load-results", str(results)]
        seconds = self._asked.search["seconds"]
        again = "" if number == 1 else f", run {number}"

        def tick(passed: float) -> None:
            phase = f"{passed:.0f} of {seconds:g} s" if passed < seconds else "ending"
            self.progress.passing(f"{rate:g} requests/s{again}: {phase} …")

        status = run(command, self._environ, log, self._stop, tick)
        if status is None:
            results.unlink(missing_ok=True)  # it counts for nothing
            self.progress.final(f"{rate:g} requests/s{again}: interrupted, not counted")
            return INTERRUPTED
        verdict = VERDICTS.get(status, f"failed with status {status}")
        what = found_in(_read(results), log.read_text("utf-8", errors="replace"))
        where = results if results.exists() else log
        self.progress.final(f"{rate:g} requests/s{again}: {verdict}: {what} ({where})")
        return verdict

    def answer(self, state: str) -> dict[str, Any]:
        """The sweep as data."""
        passed = (datetime.now(UTC) - self._began).total_seconds()
        found = self.found
        rates = {"held": found.held, "broken": found.broken, "unknown": found.unknown}
        asked = replace(self._asked, duration=passed)
        return sweep_results.build(asked, rates, self._steps(), state=state)

    def _steps(self) -> list[tuple[float, str, str, Mapping[str, Any] | None]]:
        """Each run: rate, verdict, the name of its file, and the results in it."""
        made: list[tuple[float, str, str, Mapping[str, Any] | None]] = []
        tried: Counter[float] = Counter()
        for rate, verdict in self.found.runs:
            tried[rate] += 1
            path = self._out / f"{_name(rate, tried[rate])}.json"
            made.append((rate, verdict, path.name, _read(path)))
        return made

    def _write(self, state: str) -> dict[str, Any]:
        """Write what is known. Raises OSError."""
        answer = self.answer(state)
        put(self._out / PRINTED, json.dumps(answer, indent=1, ensure_ascii=False) + "\n")
        return answer

    def conclude(self) -> int:
        """Write the answer and its page, and say it; the exit status."""
        where = self._out / PRINTED
        answer = self._write("interrupted" if self.found.interrupted else "over")
        self.progress.final(said(answer))
        print(f"Results: {where}\n{page(answer, where)}", end="", flush=True)
        if any(verdict == UNUSABLE for _, verdict in self.found.runs):
            return 2
        if not self.found.goes_on():
            return 6
        return 0 if self.found.held is not None else 1


def _name(rate: float, number: int) -> str:
    return f"sweep-{rate:g}" + (f"-{number}" if number > 1 else "")


def _read(path: Path) -> Mapping[str, Any] | None:
    """The results of a run; None where it wrote none."""
    try:
        made: Mapping[str, Any] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return made


def _redactor(options: Sequence[str], environ: Mapping[str, str]) -> Redactor:
    """Knows the key of the run."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--api-key-env", default=ENVIRONMENT)
    name = parser.parse_known_args(options)[0].api_key_env
    return Redactor([environ.get(name, "")])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m load.sweep",
        description="The highest rate at which targets hold. Other options go to Locust.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--host", required=True, help="base URL of the target, with /v1")
    add("--slo", action="append", required=True, metavar="TARGET", help="as for locust")
    add("--start", type=float, default=1.0, help="first rate, in requests/s (default: %(default)s)")
    add("--most", type=float, default=1000.0, help="no rate above this (default: %(default)s)")
    add("--precision", type=float, default=0.1, help="width of the interval, as a share of it")
    add("--seconds", type=int, default=60, help="length of each run (default: %(default)s)")
    add("--runs", type=int, default=3, help="of the highest rate, in all (default: %(default)s)")
    add("--out", type=Path, default=Path("reports/out"), help="where results go")
    return parser


def _checked(parser: argparse.ArgumentParser, given: argparse.Namespace) -> None:
    """Refuse what cannot be used, in one line."""
    if not 0 < given.start <= given.most or not math.isfinite(given.most):
        parser.error("0 < --start <= --most: write numbers of requests a second")
    if not 0 < given.precision < 1 or given.runs < 1 or given.seconds < 1:
        parser.error("0 < --precision < 1; --runs and --seconds are 1 or more")
    try:
        for target in given.slo:
            slo.parse(target)
    except ValueError as error:
        parser.error(str(error))
    if obstacle := unwritable(given.out / PRINTED):
        parser.error(f"--out {given.out} cannot be written: {obstacle}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; other options go to Locust."""
    line = list(sys.argv[1:] if arguments is None else arguments)
    if (why := key_in_the_wrong_place(line)) is not None:
        print(why, file=sys.stderr)
        return 2
    parser = _parser()
    given, rest = parser.parse_known_args(line)
    _checked(parser, given)
    rest, environ = keyless(rest, os.environ)
    passed = ["--host", given.host, *rest, "-t", f"{given.seconds}s"]
    for target in given.slo:
        passed += ["--slo", target]
    path = os.pathsep.join(filter(None, [str(ROOT), environ.get("PYTHONPATH", "")]))
    asked = sweep_results.Asked(
        url=given.host,
        targets=given.slo,
        search={name: getattr(given, name) for name in SEARCH},
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        duration=0.0,
        command="python -m "
        + command_line(["load.sweep", *line], _redactor(rest, environ), Path.cwd()),
        version=own_version(),
    )
    print(
        f"Sweep of {given.host}: from {given.start:g} requests/s, {given.seconds} s each, "
        f"for {', '.join(given.slo)}",
        flush=True,
    )
    with Stop().heeded() as stop:
        sweep = Sweep(given.out, passed, {**environ, "PYTHONPATH": path}, asked, stop)
        try:
            options = {"precision": given.precision, "most": given.most}
            search(sweep.judge, given.start, **options, found=sweep.found)
            confirm(sweep.judge, sweep.found, given.runs)
            return sweep.conclude()
        except OSError as error:
            print(f"load: {error.filename}: {error.strerror}", file=sys.stderr)
            return 6


if __name__ == "__main__":
    sys.exit(main())
