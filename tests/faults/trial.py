"""Judges the reference server with one fault switched on, and says which requirements it broke.

The laws:

1. The suite runs as a user runs it: through pytest, over a socket, results read from the file.
2. One server process serves every fault, each under a path of its own, so that trials are parallel.
3. Where a fault is late, thresholds in seconds are scaled down in its profile, and the server's
   delays with them; everywhere else they are the user's: a busy machine is late now and then.
4. Real clients (CC-SDK) run only where a fault declares that it breaks one: each takes a second,
   and they stumble over most of what is wrong.
"""

import contextlib
import os
import sys
from importlib.resources import files
from pathlib import Path

from conformance.libraries import LIBRARIES
from conformance.reference.faults import FAULTS, Fault, named
from conformance.requirements import REQUIREMENTS
from tests.inprocess import Judgement, judgement, serving, trial_pool

MODEL = "meta/llama-3.3-70b-instruct"
THINKER = "deepseek-ai/deepseek-r1"
"""Judged where a fault is about reasoning: the other model shows none."""

REASONING = frozenset(
    {"CC-EQUIV-006", "CC-REQ-041", "CC-USAGE-008"}
    | {name for name in REQUIREMENTS if name.startswith("CC-REAS-")}
)

SEEING = "google/gemma-3-27b-it"
"""Judged where a fault is about pictures: the others refuse them."""

PICTURES = frozenset(f"CC-MM-{number:03}" for number in (1, 2, 5, 6, 7, 8, 9))

PATIENCE = 0.8
"""Seconds that a late fault is late by; `IMPATIENT` calls 0.5 s late."""

WINDOW = 131_072
"""The window of the reference server's models, in tokens; its documentation tells none."""

LATE = frozenset({"CC-CONC-003", "CC-CONC-004", "CC-SERR-005", "CC-SSE-007", "CC-SSE-025"})
"""What is judged by a threshold in seconds."""

IMPATIENT = """
held_open_s = 0.5
held_open_warning_s = 0.3
silence_s = 2.0
silence_warning_s = 1.6
busy_s = 1.0
"""

OVERLAY = """
[limits]
large_body_mb = 9
slow_reader_s = 0.1
{limits}
[triggers]
stream_error = "Fail in the middle of the stream."
filter = "Say what the filter stops."

[keys]
limited = "$REFERENCE_LIMITED_KEY"
exhausted = "$REFERENCE_EXHAUSTED_KEY"
restricted = "$REFERENCE_RESTRICTED_KEY"
"""

DRIVEN = frozenset().union(*(library.clauses for library in LIBRARIES.values()))
"""What only a client library shows."""

BURST = "CC-CONC-006"
"""Where a fault breaks it, the profile allows the burst that it needs."""


def server() -> contextlib.AbstractContextManager[str]:
    """A reference server that serves every fault; yields its address without path."""
    command = [sys.executable, "-m", "conformance.reference", "--port", "0", "--exit-with-parent"]
    return serving([*command, "--patience", str(PATIENCE)])


def profile(
    folder: Path, *, clients: bool = False, burst: bool = False, impatient: bool = False
) -> Path:
    """The shipped profile with the keys and the trigger of the reference server.

    `clients`: with the examples of the documentation, which real clients run; `burst`: many calls
    at once are allowed; `impatient`: with thresholds scaled down.
    """
    text = (files("conformance.target") / "profiles" / "ainul.toml").read_text("utf-8")
    flags = {"clients": clients, "burst": burst, "impatient": impatient}
    path = folder / f"{'-'.join(['faults', *(name for name, on in flags.items() if on)])}.toml"
    if not clients:
        text = text[: text.index("[[examples]]")]
    able = f"[capabilities]\nbrowser = true\nburst = {str(burst).lower()}\n"
    text = text.replace("[capabilities]\n", able)
    text = text.replace(f'id = "{MODEL}"\n', f'id = "{MODEL}"\ncontext_tokens = {WINDOW}\n')
    draft = path.with_suffix(f".{os.getpid()}")  # two workers write the same file
    overlay = OVERLAY.replace("{limits}", IMPATIENT if impatient else "")
    draft.write_text(text + overlay, encoding="utf-8")
    return draft.replace(path)


def judge(address: str, fault: str, folder: Path, only: tuple[str, ...] = ()) -> Judgement:
    """Run the suite against `fault` ("" for none, `NAME~3` for one at odds) and read its results.

    `only` selects requirements, as `--requirement` does; empty: all.
    """
    base = f"{address}/fault/{fault}/v1" if fault else f"{address}/v1"
    known = named(fault)
    declared = known.breaks if known else frozenset()
    model = SEEING if declared & PICTURES else THINKER if declared & REASONING else MODEL
    clients = bool(declared & DRIVEN)
    results = folder / f"{fault or 'none'}.json"
    chosen = [word for one in only for word in ("--requirement", one)]
    number = examples(known) if known is not None else 0
    words = ("--model", model, "--examples", str(number), *chosen)
    late = bool(declared & LATE)
    declares = profile(folder, clients=clients, burst=BURST in declared, impatient=late)
    return judgement(base, results, declares, *words, clients=clients)


EXAMPLES = 100
"""Requests of each kind that are generated where a fault shows in no other."""

RARE = {"bounds_a_penalty_above_only": 180, "takes_true_and_fractions_for_max_tokens": 180}
"""Faults that more of them are needed for."""


def examples(fault: Fault) -> int:
    """How many requests of each kind are generated for a fault: none where others show it."""
    generated = fault.act.__module__.rpartition(".")[2] == "generated"
    return RARE.get(fault.name, EXAMPLES) if generated else 0


def judge_all(
    folder: Path, names: list[str] | None = None, workers: int = 2, only: tuple[str, ...] = ()
) -> dict[str, Judgement]:
    """Judge every fault (or those named), `workers` at a time; "" is the server without fault."""
    wanted = ["", *FAULTS] if names is None else names
    with server() as address, trial_pool(workers) as pool:
        jobs = {name: pool.submit(judge, address, name, folder, only) for name in wanted}
        return {name: job.result() for name, job in jobs.items()}
