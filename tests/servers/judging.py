"""Real servers under judgement: a run as a user would start it, against verdicts on record.

Laws
    1. The suite runs in a process of its own, in an empty folder, with the key in the environment,
       and finds no client library but those that this Python holds: openai-python.
    2. A record holds, for each requirement, the verdicts that may come. More than one only where
       chance decides, and then with the reason, in the same file.
    3. What is compared is the verdict of a clause, not its wording: evidence may change.
    4. What is BLOCKED by a clause that is not broken is a breach that nobody is blamed for.

The record is `verdicts/SERVER-VERSION-MODEL.json`; `python -m tests.servers.record` writes it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from conformance.standing import FIRST
from reports import results
from reports.verdict import clauses
from tests.servers.recipes import RECIPES, Recipe
from tests.servers.serving import Server

VERDICTS = Path(__file__).with_name("verdicts")
CASES: Final = tuple((recipe.name, model) for recipe in RECIPES.values() for model in recipe.models)
"""Every pair of a server's name and one of its models."""

EVERY_COMMIT: Final = tuple((r.name, model) for r in RECIPES.values() for model in r.every_commit)
"""Those that `make test` or `make thorough` judges; the others: `make servers` alone."""

DEADLINE = 1800.0
"""Seconds for a whole run; it takes about 60, and many times that on a busy machine."""

OUT = Path("reports") / "out"
ARTEFACTS: Final = ("results.json", "junit.xml", "compliance.html")

WIDTH = 100  # columns of evidence in a table of differences


@dataclass(frozen=True, slots=True)
class Judgement:
    """One finished run of the suite: `results` is the content of its results.json."""

    folder: Path
    exit_status: int
    output: str
    results: Mapping[str, Any]

    @property
    def verdicts(self) -> dict[str, str]:
        """The verdict of each clause; the worse one where it has an entry for the target too."""
        return {name: str(verdict) for name, verdict in clauses(self.entries).items()}

    @property
    def entries(self) -> list[dict[str, Any]]:
        """One entry for each requirement and model, as in results.json."""
        return list(self.results["requirements"])

    @property
    def unaccounted(self) -> dict[str, str]:
        """What is BLOCKED by a clause that is not broken, and that clause: nobody is blamed.

        The canary may pass and fail afterwards, when the target has stopped answering.
        """
        by = {e["id"]: e["evidence"]["by"] for e in self.entries if e["verdict"] == "BLOCKED"}
        broken = {name for name, verdict in self.verdicts.items() if verdict in ("FAIL", "WARN")}
        return {name: one for name, one in by.items() if one not in {*broken, FIRST}}

    def evidence(self, requirement: str) -> str:
        """The summary of the entry that decides the verdict on `requirement`."""
        wanted = self.verdicts.get(requirement)
        for entry in self.entries:
            if entry["id"] == requirement and entry["verdict"] == wanted:
                return str(entry["evidence"]["summary"])
        return ""

    def files(self) -> list[Path]:
        """Every file that the run has left."""
        return sorted(path for path in self.folder.rglob("*") if path.is_file())


