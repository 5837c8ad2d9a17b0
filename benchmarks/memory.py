"""What the generator keeps in memory: for each open stream, and over a long run.

``python -m benchmarks.memory [--streams 1000] [--tls] [--requests 100000]``

Two questions, each a run of its own against the emitter:

* *KB per open stream*: resident memory with that many streams at 50 tokens/s, the most that was
  seen after all of them ran, less that of a run with ten, divided by their difference.
* *growth*: resident memory at the end of that many requests of three tokens each, less that after
  the first twentieth of them. What a run keeps (histograms, a row per second) is in it, and so is
  every leak.

Resident memory is ``VmRSS`` of Linux's ``/proc``; sockets' buffers belong to the kernel and are not
in it. The exit status is 1 where a bound of issue 4 is passed (100 KB; 20 MB).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.calibrate import ROOT, certificate, emitting, on_core

STREAM_KB: Final = 100.0
GROWTH_MB: Final = 20.0
FEW: Final = 10
"""Streams of the run that shows what the generator needs without them."""


def resident(pid: int) -> int:
    """Resident memory of a process in KB; 0 where it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text("ascii")
    except OSError:
        return 0
    found = [line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")]
    return int(found[0]) if found else 0


def sampled(command: Sequence[str], every: float) -> list[int]:
    """Run a command to its end; its resident memory in KB, every so many seconds."""
    environ = {**os.environ, "TARGET_API_KEY": "sk-none"}
    process = subprocess.Popen(
        command, cwd=ROOT, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    seen = []
    while process.poll() is None:
        seen.append(resident(process.pid))
        time.sleep(every)
    return [kilobytes for kilobytes in seen if kilobytes]


def generator(url: str, users: int, out: Path, *options: str) -> list[str]:
    """The generator's command: a closed loop of that many users."""
    command = [sys.executable, "-m", "locust", "-f", "load/chat.py", "--host", url, "--headless"]
    command += ["-u", str(users), "-r", str(max(10, users // 2)), "--only-summary", "--no-page"]
    command += ["--model", "emitter", "--load-results", str(out)]
    return [*command, *options]


def with_streams(streams: int, seconds: int, *, tls: bool, cores: Sequence[int | None]) -> int:
    """The most resident memory in KB that was seen with so many streams open."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        secured = ["--certificate", str(certificate(folder))] if tls else []
        with emitting(cores[0], folder / "log", *secured) as url:
            options = ["-t", f"{seconds}s", "--max-tokens", "100"]
            options += ["--tls-insecure"] if tls else []
            command = generator(url, streams, folder / "load.json", *options)
            seen = sampled(on_core(cores[1], command), 0.2)
    return max(seen)


def over_requests(requests: int, users: int, cores: Sequence[int | None]) -> tuple[int, int, int]:
    """Requests that ended, and resident memory in KB after a twentieth of them and at the end."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pace = ("--ttft-ms", "5", "--itl-ms", "5")
        with emitting(cores[0], folder / "log", *pace) as url:
            options = ("--max-tokens", "3", "--budget-requests", str(requests), "-t", "1h")
            command = generator(url, users, folder / "load.json", *options)
            seen = sampled(on_core(cores[1], command), 0.2)
        model = json.loads((folder / "load.json").read_text("utf-8"))["models"]["emitter"]
    early = seen[len(seen) // 20 :]
    return model["ok"], early[0], max(early[-max(1, len(early) // 20) :])


def main() -> int:
    """Run the command; the exit status is 1 where a bound is passed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    add = parser.add_argument
    add("--streams", type=int, default=1000, help="open at a time (default: %(default)s)")
    add("--seconds", type=int, default=20, help="of each run with streams")
    add("--tls", action="store_true", help="streams over TLS")
    add("--requests", type=int, default=100_000, help="of the long run; 0: none")
    add("--users", type=int, default=50, help="of the long run (default: %(default)s)")
    given = parser.parse_args()
    available = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    cores: list[int | None] = [*available[:2]] if len(available) > 1 else [None, None]
    passed = False
    if given.streams > FEW:
        least = with_streams(FEW, 8, tls=given.tls, cores=cores)
        most = with_streams(given.streams, given.seconds, tls=given.tls, cores=cores)
        each = (most - least) / (given.streams - FEW)
        passed |= each > STREAM_KB
        print(
            f"{given.streams} streams{' over TLS' if given.tls else ''}: {most / 1024:.0f} MB, "
            f"{FEW} streams: {least / 1024:.0f} MB; {each:.0f} KB per open stream",
            flush=True,
        )
    if given.requests:
        ended, early, late = over_requests(given.requests, given.users, cores)
        grown = (late - early) / 1024
        passed |= grown > GROWTH_MB
        print(
            f"{ended} requests: {early / 1024:.0f} MB after the first twentieth, "
            f"{late / 1024:.0f} MB at the end; grown by {grown:.1f} MB"
        )
    return int(passed)


if __name__ == "__main__":
    sys.exit(main())
