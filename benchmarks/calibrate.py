"""How far the generator's stamps are from the truth, and how much it carries.

``python -m benchmarks.calibrate [--streams 50,200,500,1000] [--seconds 10] [--tls]``

For each number of streams, the emitter runs on one core and the generator on another; stamps and
write times share a clock (CLOCK_MONOTONIC), and are joined by the nonce of each request. A stamp's
error is its distance from the moment just before the emitter's ``send``: the kernel's own path is
in it. Only requests of the steady phase count.

The page goes to ``--page``; the numbers hold for this machine, and for what else ran on it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
TTFT_MS, ITL_MS, TOKENS = 200.0, 20.0, 100


@dataclass(frozen=True, slots=True)
class Point:
    """What one number of streams showed; times in ms."""

    streams: int
    verdict: str
    offered: float
    reached: float
    first: tuple[float, float]
    gap: tuple[float, float]
    ttft: tuple[float, float]
    lag: tuple[float, float]
    bunched: float
    cpu: float
    emitter_cpu: float
    emitter_late: float


def quantiles(values: Sequence[float]) -> tuple[float, float]:
    """p50 and p99 by nearest rank; nan without values."""
    if not values:
        return math.nan, math.nan
    ordered = sorted(values)
    ranks = (math.ceil(p * len(ordered)) - 1 for p in (0.5, 0.99))
    first, second = (ordered[max(0, rank)] for rank in ranks)
    return first, second


def certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1 and its key, in one file."""
    key, cert, both = folder / "key.pem", folder / "cert.pem", folder / "both.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    command += " -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1"
    subprocess.run(
        [*command.split(), "-keyout", str(key), "-out", str(cert)], check=True, capture_output=True
    )
    both.write_text(cert.read_text() + key.read_text())
    return both


def on_core(core: int | None, command: Sequence[str]) -> list[str]:
    """The command, bound to a core where the system can do so."""
    return ["taskset", "-c", str(core), *command] if core is not None else list(command)


@contextlib.contextmanager
def emitting(core: int | None, log: Path, *options: str) -> Iterator[str]:
    """An emitter on that core that writes its truth to `log` by its end; yields its base URL."""
    command = [sys.executable, "-m", "benchmarks.emitter", "--log", str(log)]
    command += ["--ttft-ms", str(TTFT_MS), "--itl-ms", str(ITL_MS), *options]
    emitter = subprocess.Popen(on_core(core, command), cwd=ROOT, stdout=subprocess.PIPE, text=True)
    with emitter:
        try:
            assert emitter.stdout is not None
            yield emitter.stdout.readline().strip().removeprefix("listening on ")
        finally:
            emitter.terminate()


