"""``python -m reports``: show saved results again, as a page or as text.

Exit status: 0; 2 with one line on the standard error for a bad command line or a bad file.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from conformance.requirements import CHAPTERS, REQUIREMENTS

from . import page, results, text


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m reports", description="Show the saved results of a conformance run."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    saved = argparse.ArgumentParser(add_help=False)
    told = "what a run wrote: results.json, or its compliance page"
    saved.add_argument("results", type=Path, metavar="RESULTS", help=told)
    made = commands.add_parser("page", parents=[saved], help="write the compliance page")
    made.add_argument("--html", type=Path, required=True, metavar="FILE", help="where to write it")
    commands.add_parser("show", parents=[saved], help="print failures, warnings and the verdict")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    given = _parser().parse_args(arguments)
    try:
        found = results.read(given.results)
        if given.command == "page":
            fragment = page.render(found, REQUIREMENTS, CHAPTERS)
            given.html.parent.mkdir(parents=True, exist_ok=True)
            given.html.write_text(page.document(fragment), encoding="utf-8")
            return 0
    except (OSError, ValueError) as fault:
        print(f"python -m reports: {fault}", file=sys.stderr)
        return 2
    try:
        print("\n".join(_shown(found)), flush=True)
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _shown(found: Mapping[str, Any]) -> Iterator[str]:
    for verdict in ("WARN", "FAIL"):
        for entry in found["requirements"]:
            if entry["verdict"] == verdict:
                yield text.failure(entry, REQUIREMENTS.get(entry["id"])) + "\n"
    yield from text.closing(found)


if __name__ == "__main__":
    sys.exit(main())
