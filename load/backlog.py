"""Streams that are over and wait to be recorded: many that end together delay no other's reads.

Laws: each is recorded once, in turn; between two looks at the sockets no more than ``STRETCH_NS``
of work; what waits is bounded in bytes.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Final, Generic, TypeVar

import gevent  # type: ignore[import-untyped]  # gevent has no marker for its types
from gevent.event import Event  # type: ignore[import-untyped]  # the same

__all__ = ["Backlog"]

T = TypeVar("T")

STRETCH_NS: Final = 300_000
MOST: Final = 8 * 1024 * 1024
"""Bytes of bodies that may wait; beyond them, each stream is recorded at once."""

_now = time.monotonic_ns


class Backlog(Generic[T]):
    """What waits, and the greenlet that records it by calling ``record``."""

    def __init__(self, record: Callable[[T], object]) -> None:
        self._record = record
        self._waiting: deque[tuple[T, int]] = deque()
        self._bytes = 0
        self._some = Event()
        self._greenlet = gevent.spawn(self._work)

    def takes(self, one: T, size: int) -> bool:
        """Take a stream whose body has ``size`` bytes; False where too many wait."""
        if self._bytes + size > MOST:
            return False
        self._bytes += size
        self._waiting.append((one, size))
        self._some.set()
        return True

    def _next(self) -> None:
        one, size = self._waiting.popleft()
        self._bytes -= size
        self._record(one)

    def _work(self) -> None:
        while True:
            self._some.wait()
            looked = _now()
            while self._waiting:
                self._next()
                if _now() - looked > STRETCH_NS:
                    gevent.sleep(0.0001)  # not 0: that runs again before the sockets are looked at
                    looked = _now()
            self._some.clear()

    def close(self) -> None:
        """Record all that waits, now."""
        self._greenlet.kill(block=False)
        while self._waiting:
            self._next()
