"""Opening a connection: name, TCP, TLS, each with its own duration.

Laws
----
* Certificates are verified unless told otherwise; the protocol offered is HTTP/1.1.
* A name is looked up once in a run, so that no later request waits for it.
* TLS runs over ``ssl.MemoryBIO``: the raw socket stays ours, and with it the kernel's stamps.
"""

from __future__ import annotations

import socket as plain
import ssl
import time
from typing import Any, Final

import gevent  # type: ignore[import-untyped]  # gevent has no marker for its types
import gevent.socket  # type: ignore[import-untyped]  # gevent has no marker for its types

from load.exchange import Exchange, Limits
from load.failures import Failure, Kind
from load.options import Settings
from load.place import Place

__all__ = ["Dialer", "Line", "context", "dialer"]

READ: Final = 16_384
SO_TIMESTAMPNS: Final = 35  # <asm-generic/socket.h>; Python's socket has no name for it
_now = time.monotonic_ns


def context(*, verify: bool = True, authorities: str | None = None) -> ssl.SSLContext:
    """The TLS settings of a run.

    Args:
        verify: whether certificate and name are checked.
        authorities: a PEM file of certificate authorities to trust instead of the system's.

    Raises:
        OSError: the file cannot be read, or holds no certificate (ssl.SSLError).
    """
    made = ssl.create_default_context(cafile=authorities)
    made.set_alpn_protocols(["http/1.1"])
    if not verify:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    return made


class Line:
    """An open connection: ``socket`` is gevent's, ``raw`` the one beneath, which never waits."""

    def __init__(self, sock: Any) -> None:
        self.socket = sock
        self.raw: plain.socket = sock._sock
        self.tls: ssl.SSLObject | None = None
        self.incoming = ssl.MemoryBIO()
        self.outgoing = ssl.MemoryBIO()

    def secure(self, settings: ssl.SSLContext, host: str) -> None:
        """The TLS handshake. Raises OSError (ssl.SSLError, TimeoutError among them)."""
        self.tls = settings.wrap_bio(self.incoming, self.outgoing, server_hostname=host)
        while True:
            try:
                self.tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                data = self.socket.recv(READ)
                if data:
                    self.incoming.write(data)
                else:
                    self.incoming.write_eof()
            else:
                self._flush()
                return

    def _flush(self) -> None:
        if self.outgoing.pending:
            self.socket.sendall(self.outgoing.read())

    def sealed(self, request: bytes) -> bytes:
        """The bytes that cross the wire for a request."""
        if self.tls is None:
            return request
        self.tls.write(request)
        return self.outgoing.read()

    def stale(self) -> bool:
        """Whether the idle connection has ended, or holds what nobody asked for."""
        try:
            data = self.raw.recv(READ)
        except BlockingIOError:
            return False
        except OSError:
            return True
        if not data or self.tls is None:
            return True
        self.incoming.write(data)  # session tickets, or the end
        try:
            self.tls.read(READ)
        except ssl.SSLWantReadError:
            return False
        except ssl.SSLError:
            return True
        return True

    def close(self) -> None:
        """Close the socket."""
        self.socket.close()


class Dialer:
    """Opens connections to one place. ``settings`` is None for plain HTTP."""

    def __init__(self, to: Place, limits: Limits, settings: ssl.SSLContext | None) -> None:
        self._place, self._limits, self._settings = to, limits, settings
        self._addresses: list[tuple[int, Any]] = []
        self.held = 0
        """Bytes of the large bodies that its connections are reading."""

    def dial(self, into: Exchange) -> Line | None:
        """An open line, its durations noted; None where it failed, the reason noted."""
        try:
            return self._dial(into)
        except plain.gaierror as error:
            into.failure = Failure(Kind.DNS, error.strerror or str(error))
        except TimeoutError:
            into.failure = Failure(Kind.CONNECT_TIMEOUT)
        except ConnectionRefusedError:
            into.failure = Failure(Kind.REFUSED)
        except ssl.SSLError as error:
            reason = getattr(error, "verify_message", "") or error.reason or str(error)
            into.failure = Failure(Kind.TLS, reason)
        except OSError as error:
            kind = Kind.TLS if into.connect is not None else Kind.UNREACHABLE
            into.failure = Failure(kind, error.strerror or str(error))
        return None

    def _dial(self, into: Exchange) -> Line:
        to = self._place
        if not self._addresses:
            began = _now()
            rows = self._look_up()
            self._addresses = [(row[0], row[4]) for row in rows]
            into.dns = _now() - began
        began = _now()
        sock = self._first()
        into.connect = _now() - began
        line = Line(sock)
        try:
            sock.setsockopt(plain.IPPROTO_TCP, plain.TCP_NODELAY, 1)
            if self._settings is not None:
                began = _now()
                with gevent.Timeout(self._limits.connect, TimeoutError("in the handshake")):
                    line.secure(self._settings, to.host)
                into.tls = _now() - began
            sock.settimeout(self._limits.total)
            _ask_for_stamps(line.raw)
        except BaseException:
            line.close()
            raise
        return line

    def _look_up(self) -> Any:
        """The addresses of the place. Raises plain.gaierror, also when the resolver hangs."""
        to, seconds = self._place, self._limits.connect
        late = plain.gaierror(plain.EAI_AGAIN, f"no answer of the resolver after {seconds:g} s")
        with gevent.Timeout(seconds, late):
            return gevent.socket.getaddrinfo(to.host, to.port, type=plain.SOCK_STREAM)

    def _first(self) -> Any:
        """A socket connected to the first address that answers. Raises OSError of the last."""
        problem = OSError("the name has no address")
        for family, address in self._addresses:
            sock = gevent.socket.socket(family, plain.SOCK_STREAM)
            sock.settimeout(self._limits.connect)
            try:
                sock.connect(address)
            except OSError as error:
                sock.close()
                problem = error
            except BaseException:  # the end of the run
                sock.close()
                raise
            else:
                return sock
        raise problem


def _ask_for_stamps(raw: plain.socket) -> None:
    """Ask the kernel for receive stamps; where it has none, reads show it."""
    try:
        raw.setsockopt(plain.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    except OSError:
        return


def dialer(settings: Settings) -> Dialer:
    """The dialer of a run. Raises OSError where --tls-ca cannot be used."""
    tls = None
    if settings.to.secure:
        authorities = settings["tls-ca"] or None
        tls = context(verify=not settings["tls-insecure"], authorities=authorities)
    return Dialer(settings.to, settings.limits, tls)
