"""One run of a sweep: a process of its own, watched until it ends or the sweep is interrupted.

Laws
----
* A signal interrupts nothing in the middle: it is noted, and heeded where a run is waited for. So
  what is written is written whole, whenever it comes.
* A run is a session of its own: Ctrl-C reaches the sweep alone, which ends the run; a second one
  ends it at once. No process of a run outlives the wait for it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, TextIO

__all__ = ["Progress", "Stop", "run"]

ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
POLL: Final = 0.2
"""Seconds between two looks at a run."""

PATIENCE: Final = 10.0
"""Seconds that a run has to end when it is told to."""


class Stop:
    """How often the sweep was told to end."""

    def __init__(self) -> None:
        self.asked = 0

    def _ask(self, *_: object) -> None:
        self.asked += 1

    @contextlib.contextmanager
    def heeded(self) -> Iterator[Stop]:
        """In the block the signals that end a process are counted instead, but for ignored ones."""
        ending = [number for number in ENDING if signal.getsignal(number) != signal.SIG_IGN]
        before = {number: signal.signal(number, self._ask) for number in ending}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class Progress:
    """Lines of a terminal: the last one is written anew while a run goes on.

    Where ``out`` is no terminal, only what is final is written.
    """

    def __init__(self, out: TextIO) -> None:
        self._out, self._live, self._shown = out, out.isatty(), False

    def passing(self, text: str) -> None:
        """A line that the next one takes the place of."""
        if self._live:
            width = shutil.get_terminal_size().columns - 1  # a full line would wrap
            self._put(f"\r{text[:width]}\x1b[K")
            self._shown = True

    def final(self, text: str) -> None:
        """A line that stays."""
        clear = "\r\x1b[K" if self._shown else ""
        self._shown = False
        self._put(f"{clear}{text}\n")

    def _put(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()


def run(
    command: Sequence[str],
    environ: Mapping[str, str],
    log: Path,
    stop: Stop,
    tick: Callable[[float], None],
) -> int | None:
    """Run a command to its end; its exit status, None where the sweep was interrupted.

    Args:
        log: where goes what it says.
        tick: called several times a second with the seconds that have passed.
    """
    began = time.monotonic()
    with log.open("w", encoding="utf-8") as said:
        process = subprocess.Popen(
            command,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            while True:
                tick(time.monotonic() - began)
                if stop.asked:
                    _end(process, stop)
                    return None
                with contextlib.suppress(subprocess.TimeoutExpired):
                    return process.wait(POLL)
        finally:
            _signal(process, signal.SIGKILL)  # what is left of its session
            process.wait()


def _end(process: subprocess.Popen[bytes], stop: Stop) -> None:
    """Ask a run to end, and wait for it a while: not when the sweep is told so twice."""
    _signal(process, signal.SIGTERM)
    until = time.monotonic() + PATIENCE
    while process.poll() is None and stop.asked < 2 and time.monotonic() < until:
        time.sleep(POLL / 4)


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
