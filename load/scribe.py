"""``python -m load.scribe SECONDS``: writes the results of a run while it goes, for `dictation`.

Laws
----
* It is a process of its own, of the lowest priority: the one that measures draws and writes
  nothing. It belongs to no terminal; what ends the run does not end it.
* Every so many seconds results and page are written, whole, marked as of a run that goes on.
* Where its input ends, the process that measured is gone: it writes what it was told, marked as
  cut off, and ends. The end of a run tells it so by SIGTERM, and writes the results itself.

Input: pickles, an `Opening` first, then ``(worker, report, users)``; both ends are this package.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import sys
import time
from pathlib import Path
from typing import IO, Any

from load import results
from load.conclusion import page
from load.notes import Notes
from load.writing import write

__all__ = ["keep", "main"]


def keep(told: IO[bytes], every: float) -> None:
    """Take reports until there are no more, and write results every ``every`` seconds."""
    notes = _next(told, first=True)
    if notes is None:
        return
    written = time.monotonic()
    while (report := _next(told)) is not None:
        notes.take(*report)
        if time.monotonic() - written >= every:
            _write(notes, "running")
            written = time.monotonic()
    if not notes.empty:
        _write(notes, "cut off")


def _next(told: IO[bytes], *, first: bool = False) -> Any:
    """What comes next, the first as `Notes`; None where the other end is gone."""
    try:
        found = pickle.load(told)
    except (EOFError, pickle.UnpicklingError):  # it ended, or it was killed while it wrote
        return None
    return Notes(found) if first else found


def _write(notes: Notes, state: str) -> None:
    facts = notes.facts(state)
    made = results.build(facts)
    where = Path(facts.settings["load-results"])
    said = write(made, results.intervals(facts), where)
    if said is None and not facts.settings["no-page"]:
        said = page(made, where)
        said = said if said.startswith("load: the page") else None
    if said is not None:
        print(said, end="", file=sys.stderr, flush=True)
    elif state == "cut off":
        print(f"load: the run was cut off; what it had reported is in {where}", file=sys.stderr)


def main() -> int:
    """Run the command."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # drafts of files are removed
    with contextlib.suppress(OSError):
        os.nice(19)
    keep(sys.stdin.buffer, float(sys.argv[1]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
