"""``python -m reports``: saved results shown again, compared, and told to others.

Wherever results are asked for, a results file will do or the compliance page of a run; ``-`` is
the standard input. Where a file is written, ``-`` is the standard output, on which it then stands
alone.

Exit status: 0; 1: ``diff``, or ``compare`` of two runs of one target, found something newly broken;
2: interrupted; 4: a bad command line or a bad file, with one line on the standard error that says
what to do.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NoReturn

from conformance.requirements import CHAPTERS, REQUIREMENTS
from conformance.wire.arguments import key_as_a_value

from . import badge, files, results, text, words
from .comparison import exports, pages, tables
from .comparison.changes import changes, same_target
from .comparison.columns import Column, columns, notes, time_notes
from .comparison.matrix import matrix
from .compliance.page import render
from .summary import summary
from .templates import document
from .told import printable

INTERRUPTED: Final = 2
BAD_INPUT: Final = 4

LARGE: Final = 20_000_000
"""Bytes of a file from which on reading it takes long enough to be told."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say it in one line; argparse would say 2, which is an interrupted run here."""
        if message.startswith("unrecognized arguments:"):  # what stands there may be a key
            names = [word.partition("=")[0] for word in message.split() if word[0] == "-"]
            message = " ".join(["unrecognized arguments:", *(names or ["more than is taken"])])
        self.exit(BAD_INPUT, f"{self.prog}: {message}; {self.prog} -h tells what is taken\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m reports", description="Show, compare and tell the results of saved runs."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    saved = _Parser(add_help=False)
    told = "what a run wrote: results.json, or its compliance page; - for the standard input"
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
    why = key_as_a_value(sys.argv[1:] if arguments is None else arguments)
    if why is not None:
        return _failed(f"{why}: saved results are read without one")
    given = _parser().parse_args(arguments)
    try:
        _keep_apart(given)
        status, lines = _COMMANDS[given.command](given)
    except (OSError, ValueError) as fault:
        return _failed(_told(fault))
    except MemoryError:
        return _failed("this machine has not the memory for it")
    except KeyboardInterrupt:
        return _failed("interrupted", INTERRUPTED)
    return status if _said(lines) else BAD_INPUT


def _failed(why: str, status: int = BAD_INPUT) -> int:
    print(f"python -m reports: {printable(why)}", file=sys.stderr)
    return status


def _said(lines: Iterable[str]) -> bool:
    """Print the lines; whether they could be."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal need not know every sign
    try:
        sys.stdout.write("".join(f"{line}\n" for line in lines))
        sys.stdout.flush()
    except OSError as fault:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left says nothing
        if not isinstance(fault, BrokenPipeError):  # `| head` has seen enough
            _failed(f"the standard output: {fault.strerror}")
            return False
    return True


def _told(fault: Exception) -> str:
    """``results.json: No such file or directory``, without Python's number."""
    if isinstance(fault, OSError) and fault.filename is not None:
        return f"{fault.filename2 or fault.filename}: {fault.strerror}"
    return str(fault)


def _keep_apart(given: argparse.Namespace) -> None:
    """Nothing is read twice; nothing that is written takes the place of what is read, or of what is
    written beside it.

    Raises:
        ValueError: it would.
    """
    if given.command in ("page", "load"):  # a page may be drawn anew, from itself
        return
    given_files = given.results if "results" in given else [given.old, given.new]
    read: dict[Path, Path] = {}
    for path in given_files if isinstance(given_files, list) else [given_files]:
        if read.setdefault(path.resolve(), path) is not path:
            raise ValueError(f"{files.named(path)}: given twice; a run is compared with others")
    if files.STANDARD.resolve() in read:  # it is no place where anything is written
        del read[files.STANDARD.resolve()]
    for option in ("html", "json", "out"):
        out: Path | None = getattr(given, option, None)
        if out is not None and (other := read.setdefault(out.resolve(), out)) is not out:
            raise ValueError(f"--{option} {out}: would take the place of {other}; name another")


# --- the commands: each returns its exit status and what it prints --------------------------------

_Said = tuple[int, Iterable[str]]
_Outputs = Sequence[tuple[Path | None, Callable[[], str]]]
"""Where each is to be written, None where it was not asked for, and what makes it."""


def _page(given: argparse.Namespace) -> _Said:
    found = _read(given.results)
    return 0, _out([(given.html, lambda: document(render(found, REQUIREMENTS, CHAPTERS)))])


def _show(given: argparse.Namespace) -> _Said:
    return 0, list(_shown(_read(given.results)))


def _shown(found: Mapping[str, Any]) -> Iterator[str]:
    for verdict in ("WARN", "FAIL"):
        for entry in found["requirements"]:
            if entry["verdict"] == verdict:
                yield text.failure(entry, REQUIREMENTS.get(entry["id"])) + "\n"
    yield from text.closing(found)


def _compare(given: argparse.Namespace) -> _Said:
    if len(given.results) < 2:
        raise ValueError("compare takes two results or more; `show` tells of one")
    runs = [_read(path) for path in given.results]
    names = [name.strip() for name in given.names.split(",")] if given.names else []
    shown = columns(runs, given.results, names)
    if len(runs) == 2 and same_target(*runs) and not given.matrix:
        return _changed(given, shown)
    found, noted = matrix(runs, REQUIREMENTS), notes(shown, REQUIREMENTS)
    outputs: _Outputs = [
        (given.html, lambda: pages.matrix_page(found, shown, noted, CHAPTERS)),
        (given.json, lambda: _dumped(exports.matrix_data(found, shown, noted))),
    ]
    said = _out(outputs, tables.headline(found, shown))
    return 0, said or tables.matrix_lines(found, shown, noted)


def _diff(given: argparse.Namespace) -> _Said:
    both = [given.old, given.new]
    return _changed(given, columns([_read(path) for path in both], both))


def _changed(given: argparse.Namespace, shown: Sequence[Column]) -> _Said:
    old, new = (
        replace(column, letter=word, name=column.name if given.names else words.host(column.url))
        for column, word in zip(shown, ("old", "new"), strict=True)
    )
    shown = [old, new]
    found = changes(old.results, new.results, REQUIREMENTS)
    noted = [*time_notes(old, new), *notes(shown, REQUIREMENTS, twice=False)]
    outputs: _Outputs = [
        (given.html, lambda: pages.changes_page(found, shown, noted, CHAPTERS)),
        (given.json, lambda: _dumped(exports.changes_data(found, shown, noted))),
    ]
    said = _out(outputs, tables.outcome(found))
    return found.exit_status, said or tables.changes_lines(found, shown, noted)


def _badge(given: argparse.Namespace) -> _Said:
    found = _read(given.results)
    out = given.out or files.STANDARD
    return 0, _out([(out, lambda: badge.svg(badge.badge(found, given.label)))])


def _summary(given: argparse.Namespace) -> _Said:
    made = summary(_read(given.results), REQUIREMENTS, details=given.details)
    return 0, [made.rstrip("\n")]


def _load(given: argparse.Namespace) -> _Said:
    # Here: its plots are drawn by what only the load generator installs.
    from .load import page as load_page

    if given.results == files.STANDARD and not given.html:
        raise ValueError("--html FILE: where to, as the results come from the standard input")
    where: Path = given.html or given.results.with_suffix(".html")
    found = load_page.read(given.results)
    if not load_page.complete():
        print(f"python -m reports load: {load_page.INSTALL}", file=sys.stderr)
    return 0, _out([(where, lambda: load_page.render(found))])


_COMMANDS: Final = {
    "page": _page,
    "show": _show,
    "compare": _compare,
    "diff": _diff,
    "badge": _badge,
    "summary": _summary,
    "load": _load,
}


# --- what is read and written ---------------------------------------------------------------------


def _read(path: Path) -> dict[str, Any]:
    """The results of a run; that a large file is being read is told where somebody waits."""
    with contextlib.suppress(OSError):
        size = path.stat().st_size
        if size > LARGE and sys.stderr.isatty():
            print(f"reading {printable(str(path))}, {size / 1e6:,.0f} MB …", file=sys.stderr)
    return results.read(path)


def _out(outputs: _Outputs, headline: str = "") -> list[str]:
    """Write the outputs that have a place; return what is to be printed, nothing where none has.

    It is the headline and where they were written, or the one whose place is the standard output.
    """
    lines = [headline] if headline else []
    alone = None
    for path, make in outputs:
        if path == files.STANDARD:
            alone = make().rstrip("\n")
        elif path is not None:
            files.write(make(), path)
            lines.append(f"written     {path}")
    if alone is not None:
        return [alone]
    return lines if any(path for path, _ in outputs) else []


def _dumped(value: object) -> str:
    return words.tidy(json.dumps(value, ensure_ascii=False, indent=1)) + "\n"


if __name__ == "__main__":
    sys.exit(main())
