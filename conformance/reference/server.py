"""The only sockets of the reference server: reads calls by h11, writes what the plan says.

Laws: nothing is decided here but when to read, when to write and when to stop; one connection is
one task, and no connection can hurt another; bytes leave in the pieces of the plan, each with its
own write; asyncio sets TCP_NODELAY on every connection, so a write is a departure.

Theory. h11 parses requests only; a fresh parser per call takes over the bytes that the last one had
read too many. Replies are written as raw bytes, because a fault may break their framing. Pauses add
up on an absolute schedule, so that a late wake-up does not delay the rest of a stream.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import struct
import sys
import threading
import time
from contextlib import suppress
from itertools import count

import h11

from conformance.reference.call import Call, Cut, Header
from conformance.reference.pipeline import Plan, Service, mishap, plan
from conformance.reference.routes import LIMIT

READ = 65_536
LARGEST_HEAD = 65_536
"""Largest request head, in bytes."""

SETTLING = 0.1
"""Seconds from the last byte to a reset."""

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_numbers = count(1)


class Connection:
    """One client connection."""

    def __init__(
        self, service: Service, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._service = service
        self._reader = reader
        self._writer = writer
        self._rest = b""

    async def serve(self) -> None:
        """Answers calls until the connection ends, whoever ends it."""
        try:
            while await self._exchange():
                pass
        except ConnectionError:
            pass  # the client left; nobody is there to be told
        finally:
            self._writer.close()
            with suppress(ConnectionError):
                await self._writer.wait_closed()

    async def _exchange(self) -> bool:
        """One call and its reply; whether the connection lives on."""
        blank = Call(next(_numbers), "", "", "", moment=time.time(), nonce=os.urandom(12).hex())
        try:
            call = await self._read(blank)
        except h11.RemoteProtocolError as problem:
            kind = "invalid_request_error"
            await self._write(mishap(blank, problem.error_status_hint, str(problem), kind))
            return False
        if call is None:
            return False
        try:
            planned = plan(call, self._service)
        except Exception as problem:  # a bug here must not look like a dead server
            print(f"reference: {problem!r} on {call.method} {call.target}", file=sys.stderr)
            planned = mishap(call, 500, "The server had an error.", "server_error")
        return await self._write(planned)

    async def _read(self, blank: Call) -> Call | None:
        """Reads one call to its end; None where the client left before one was whole.

        Raises:
            h11.RemoteProtocolError: the bytes are no HTTP request.
        """
        parser = h11.Connection(h11.SERVER, max_incomplete_event_size=LARGEST_HEAD)
        if self._rest:
            parser.receive_data(self._rest)
        head: h11.Request | None = None
        parts: list[bytes] = []
        size = 0
        while True:
            event = parser.next_event()
            if event is h11.NEED_DATA:
                if parser.they_are_waiting_for_100_continue:
                    if _announced(head) > LIMIT:
                        break
                    self._writer.write(_CONTINUE)
                    parser.send(h11.InformationalResponse(status_code=100, headers=[]))
                parser.receive_data(await self._reader.read(READ))
            elif isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                size += len(event.data)
                if size <= LIMIT:
                    parts.append(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                break
            else:  # ConnectionClosed
                return None
        assert head is not None
        self._rest = parser.trailing_data[0]
        headers: tuple[Header, ...] = tuple(
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in head.headers
        )
        whole = event is not h11.NEED_DATA
        return Call(
            number=blank.number,
            method=head.method.decode("latin-1"),
            target=head.target.decode("latin-1"),
            path="",
            # An unread body cannot be skipped: the connection ends with the refusal.
            headers=headers if whole else (*headers, ("connection", "close")),
            content=b"".join(parts),
            too_large=size > LIMIT or not whole,
            version=head.http_version.decode("latin-1"),
            moment=blank.moment,
            nonce=blank.nonce,
        )

    async def _write(self, planned: Plan) -> bool:
        """Writes a reply at its times; whether the connection lives on."""
        clock = asyncio.get_running_loop().time
        due = clock()
        for pause, piece in planned:
            if pause:
                due += pause
                await asyncio.sleep(max(0.0, due - clock()))
            if isinstance(piece, Cut):
                if piece is Cut.RESET:
                    await asyncio.sleep(SETTLING)  # a reset discards what the peer has not read yet
                    self._reset()
                return False
            self._writer.write(piece)
            await self._writer.drain()
        return True

    def _reset(self) -> None:
        """Ends the connection so that the peer sees a reset: zero seconds of linger, then close."""
        raw: socket.socket = self._writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()


def _announced(head: h11.Request | None) -> int:
    """The Content-Length of a request; 0 where none is given."""
    headers = dict(head.headers) if head else {}
    return int(headers.get(b"content-length", b"0"))


async def serve(
    service: Service, host: str = "127.0.0.1", port: int = 0, *, with_parent: bool = False
) -> None:
    """Listens until SIGTERM or SIGINT (or, `with_parent`, until standard input ends).

    Prints ``listening on http://HOST:PORT/v1`` as its first line once it does.

    Raises:
        OSError: the port is taken.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = loop.create_task(Connection(service, reader, writer).serve())
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accept, host, port, backlog=1024)
    shown = f"[{host}]" if ":" in host else host
    print(f"listening on http://{shown}:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    if with_parent:
        threading.Thread(target=_watch_parent, args=(loop, stop), daemon=True).start()
    await stop.wait()
    server.close()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _watch_parent(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """Waits for the end of standard input: whoever started us is gone, however it died."""
    while os.read(0, 4096):  # the descriptor, not sys.stdin: no lock to hang on at exit
        pass
    with suppress(RuntimeError):  # the loop ended first
        loop.call_soon_threadsafe(stop.set)
