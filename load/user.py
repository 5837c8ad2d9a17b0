"""`ChatUser`: a user of chat completions, for locustfiles to make their own classes from.

Laws: a user sends one request after the other, each read to its end; in an open loop the users only
keep the run alive, and the engine sends. What is asked comes from the options, so that a locustfile
holds no logic.

A locustfile of your own::

    from load.user import ChatUser

    class Chat(ChatUser):
        \"\"\"Asks what the options say.\"\"\"
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import gevent  # type: ignore[import-untyped]  # gevent has no marker for its types
from locust import User, task

from load.early import heed

if "locust" in (Path(sys.argv[0]).stem, Path(sys.argv[0]).parent.name):
    heed()  # before what takes its time is imported

from load import hooks
from load.engine import Engine
from load.prompts import Prompt
from load.stream import Connection

__all__ = ["ChatUser"]

hooks.install()


class ChatUser(User):
    """One user: a connection, and a conversation in progress.

    A class of a locustfile may set ``turns`` and ``words`` (a length, as ``--prompt-words``), which
    then take precedence over the options.
    """

    abstract = True
    turns: int | None = None
    words: str | None = None

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self._run = hooks.run_of(environment)
        self._connection: Connection | None = None
        self._model = ""
        self._prompt: Prompt | None = None
        self._said = 0
        self._fresh = True

    def wait_time(self) -> float:
        """Seconds between two requests."""
        engine = self._run.engine
        return float(engine.settings["think-time"]) if engine is not None else 0.0

    def on_stop(self) -> None:
        """The user leaves."""
        if self._connection is not None:
            self._connection.close()

    @task
    def chat(self) -> None:
        """One request: the next turn of the conversation, or the first of a new one."""
        engine = self._run.engine
        if engine is None or engine.settings.open_loop:  # None: it came too late
            gevent.sleep(0.5)
            return
        with engine.masking():
            self._ask(engine)

    def _ask(self, engine: Engine) -> None:
        if self._connection is None:
            self._connection = engine.connection()
        workload = engine.workload(self.words, self.turns)
        if self._prompt is None:
            self._model, self._prompt = engine.opening(workload)
            self._said = 0
        fresh, self._fresh = self._fresh, False
        later = workload.turns == 1 and not engine.settings["budget-tokens"]
        record = engine.ask(self._connection, self._model, self._prompt, first=fresh, later=later)
        if record is None:  # the budget is spent
            gevent.sleep(0.5)
            return
        self._said += 1
        if record.failure is None and self._said < workload.turns:
            self._prompt = workload.following(self._prompt, record.decoded.text)
        else:
            self._prompt = None
            engine.pause_after(record)
