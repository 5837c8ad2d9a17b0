"""A clock that stands still while this process is held up: a paused machine is no slow target.

The laws:

1. It never goes back, and never faster than time.
2. What the process could not run is not counted, beyond `GRACE`: nobody was there to read.

The theory: a thread wakes every `TICK`. Where it wakes late, or has not yet woken, the process was
not run (a paused machine, a suspended job, a processor given to others), and the time beyond
`GRACE` is taken out. Who reads the clock before that thread has woken takes it out likewise.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

TICK = 0.05
GRACE = 0.2
"""Seconds from one tick to the next that count, whoever kept them."""


class Clock:
    """Seconds since some moment, as `time.monotonic` tells them, but for what was missed."""

    def __init__(self, true: Callable[[], float] = time.monotonic) -> None:
        self._true = true
        self._lock = threading.Lock()
        self._ticked = true()
        self._missed = 0.0

    def tick(self) -> None:
        """Note that the process runs."""
        with self._lock:
            now = self._true()
            self._missed += self._beyond(now)
            self._ticked = now

    def now(self) -> float:
        """The instant, in seconds."""
        with self._lock:
            now = self._true()
            return now - self._missed - self._beyond(now)

    def _beyond(self, now: float) -> float:
        return max(0.0, now - self._ticked - GRACE)


class _Kept(Clock):
    """A clock with a thread of its own, from the first question on."""

    def __init__(self) -> None:
        super().__init__()
        self._starting = threading.Lock()
        self._kept_in = 0

    def now(self) -> float:
        if self._kept_in != os.getpid():  # a fork takes no thread along
            with self._starting:
                if self._kept_in != os.getpid():
                    self.tick()
                    threading.Thread(target=self._keep, name="clock", daemon=True).start()
                    self._kept_in = os.getpid()
        return super().now()

    def _keep(self) -> None:
        while True:
            time.sleep(TICK)
            self.tick()


now = _Kept().now
"""The instant on the clock of this process, in seconds."""
