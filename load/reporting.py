"""What a process reports of its part of a run: on the way, and at its end.

Laws: a report holds what is new since the last one and how the process stands, taken at one
moment; a process that reports to itself does so one model after the other, so that no report holds
its loop for long.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import gevent  # type: ignore[import-untyped]  # gevent has no marker for its types

from load.engine import Engine
from load.gather import Final as LastWord

__all__ = ["last_word", "report_here", "so_far"]

EVERY: Final = 2.0
"""Seconds between what a local runner reports to itself."""


def so_far(engine: Engine, started: int, *models: str) -> dict[str, Any]:
    """What is new of all models, or of those; the run began at ``started`` ns of the epoch."""
    pulse = engine.pulse(started)
    return {"run": engine.plan.run, "book": engine.book.take(*models), "pulse": pulse.plain()}


def last_word(engine: Engine, started: int, stopped: int) -> dict[str, Any]:
    """What is left to report of an engine that is closed; it was told to stop at ``stopped``."""
    final = LastWord(
        worker=engine.plan.worker,
        begun=engine.begun,
        started=started,
        steady_since=engine.steady_since,
        stopped=stopped,
        cpu=engine.cpu,
    )
    return {"run": engine.plan.run, "book": engine.book.take(), "final": final.plain()}


def report_here(
    engine: Engine,
    started: int,
    goes_on: Callable[[], bool],
    reported: Callable[[dict[str, Any]], None],
) -> None:
    """Report to this process while the run goes on; for a greenlet of its own."""
    while goes_on():
        gevent.sleep(EVERY)
        for model in list(engine.book.tallies):
            if goes_on():
                reported(so_far(engine, started, model))
            gevent.sleep(0.0001)  # not 0: that runs again before the sockets are looked at
