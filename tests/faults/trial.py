"""Judges the reference server with one fault switched on, and says which requirements it broke.

The laws:

1. The suite runs as a user runs it: through pytest, over a socket, results read from the file.
2. One server process serves every fault, each under a path of its own, so that trials are parallel.
3. Thresholds in seconds are scaled down in the profile, and the server's delays with them.
4. Real clients (CC-SDK) run only where a fault declares that it breaks one: each takes a second,
   and they stumble over most of what is wrong.
"""

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import pytest

from conformance.reference.faults import FAULTS
from reports.results import read
from reports.verdict import clauses

MODEL = "meta/llama-3.3-70b-instruct"
THINKER = "deepseek-ai/deepseek-r1"
"""Judged where a fault is about reasoning: the other model shows none."""

REASONING = frozenset({"CC-EQUIV-006", "CC-USAGE-008"})

PATIENCE = 0.8
"""Seconds that a late fault is late by; the profile below calls 0.5 s late."""

OVERLAY = """
[limits]
held_open_s = 0.5
held_open_warning_s = 0.3
silence_s = 0.9
silence_warning_s = 0.7
large_body_mb = 9

[triggers]
stream_error = "Fail in the middle of the stream."
"""


@dataclass(frozen=True, slots=True)
class Trial:
    """What the suite said: the ids it called FAIL or WARN, and how the run ended."""

    fault: str
    broken: frozenset[str]
    errors: frozenset[str]
    exit_status: int
    seconds: float
    output: str
    verdicts: Mapping[str, str]


@contextlib.contextmanager
def server() -> Iterator[str]:
    """A reference server that serves every fault; yields its address without path."""
    command = [sys.executable, "-m", "conformance.reference", "--port", "0", "--exit-with-parent"]
    process = subprocess.Popen(
        [*command, "--patience", str(PATIENCE)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        yield line.strip().removeprefix("listening on ").removesuffix("/v1")
    finally:
        process.terminate()
        process.communicate(timeout=10)


def profile(folder: Path, *, clients: bool = False) -> Path:
    """The shipped profile with thresholds scaled down and the trigger of the reference server.

    `clients`: with the examples of the documentation, which real clients run.
    """
    text = (files("conformance.target") / "profiles" / "ainul.toml").read_text("utf-8")
    path = folder / ("clients.toml" if clients else "faults.toml")
    if not clients:
        text = text[: text.index("[[examples]]")]
    text = text.replace("[capabilities]\n", "[capabilities]\nbrowser = true\n")
    draft = path.with_suffix(f".{os.getpid()}")  # two workers write the same file
    draft.write_text(text + OVERLAY, encoding="utf-8")
    return draft.replace(path)


def judge(address: str, fault: str, folder: Path) -> Trial:
    """Run the suite against `fault` ("" for none) and read its results."""
    os.environ["TARGET_API_KEY"] = "sk-reference"
    base = f"{address}/fault/{fault}/v1" if fault else f"{address}/v1"
    results = folder / f"{fault or 'none'}.json"
    declared = FAULTS[fault].breaks if fault else frozenset()
    model = THINKER if declared & REASONING else MODEL
    clients = any(i.startswith("CC-SDK-") for i in declared)
    arguments = ["--pyargs", "conformance", "--target-url", base]
    arguments += ["--model", model]
    arguments += ["--profile", str(profile(folder, clients=clients))]
    arguments += ["--results", str(results)]
    # The last two search the whole heap for what nobody awaits, twice in every run.
    spare = ("html", "cacheprovider", "xdist", "unraisableexception", "threadexception")
    arguments += [
        "--timeout",
        "4",
        "-q",
        *(word for name in spare for word in ("-p", f"no:{name}")),
    ]
    arguments += ["--junitxml", os.devnull, "--rootdir", str(folder), "-c", os.devnull]
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        status = int(pytest.main(arguments))
    if not results.exists():
        return Trial(fault, frozenset(), frozenset(), status, 0.0, said.getvalue(), {})
    found = read(results)
    verdicts = {i: str(verdict) for i, verdict in clauses(found["requirements"]).items()}
    return Trial(
        fault=fault,
        broken=frozenset(i for i, v in verdicts.items() if v in ("FAIL", "WARN")),
        errors=frozenset(i for i, v in verdicts.items() if v == "ERROR"),
        exit_status=status,
        seconds=found["duration_s"],
        output=said.getvalue(),
        verdicts=verdicts,
    )


def judge_all(folder: Path, names: list[str] | None = None, workers: int = 2) -> dict[str, Trial]:
    """Judge every fault (or those named), `workers` at a time; "" is the server without fault."""
    wanted = ["", *FAULTS] if names is None else names
    with server() as address, ProcessPoolExecutor(workers) as pool:
        jobs = {name: pool.submit(judge, address, name, folder) for name in wanted}
        return {name: job.result() for name, job in jobs.items()}