def measure(streams: int, seconds: int, *, tls: bool, cores: Sequence[int]) -> Point:
    """Run one number of streams."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        log, raw, out = folder / "log", folder / "raw", folder / "load.json"
        first, second = (cores[0], cores[1]) if len(cores) > 1 else (None, None)
        secured = ["--certificate", str(certificate(folder))] if tls else []
        with emitting(first, log, *secured) as url:
            options = ["--headless", "-u", str(streams), "-r", str(max(1, streams // 2))]
            options += ["-t", f"{seconds}s", "--model", "emitter", "--only-summary"]
            options += ["--max-tokens", str(TOKENS), "--check", "none", "--warm-up", "4"]
            options += ["--load-raw", str(raw), "--load-results", str(out), "--no-page"]
            options += ["--tls-insecure"] if tls else []
            command = [sys.executable, "-m", "locust", "-f", "load/chat.py", "--host", url]
            done = subprocess.run(
                on_core(second, [*command, *options]),
                cwd=ROOT,
                env={**os.environ, "TARGET_API_KEY": "sk-none"},
                capture_output=True,
                text=True,
                check=False,
            )
        if not out.exists():
            raise RuntimeError(f"the generator failed: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        truth = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
        rows = [json.loads(line) for line in raw.read_text("utf-8").splitlines()]
        return _point(streams, truth, rows, json.loads(out.read_text("utf-8")))


def _point(
    streams: int, truth: list[dict[str, Any]], rows: list[dict[str, Any]], results: dict[str, Any]
) -> Point:
    emitter = truth.pop()
    written = {row["nonce"]: row for row in truth}
    firsts, gaps, ttfts = [], [], []
    for row in rows:
        known = written.get(row["nonce"])
        if row["failure"] or row["phase"] != "steady" or known is None:
            continue
        writes, seen = known["writes"], 0
        errors = []
        for stamp, together in row["arrivals"]:
            seen += together
            errors.append(stamp - writes[min(seen, len(writes)) - 1])
        firsts.append(abs(errors[0]) / 1e6)
        gaps += [abs(later - earlier) / 1e6 for earlier, later in pairwise(errors)]
        reported = row["arrivals"][0][0] - row["send"]
        ttfts.append(abs(reported - (writes[0] - known["asked"])) / 1e6)
    model, valid = results["models"]["emitter"], results["validity"]
    lag = valid["client_lag_ms"]
    return Point(
        streams=streams,
        verdict=valid["verdict"],
        offered=streams * TOKENS / (TTFT_MS + ITL_MS * (TOKENS - 1)) * 1000,
        reached=model["tokens_per_second"] or 0.0,
        first=quantiles(firsts),
        gap=quantiles(gaps),
        ttft=quantiles(ttfts),
        lag=(lag["p50"] or math.nan, lag["p99"] or math.nan),
        bunched=valid["bunched_share"] or 0.0,
        cpu=max(valid["cpu"].values(), default=math.nan),
        emitter_cpu=emitter["cpu_s"],
        emitter_late=emitter["late_ns"] / 1e6,
    )


HEADINGS = (
    *("streams", "verdict", "offered tokens/s", "reached", "first token p50", "p99"),
    *("gap p50", "p99", "TTFT p50", "p99", "reads late p50", "p99", "bunched", "CPU"),
)


def table(points: Sequence[Point]) -> list[str]:
    """Rows of Markdown; errors in ms."""
    lines = [f"| {' | '.join(HEADINGS)} |", "|" + "---|" * len(HEADINGS)]
    for p in points:
        cells = [str(p.streams), p.verdict, f"{p.offered:.0f}", f"{p.reached:.0f}"]
        cells += [f"{v:.3f}" for pair in (p.first, p.gap, p.ttft) for v in pair]
        cells += [f"{v:.2f}" for v in p.lag] + [f"{p.bunched:.1%}", f"{p.cpu:.0%}"]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def page(points: Sequence[Point], *, tls: bool) -> str:
    """The page of one calibration."""
    carried = [p for p in points if p.verdict == "VALID" and p.reached >= 0.95 * p.offered]
    highest = max((p.reached for p in carried), default=0.0)
    return "\n".join(
        [
            f"## {'TLS' if tls else 'Plain HTTP'}",
            "",
            f"Errors in ms, against the emitter's write times; {ITL_MS:g} ms between tokens,",
            f"{TOKENS} tokens per stream. Python {platform.python_version()}, "
            f"{platform.system()} {platform.release()}, {os.cpu_count()} cores.",
            "",
            *table(points),
            "",
            f"Highest rate that stayed VALID and reached 95 % of what was offered: {highest:.0f} "
            "tokens/s on one core.",
            "",
        ]
    )


def main() -> int:
    """Run the command; the exit status is 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.calibrate", description=__doc__)
    add = parser.add_argument
    add("--streams", default="50,200,500,1000", help="numbers of streams, separated by commas")
    add("--seconds", type=int, default=12, help="of each run, 4 of them left out")
    add("--tls", action="store_true", help="over TLS")
    add("--page", type=Path, help="append the tables to this file")
    given = parser.parse_args()
    can_bind = hasattr(os, "sched_getaffinity")
    cores = sorted(os.sched_getaffinity(0)) if can_bind else []
    points = []
    for number in map(int, given.streams.split(",")):
        points.append(measure(number, given.seconds, tls=given.tls, cores=cores))
        last = points[-1]
        print(f"emitter: late by at most {last.emitter_late:.1f} ms, {last.emitter_cpu:.1f} s CPU")
        print("\n".join(table(points[-1:])[2:]), flush=True)
    text = page(points, tls=given.tls)
    print(text)
    if given.page:
        with given.page.open("a", encoding="utf-8") as file:
            file.write(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
