"""What the live view costs the process that measures.

``python -m benchmarks.onlookers [--streams 500] [--lookers 2] [--blocks 8]``

One run against the emitter, cut into blocks of ten seconds: in every other one so many lookers ask
for the live view every two seconds, as the page does, and for Locust's own statistics as its page
does. Blocks with and without lookers alternate, so that what else the machine does meets both
alike. Printed for both: how far the stamps were off (against the emitter's write times), how late
reads were, the CPU, and what a look took and weighed.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import httpx

from benchmarks.calibrate import ROOT, TOKENS, emitting, on_core, quantiles

BLOCK: Final = 10
"""Seconds: two windows of a run."""

WARM: Final = 10.0
EVERY: Final = 2.0


class Looker(threading.Thread):
    """One open page: asks while it may, and notes what an answer took and weighed."""

    def __init__(self, base: str, may: threading.Event, over: threading.Event) -> None:
        super().__init__(daemon=True)
        self._base, self._may, self._over = base, may, over
        self.took: list[float] = []
        self.weighed: list[int] = []

    def run(self) -> None:
        """Look until the run is over."""
        mark = ""
        with httpx.Client(base_url=self._base, trust_env=False, timeout=30) as client:
            while not self._over.is_set():
                if self._may.wait(0.1):
                    before = time.monotonic()
                    answer = client.get("/chat/live.json", params={"since": mark})
                    self.took.append(time.monotonic() - before)
                    self.weighed.append(len(answer.content))
                    mark = answer.json().get("mark", "")
                    client.get("/stats/requests")
                    self._over.wait(EVERY)


def errors(
    truth: Sequence[Mapping[str, Any]], rows: Sequence[Mapping[str, Any]], looked: Sequence[range]
) -> dict[bool, tuple[list[float], list[float]]]:
    """Errors in ms of first tokens and of gaps, for blocks with lookers and for those without."""
    written = {row["nonce"]: row["writes"] for row in truth}
    found: dict[bool, tuple[list[float], list[float]]] = {True: ([], []), False: ([], [])}
    for row in rows:
        writes = written.get(row["nonce"])
        if row["failure"] or row["phase"] != "steady" or writes is None:
            continue
        seen, off = 0, []
        for stamp, together in row["arrivals"]:
            seen += together
            off.append((stamp, (stamp - writes[min(seen, len(writes)) - 1]) / 1e6))
        firsts, gaps = found[_in(off[0][0] + row["anchor"], looked)]
        firsts.append(abs(off[0][1]))
        for (_, earlier), (stamp, later) in pairwise(off):
            gaps = found[_in(stamp + row["anchor"], looked)][1]
            gaps.append(abs(later - earlier))
    return found


def _in(wall: int, looked: Sequence[range]) -> bool:
    second = wall // 1_000_000_000
    return any(second in block for block in looked)


def windows(
    results: Mapping[str, Any], looked: Sequence[range]
) -> dict[bool, list[Mapping[str, Any]]]:
    """The windows of a run, with lookers and without."""
    found: dict[bool, list[Mapping[str, Any]]] = {True: [], False: []}
    for window in results["validity"]["windows"]:
        if window["seconds"] == BLOCK // 2 and window["tokens"]:
            found[any(window["start"] in block for block in looked)].append(window)
    return found


def report(
    truth: list[dict[str, Any]],
    rows: list[dict[str, Any]],
    results: Mapping[str, Any],
    looked: Sequence[range],
    what: str = "lookers",
) -> str:
    """The table; ``looked`` are the seconds in which there was some of ``what``."""
    off, parts = errors(truth, rows, looked), windows(results, looked)
    head = ("first token off p50", "p99", "gap off p99", "reads late p50", "p95", "CPU", "INVALID")
    lines = [f"| {what} | windows | {' | '.join(head)} |", "|" + "---|" * (len(head) + 2)]
    for name, key in (("none", False), ("some", True)):
        firsts, gaps = off[key]
        lags = [w["client_lag_ms"] for w in parts[key]]
        cells = [f"{v:.4f}" for v in (*quantiles(firsts), quantiles(gaps)[1])]
        for which in ("p50", "p95"):
            cells.append(f"{statistics.median(lag[which] for lag in lags):.2f}")
        used = [share for w in parts[key] for share in w["cpu"].values()]
        cells.append(f"{statistics.mean(used):.1%}")
        cells.append(str(sum(w["verdict"] == "INVALID" for w in parts[key])))
        lines.append(f"| {name} | {len(parts[key])} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> int:
    """Run the command; the exit status is 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.onlookers", description=__doc__)
    add = parser.add_argument
    add("--streams", type=int, default=500, help="streams at a time")
    add("--lookers", type=int, default=2, help="pages that are open in every other block")
    add("--blocks", type=int, default=8, help=f"of {BLOCK} s each")
    given = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    first, second = (cores[0], cores[1]) if len(cores) > 1 else (None, None)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        log, raw, out = folder / "log", folder / "raw", folder / "load.json"
        may, over = threading.Event(), threading.Event()
        with emitting(first, log) as url:
            port = 18089
            options = ["-u", str(given.streams), "-r", str(max(1, given.streams // 2))]
            options += ["--autostart", "--autoquit", "0", "--web-host", "127.0.0.1", "--no-page"]
            options += ["--web-port", str(port), "-t", f"{WARM + (given.blocks + 1) * BLOCK:.0f}s"]
            options += ["--model", "emitter", "--max-tokens", str(TOKENS), "--check", "none"]
            options += ["--warm-up", "4", "--load-raw", str(raw), "--load-results", str(out)]
            command = [sys.executable, "-m", "locust", "-f", "load/chat.py", "--host", url]
            process = subprocess.Popen(
                on_core(second, [*command, *options]),
                cwd=ROOT,
                env={**os.environ, "TARGET_API_KEY": "sk-none"},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            base = f"http://127.0.0.1:{port}"
            lookers = [Looker(base, may, over) for _ in range(given.lookers)]
            looked = []
            with process:
                time.sleep(WARM)
                for looker in lookers:
                    looker.start()
                for block in range(given.blocks):
                    now = time.time()
                    time.sleep(BLOCK - now % BLOCK)  # as the windows begin
                    begun = int(time.time())
                    if block % 2:
                        may.set()
                        looked.append(range(begun, begun + BLOCK))
                    else:
                        may.clear()
                time.sleep(BLOCK - 0.5)
                may.clear()
                over.set()
        truth = [json.loads(line) for line in log.read_text("utf-8").splitlines()][:-1]
        rows = [json.loads(line) for line in raw.read_text("utf-8").splitlines()]
        print(report(truth, rows, json.loads(out.read_text("utf-8")), looked))
    took = [1000 * each for looker in lookers for each in looker.took]
    weighed = [each for looker in lookers for each in looker.weighed]
    half, worst = quantiles(took)
    print(f"\n{len(took)} looks: {half:.1f} ms at p50, {worst:.1f} ms at p99; ", end="")
    print(f"{statistics.median(weighed):.0f} bytes at p50, {max(weighed)} at most")
    return 0


if __name__ == "__main__":
    sys.exit(main())
