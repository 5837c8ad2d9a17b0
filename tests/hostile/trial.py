"""Runs the suite, or the load generator, as a user does, and measures what it cost.

Laws
----
* A run is a process of its own, on its own command line. What is looked at is what a user sees:
  exit status, terminal, artefacts; and how long it took, and the most memory that it ever held.
* The peak is the kernel's (``VmHWM``), read while the process lives: what `wait4` tells of a child
  counts the memory of its parent too.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.hostile.targets.row import CERTIFICATES
from tests.plugin.bench import KEY, ROOT, command, environment

LONGEST = 120.0
"""Seconds after which a run counts as hung."""

MOST_MIB = 190
"""Memory that a run may hold at its peak: 200 MB."""

SELECTED = tuple(
    word
    for name in ("CC-HTTP", "CC-MODEL", "CC-RESP", "CC-SSE", "CC-STREAM", "CC-ERR")
    for word in ("--requirement", name)
)
SUITE = ("--examples", "0", "--no-clients", *SELECTED)
LOAD = ("--users", "2", "--spawn-rate", "10", "--max-tokens", "16")


@dataclass(frozen=True, slots=True)
class Measured:
    """How a run ended and what it cost: seconds of wall time, MiB of memory at its peak."""

    status: int
    said: bytes
    seconds: float
    peak: int
    results: dict[str, Any] | None

    @property
    def text(self) -> str:
        """What it said on either stream."""
        return self.said.decode("utf-8", "backslashreplace")

    @property
    def raw(self) -> list[str]:
        """Control characters that reached the terminal; the joiner of emoji is one of ours."""
        return sorted({repr(c) for c in self.text if not (c.isprintable() or c in "\n\r\u200d")})

    @property
    def verdicts(self) -> dict[str, int]:
        """How many clauses of the suite's run have each verdict."""
        counts: dict[str, int] = {}
        for entry in (self.results or {}).get("requirements", ()):
            counts[entry["verdict"]] = counts.get(entry["verdict"], 0) + 1
        return counts

    @property
    def failures(self) -> dict[str, int]:
        """How many requests of a load run failed as which kind."""
        counts: dict[str, int] = {}
        for model in (self.results or {}).get("models", {}).values():
            for kind, count in model["failures"].items():
                counts[kind] = counts.get(kind, 0) + count
        return counts


def peak_of(pid: int) -> int:
    """The most memory that a live process ever held, in MiB; 0 where nobody tells."""
    with contextlib.suppress(OSError, ValueError):
        for line in Path(f"/proc/{pid}/status").read_bytes().splitlines():
            if line.startswith(b"VmHWM:"):
                return int(line.split()[1]) // 1024
    return 0


def measure(words: Sequence[str], folder: Path, env: Mapping[str, str], results: str) -> Measured:
    """Run a command line in ``folder`` to its end; raises TimeoutExpired after `LONGEST`."""
    said = folder / "said"
    began = time.monotonic()
    peak = 0
    with said.open("wb") as out:
        process = subprocess.Popen(
            words,
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        try:
            while process.poll() is None:
                peak = max(peak, peak_of(process.pid))
                if time.monotonic() - began > LONGEST:
                    raise subprocess.TimeoutExpired(list(words), LONGEST)
                time.sleep(0.01)
        finally:
            process.kill()
            process.wait()
    path = folder / results
    written = json.loads(path.read_text("utf-8")) if path.exists() else None
    return Measured(process.returncode, said.read_bytes(), time.monotonic() - began, peak, written)


def trusting(env: Mapping[str, str]) -> dict[str, str]:
    """``env``, in which the authority of the tests is trusted, and no other."""
    return {**env, "SSL_CERT_FILE": str(CERTIFICATES / "authority.pem")}


def judge(url: str, folder: Path, timeout: float, *more: str, **env: str) -> Measured:
    """Run the suite on ``url``."""
    words = command(["--target-url", url, "--timeout", f"{timeout:g}", *SUITE, *more])
    return measure(words, folder, trusting(environment(KEY, env)), "reports/out/results.json")


def load(url: str, folder: Path, timeout: float, *more: str, **env: str) -> Measured:
    """Run the load generator on ``url``, without the time that a target may keep it waiting."""
    words = [sys.executable, "-m", "locust", "-f", str(ROOT / "load" / "chat.py"), "--host", url]
    words += ["--headless", "--only-summary", "--load-results", "load.json", *LOAD]
    words += ["--run-time", f"{timeout + 2:.0f}s"]  # the first request may end by its time
    words += ["--total-timeout", f"{timeout:g}", "--connect-timeout", f"{timeout:g}"]
    words += ["--stall-timeout", f"{timeout:g}", *more]
    return measure(words, folder, trusting({**environment(KEY, env)}), "load.json")
