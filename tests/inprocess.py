"""Runs the suite in this process, as fast as it goes, for trials by the hundred.

It is the suite as a user runs it: pytest with a URL, results read from the file. What a trial does
not look at (the page, JUnit, the cache, xdist, what is printed) is switched off.
"""

import contextlib
import gc
import io
import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from reports.verdict import clauses

ROOT = Path(__file__).parents[1]
READY = "listening on "
KEY = "sk-reference"
"""The key of the reference server; it knows others that begin with it."""

SPARE = (
    *("cacheprovider", "capture", "debugging", "doctest", "faulthandler", "junitxml", "legacypath"),
    *("logging", "monkeypatch", "pastebin", "recwarn", "setuponly", "setupplan", "skipping"),
    *("stepwise", "subtests", "threadexception", "tmpdir", "unittest", "unraisableexception"),
    "warnings",
)
"""pytest's own plugins that no trial needs: each is called some thousand times in a run. Those of
others are not even looked for."""


def trial_pool(workers: int = 2) -> ProcessPoolExecutor:
    """Processes for trials; they search for cycles seldom, which saves a tenth of their time."""
    return ProcessPoolExecutor(
        workers,
        mp_context=get_context("spawn"),
        initializer=gc.set_threshold,
        initargs=(100_000,),
    )


@contextlib.contextmanager
def serving(command: Sequence[str]) -> Iterator[str]:
    """A reference server started by `command`; yields its address without a path."""
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline().strip()
        assert line.startswith(READY), line
        yield line.removeprefix(READY).removesuffix("/v1")
    finally:
        process.terminate()
        process.communicate(timeout=10)


@dataclass(frozen=True, slots=True)
class Judgement:
    """How a run ended: exit status, what it printed, the worst verdict of every clause."""

    exit_status: int
    output: str
    verdicts: Mapping[str, str]
    results: Mapping[str, Any]

    def ids(self, *wanted: str) -> frozenset[str]:
        """The ids with one of these verdicts."""
        return frozenset(i for i, verdict in self.verdicts.items() if verdict in wanted)


def judgement(
    url: str,
    results: Path,
    profile: Path,
    *arguments: str,
    timeout: float = 4,
    clients: bool = False,
) -> Judgement:
    """Judge `url` with the key of the reference server; without results: no verdicts.

    `clients`: client libraries run too, which takes seconds.
    """
    os.environ["TARGET_API_KEY"] = KEY
    for purpose in ("limited", "exhausted", "restricted"):
        os.environ[f"REFERENCE_{purpose.upper()}_KEY"] = f"{KEY}-{purpose}"
    folder = results.parent
    words = ["--pyargs", "conformance", "-q", "--target-url", url, "--profile", str(profile)]
    words += ["--results", str(results), "--timeout", str(timeout)]
    words += [] if clients else ["--no-clients"]
    words += ["--rootdir", str(folder), "-c", os.devnull, "--tb", "native"]
    words += ["--disable-plugin-autoload", "-p", "conformance.plugin"]
    words += [word for name in SPARE for word in ("-p", f"no:{name}")]
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        status = int(pytest.main([*words, *arguments]))
    if not results.exists():
        return Judgement(status, said.getvalue(), {}, {})
    found = json.loads(results.read_text("utf-8"))  # its form is the business of tests/reports
    verdicts = {i: str(verdict) for i, verdict in clauses(found["requirements"]).items()}
    return Judgement(status, said.getvalue(), verdicts, found)
