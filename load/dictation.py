"""Tells the process that keeps a run (`scribe`) what is reported, as it comes.

Laws: what is told is queued, and waits for no one: a scribe that is slow or dead holds up nothing
of the run, and costs one line. It gets no secret, neither by its input nor by its environment.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import gevent  # type: ignore[import-untyped]  # gevent has no marker for its types
from gevent.queue import Full, Queue  # type: ignore[import-untyped]  # likewise

from conformance.wire.arguments import without
from load.conclusion import own_command, own_version
from load.notes import Opening, secretless
from load.options import Settings

__all__ = ["Dictation", "dictate", "due"]

ROOT: Final = Path(__file__).parents[1]
LONGEST: Final = 2000
"""Reports that may wait: minutes of them, where a scribe gets no time at all."""

PATIENCE: Final = 3.0
"""Seconds that a scribe has to end."""


def due(settings: Settings, run_time: float | None) -> bool:
    """Whether a run lasts longer than its results may go unwritten.

    ``run_time`` in seconds; None: until somebody ends it.
    """
    every = settings["page-every"]
    return every > 0 and (not run_time or run_time > every)


def dictate(settings: Settings, run: str, run_time: float | None, locust: str) -> Dictation | None:
    """A scribe for a run that begins; None where it needs none, or where none can be started.

    ``run`` is the run's name, ``locust`` the version of Locust.
    """
    if not due(settings, run_time):
        return None
    opening = Opening(settings, run, locust, own_version(), own_command(settings))
    try:
        return Dictation(opening)
    except OSError as error:  # too many processes, no memory: the run itself goes on
        print(f"load: results are written at the end alone: {error}", file=sys.stderr, flush=True)
        return None


class Dictation:
    """A scribe, started for one run."""

    def __init__(self, opening: Opening) -> None:
        settings = opening.settings
        self._process = subprocess.Popen(
            [sys.executable, "-m", "load.scribe", f"{settings['page-every']:g}"],
            env=_environ(os.environ, settings.secrets),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._waiting = Queue(maxsize=LONGEST)
        self._given_up = False
        self._told = gevent.spawn(self._tell)
        self._put(replace(opening, settings=secretless(settings)))

    def report(self, worker: str, data: Mapping[str, Any], users: int) -> None:
        """A report has come in."""
        self._put((worker, data, users))

    def _put(self, what: object) -> None:
        if self._given_up:
            return
        try:
            self._waiting.put_nowait(what)
        except Full:
            self._give_up("the process that writes them gets no time")

    def _tell(self) -> None:
        into = self._process.stdin
        try:
            while into is not None:
                into.write(pickle.dumps(self._waiting.get(), protocol=pickle.HIGHEST_PROTOCOL))
                into.flush()
        except OSError as error:
            self._give_up(f"the process that writes them has ended: {error.strerror or error}")

    def _give_up(self, why: str) -> None:
        self._given_up = True
        self._waiting = Queue()
        print(f"load: results are written at the end alone: {why}", file=sys.stderr, flush=True)

    def close(self) -> None:
        """The run is over, and its results are about to be written; safe to call twice."""
        self._given_up = True
        self._told.kill(block=True)
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._process.stdin is not None:
            try:
                self._process.stdin.close()
            except OSError:
                return  # what was not told is not wanted any more


def _environ(environ: Mapping[str, str], secrets: Iterable[str]) -> dict[str, str]:
    """The environment without any variable that holds a secret, and with this package."""
    kept = without(environ, secrets)
    path = os.pathsep.join(filter(None, [str(ROOT), kept.get("PYTHONPATH", "")]))
    return {**kept, "PYTHONPATH": path}
