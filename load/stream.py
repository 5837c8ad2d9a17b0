"""The reader: one persistent watcher per connection, each read with the kernel's receive stamp.

Laws
----
* Between two reads of a stream nothing happens but: read, stamp, cut the HTTP framing, append.
* A stamp is the moment at which the bytes reached this host (``SO_TIMESTAMPNS``), moved onto the
  monotonic clock; where the kernel gives none, it is the clock right after the read, and the
  exchange says so (``kernel`` False).
* Nothing that a target or the network does raises: it becomes the one `Failure` of the exchange.
  Only the end of the run raises, through the greenlet that is killed.
* No redirect is followed, and nothing is sent twice.

Theory
------
A greenlet per stream, not per token: the watcher's callback runs in the hub; the greenlet sleeps
until the reply is over. For TLS the raw socket is read, so that the stamp survives, and decrypted
through ``ssl.MemoryBIO``, driven by what is pending, not by exceptions.

The kernel stamps with the wall clock. Its offset to the monotonic clock is taken anew at each send;
where it has moved by more than a millisecond when the reply is over, the wall clock was set, and
the exchange says so (``clock_step``).

Bytes that come together are read together and share the last one's stamp.
"""

from __future__ import annotations

import ssl
import struct
import time
from bisect import bisect_left
from typing import Any, Final

import gevent  # type: ignore[import-untyped]  # gevent has no marker for its types
import gevent.event  # type: ignore[import-untyped]  # the same
import httptools

from load.decoding import decode
from load.dial import READ, Dialer, Line
from load.exchange import Exchange, Limits, Reply
from load.failures import Failure, Kind

__all__ = ["Connection"]

LARGE: Final = 256 * 1024
"""Bytes of a body beyond which it counts among those that are held together."""

MOST_HELD: Final = 64 * 1024 * 1024
"""Bytes of all large bodies that are read at the same time."""

TAIL: Final = 64 * 1024
"""Bytes of a body in which the last token is sought first."""

STEP_NS: Final = 1_000_000
CLOSE_NS: Final = 2_000
"""Two clocks read within this time are read together."""

NOTHING: Final = Exchange()
"""Stands for the exchange of an idle connection."""

SILENCE: Final = Reply(NOTHING)
"""Stands for its reply, which keeps no connection alive."""

READABLE: Final = 1
_ROOM: Final = 64  # bytes of ancillary data: one stamp and its header
_stamp = struct.Struct("qq").unpack_from
_now = time.monotonic_ns


def _anchor() -> int:
    """The wall clock minus the monotonic clock, in ns; anew where we were interrupted meanwhile."""
    best, offset = 0, 0
    for _ in range(5):
        before = _now()
        wall = time.time_ns()
        width = _now() - before
        if not offset or width < best:
            best, offset = width, wall - before - width // 2
        if width < CLOSE_NS:
            break
    return offset


