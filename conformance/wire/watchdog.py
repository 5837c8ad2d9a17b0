"""Shuts a connection down from outside: at the deadline, or when a stream lingers.

httpx bounds each read, not all of them: against one byte a second it waits for ever. The bounds are
on `clock`: what came while this process was held up is read before anything is late.
"""

import contextlib
import re
import socket
import threading
from collections.abc import Callable

import httpcore

from . import clock
from .exchange import Failure, FailureKind

_DONE = re.compile(rb"(?m)^data: ?\[DONE\]\s*$")
_LAST_ERROR = re.compile(rb'(?m)^data: ?\{[^\r\n]*"error"\s*:\s*\{[^\r\n]*\s*(?:^:[^\r\n]*\s*)*\Z')
"""An error event that nothing but comments follows."""


class Watchdog:
    """The watchdog of one exchange: it bites once, and says why."""

    def __init__(self, limit: float, linger: float) -> None:
        self._linger = linger
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._bite: Failure | None = None
        self._due: Failure | None = None
        self._done = False
        late = Failure(FailureKind.TIMEOUT, f"not complete after {limit:g} s")
        self._lingering: _Timer | None = None
        self._deadline = _Timer(limit, self._shut, late)

    def watch(self, stream: httpcore.NetworkStream) -> None:
        """From now on the connection is `stream`."""
        found = stream.get_extra_info("socket")
        with self._lock:
            self._socket = found if isinstance(found, socket.socket) else None
        if self._due is not None:
            self._shut(self._due)

    def saw(self, tail: bytes) -> None:
        """Wait for the end once `tail` holds `[DONE]`, or ends with an error; comments may follow.

        What comes after `[DONE]` is waited for no longer; what comes after an error is.
        """
        done = _DONE.search(tail) is not None
        if done or _LAST_ERROR.search(tail):
            if self._lingering is None:
                held = Failure(FailureKind.HELD_OPEN, f"{self._linger:g} s")
                self._lingering = _Timer(self._linger, self._shut, held)
            self._done = self._done or done
        elif self._lingering is not None and not self._done:
            self._lingering.cancel()
            self._lingering = None

    def stop(self) -> Failure | None:
        """Call it off; why it has shut the connection down, if it has."""
        with self._lock:
            self._socket = None
        for timer in (self._deadline, self._lingering):
            if timer is not None:
                timer.cancel()
        return self._bite

    def _shut(self, why: Failure) -> None:
        with self._lock:
            self._due = why
            if self._socket is not None and self._bite is None:
                self._bite = why
                with contextlib.suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)


class _Timer:
    """Calls `act(why)` after so many seconds of `clock`, unless it is cancelled before."""

    def __init__(self, seconds: float, act: Callable[[Failure], None], why: Failure) -> None:
        self._due = clock.now() + seconds
        self._cancelled = threading.Event()
        threading.Thread(target=self._wait, args=(act, why), daemon=True).start()

    def _wait(self, act: Callable[[Failure], None], why: Failure) -> None:
        while not self._cancelled.wait(max(0.0, self._due - clock.now())):
            if clock.now() >= self._due:
                act(why)
                return

    def cancel(self) -> None:
        """Call it off."""
        self._cancelled.set()
