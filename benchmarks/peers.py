"""Side by side against one emitter: this generator, and a plain Locust user with ``iter_lines``.

``python -m benchmarks.peers [--streams 50,200,500] [--seconds 10]``

The truth is the emitter's: TTFT from the kernel's stamp of the request to the moment before the
first token's ``send``. Each tool has a core in turn; the emitter has the other one.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.calibrate import ITL_MS, ROOT, TOKENS, TTFT_MS, emitting, on_core, quantiles

WARM_NS = 4_000_000_000
"""Requests sent in the first four seconds are left out."""


def run(tool: str, streams: int, seconds: int, cores: Sequence[int]) -> list[str]:
    """One tool at one number of streams, as cells of a table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        first, second = (cores[0], cores[1]) if len(cores) > 1 else (None, None)
        with emitting(first, folder / "log") as url:
            options = ["--headless", "-u", str(streams), "-r", str(max(1, streams // 2))]
            options += ["-t", f"{seconds}s", "--only-summary", "--host", url]
            file = "benchmarks/iter_lines_user.py"
            if tool == "ours":
                file = "load/chat.py"
                options += ["--model", "emitter", "--max-tokens", str(TOKENS), "--check", "none"]
                options += ["--load-raw", str(folder / "raw")]
                options += ["--load-results", str(folder / "load.json")]
            command = [sys.executable, "-m", "locust", "-f", file, *options]
            used = os.times()
            subprocess.run(
                on_core(second, command),
                cwd=ROOT,
                env={**os.environ, "TARGET_API_KEY": "none", "PEER_LOG": str(folder / "raw")},
                capture_output=True,
                check=False,
            )
            now = os.times()
        cpu = now.children_user + now.children_system - used.children_user - used.children_system
        truth = [json.loads(line) for line in (folder / "log").read_text("utf-8").splitlines()]
        rows = [json.loads(line) for line in (folder / "raw").read_text("utf-8").splitlines()]
    return _cells(tool, streams, truth[:-1], rows, cpu)


def _cells(
    tool: str,
    streams: int,
    truth: Sequence[Mapping[str, Any]],
    rows: Sequence[Mapping[str, Any]],
    cpu: float,
) -> list[str]:
    written = {row["nonce"]: row for row in truth}
    begins = min(row["send"] for row in rows if row.get("send")) + WARM_NS
    errors, last, tokens = [], begins, 0
    for row in rows:
        known = written.get(row.get("nonce", ""))
        if known is None or row["send"] < begins or row.get("failure"):
            continue
        arrivals = row.get("arrivals") or [[row["first"], 1], [row["last"], row["n"] - 1]]
        if arrivals[0][0] is None:
            continue
        errors.append(abs(arrivals[0][0] - row["send"] - known["writes"][0] + known["asked"]) / 1e6)
        tokens += sum(together for _, together in arrivals)
        last = max(last, arrivals[-1][0])
    middle, high = quantiles(errors)
    rate = tokens * 1e9 / (last - begins) if last > begins else 0.0
    offered = streams * TOKENS / (TTFT_MS + ITL_MS * (TOKENS - 1)) * 1000
    counts = (str(streams), tool, f"{offered:.0f}", f"{rate:.0f}")
    return [*counts, f"{middle:.3f}", f"{high:.3f}", f"{cpu:.1f}"]


def main() -> int:
    """Run the command; the exit status is 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("--streams", default="50,200,500", help="numbers, separated by commas")
    parser.add_argument("--seconds", type=int, default=10, help="of each run, 4 of them left out")
    given = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    print("| streams | tool | offered tokens/s | reached | TTFT off by, p50 | p99 (ms) | CPU s |")
    print("|---|---|---|---|---|---|---|")
    for streams in map(int, given.streams.split(",")):
        for tool in ("ours", "iter_lines"):
            print(f"| {' | '.join(run(tool, streams, given.seconds, cores))} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
