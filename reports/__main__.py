"""``python -m reports``: saved results shown again, compared, and told to others.

Wherever results are asked for, a results file will do or the compliance page of a run.

Exit status: 0; 1: ``diff``, or ``compare`` of two runs of one target, found something newly broken;
4: a bad command line or a bad file, with one line on the standard error that says what to do.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NoReturn

from conformance.requirements import CHAPTERS, REQUIREMENTS

from . import badge, results, text, words
from .comparison import exports, pages, tables
from .comparison.changes import changes, same_target
from .comparison.columns import Column, columns, notes, time_notes
from .comparison.matrix import matrix
from .compliance.page import render
from .summary import summary
from .templates import document
from .told import printable

BAD_INPUT: Final = 4


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say it in one line; argparse would say 2, which is an interrupted run here."""
        self.exit(BAD_INPUT, f"{self.prog}: {message}; {self.prog} -h tells what is taken\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m reports", description="Show, compare and tell the results of saved runs."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    saved = _Parser(add_help=False)
    told = "what a run wrote: results.json, or its compliance page"
    saved.add_argument("results", type=Path, metavar="RESULTS", help=told)
    files = _Parser(add_help=False)
    files.add_argument("--html", type=Path, metavar="FILE", help="write a page instead of text")
    files.add_argument("--json", type=Path, metavar="FILE", help="write data for programs instead")

    made = commands.add_parser("page", parents=[saved], help="write the compliance page")
    made.add_argument("--html", type=Path, required=True, metavar="FILE", help="where to write it")
    commands.add_parser("show", parents=[saved], help="print failures, warnings and the verdict")

    made = commands.add_parser(
        "compare",
        parents=[files],
        help="several targets side by side; what changed, for two runs of one target",
    )
    made.add_argument("results", type=Path, nargs="+", metavar="RESULTS", help=told)
    made.add_argument(
        "--names", metavar="A,B,…", help="what the targets are called (default: host)"
    )
    made.add_argument("--matrix", action="store_true", help="side by side, also for one target")

    made = commands.add_parser(
        "diff", parents=[files], help="what changed between two runs; 1 if something newly broke"
    )
    made.add_argument("old", type=Path, metavar="OLD", help=told)
    made.add_argument("new", type=Path, metavar="NEW", help=told)
    made.set_defaults(names=None)

    made = commands.add_parser(
        "badge", parents=[saved], help="an SVG badge that states the verdict"
    )
    made.add_argument("--out", type=Path, metavar="FILE.svg", help="default: the standard output")
    made.add_argument("--label", default=badge.LABEL, help="its left half (default: %(default)s)")

    made = commands.add_parser("summary", parents=[saved], help="Markdown for the page of a CI job")
    made.add_argument("--details", action="store_true", help="warnings in full, and what is left")
    made = commands.add_parser("load", help="write the page of a load run or of a sweep")
    told = "what a run or a sweep wrote: load.json, sweep.json, or a page of it"
    made.add_argument("results", type=Path, metavar="RESULTS", help=told)
    made.add_argument("--html", type=Path, metavar="FILE", help="where to (default: beside it)")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    given = _parser().parse_args(arguments)
    try:
        _keep_apart(given)
        status, lines = _COMMANDS[given.command](given)
    except (OSError, ValueError) as fault:
        print(f"python -m reports: {printable(_told(fault))}", file=sys.stderr)
        return BAD_INPUT
    try:
        sys.stdout.write("".join(f"{line}\n" for line in lines))
        sys.stdout.flush()
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return status


def _told(fault: Exception) -> str:
    """``results.json: No such file or directory``, without Python's number."""
    if isinstance(fault, OSError) and fault.filename is not None:
        return f"{fault.filename2 or fault.filename}: {fault.strerror}"
    return str(fault)


def _keep_apart(given: argparse.Namespace) -> None:
    """Nothing that is written takes the place of what is read, or of what is written beside it.

    Raises:
        ValueError: it would.
    """
    if given.command in ("page", "load"):  # a page may be drawn anew, from itself
        return
    files = given.results if "results" in given else [given.old, given.new]
    read = {path.resolve(): path for path in (files if isinstance(files, list) else [files])}
    for option in ("html", "json", "out"):
        path: Path | None = getattr(given, option, None)
        if path is not None and (other := read.setdefault(path.resolve(), path)) is not path:
            raise ValueError(f"--{option} {path}: would take the place of {other}; name another")


# --- the commands: each returns its exit status and what it prints --------------------------------

_Said = tuple[int, Iterable[str]]


def _page(given: argparse.Namespace) -> _Said:
    fragment = render(results.read(given.results), REQUIREMENTS, CHAPTERS)
    _written(given.html, document(fragment))
    return 0, []


def _show(given: argparse.Namespace) -> _Said:
    return 0, list(_shown(results.read(given.results)))


def _shown(found: Mapping[str, Any]) -> Iterator[str]:
    for verdict in ("WARN", "FAIL"):
        for entry in found["requirements"]:
            if entry["verdict"] == verdict:
                yield text.failure(entry, REQUIREMENTS.get(entry["id"])) + "\n"
    yield from text.closing(found)


def _compare(given: argparse.Namespace) -> _Said:
    if len(given.results) < 2:
        raise ValueError("compare takes two results or more; `show` tells of one")
    runs = [results.read(path) for path in given.results]
    names = [name.strip() for name in given.names.split(",")] if given.names else []
    shown = columns(runs, given.results, names)
    if len(runs) == 2 and same_target(*runs) and not given.matrix:
        return _changed(given, shown)
    found, noted = matrix(runs, REQUIREMENTS), notes(shown, REQUIREMENTS)
    said = []
    if given.html:
        html = pages.matrix_page(found, shown, noted, CHAPTERS)
        said.append(_written(given.html, html))
    if given.json:
        said.append(_written(given.json, _dumped(exports.matrix_data(found, shown, noted))))
    if said:
        return 0, [tables.headline(found, shown), *said]
    return 0, tables.matrix_lines(found, shown, noted)


def _diff(given: argparse.Namespace) -> _Said:
    files = [given.old, given.new]
    return _changed(given, columns([results.read(path) for path in files], files))


def _changed(given: argparse.Namespace, shown: Sequence[Column]) -> _Said:
    old, new = (
        replace(column, letter=word, name=column.name if given.names else words.host(column.url))
        for column, word in zip(shown, ("old", "new"), strict=True)
    )
    shown = [old, new]
    found = changes(old.results, new.results, REQUIREMENTS)
    noted = [*time_notes(old, new), *notes(shown, REQUIREMENTS, twice=False)]
    said = []
    if given.html:
        said.append(_written(given.html, pages.changes_page(found, shown, noted)))
    if given.json:
        said.append(_written(given.json, _dumped(exports.changes_data(found, shown, noted))))
    lines = [tables.outcome(found), *said] if said else tables.changes_lines(found, shown, noted)
    return found.exit_status, lines


def _badge(given: argparse.Namespace) -> _Said:
    drawn = badge.svg(badge.badge(results.read(given.results), given.label))
    return 0, [_written(given.out, drawn) if given.out else drawn.rstrip("\n")]


def _summary(given: argparse.Namespace) -> _Said:
    made = summary(results.read(given.results), REQUIREMENTS, details=given.details)
    return 0, [made.rstrip("\n")]


def _load(given: argparse.Namespace) -> _Said:
    # Here: its plots are drawn by what only the load generator installs.
    from .load import page as load_page

    where: Path = given.html or given.results.with_suffix(".html")
    load_page.write(load_page.read(given.results), where)
    if not load_page.complete():
        print(f"python -m reports load: {load_page.INSTALL}", file=sys.stderr)
    return 0, [f"written     {where}"]


_COMMANDS: Final = {
    "page": _page,
    "show": _show,
    "compare": _compare,
    "diff": _diff,
    "badge": _badge,
    "summary": _summary,
    "load": _load,
}


def _written(path: Path, content: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return f"written     {path}"


def _dumped(value: object) -> str:
    return words.tidy(json.dumps(value, ensure_ascii=False, indent=1)) + "\n"


if __name__ == "__main__":
    sys.exit(main())
