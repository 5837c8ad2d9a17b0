"""Headless runs of Locust in a process of their own, and a reference server that counts."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
KEY = "sk-load-9f1c2e7d5a"
MODEL = "meta/llama-3.3-70b-instruct"


@dataclass(frozen=True, slots=True)
class Ran:
    """A run that is over: exit status, what it said, its results (None: it wrote none)."""

    status: int
    said: str
    results: dict[str, Any] | None
    folder: Path

    def model(self, name: str = MODEL) -> dict[str, Any]:
        """The results of one model."""
        assert self.results is not None, self.said
        found: dict[str, Any] = self.results["models"][name]
        return found


def locust(
    url: str, folder: Path, *options: str, file: str = "chat.py", key: str = KEY, page: bool = False
) -> Ran:
    """Run Locust headless in ``folder``; ``options`` follow the usual ones and may repeat them.

    ``page``: the run ends with its page.
    """
    command = [sys.executable, "-m", "locust", "-f", str(ROOT / "load" / file), "--host", url]
    command += ["--headless", "--users", "4", "--spawn-rate", "10", "--run-time", "2s"]
    command += ["--load-results", "load.json", "--only-summary", *options]
    if not page:
        command.append("--no-page")  # drawing it takes longer than most of these runs
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "TARGET_API_KEY": key, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=60,
    )
    path = folder / "load.json"
    results = json.loads(path.read_text("utf-8")) if path.exists() else None
    return Ran(done.returncode, done.stdout, results, folder)


@contextlib.contextmanager
def reference(*options: str) -> Iterator[str]:
    """The base URL of a reference server that takes ``KEY``."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "conformance.reference", "--port", "0", "--exit-with-parent"),
            *("--key-env", "REFERENCE_KEY", *options),
        ],
        cwd=ROOT,
        env={**os.environ, "REFERENCE_KEY": KEY},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        yield process.stdout.readline().strip().removeprefix("listening on ")
        process.terminate()
