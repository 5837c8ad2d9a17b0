"""The parts of a run: what earlier ones have judged, and what this one adds up.

The law: one run may go on in several processes, one after the other. Its results say how many parts
it had, and what all of them have cost; they judge nothing twice.
"""

import datetime as dt
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from .configuration import Known, merged
from .items import model_of, requirement_of
from .journal import NOTHING, Journal, Record, Taken
from .planning import Cost
from .resuming import Check, is_judged, place, taken_over
from .terms import Terms


class Parts:
    """What is kept of the parts of one run, in the controlling process and in every worker."""

    def __init__(self, taken: Taken | None) -> None:
        self.taken = taken
        self.earlier = taken.earlier if taken else NOTHING
        self.spent = self.earlier.cost
        self.known: Known = taken.known if taken else {}
        self._began = dt.datetime.now(dt.UTC)
        self._records: dict[str, Record] = {}
        self._journal: Journal | None = None

    @property
    def number(self) -> int:
        """Which part this is, from 1."""
        return self.earlier.parts + 1

    @property
    def started(self) -> dt.datetime:
        """When the first part began."""
        return self.earlier.started or self._began

    def seconds(self, now: dt.datetime) -> float:
        """How long the parts have taken in all."""
        return self.earlier.seconds + (now - self._began).total_seconds()

    # -- what is taken over ---------------------------------------------------------------------

    def match(self, items: Iterable[pytest.Item]) -> None:
        """Find out which checks were judged already."""
        if self.taken is None:
            return
        checks = []
        for item in items:
            entry = requirement_of(item)
            if entry is not None:
                checks.append(Check(item.nodeid, entry.id, model_of(item), title_of(item)))
        self._records = taken_over(self.taken, checks)

    def record_of(self, item: pytest.Item) -> Record | None:
        """The record of a check that was judged already; None: it is to be run."""
        return self._records.get(item.nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> object | None:
        """A check that is taken over is not called."""
        return None if self.record_of(pyfuncitem) is None else True

    def pending(self, records: Iterable[Record]) -> list[dict[str, Any]]:
        """What was judged already and is not among `records`: the run did not come to it."""
        if self.taken is None:
            return []
        known = {(r["id"], r["model"], place(r["nodeid"])) for r in records}
        whole = {(r["id"], r["model"]) for r in records}
        return [
            dict(record)
            for record in self.taken.records
            if is_judged(record)
            and (
                (record["id"], record["model"], place(record["nodeid"])) not in known
                if "nodeid" in record
                else (record["id"], record["model"]) not in whole
            )
        ]

    # -- what this part adds --------------------------------------------------------------------

    def begin(self, path: Path, terms: Terms, complain: Callable[[str], None]) -> None:
        """Write a journal there from now on."""
        self._journal = Journal(path, terms, self.taken, complain)

    def add(self, record: Record | None, cost: Cost, known: Known) -> None:
        """A check is over (None: none is), and so much was sent and found out since the last."""
        self.spent += cost
        self.known = merged(self.known, known)
        if self._journal is not None and (record is not None or cost != Cost() or known):
            self._journal.add(record, cost, known)

    def end(self, *, complete: bool) -> None:
        """The results are written; `complete`: no check is left to be run."""
        if self._journal is not None:
            self._journal.close(remove=complete)
            self._journal = None


def title_of(item: pytest.Item) -> str:
    """What a check states, in words."""
    function: str = item.originalname or item.name  # type: ignore[attr-defined]  # Function
    return function.removeprefix("test_").replace("_", " ")
