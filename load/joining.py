"""A worker that connects to a run under way takes its part: what the master does for it.

Laws
----
* It is given a plan with the run's options; all others are told of their new shares beforehand.
* Of a budget it is given what the others cede of what they have left. What a worker has ceded it
  cannot spend, so all together never pass the budget; what is ceded too late is spent by nobody.

Messages
--------
=============  =================  ==================================================================
``joined``     worker -> master   it has connected
``cede``       master -> worker   give up one of ``parts`` of what is left of the budget
``ceded``      worker -> master   ``requests`` and ``tokens`` that it has given up
``plan``       master -> worker   its part of the run that comes, or its new share
``join``       master -> worker   its part of the run under way, with the options
=============  =================  ==================================================================
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import gevent  # type: ignore[import-untyped]  # gevent has no marker for its types

from load.dispatch import NOTICE_NS
from load.gather import Ledger
from load.options import OPTIONS, Settings
from load.sharing import Plan

__all__ = ["CEDE", "CEDED", "JOIN", "JOINED", "PLAN", "Latecomers"]

PLAN: Final = "chat_plan"
JOINED: Final = "chat_joined"
JOIN: Final = "chat_join"
CEDE: Final = "chat_cede"
CEDED: Final = "chat_ceded"
KEYS: Final = [option.name.replace("-", "_") for option in OPTIONS]
PATIENCE: Final = 3.0
"""Seconds that workers have to cede a part of a budget."""


@dataclass(slots=True)
class _Coming:
    """A worker that waits for its part of a budget: who has not answered, and what was ceded."""

    awaited: set[str]
    ceded: list[int] = field(default_factory=lambda: [0, 0])


class Latecomers:
    """The workers that connect while one run is under way.

    Args:
        environment: Locust's, of the master.
        started: when the run began, ns of the epoch.
        goes_on: whether it still does.
    """

    def __init__(
        self,
        environment: Any,
        ledger: Ledger,
        settings: Settings,
        started: int,
        goes_on: Callable[[], bool],
    ) -> None:
        self._environment, self._runner = environment, environment.runner
        self._ledger, self._settings, self._started = ledger, settings, started
        self._goes_on = goes_on
        self._coming: dict[str, _Coming] = {}

    def joined(self, name: str) -> None:
        """A worker has connected."""
        if not self._goes_on() or name in self._ledger.expected:
            return
        others = self._ledger.missing
        self._ledger.expect([name])
        if not self._settings["budget-requests"] and not self._settings["budget-tokens"]:
            self._admit(name, None)
            return
        self._coming[name] = _Coming(set(others))
        data = {"run": self._ledger.run, "to": name, "parts": len(others) + 1}
        for other in others:
            self._runner.send_message(CEDE, data, client_id=other)
        gevent.spawn_later(PATIENCE, self._enough, name)

    def ceded(self, worker: str, data: Mapping[str, Any]) -> None:
        """A worker has given up a part of what it had left."""
        coming = self._coming.get(data["to"])
        if coming is None or data["run"] != self._ledger.run:
            return
        coming.ceded[0] += data["requests"]
        coming.ceded[1] += data["tokens"]
        coming.awaited.discard(worker)
        if not coming.awaited:
            self._enough(data["to"])

    def _enough(self, name: str) -> None:
        """All have ceded, or have had the time to."""
        coming = self._coming.pop(name, None)
        if coming is None or not self._goes_on():
            return
        requests, tokens = coming.ceded
        named = (("budget-requests", f"{requests} requests"), ("budget-tokens", f"{tokens} tokens"))
        share = " and ".join(words for option, words in named if self._settings[option])
        print(f"load: a worker joins the run, with {share} of the budget", flush=True)
        self._admit(name, (requests, tokens))

    def _admit(self, name: str, ceded: tuple[int, int] | None) -> None:
        elapsed = time.time_ns() - self._started
        since = elapsed + NOTICE_NS
        workers = self._ledger.expected
        for known, index in workers.items():
            plan = Plan(self._ledger.run, index, len(workers), since, elapsed)
            if known != name:
                self._runner.send_message(PLAN, plan.plain(), client_id=known)
        plan = Plan(
            *(self._ledger.run, workers[name], len(workers), since, elapsed),
            joined=True,
            ceded=ceded,
        )
        options = {key: getattr(self._environment.parsed_options, key) for key in KEYS}
        more = {"options": options, "host": self._environment.host}
        self._runner.send_message(JOIN, {"plan": plan.plain(), **more}, client_id=name)
