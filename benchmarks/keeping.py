"""What it costs the process that measures that its results are written while it goes.

``python -m benchmarks.keeping [--streams 500] [--every 20] [--seconds 120]``

One run against the emitter that writes results and page every so many seconds (``--page-every``).
The seconds in which the scribe was at work are told by the files: from when the results were put in
place, until the page was. Printed for windows with such a second and for those without: how far the
stamps were off (against the emitter's write times), how late reads were, the CPU.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from benchmarks.calibrate import ROOT, TOKENS, emitting, on_core
from benchmarks.onlookers import report

WINDOW: Final = 5
POLL: Final = 0.05
BEFORE: Final = 1
"""Seconds that the scribe puts results together before they are in place."""


def working(process: subprocess.Popen[bytes], out: Path) -> list[range]:
    """The windows in which the scribe of a run wrote, until the run is over; seconds of the epoch.

    The last page is not among them: it is written when nothing is measured any more.
    """
    page, found, known = out.with_suffix(".html"), list[range](), 0.0
    while process.poll() is None:
        time.sleep(POLL)
        if page.exists() and page.stat().st_mtime != known:
            known = page.stat().st_mtime
            if json.loads(out.read_text("utf-8"))["state"] != "running":
                continue
            first = int(out.stat().st_mtime) - BEFORE
            found.append(range(first - first % WINDOW, int(known) + 1))
    return found


def main() -> int:
    """Run the command; the exit status is 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.keeping", description=__doc__)
    add = parser.add_argument
    add("--streams", type=int, default=500, help="streams at a time")
    add("--every", type=float, default=20.0, help="seconds between two pages")
    add("--seconds", type=int, default=120, help="length of the run")
    add("--free", action="store_true", help="pin the generator to no core")
    given = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    first, second = (cores[0], cores[1]) if len(cores) > 1 else (None, None)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        log, raw, out = folder / "log", folder / "raw", folder / "load.json"
        with emitting(first, log) as url:
            options = ["-u", str(given.streams), "-r", str(max(1, given.streams // 2))]
            options += ["--headless", "--only-summary", "-t", f"{given.seconds}s"]
            options += ["--model", "emitter", "--max-tokens", str(TOKENS), "--check", "none"]
            options += ["--warm-up", "4", "--load-raw", str(raw), "--load-results", str(out)]
            command = [sys.executable, "-m", "locust", "-f", "load/chat.py", "--host", url]
            command += [*options, "--page-every", f"{given.every:g}"]
            process = subprocess.Popen(
                command if given.free else on_core(second, command),
                cwd=ROOT,
                env={**os.environ, "TARGET_API_KEY": "sk-none"},
                stdout=subprocess.DEVNULL,
            )
            worked = working(process, out)
        truth = [json.loads(line) for line in log.read_text("utf-8").splitlines()][:-1]
        rows = [json.loads(line) for line in raw.read_text("utf-8").splitlines()]
        results = json.loads(out.read_text("utf-8"))
        print(report(truth, rows, results, worked, what="writing"))
    print(f"\n{len(worked)} pages while it went; the run: {results['validity']['verdict']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
