"""A server that emits tokens on a schedule and notes when it wrote each: the truth to measure by.

``python -m benchmarks.emitter --port 0 --log FILE --ttft-ms 100 --itl-ms 20``

Laws: one thread and one selector, so that a write happens when it is noted; every pace is an
absolute schedule; nothing is written to the log before the end (SIGTERM).

The log has one JSON line per stream: ``nonce`` (of the request), ``asked`` (the kernel's stamp of
the request's last byte), ``writes`` (just before each token's ``send``), all in ns on
CLOCK_MONOTONIC, which all processes of a host share.
"""

from __future__ import annotations

import argparse
import json
import re
import selectors
import signal
import socket
import ssl
import struct
import sys
import time
from array import array
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n"
    b"Connection: keep-alive\r\n\r\n"
)
SO_TIMESTAMPNS = 35
NONCE = re.compile(rb"rq-[0-9a-f]{8}-[0-9a-f]+-[0-9a-f]+")
TOKENS = re.compile(rb'"max_tokens":\s*(\d+)')
LENGTH = re.compile(rb"content-length:\s*(\d+)", re.IGNORECASE)
_now = time.monotonic_ns


def _event(value: object) -> bytes:
    data = b"data: " + json.dumps(value, separators=(",", ":")).encode() + b"\n\n"
    return b"%x\r\n%b\r\n" % (len(data), data)


def _chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    common: dict[str, Any] = {"id": "chatcmpl-0123456789abcdef", "object": "chat.completion.chunk"}
    common |= {"created": 1_700_000_000, "model": "emitter", "system_fingerprint": "fp_0"}
    return _event({**common, "choices": [choice], "usage": None})


ROLE = _chunk({"role": "assistant", "content": ""})
TOKEN = _chunk({"content": " word"})
FINISH = _chunk({}, "stop")


def _last(tokens: int) -> bytes:
    usage = {"prompt_tokens": 8, "completion_tokens": tokens, "total_tokens": 8 + tokens}
    chunk: dict[str, Any] = {"id": "chatcmpl-0123456789abcdef", "object": "chat.completion.chunk"}
    chunk |= {"created": 1_700_000_000, "model": "emitter"}
    done = b"data: [DONE]\n\n"
    end = b"%x\r\n%b\r\n0\r\n\r\n" % (len(done), done)
    return FINISH + _event({**chunk, "choices": [], "usage": usage}) + end


@dataclass(slots=True)
class Stream:
    """One connection, and the stream that it carries now."""

    sock: socket.socket
    tls: ssl.SSLObject | None = None
    incoming: ssl.MemoryBIO = field(default_factory=ssl.MemoryBIO)
    outgoing: ssl.MemoryBIO = field(default_factory=ssl.MemoryBIO)
    ready: bool = True  # the handshake is over
    read: bytes = b""
    nonce: str = ""
    asked: int = 0
    left: int = 0
    tokens: int = 0
    writes: array[int] = field(default_factory=lambda: array("q"))

    def send(self, data: bytes) -> None:
        """Write; the stream is lost where the peer has gone or does not read."""
        if self.tls is not None:
            self.tls.write(data)
            data = self.outgoing.read()
        try:
            if self.sock.send(data) != len(data):
                self.left = 0
        except OSError:
            self.left = 0


