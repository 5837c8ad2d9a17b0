"""Side by side against one emitter: this generator, plain Locust, guidellm and aiperf.

``python -m benchmarks.peers [--streams 50,200,500] [--seconds 15] [--tools ours,iter_lines,…]``

guidellm and aiperf are installed from the package index, each into a venv of its own under
``.cache/peers`` (guidellm brings PyTorch: 6 GB). A tool that cannot be installed or that fails has
its reason in the table.

The truth is the emitter's: TTFT from the kernel's stamp of the request to the moment before the
first token's ``send``; tokens/s by its writes. Each tool has a core in turn, all its processes
together; the emitter has the other one. CPU seconds are those of the whole tool, with its start.
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
from typing import Any, Final

from benchmarks.calibrate import ITL_MS, ROOT, TOKENS, TTFT_MS, emitting, on_core, quantiles
from benchmarks.peer_tools import TOOLS, Tool, prepare

WARM_NS: Final = 4_000_000_000
"""Requests that came in the first four seconds are left out."""

VENVS: Final = ROOT / ".cache" / "peers"
PATIENCE: Final = 180
"""Seconds beyond the run that a tool may take to start and to end."""

HEADINGS: Final = (
    *("streams", "tool", "requests", "offered tokens/s", "reached", "truth p50", "reported p50"),
    *("off by, p50", "p99 (ms)", "CPU s"),
)


class Failed(Exception):  # noqa: N818 - it has failed, whatever the reason
    """A tool could not be installed or did not run; the message is one line."""


def installed(name: str, tool: Tool) -> Path:
    """The tool's program. Raises Failed where pip cannot install it."""
    if tool.package is None:
        return Path(sys.executable)
    venv = VENVS / name
    program = venv / "bin" / tool.program
    if not program.exists():
        print(f"installing {tool.package} into {venv.relative_to(ROOT)}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(venv)], check=True)
        pip = [str(venv / "bin" / "python"), "-m", "pip", "install", "--quiet", tool.package]
        done = subprocess.run(pip, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Failed(f"cannot be installed: {_last_line(done.stderr)}")
    return program


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if "rror" in line] or text.splitlines()
    return lines[-1][:200] if lines else "it said nothing"


def run(name: str, streams: int, seconds: int, cores: Sequence[int | None]) -> list[str]:
    """One tool at one number of streams, as cells of a table. Raises Failed."""
    tool = TOOLS[name]
    program = installed(name, tool)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        prepare(folder)
        environ = {"TARGET_API_KEY": "none", "PEER_LOG": str(folder / "raw"), **tool.environ}
        with emitting(cores[0], folder / "log") as url:
            command = [str(program), *tool.arguments(url, streams, seconds, folder)]
            used = os.times()
            try:
                done = subprocess.run(
                    on_core(cores[1], command),
                    cwd=ROOT,
                    env={**os.environ, **environ},
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    check=False,
                    timeout=seconds + PATIENCE,
                )
            except subprocess.TimeoutExpired:
                raise Failed(f"was not over {PATIENCE} s after its time") from None
            now = os.times()
        cpu = now.children_user + now.children_system - used.children_user - used.children_system
        truth = [json.loads(line) for line in (folder / "log").read_text("utf-8").splitlines()][:-1]
        try:
            reported = tool.reported(folder)
        except (OSError, ValueError, LookupError):
            raise Failed(f"left no results: {_last_line(done.stdout)}") from None
    return [str(streams), name, *_cells(streams, seconds, truth, reported), f"{cpu:.1f}"]


def _cells(
    streams: int, seconds: int, truth: Sequence[Mapping[str, Any]], reported: Mapping[str, float]
) -> list[str]:
    """What a tool reported against what the emitter knows. Raises Failed where they do not meet."""
    known = {row["nonce"]: row for row in truth if row["asked"] > 0 and row["nonce"] in reported}
    if not known:
        raise Failed(f"none of {len(reported)} reported requests is one of {len(truth)} served")
    begins = min(row["asked"] for row in known.values()) + WARM_NS
    ends = max(row["asked"] for row in known.values())
    pairs = [
        (reported[nonce], (row["writes"][0] - row["asked"]) / 1e6)
        for nonce, row in known.items()
        if row["asked"] >= begins
    ]
    if not pairs or ends <= begins:
        raise Failed("no request came after the first four seconds")
    writes = sum(begins <= at < ends for row in truth for at in row["writes"])
    offered = streams * TOKENS / (TTFT_MS + ITL_MS * (TOKENS - 1)) * 1000
    middle, high = quantiles([abs(seen - true) for seen, true in pairs])
    counts = (str(len(pairs)), f"{offered:.0f}", f"{writes * 1e9 / (ends - begins):.0f}")
    medians = (quantiles([p[1] for p in pairs])[0], quantiles([p[0] for p in pairs])[0])
    return [*counts, *(f"{value:.3f}" for value in (*medians, middle, high))]


def main() -> int:
    """Run the command; the exit status is 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    add = parser.add_argument
    add("--streams", default="50,200,500", help="numbers, separated by commas")
    add("--seconds", type=int, default=15, help="of each run, 4 of them left out")
    add("--tools", default=",".join(TOOLS), help="which, separated by commas: %(default)s")
    given = parser.parse_args()
    tools = given.tools.split(",")
    if unknown := set(tools) - TOOLS.keys():
        parser.error(f"no such tool: {', '.join(sorted(unknown))}")
    available = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    cores: list[int | None] = [*available[:2]] if len(available) > 1 else [None, None]
    print(f"| {' | '.join(HEADINGS)} |", "|" + "---|" * len(HEADINGS), sep="\n")
    for streams in map(int, given.streams.split(",")):
        for name in tools:
            try:
                cells = run(name, streams, given.seconds, cores)
            except Failed as reason:
                cells = [str(streams), name, str(reason), *[""] * (len(HEADINGS) - 3)]
            print(f"| {' | '.join(cells)} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
