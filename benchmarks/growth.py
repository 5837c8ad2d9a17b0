"""Does reading take linear time? Twice the octets must take about twice as long, whatever they are.

    python -m benchmarks.growth

One line for each kind of octets and each reader: the ratio of times for n and 2n. A ratio near 4 is
quadratic time, which a target could use against whoever reads it; the exit status is then 1.
"""

import sys
import time
from collections.abc import Callable

from conformance.protocol.facts import Facts
from conformance.protocol.http1 import read_responses
from conformance.protocol.jsontext import read_document
from conformance.protocol.stream import read_stream
from load.decoding import decode

ALL = Facts(include_usage=True, calls_allowed=True, logprobs=True)
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
QUADRATIC = 3.2
"""A ratio above it is no noise."""


def chunk(delta: str, more: str = "") -> bytes:
    """One event of a stream."""
    choice = f'{{"index":0,"delta":{delta},"finish_reason":null{more}}}'.encode()
    return b'data: {"id":"c","object":"chat.completion.chunk","choices":[%s]}\n\n' % choice


def told(token: str) -> str:
    """The log probability of a token."""
    entry = f'{{"token":"{token}","logprob":-1,"bytes":null,"top_logprobs":[]}}'
    return f',"logprobs":{{"content":[{entry}]}}'


STREAMS: dict[str, bytes] = {
    "tokens": chunk('{"content":"Hello"}'),
    "log probabilities that differ": chunk('{"content":"a"}', told("b")),
    "lost characters": chunk('{"content":"a"}', told("\\ufffd")),
    "thoughts": chunk('{"reasoning":"x","content":"<think>"}'),
    "calls": chunk('{"tool_calls":[{"index":0,"function":{"arguments":"{"}}]}'),
    "empty deltas": chunk("{}"),
    "comments after an id": b"id: 1\n\n: x\n\n",
    "broken errors": b"event: error\ndata: {\n\n",
    "data lines of one event": b"data: {}\n",
    "carriage returns": b"data: x\r\r",
}
OTHERS: dict[str, tuple[bytes, bytes, Callable[[bytes], object]]] = {
    "chunks": (CHUNKED, b"1\r\nx\r\n", lambda raw: read_responses(raw, True, ["GET"])),
    "100 Continue": (
        b"",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        lambda raw: read_responses(raw, True, ["GET"]),
    ),
    "nested lists": (b"", b"[", read_document),
    "open strings": (b"[", b'{"a":"', read_document),
    "no numbers": (b"[", b"-Infinity,", read_document),
    "bytes that are no UTF-8": (b'"', b"\xff", read_document),
}
READERS: dict[str, Callable[[bytes], object]] = {
    "suite": lambda body: read_stream(body, ALL),
    "load": decode,
}


def ratio(read: Callable[[bytes], object], start: bytes, again: bytes, times: int) -> float:
    """How many times as long twice the octets take, at best."""

    def best(count: int) -> float:
        octets = start + again * count
        found = []
        for _ in range(3):
            began = time.process_time()
            read(octets)
            found.append(time.process_time() - began)
        return max(min(found), 1e-4)

    return best(2 * times) / best(times)


def main() -> int:
    """Print every ratio; 1 where one is too large."""
    worst = 0.0
    for name, again in STREAMS.items():
        for who, read in READERS.items():
            found = ratio(read, b"", again, 2_000 if who == "suite" else 10_000)
            worst = max(worst, found)
            print(f"{who:8} {name:32} {found:4.1f}")
    for name, (start, again, read) in OTHERS.items():
        found = ratio(read, start, again, 200_000 // len(again))
        worst = max(worst, found)
        print(f"{'suite':8} {name:32} {found:4.1f}")
    return int(worst > QUADRATIC)


if __name__ == "__main__":
    sys.exit(main())
