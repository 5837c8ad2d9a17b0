"""Stamps and decoding -> the metrics of one request. The definitions of every figure stand here.

Laws
----
* All stamps are nanoseconds on one monotonic clock of one process; clocks are never compared across
  hosts. All results are nanoseconds.
* All events that came in one read share its stamp. A gap is between two *reads* that bore tokens:
  tokens that came together never make a gap of 0.
* What cannot be measured is None, never 0.

Theory
------
``DEFINITIONS`` below has each metric in one line. Their terms: t_sched is when the request was due
(open loop only); t_send is just before its bytes were handed to an open socket (DNS, TCP and TLS
come before it, and are kept apart); t_i is when read i arrived, by the kernel's receive stamp, else
by the clock right after the read.

N (output tokens) is ``usage.completion_tokens``, else the number of token-bearing events, and
which of them it is (``tokens_by``) stands beside every figure made from it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from load.decoding import Decoded

__all__ = ["DEFINITIONS", "VERSION", "Marks", "Timing", "measure"]

VERSION: Final = "1"
"""Changes with the meaning of any figure."""

DEFINITIONS: Final = {
    "ttft": "first token-bearing event - t_send",
    "ttft_sched": "first token-bearing event - t_sched: what a client that did not wait has seen",
    "ttfvt": "first token-bearing event that is no reasoning - t_send",
    "ttfe": "first event with data, of whatever kind - t_send",
    "headers": "end of the reply's head - t_send",
    "itl": "each gap between consecutive token-bearing reads, all streams pooled",
    "stall": "the longest of a stream's gaps",
    "tpot": "(last token - first) / (N - N_first); N_first: tokens of the first read if every "
    "event is one token, else 1; undefined where N <= N_first",
    "e2e": "last token - t_send",
    "e2e_sched": "last token - t_sched",
    "close": "end of the reply - last token",
    "rate": "N / e2e of one request",
    "connect": "TCP connection, without name resolution and TLS",
    "tls": "TLS handshake",
    "late": "t_send - t_sched, waiting for a connection included",
    "lag": "the kernel's receive stamp to our callback: what user-space stamps would add",
}
"""Every metric of a request, in one line."""


@dataclass(frozen=True, slots=True)
class Marks:
    """The stamps of one request.

    Attributes:
        send: t_send.
        at: the stamp of each read that brought bytes of the body.
        ends: how many bytes of the body had come with each of them.
        sched: t_sched, None in a closed loop.
        headers: the stamp of the read that completed the head, None where none came.
        end: when the reply was over, or was given up.
    """

    send: int
    at: Sequence[int] = ()
    ends: Sequence[int] = ()
    sched: int | None = None
    headers: int | None = None
    end: int | None = None


@dataclass(slots=True)
class Timing:
    """The metrics of one request, in ns; see the module's definitions."""

    ttft: int | None = None
    ttft_sched: int | None = None
    ttfvt: int | None = None
    ttfe: int | None = None
    headers: int | None = None
    gaps: list[int] = field(default_factory=list)
    stall: int | None = None
    tpot: int | None = None
    e2e: int | None = None
    e2e_sched: int | None = None
    close: int | None = None
    rate: int | None = None
    tokens: int = 0
    tokens_by: str = "chunks"
    reads: int = 0
    bunched_reads: int = 0
    bunched_tokens: int = 0
    arrivals: list[tuple[int, int]] = field(default_factory=list)
    """(stamp, token-bearing events) of each token-bearing read."""


def measure(marks: Marks, decoded: Decoded) -> Timing:
    """The metrics of one request, whole or broken off."""
    made = Timing()
    if marks.headers is not None:
        made.headers = marks.headers - marks.send
    made.arrivals = _arrivals(marks, decoded.tokens)
    _count_tokens(made, decoded)
    if decoded.events and marks.at:
        made.ttfe = _stamp(marks, decoded.events[0]) - marks.send
    if not made.arrivals:
        return made
    first, with_first = made.arrivals[0]
    last = made.arrivals[-1][0]
    made.ttft = first - marks.send
    made.e2e = last - marks.send
    if marks.sched is not None:
        made.ttft_sched = first - marks.sched
        made.e2e_sched = last - marks.sched
    if decoded.visible is not None:
        made.ttfvt = _stamp(marks, decoded.visible) - marks.send
    made.gaps = [later - earlier for (earlier, _), (later, _) in pairwise(made.arrivals)]
    made.stall = max(made.gaps, default=None)
    chunk_is_token = made.tokens == len(decoded.tokens)
    beyond = made.tokens - (with_first if chunk_is_token else 1)
    if beyond > 0 and last > first:
        made.tpot = (last - first) // beyond
    if made.e2e > 0:
        made.rate = made.tokens * 10**12 // made.e2e
    if marks.end is not None:
        made.close = marks.end - last
    return made


def _stamp(marks: Marks, offset: int) -> int:
    """The stamp of the read with which the first ``offset`` bytes were there."""
    return marks.at[min(bisect_left(marks.ends, offset), len(marks.at) - 1)]


def _arrivals(marks: Marks, offsets: Sequence[int]) -> list[tuple[int, int]]:
    """The token-bearing reads, each with how many token-bearing events it completed."""
    found: list[tuple[int, int]] = []
    at, ends = marks.at, marks.ends
    if not at:
        return found
    read, last = 0, len(at) - 1
    here = -1
    for offset in offsets:
        while read < last and ends[read] < offset:
            read += 1
        if read == here:
            found[-1] = (found[-1][0], found[-1][1] + 1)
        else:
            found.append((at[read], 1))
            here = read
    return found


def _count_tokens(made: Timing, decoded: Decoded) -> None:
    made.tokens = len(decoded.tokens)
    if decoded.output_tokens is not None:
        made.tokens, made.tokens_by = decoded.output_tokens, "usage"
    made.reads = len(made.arrivals)
    for _, together in made.arrivals:
        if together > 1:
            made.bunched_reads += 1
            made.bunched_tokens += together
