"""An open loop: sends what is due, whoever still waits for an answer.

Laws
----
* Every moment is absolute, from the start of the schedule: a request that was late delays no other.
* Whose an arrival is, is asked a second before it is due, and no earlier: a worker that joins is
  announced further ahead than that, so that no arrival is sent twice or by nobody.
* What is due while too many are in flight is counted as held back, never sent later.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import gevent  # type: ignore[import-untyped]  # gevent has no marker for its types
from gevent.pool import Group  # type: ignore[import-untyped]  # the same

from load import arrivals
from load.sharing import Plan
from load.stream import Connection

if TYPE_CHECKING:
    from load.engine import Engine

__all__ = ["NOTICE_NS", "Dispatcher"]

HORIZON_NS: Final = 1_000_000_000
NOTICE_NS: Final = 2 * HORIZON_NS
"""How long beforehand workers are told of new shares."""

HEAD_START_NS: Final = 100_000_000
_now = time.monotonic_ns


class Dispatcher:
    """One worker's part of the schedule, in a greenlet of its own."""

    def __init__(self, engine: Engine, plan: Plan) -> None:
        self._engine = engine
        self._start = _now() + HEAD_START_NS - plan.elapsed
        self._most = max(1, engine.settings["max-in-flight"] // plan.workers)
        self._shares = arrivals.Shares()
        self._group = Group()
        self._idle: list[Connection] = []
        self.share(plan)
        self._greenlet = gevent.spawn(self._run)

    def share(self, plan: Plan) -> None:
        """Take another share from a moment on."""
        self._shares.add(plan.since, plan.worker, plan.workers)

    def _run(self) -> None:
        settings = self._engine.settings
        moments = arrivals.schedule(
            "trace" if settings.trace else settings["arrivals"],
            rate=settings["rate"] or 1.0,
            shape=settings["burstiness"],
            seed=settings["load-seed"],
            trace=settings.trace,
        )
        for number, moment in enumerate(moments):
            due = self._start + moment
            _sleep_until(due - HORIZON_NS)
            if not self._shares.hold(number, moment):
                continue
            _sleep_until(due)
            if self._engine.exhausted:
                return
            if len(self._group) >= self._most:
                self._engine.hold_back()
            else:
                self._group.spawn(self._masked, due)

    def _masked(self, due: int) -> None:
        with self._engine.masking():
            self._converse(due)

    def _converse(self, due: int) -> None:
        """One arrival: a conversation, its first request on the schedule."""
        engine = self._engine
        connection = self._idle.pop() if self._idle else engine.connection()
        workload = engine.workload()
        model, prompt = engine.opening(workload)
        sched: int | None = due
        for turn in range(workload.turns):
            later = workload.turns == 1 and not engine.settings["budget-tokens"]
            record = engine.ask(connection, model, prompt, sched=sched, later=later)
            if record is None or record.failure is not None:
                break
            sched = None
            if turn + 1 < workload.turns:
                prompt = workload.following(prompt, record.decoded.text)
                gevent.sleep(engine.settings["think-time"])
        self._idle.append(connection)

    def stop(self, patience: float) -> None:
        """Send no more, and give what is in flight ``patience`` seconds."""
        self._greenlet.kill(block=True)
        self._group.join(timeout=patience)
        self._group.kill(block=True)
        while self._idle:
            self._idle.pop().close()


def _sleep_until(moment: int) -> None:
    while (left := moment - _now()) > 0:
        gevent.sleep(left / 1e9)
