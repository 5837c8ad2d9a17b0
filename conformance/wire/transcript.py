"""An exchange as timed lines: what arrived when, and which line offends.

The laws: no control character reaches a terminal or a page raw; a long reply is shown by its
beginning, its end and the neighbourhood of every mark, and says how much is left out.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from .exchange import Exchange

HEAD, TAIL, AROUND = 6, 3, 2
MARKED = 8
LONGEST = 300
WHOLE = 2000
"""Characters of a line that a finding points at, and of the few lines of a reply that is no stream:
there the value that offends is to be read."""
FEW = 3


_LINE = re.compile(rb"[^\r\n]*(?:\r\n|[\r\n])|[^\r\n]+")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a transcript.

    `at_ms`: when its last byte had arrived (None: a line that was left out or never timed);
    `arrival`: number of the read that completed it; `mark`: whether a finding points here.
    """

    at_ms: float | None
    arrival: int | None
    offset: int
    text: str
    mark: bool = False


def printable(octets: bytes, limit: int = LONGEST) -> str:
    """`octets` as one printable line, shortened in the middle."""
    if len(octets) > 8 * limit:  # enough of either end; a byte becomes four characters at most
        octets = octets[: 4 * limit] + octets[-4 * limit :]
    text = octets.decode("utf-8", "backslashreplace")
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    if len(text) > limit:
        keep = (limit - 3) // 2
        text = f"{text[:keep]} … {text[-keep:]}"
    return text


def _lines(body: bytes) -> Iterable[tuple[int, int]]:
    """Where each line begins and ends, its end of line included: LF, CRLF or CR, as in SSE."""
    return (line.span() for line in _LINE.finditer(body))


def transcript(exchange: Exchange, marks: Iterable[tuple[int, int]] = ()) -> list[Line]:
    """The reply's body as timed lines; `marks` are byte spans to point at."""
    spans = sorted(marks)
    lines = list(_lines(exchange.body))
    starts = [start for start, _ in lines]
    marked: set[int] = set()
    for a, b in spans:
        first = max(0, bisect_right(starts, a) - 1)
        hit = range(first, min(bisect_left(starts, b), first + MARKED))
        marked |= {n for n in hit if lines[n][1] > a and len(marked) < MARKED}
    ends = [arrival.end for arrival in exchange.arrivals]
    shown: list[Line] = []
    before = 0
    for number in _kept(len(lines), marked):
        start, end = lines[number]
        if number > before:
            shown.append(Line(None, None, start, f"… {number - before} lines …"))
        before = number + 1
        mark = any(a < end and b > start for a, b in spans)
        limit = WHOLE if mark or len(lines) <= FEW else LONGEST
        reader = bisect_left(ends, end)
        timed = reader < len(ends)
        shown.append(
            Line(
                at_ms=round(exchange.arrivals[reader].at * 1000, 1) if timed else None,
                arrival=reader if timed else None,
                offset=start,
                text=printable(exchange.body[start:end].rstrip(b"\n"), limit),
                mark=mark,
            )
        )
    return shown


def _kept(count: int, marked: Iterable[int]) -> list[int]:
    """Which of `count` lines are shown."""
    keep = set(range(HEAD)) | set(range(count - TAIL, count))
    for number in marked:
        keep |= set(range(number - AROUND, number + AROUND + 1))
    return sorted(number for number in keep if 0 <= number < count)