def judge(server: Server, model: str, folder: Path, *options: str) -> Judgement:
    """Run the suite against one model of `server`, in `folder`; `options` are pytest's.

    Raises:
        RuntimeError: the run has left no results; its output is told.
        subprocess.TimeoutExpired: it took longer than `DEADLINE`.
    """
    words = [sys.executable, "-m", "pytest", "--pyargs", "conformance", "-p", "no:cacheprovider"]
    words += ["--target-url", server.url, "--model", model, *profile(server, folder), *options]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        words,
        cwd=folder,
        env={**clean, "TARGET_API_KEY": server.key, "CONFORMANCE_CLIENTS": str(folder)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    (folder / "output.txt").write_text(done.stdout, encoding="utf-8")
    path = folder / OUT / "results.json"
    if not path.exists():
        raise RuntimeError(f"no results, exit status {done.returncode}:\n{done.stdout}")
    return Judgement(folder, done.returncode, done.stdout, results.read(path))


def profile(server: Server, folder: Path) -> list[str]:
    """The option that names a profile, written to `folder`; none where no header is needed."""
    if not server.headers:
        return []
    path = folder / "profile.toml"
    headers = "\n".join(f"{name} = {json.dumps(value)}" for name, value in server.headers.items())
    path.write_text(f'name = "gateway"\n\n[headers]\n{headers}\n', encoding="utf-8")
    return ["--profile", str(path)]


# --- the record ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Record:
    """What is on record for one model of one server.

    `verdicts` holds the verdicts that may come, by requirement; `chance` the reason why they are
    more than one.
    """

    exit_status: int
    verdicts: Mapping[str, tuple[str, ...]]
    chance: Mapping[str, str] = field(default_factory=dict)


def record_path(recipe: Recipe, model: str) -> Path:
    """Where the record of one model lies."""
    return VERDICTS / f"{recipe.name}-{recipe.version}-{model.replace('/', '_')}.json"


def label(name: str, model: str) -> str:
    """What a model is called beside others: the server, its version, and which of its models.

    Its vendor is left out, since columns are narrow.
    """
    recipe = RECIPES[name]
    which = f" {model.rpartition('/')[2]}" if len(recipe.models) > 1 else ""
    return f"{name} {recipe.version}{which}"


def read_records() -> dict[str, Record]:
    """Every record there is, by `label`."""
    paths = {label(name, model): record_path(RECIPES[name], model) for name, model in CASES}
    return {name: read_record(path) for name, path in paths.items() if path.exists()}


def read_record(path: Path) -> Record:
    """The record in `path`.

    Raises:
        OSError, ValueError, KeyError: it cannot be read.
    """
    data = json.loads(path.read_text(encoding="utf-8"))
    verdicts = {name: tuple(given) for name, given in data["verdicts"].items()}
    return Record(data["exit_status"], verdicts, data["chance"])


def write_record(path: Path, record: Record) -> None:
    """Write `record` to `path`, one requirement a line."""
    rows = [
        f"  {json.dumps(name)}: {json.dumps(list(given))}"
        for name, given in sorted(record.verdicts.items())
    ]
    chance = textwrap.indent(
        json.dumps(dict(sorted(record.chance.items())), indent=1, ensure_ascii=False), " "
    ).lstrip()
    text = (
        f'{{\n "exit_status": {record.exit_status},\n "chance": {chance},\n "verdicts": {{\n'
        + ",\n".join(rows)
        + "\n }\n}\n"
    )
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")


BY_THE_CLOCK: Final = {
    "CC-SSE-021": "a stream that takes less than 0.25 s is not judged, a slower one is",
}
"""Why a verdict may waver on any server: the reason need not be on record before."""


def recorded(judgements: Iterable[Judgement], before: Record | None) -> Record:
    """The record of these runs; where `before` knows of chance, its verdicts stay allowed.

    Raises:
        ValueError: they differ where no chance is known, or in their exit status.
    """
    runs = list(judgements)
    statuses = sorted({run.exit_status for run in runs})
    if len(statuses) != 1:
        raise ValueError(f"the exit status wavers: {statuses}")
    chance = dict(before.chance) if before else {}
    seen: dict[str, set[str]] = {}
    for run in runs:
        for name, verdict in run.verdicts.items():
            seen.setdefault(name, set()).add(verdict)
    for name, reason in BY_THE_CLOCK.items():
        if len(seen.get(name, ())) > 1:
            chance.setdefault(name, reason)
    wavering = sorted(name for name, found in seen.items() if len(found) > 1 and name not in chance)
    if wavering:
        raise ValueError(
            "these waver, and `chance` gives no reason: "
            + ", ".join(f"{name} ({'/'.join(sorted(seen[name]))})" for name in wavering)
        )
    if before:
        for name in chance.keys() & seen.keys():
            seen[name] |= set(before.verdicts.get(name, ()))
    verdicts = {name: tuple(sorted(found)) for name, found in seen.items()}
    kept = {name: reason for name, reason in chance.items() if len(verdicts.get(name, ())) > 1}
    return Record(statuses[0], verdicts, kept)


COLUMNS: Final = ("PASS", "WARN", "FAIL", "BLOCKED", "INCONCLUSIVE", "UNSUPPORTED", "OBSERVED")


def counts_table(records: Mapping[str, Record]) -> str:
    """The verdicts of each record by name, counted in clauses, as a Markdown table."""
    rows = [["server", *COLUMNS, "by chance", "clauses"], ["---", *["---:"] * (len(COLUMNS) + 2)]]
    for name, record in records.items():
        alone = Counter(given[0] for given in record.verdicts.values() if len(given) == 1)
        chance = len(record.verdicts) - alone.total()
        counted = [alone[verdict] for verdict in COLUMNS]
        rows.append([name, *map(str, [*counted, chance, len(record.verdicts)])])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


# --- the difference -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Difference:
    """A requirement whose verdict is not one on record; `seen` None: it was not judged."""

    id: str
    recorded: tuple[str, ...]
    seen: str | None
    evidence: str


def differences(record: Record, judgement: Judgement) -> list[Difference]:
    """Where `judgement` departs from `record`, in the order of ids; both directions."""
    seen = judgement.verdicts
    return [
        Difference(name, record.verdicts.get(name, ()), seen.get(name), judgement.evidence(name))
        for name in sorted(record.verdicts.keys() | seen.keys())
        if seen.get(name) not in record.verdicts.get(name, ())
    ]


def table(found: Iterable[Difference]) -> str:
    """The differences for a human: id, recorded, seen, evidence."""
    rows = [("requirement", "recorded", "seen", "evidence")]
    rows += [
        (
            one.id,
            "/".join(one.recorded) or "not judged",
            one.seen or "not judged",
            textwrap.shorten(one.evidence, WIDTH, placeholder=" …"),
        )
        for one in found
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = ["  ".join([*map(str.ljust, row[:3], widths), row[3]]).rstrip() for row in rows]
    return "\n".join(lines)