class Emitter:
    """The server; ``ttft`` and ``itl`` in ns."""

    def __init__(self, port: int, ttft: int, itl: int, context: ssl.SSLContext | None) -> None:
        self.selector = selectors.DefaultSelector()
        self.listener = socket.create_server(("127.0.0.1", port), backlog=4096)
        self.listener.setblocking(False)
        # Inherited by what is accepted: a request that is there before we are has its stamp too.
        self.listener.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.ttft, self.itl, self.context = ttft, itl, context
        self.firsts: deque[tuple[int, Stream]] = deque()
        self.nexts: deque[tuple[int, Stream]] = deque()
        self.log: list[dict[str, Any]] = []
        self.late = 0
        self.running = True

    def run(self) -> None:
        """Serve until ``running`` is False."""
        polled = 0
        while self.running:
            now = _now()
            due = min(
                self.firsts[0][0] if self.firsts else now + 100_000_000,
                self.nexts[0][0] if self.nexts else now + 100_000_000,
            )
            if due > now or now - polled > 2_000_000:
                for key, _ in self.selector.select(max(0.0, (due - now) / 1e9)):
                    if key.data is None:
                        self._accept()
                    else:
                        self._readable(key.data)
                polled = now = _now()
            self._emit(self.firsts, now)
            self._emit(self.nexts, now)

    def _emit(self, queue: deque[tuple[int, Stream]], now: int) -> None:
        for _ in range(64):  # then look at the sockets again
            if not queue or queue[0][0] > now:
                return
            due, stream = queue.popleft()
            if not stream.left:
                continue
            at = _now()
            stream.writes.append(at)
            self.late = max(self.late, at - due)
            stream.send(TOKEN)
            stream.left -= 1
            if stream.left:
                self.nexts.append((due + self.itl, stream))
            else:
                stream.send(_last(stream.tokens))
                self.log.append(
                    {"nonce": stream.nonce, "asked": stream.asked, "writes": stream.writes}
                )

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self.listener.accept()
            except BlockingIOError:
                return
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            stream = Stream(sock)
            if self.context is not None:
                stream.tls = self.context.wrap_bio(
                    stream.incoming, stream.outgoing, server_side=True
                )
                stream.ready = False
            self.selector.register(sock, selectors.EVENT_READ, stream)

    def _readable(self, stream: Stream) -> None:
        try:
            data, ancillary, _, _ = stream.sock.recvmsg(65536, 64)
        except BlockingIOError:
            return
        except OSError:
            data, ancillary = b"", []
        if not data:
            stream.left = 0
            self.selector.unregister(stream.sock)
            stream.sock.close()
            return
        if stream.tls is not None:
            data = self._decrypt(stream, stream.tls, data)
        stream.read += data
        head, found, body = stream.read.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        if not found or len(body) < int(length[1] if length else 0):
            return
        seconds, nanoseconds = struct.unpack_from("qq", ancillary[0][2]) if ancillary else (0, 0)
        anchor = max(time.time_ns() - _now() for _ in range(3))  # the least interrupted
        self._answer(stream, body, seconds * 10**9 + nanoseconds - anchor)

    @staticmethod
    def _decrypt(stream: Stream, tls: ssl.SSLObject, data: bytes) -> bytes:
        stream.incoming.write(data)
        text = b""
        try:
            if not stream.ready:
                tls.do_handshake()
                stream.ready = True
            while stream.incoming.pending or tls.pending():
                text += tls.read(65536)
        except ssl.SSLError:
            pass  # it wants more, or the peer has gone: the next read will tell
        if stream.outgoing.pending:
            stream.sock.send(stream.outgoing.read())
        return text

    def _answer(self, stream: Stream, body: bytes, asked: int) -> None:
        nonce, tokens = NONCE.search(body), TOKENS.search(body)
        stream.read = b""
        stream.nonce = nonce[0].decode() if nonce else ""
        stream.tokens = stream.left = int(tokens[1]) if tokens else 100
        stream.asked, stream.writes = asked, array("q")
        stream.send(HEAD + ROLE)
        self.firsts.append((_now() + self.ttft, stream))


def main() -> int:
    """Run the command; the exit status is 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.emitter", description=__doc__)
    add = parser.add_argument
    add("--port", type=int, default=0, help="0 picks a free one (default: %(default)s)")
    add("--log", type=Path, required=True, help="where the write times go at the end")
    add("--ttft-ms", type=float, default=100, help="time to the first token")
    add("--itl-ms", type=float, default=20, help="time between two tokens")
    add("--certificate", type=Path, help="PEM file of certificate and key: TLS")
    given = parser.parse_args()
    context = None
    if given.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(given.certificate)
    emitter = Emitter(given.port, int(given.ttft_ms * 1e6), int(given.itl_ms * 1e6), context)
    scheme = "https" if context else "http"
    print(f"listening on {scheme}://127.0.0.1:{emitter.listener.getsockname()[1]}/v1", flush=True)

    def stop(*_: object) -> None:
        emitter.running = False

    signal.signal(signal.SIGTERM, stop)
    began = time.process_time()
    emitter.run()
    with given.log.open("w", encoding="utf-8") as log:
        for row in emitter.log:
            log.write(json.dumps({**row, "writes": list(row["writes"])}) + "\n")
        summary = {"late_ns": emitter.late, "cpu_s": time.process_time() - began}
        log.write(json.dumps(summary) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
