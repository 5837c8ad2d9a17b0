"""Names become addresses within a bound: a resolver that hangs costs no more than a target.

The laws:

1. `socket.getaddrinfo` takes no deadline and cannot be interrupted. It runs in a thread of its own,
   which is left behind when the time is up.
2. A name is looked up once in a process, and again only after none of its addresses could be
   reached.
"""

import queue
import socket
import threading
import time
from collections.abc import Iterable
from typing import Any

import httpcore

Address = tuple[str, int]

_known: dict[Address, list[Address]] = {}


def addresses(host: str, port: int, seconds: float) -> list[Address]:
    """The IP addresses of `host`, with the port, in the resolver's order.

    Raises `socket.gaierror` where it has none, or the resolver has not answered in time.
    """
    found = _known.get((host, port))
    if found is not None:
        return found
    answers: queue.SimpleQueue[list[Address] | OSError] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answers.put([(str(row[4][0]), int(row[4][1])) for row in rows])
        except OSError as error:
            answers.put(error)
        except UnicodeError as error:  # a label of over 63 characters
            answers.put(socket.gaierror(socket.EAI_NONAME, str(error)))

    threading.Thread(target=look_up, daemon=True).start()
    try:
        answer = answers.get(timeout=max(0.0, seconds))
    except queue.Empty:
        late = f"no answer of the resolver after {seconds:g} s"
        raise socket.gaierror(socket.EAI_AGAIN, late) from None
    if isinstance(answer, OSError):
        raise answer
    _known[host, port] = list(dict.fromkeys(answer))
    return _known[host, port]


def connected(host: str, port: int, seconds: float) -> socket.socket:
    """A socket that is connected to the first address of `host` that answers.

    `seconds` bound the look-up and each attempt. Raises `OSError` of the last attempt.
    """
    problem: OSError = socket.gaierror(socket.EAI_NONAME, "the name has no address")
    began = time.monotonic()
    for address in addresses(host, port, seconds):
        try:
            left = max(0.1, seconds - (time.monotonic() - began))
            return socket.create_connection(address, timeout=left)
        except OSError as error:
            problem = error
    _known.pop((host, port), None)
    raise problem


class Network(httpcore.NetworkBackend):
    """httpcore's connections over sockets, opened by `connected`."""

    def __init__(self) -> None:
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Open a connection; the bound of the look-up is that of the connection."""
        seconds = 10.0 if timeout is None else timeout
        began = time.monotonic()
        try:
            found = addresses(host, port, seconds)
        except socket.gaierror as error:
            raise httpcore.ConnectError(f"name resolution: {error.strerror or error}") from error
        problem: Exception = httpcore.ConnectError("no address")
        for address, number in found:
            left = max(0.1, seconds - (time.monotonic() - began))
            try:
                return self._backend.connect_tcp(
                    address, number, left, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                problem = error
        _known.pop((host, port), None)
        raise problem