class Connection:
    """A connection, opened when needed and reused while the target lets it live.

    One exchange at a time.
    """

    def __init__(self, dialer: Dialer, limits: Limits) -> None:
        self._dialer = dialer
        self._limits = limits
        self._line: Line | None = None
        self._watcher: Any = None
        self._into, self._reply = NOTHING, SILENCE
        self._done = gevent.event.Event()
        self._crash: Exception | None = None
        self._held = 0  # bytes of the body that count among the dialer's

    def exchange(self, request: bytes, into: Exchange) -> None:
        """Send a request and read the reply to its end, ``into`` which everything is noted.

        Raises what kills the greenlet (``GreenletExit``), after noting it as CANCELLED.
        """
        try:
            line = self._ready(into)
            if line is not None:
                self._talk(line, request, into)
        except BaseException:
            into.failure = into.failure or Failure(Kind.CANCELLED)
            raise
        finally:
            into.end = into.end or _now()
            into.anchor = into.anchor or _anchor()  # nothing was sent: it ended all the same
            if into.failure is not None or not self._reply.keeps_alive:
                self.close()
            elif self._watcher is not None:
                self._watcher.stop()
            self._dialer.held -= self._held
            self._held = 0
            self._reply.release()
            self._into, self._reply = NOTHING, SILENCE  # an idle connection keeps no body

    def close(self) -> None:
        """Close the connection; safe to call twice."""
        if self._watcher is not None:
            self._watcher.stop()
            self._watcher.close()
        if self._line is not None:
            self._line.close()
        self._line = self._watcher = None

    def _ready(self, into: Exchange) -> Line | None:
        if self._line is not None and self._line.stale():
            self.close()
        into.reused = self._line is not None
        if self._line is None:
            self._line = self._dialer.dial(into)
            if self._line is not None:
                self._watcher = gevent.get_hub().loop.io(self._line.raw.fileno(), READABLE)
        return self._line

    def _talk(self, line: Line, request: bytes, into: Exchange) -> None:
        self._into, self._reply = into, Reply(into)
        self._crash = None
        self._done.clear()
        octets = line.sealed(request)
        self._watcher.start(self._readable)
        into.anchor = _anchor()
        into.send = _now()
        try:
            line.socket.sendall(octets)
            into.sending = _now() - into.send
        except TimeoutError:
            self._end(Failure(Kind.TIMEOUT, "while the request was sent"))
        except OSError as error:
            # The reply may be there all the same: a refusal that did not wait for the body.
            if not self._done.wait(0.1):
                self._end(Failure(Kind.RESET, error.strerror or str(error)))
        self._wait(into)
        if self._crash is not None:
            raise self._crash
        into.clock_step = into.kernel and abs(_anchor() - into.anchor) > STEP_NS

    def _wait(self, into: Exchange) -> None:
        """Sleep until the reply is over, or a limit is passed."""
        stall = int(self._limits.stall * 1e9)
        latest = into.send + int(self._limits.total * 1e9)
        due = min(latest, into.send + stall)
        while not self._done.wait(max(0.0, (due - _now()) / 1e9)):
            now = _now()
            if now < due:
                continue
            token = _last_token(into)
            if token is not None and now - token >= stall:
                self._end(Failure(Kind.STALL, f"after {len(into.body)} bytes", into.status))
            elif now >= latest:
                self._end(Failure(Kind.TIMEOUT, f"after {len(into.body)} bytes", into.status))
            due = min(latest, (now if token is None else token) + stall)

    def _end(self, failure: Failure | None = None, at: int = 0) -> None:
        """The reply is over; the first reason counts."""
        if self._done.is_set():
            return
        if self._watcher is not None:
            self._watcher.stop()
        self._into.failure = failure
        self._into.end = at or _now()
        self._done.set()

    # --- in the hub ------------------------------------------------------------------------------

    def _readable(self) -> None:
        """The watcher's callback: one read."""
        try:
            self._read()
        except Exception as error:  # a bug of ours: it belongs to the greenlet, not to the hub
            self._crash = error
            self._end(Failure(Kind.INTERNAL, repr(error)))

    def _read(self) -> None:
        into, line = self._into, self._line
        if line is None:
            return
        try:
            data, ancillary, _, _ = line.raw.recvmsg(READ, _ROOM)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            kind = Kind.RESET if into.status else Kind.NO_REPLY
            self._end(Failure(kind, error.strerror or str(error), into.status))
            return
        now = _now()
        if not data:
            self._closed(now, clean=line.tls is None)
        elif ancillary:
            seconds, nanoseconds = _stamp(ancillary[0][2])
            at = seconds * 1_000_000_000 + nanoseconds - into.anchor
            if self._take(line, data, at):
                into.lags.append(now - at)
        else:
            into.kernel = False
            self._take(line, data, now)

    def _take(self, line: Line, data: bytes, at: int) -> bool:
        """Bytes that came at ``at``; whether they brought any of the body."""
        into = self._into
        before = len(into.body)
        try:
            if line.tls is None:
                self._reply.feed(data)
            else:
                self._decrypt(line, line.tls, data)
        except httptools.HttpParserError as error:
            self._end(Failure(Kind.BAD_HTTP, str(error), into.status), at)
        except ssl.SSLError as error:
            self._end(Failure(Kind.TLS, error.reason or str(error), into.status), at)
        if into.headers is None and into.status:
            self._headed(at)
        size = len(into.body)
        if size != before:
            into.at.append(at)
            into.ends.append(size)
            if size > LARGE:
                self._weigh(size, at)
        if into.complete:
            self._end(None, at)
        return size != before

    def _weigh(self, size: int, at: int) -> None:
        """A body is large: so are few, and together they are not too large."""
        self._dialer.held += size - self._held
        self._held = size
        if size > self._limits.body or self._dialer.held > MOST_HELD:
            self._end(Failure(Kind.TOO_LARGE, f"{size} bytes", self._into.status), at)

    def _decrypt(self, line: Line, tls: ssl.SSLObject, data: bytes) -> None:
        """Decrypt what has come, and no more calls than that: an empty one costs an exception."""
        incoming = line.incoming
        incoming.write(data)
        while incoming.pending or tls.pending():
            try:
                text = tls.read(READ)
            except ssl.SSLWantReadError:
                break
            except ssl.SSLZeroReturnError:
                text = b""
            if not text:
                self._closed(_now(), clean=True)
                break
            self._reply.feed(text)
        if line.outgoing.pending:
            line.raw.send(line.outgoing.read())

    def _headed(self, at: int) -> None:
        """The head is whole: what can be told from it alone."""
        into = self._into
        into.headers = at
        coding = into.fields.get("content-encoding", "identity").strip().lower()
        if coding not in ("identity", ""):
            self._end(Failure(Kind.COMPRESSED, coding[:40], into.status), at)

    def _closed(self, at: int, *, clean: bool) -> None:
        """The peer has closed: the end of a body that only the close delimits, or a cut.

        A TLS connection that ends without its close_notify was cut (RFC 9112 §9.8): not ``clean``.
        """
        into = self._into
        if not into.status:
            self._end(Failure(Kind.NO_REPLY), at)
        elif self._reply.framed or not clean:
            self._end(Failure(Kind.TRUNCATED, f"after {len(into.body)} bytes", into.status), at)
        else:
            into.complete = True
            self._end(None, at)


def _last_token(into: Exchange) -> int | None:
    """The stamp of the last token so far, None before the first; sought from the end backwards."""
    if not into.at:
        return None
    begin = max(0, len(into.body) - TAIL)
    while True:
        tokens = decode(bytes(into.body[begin:])).tokens
        if tokens:
            return into.at[min(bisect_left(into.ends, begin + tokens[-1]), len(into.at) - 1)]
        if not begin:
            return None
        begin = max(0, begin - 8 * (len(into.body) - begin))
