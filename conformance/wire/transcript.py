"""An exchange as timed lines: what arrived when, and which line offends.

The laws: no control character reaches a terminal or a page raw; a long reply is shown by its
beginning, its end and the neighbourhood of every mark, and says how much is left out.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from .exchange import Exchange

HEAD, TAIL, AROUND = 6, 3, 2
LONGEST = 300


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
    spans = list(marks)
    arrivals = exchange.arrivals
    rows: list[Line] = []
    reader = 0
    for start, end in _lines(exchange.body):
        while reader < len(arrivals) and arrivals[reader].end < end:
            reader += 1
        timed = reader < len(arrivals)
        rows.append(
            Line(
                at_ms=round(arrivals[reader].at * 1000, 1) if timed else None,
                arrival=reader if timed else None,
                offset=start,
                text=printable(exchange.body[start:end].rstrip(b"\n")),
                mark=any(a < end and b > start for a, b in spans),
            )
        )
    return _shortened(rows)


def _shortened(rows: list[Line]) -> list[Line]:
    marked = [i for i, row in enumerate(rows) if row.mark][:8]
    keep = set(range(HEAD)) | set(range(len(rows) - TAIL, len(rows)))
    for index in marked:
        keep |= set(range(index - AROUND, index + AROUND + 1))
    shown: list[Line] = []
    left_out = 0
    for index, row in enumerate(rows):
        if index in keep:
            if left_out:
                shown.append(Line(None, None, row.offset, f"… {left_out} lines …"))
                left_out = 0
            shown.append(row)
        else:
            left_out += 1
    return shown
