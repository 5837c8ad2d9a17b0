"""The journal of a run: what was judged, written as it comes, so that a run cut short can go on.

The laws:

1. Each line is one JSON object that stands alone, in one write: whoever is killed loses the check
   that was under way, and no more. A torn last line is no line.
2. What stands in it is redacted already (`recording`), as in the results.
3. A journal that cannot be written is given up, and the run goes on.
4. One run at a time writes to a place: its journal is locked, by a lock that ends with its process.

The form, format 1 (`FILE.journal` beside the results `FILE`)::

    {"journal": 1, "terms": {…}, "earlier": {…}, …}                   how the run began
    {"taken": {…}}                                                    one record of an earlier part
    {"at": 12.5, "cost": […], "known": {…}, "record": {…}}            one check, after `at` seconds
    …

`cost` is what was sent since the line before (`planning.Cost`), `known` the capabilities that were
found out meanwhile, by model; `earlier` says what the parts before this one add up to. A line is
flushed to the system, not to the disk: a process that is killed loses nothing by that, a machine
that loses power the last seconds. An fsync costs some thousand times the line: 5 ms against 1 us.
"""

import contextlib
import datetime as dt
import io
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeAlias

from .configuration import Known, known, merged, plain
from .planning import Cost
from .terms import Terms

if sys.platform == "win32":

    def _lock(file: io.FileIO) -> bool:
        return True
else:
    import fcntl

    def _lock(file: io.FileIO) -> bool:
        """Take the lock of `file`; whether no other process has it."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:  # a file system without locks
            return True
        return True


FORMAT = 1

Record: TypeAlias = Mapping[str, Any]


class JournalError(ValueError):
    """The file is nothing to go on from, and why: part of one line."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """What the parts of a run before this one add up to."""

    parts: int = 0
    started: dt.datetime | None = None
    seconds: float = 0.0
    cost: Cost = Cost()  # noqa: RUF009 - frozen


NOTHING = Earlier()


@dataclass(frozen=True, slots=True)
class Taken:
    """What an earlier run has left.

    A record without a `nodeid` is that of a clause, which several checks may have judged.
    """

    terms: Terms
    earlier: Earlier
    records: tuple[Record, ...]
    known: Known


def beside(results: Path) -> Path:
    """Where the journal of a run lies that writes its results there."""
    return results.with_name(f"{results.name}.journal")


def in_use(path: Path) -> bool:
    """Whether a run that is under way writes its journal there."""
    try:
        with path.open("rb", buffering=0) as file:
            return not _lock(file)
    except OSError:
        return False


# -- writing ----------------------------------------------------------------------------------


class Journal:
    """A journal that is being written. One that cannot be is given up, and `complain` told."""

    def __init__(
        self, path: Path, terms: Terms, taken: Taken | None, complain: Callable[[str], None]
    ) -> None:
        """Begin, with what is taken over; what lay at `path` is replaced at once or not at all."""
        self.path = path
        self._complain = complain
        self._began = time.monotonic()
        earlier = taken.earlier if taken else NOTHING
        started = earlier.started or dt.datetime.now(dt.UTC)
        head: dict[str, Any] = {
            "journal": FORMAT,
            "terms": asdict(terms),
            "earlier": {
                "parts": earlier.parts,
                "started": started.isoformat(),
                "seconds": earlier.seconds,
                "cost": earlier.cost.figures,
            },
            "known": plain(taken.known if taken else {}),
        }
        records = taken.records if taken else ()
        lines: list[dict[str, Any]] = [head, *({"taken": dict(record)} for record in records)]
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        self._file: io.FileIO | None = None
        try:
            draft.write_bytes(b"".join(_line(line) for line in lines))
            self._file = draft.open("ab", buffering=0)
            _lock(self._file)
            draft.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                draft.unlink()
            self._give_up(error)

    def add(self, record: Record | None, cost: Cost, learned: Known) -> None:
        """Note a check that is over, and what was sent and found out since the last one."""
        at = round(time.monotonic() - self._began, 3)
        line: dict[str, Any] = {"at": at, "cost": cost.figures, "known": plain(learned)}
        if record is not None:
            line["record"] = dict(record)
        if self._file is not None:
            try:
                self._file.write(_line(line))
            except OSError as error:
                self._give_up(error)

    def close(self, *, remove: bool) -> None:
        """The run is over; `remove`: all of it stands in the results."""
        if self._file is not None:
            self._file.close()
            self._file = None
            if remove:
                with contextlib.suppress(OSError):
                    self.path.unlink()

    def _give_up(self, error: OSError) -> None:
        if self._file is not None:
            self._file.close()
        self._file = None
        self._complain(f"{self.path} cannot be written: {error.strerror}; the run goes on without")


def _line(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


# -- reading ----------------------------------------------------------------------------------


def is_journal(octets: bytes) -> bool:
    """Whether a file that begins so is a journal."""
    return octets.startswith(b'{"journal":')


def read(octets: bytes) -> Taken:
    """What a journal holds.

    Raises `JournalError` when it is damaged anywhere but in its last line.
    """
    whole = octets.split(b"\n")[:-1]  # what no line end follows was cut off
    lines = [_read_line(number, line) for number, line in enumerate(whole, start=1)]
    if not lines:
        raise JournalError("it is cut off in its first line")
    head, entries = lines[0], lines[1:]
    if head.get("journal") != FORMAT:
        raise JournalError(f"journal format {head.get('journal')!r}, this version reads {FORMAT}")
    try:
        return _taken(head, entries)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise JournalError(f"it is damaged: {type(error).__name__}: {error}") from None


def _read_line(number: int, line: bytes) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise JournalError(f"line {number} is damaged")
    return value


def _taken(head: Mapping[str, Any], entries: Iterable[Mapping[str, Any]]) -> Taken:
    given = head["terms"]
    terms = Terms(**{**given, "models": tuple(given["models"])})
    before = head["earlier"]
    cost, found, seconds = Cost(*before["cost"]), known(head["known"]), 0.0
    records: list[Record] = []
    for entry in entries:
        record = entry.get("taken") or entry.get("record")
        if record is not None:
            _ = record["id"], record["model"], record["verdict"], record["evidence"]["summary"]
            records.append(record)
        cost += Cost(*entry.get("cost", ()))
        found = merged(found, known(entry.get("known", {})))
        seconds = entry.get("at", seconds)
    earlier = Earlier(
        before["parts"] + 1,
        dt.datetime.fromisoformat(before["started"]),
        before["seconds"] + seconds,
        cost,
    )
    return Taken(terms, earlier, tuple(records), found)
