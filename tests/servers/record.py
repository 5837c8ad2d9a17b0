"""Judge the real servers, one after the other, and record the verdicts: `make servers`.

    python -m tests.servers.record [SERVER ...] [--runs N]

Laws
    1. A server that cannot be installed, started or judged is named, and the next one follows.
    2. A verdict that is not the one on record is shown before it is written.
    3. A verdict that wavers is written only where the record gives a reason under `chance`; else
       nothing is written for that model: find out why first, then add the reason.

Written are the records, the counts in docs/servers.md, and docs/matrix.html once every model of
every recipe has been judged on this machine; the last results of each lie in .cache/servers.
Exit status: 0 where all is as it was on record, or new; 1 where something differs or failed.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from subprocess import TimeoutExpired
from typing import Final

from reports.__main__ import main as reports
from tests.servers.judging import (
    CASES,
    OUT,
    Judgement,
    counts_table,
    differences,
    judge,
    label,
    read_record,
    read_records,
    record_path,
    recorded,
    table,
    write_record,
)
from tests.servers.recipes import RECIPES, Recipe
from tests.servers.serving import ServerError, default_root, running

DOCS: Final = Path(__file__).parents[2] / "docs"
PAGE: Final = DOCS / "servers.md"
MATRIX: Final = DOCS / "matrix.html"
BEGIN, END = "<!-- counts -->", "<!-- /counts -->"

Say = Callable[[str], None]


def main() -> None:
    """Judge and write."""
    parser = argparse.ArgumentParser(description="Judge the real servers and record the verdicts.")
    parser.add_argument("servers", nargs="*", metavar="SERVER", help=f"of {', '.join(RECIPES)}")
    parser.add_argument("--runs", type=int, default=1, help="for each model (default: %(default)s)")
    args = parser.parse_args()
    if args.runs < 1:
        parser.error("--runs: at least 1")
    if unknown := [name for name in args.servers if name not in RECIPES]:
        parser.error(f"no such server: {', '.join(unknown)}; there are {', '.join(RECIPES)}")
    troubles: list[str] = []
    chosen = [
        recipe for name, recipe in RECIPES.items() if name in args.servers or not args.servers
    ]
    for number, recipe in enumerate(chosen, 1):
        troubles += one_server(recipe, args.runs, teller(f"[{number}/{len(chosen)}] {recipe.name}"))
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(with_counts(text, counts_table(read_records())), encoding="utf-8")
    print(compared())
    for trouble in troubles:
        print(trouble, file=sys.stderr)
    sys.exit(1 if troubles else 0)


def teller(prefix: str) -> Say:
    """Prints a line that says of whom it tells, at once."""
    return lambda line: print(f"{prefix}: {line}", flush=True)


def one_server(recipe: Recipe, runs: int, say: Say) -> list[str]:
    """Judge and record every model of one server; what went wrong, a line each."""
    say(f"version {recipe.version}, from {recipe.registry}")
    return [
        f"{recipe.name} {model}: {trouble}"
        for model in recipe.models
        for trouble in one_model(recipe, model, runs, say)
    ]


def one_model(recipe: Recipe, model: str, runs: int, say: Say) -> Iterator[str]:
    """Judge and record one model; what went wrong, a line each."""
    path = record_path(recipe, model)
    before = read_record(path) if path.exists() else None
    with tempfile.TemporaryDirectory() as parent:
        try:
            found = list(judgements(recipe, model, runs, Path(parent), say))
        except (ServerError, RuntimeError, OSError, ValueError, TimeoutExpired) as error:
            said = str(error).strip().splitlines()
            yield f"not judged: {said[0]}{' … ' + said[-1] if len(said) > 1 else ''}"
            return
        kept = results_path(recipe, model)
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(found[-1].folder / OUT / "results.json", kept)
    if before and (changed := {one.id: one for run in found for one in differences(before, run)}):
        rows = table(changed[name] for name in sorted(changed))
        say(f"{model}: not on record\n\n{rows}\n")
        yield f"{len(changed)} verdicts are not those on record"
    for name, by in sorted({pair for run in found for pair in run.unaccounted.items()}):
        yield f"{name} is BLOCKED by {by}, which is not broken: a hole in the suite"
    try:
        write_record(path, recorded(found, before))
    except ValueError as error:
        yield f"not written: {error}"


def judgements(
    recipe: Recipe, model: str, runs: int, parent: Path, say: Say
) -> Iterator[Judgement]:
    """So many runs of the suite against one model, each in a folder and on a server of its own."""
    for number in range(1, runs + 1):
        folder = parent / str(number)
        folder.mkdir()
        with running(recipe) as server:
            started = time.monotonic()
            made = judge(server, model, folder)
        counted = Counter(made.verdicts.values())
        told = ", ".join(f"{count} {verdict}" for verdict, count in sorted(counted.items()))
        say(f"{model}: run {number} of {runs}: {told}; {time.monotonic() - started:.0f} s")
        yield made


# --- the pages ------------------------------------------------------------------------------------


def results_path(recipe: Recipe, model: str) -> Path:
    """Where the last results of one model lie on this machine."""
    return default_root() / "results" / record_path(recipe, model).name


def compared() -> str:
    """Write docs/matrix.html, where every model has been judged here; a line that says so."""
    paths = {case: results_path(RECIPES[case[0]], case[1]) for case in CASES}
    if absent := [label(*case) for case, path in paths.items() if not path.exists()]:
        return f"not written {MATRIX}: not judged on this machine: {', '.join(absent)}"
    status = reports(comparison(list(paths.values()), MATRIX))
    return f"not written {MATRIX}: status {status}" if status else f"written     {MATRIX}"


def comparison(paths: Sequence[Path], page: Path) -> list[str]:
    """The arguments of `python -m reports` that make the matrix."""
    names = ",".join(label(*case) for case in CASES)
    return ["compare", *map(str, paths), "--matrix", "--names", names, "--html", str(page)]


def with_counts(page: str, counts: str) -> str:
    """`page` with `counts` in the place that is marked for it."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{counts}\n{END}{after}"


if __name__ == "__main__":
    main()
