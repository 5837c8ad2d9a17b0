"""Shuts a connection down from outside: at the deadline, or when a stream lingers.

httpx bounds each read, not all of them: against one byte a second it waits for ever.
"""

import contextlib
import re
import socket
import threading

import httpcore

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
        self._lingering: threading.Timer | None = None
        self._done = False
        late = Failure(FailureKind.TIMEOUT, f"not complete after {limit:g} s")
        self._deadline = self._timer(limit, late)

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
                self._lingering = self._timer(self._linger, held)
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

    def _timer(self, seconds: float, why: Failure) -> threading.Timer:
        timer = threading.Timer(seconds, self._shut, (why,))
        timer.daemon = True
        timer.start()
        return timer

    def _shut(self, why: Failure) -> None:
        with self._lock:
            self._due = why
            if self._socket is not None and self._bite is None:
                self._bite = why
                with contextlib.suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)
