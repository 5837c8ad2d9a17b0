"""Record the verdicts on the real servers anew.

    python -m tests.servers.record [SERVER ...] [--runs N]

Each model is judged N times. A verdict that wavers is written only where the record already gives
a reason under `chance`; else nothing is written for that model, and the exit status is 1: find out
why first, then add the reason. The counts in docs/servers.md are brought up to date.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.servers.judging import (
    counts_table,
    judge,
    read_record,
    read_records,
    record_path,
    recorded,
    write_record,
)
from tests.servers.recipes import RECIPES, running

PAGE = Path(__file__).parents[2] / "docs" / "servers.md"
BEGIN, END = "<!-- counts -->", "<!-- /counts -->"


def main() -> None:
    """Judge and write."""
    parser = argparse.ArgumentParser(description="Record the verdicts on the real servers anew.")
    parser.add_argument("servers", nargs="*", metavar="SERVER", help=f"of {', '.join(RECIPES)}")
    parser.add_argument("--runs", type=int, default=3, help="for each model (default: %(default)s)")
    args = parser.parse_args()
    if args.runs < 1:
        parser.error("--runs: at least 1")
    if unknown := [name for name in args.servers if name not in RECIPES]:
        parser.error(f"no such server: {', '.join(unknown)}; there are {', '.join(RECIPES)}")
    written = [record(name, args.runs) for name in args.servers or RECIPES]
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(with_counts(text, counts_table(read_records())), encoding="utf-8")
    sys.exit(0 if all(written) else 1)


def with_counts(page: str, counts: str) -> str:
    """`page` with `counts` in the place that is marked for it."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{counts}\n{END}{after}"


def record(name: str, runs: int) -> bool:
    """Record every model of one server; whether all were written."""
    recipe = RECIPES[name]
    fine = True
    with running(recipe) as server:
        for model in recipe.models:
            path = record_path(recipe, model)
            before = read_record(path) if path.exists() else None
            with tempfile.TemporaryDirectory() as parent:
                folders = [Path(parent, str(number)) for number in range(runs)]
                for folder in folders:
                    folder.mkdir()
                judgements = [judge(server, model, folder) for folder in folders]
            try:
                new = recorded(judgements, before)
            except ValueError as error:
                print(f"{path.name}: not written: {error}")
                fine = False
                continue
            write_record(path, new)
            counted = Counter("/".join(given) for given in new.verdicts.values())
            print(f"{path.name}: {', '.join(f'{n} {v}' for v, n in sorted(counted.items()))}")
    return fine


if __name__ == "__main__":
    main()
