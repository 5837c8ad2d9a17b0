"""Server-Sent Events, decoded as WHATWG HTML §9.2.5 and §9.2.6 have it, with nothing forgotten.

Laws
----
* Bytes in, events out, no clock, no socket: ``feed`` as they arrive, ``close`` at the end.
* Where the bytes are split is invisible: every split gives the same events, offsets and notes.
* A browser forgets comments, blocks without data and the unfinished last block. A judge may not:
  they are kept, with byte offsets, and an unfinished event comes out marked ``terminated=False``.

Theory
------
A stream is lines; CRLF, LF or CR ends a line. Lines gather into *blocks*; a blank line ends one.
A line is ``: comment`` or ``name: value`` (one space after the colon belongs to neither) or
``name``. A block with a ``data`` line is an *event*; its data are its data lines' values joined by
LF (so ``data:`` alone is an event with empty data). A CR at the very end of what has arrived waits
for the next byte, because the two may be one CRLF; ``close`` settles it.

Line ends are ASCII, hence never part of a longer UTF-8 sequence: decoding line by line is decoding
the stream.

Example
-------
>>> decoder = Decoder()
>>> decoder.feed(b": hi\\n\\ndata: {}\\n")
[]
>>> [(event.data, event.start, event.end) for event in decoder.feed(b"\\n")]
[('{}', 6, 16)]
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Final

__all__ = ["Block", "Decoder", "Event", "Line", "decode"]

_LINE_END = re.compile(rb"\r\n?|\n")
_BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Line:
    """One line that is not blank.

    Attributes:
        number: counted from 1, blank lines included.
        start, end: byte offsets of the text, without its line end.
        text: the text, U+FFFD where the bytes are no UTF-8.
        name: the field's name; ``""`` for a comment.
        value: the field's value, or the comment's text, one leading space removed.
    """

    number: int
    start: int
    end: int
    text: str
    name: str
    value: str

    @property
    def span(self) -> tuple[int, int]:
        """Byte offsets ``[start, end)``."""
        return self.start, self.end

    @property
    def is_comment(self) -> bool:
        """Whether the line begins with a colon."""
        return self.text.startswith(":")


@dataclass(frozen=True, slots=True)
class Block:
    """Lines without a blank line between them, whether they make an event or not.

    Attributes:
        lines: in order; never empty.
        start, end: byte offsets; ``end`` is after the blank line, or after the last line.
        terminated: a blank line ended it (False: the stream did).
    """

    lines: tuple[Line, ...]
    start: int
    end: int
    terminated: bool

    def fields(self, name: str) -> tuple[Line, ...]:
        """The block's lines with this field name, in order."""
        return tuple(line for line in self.lines if line.name == name)


@dataclass(frozen=True, slots=True)
class Event:
    """A block with data. §9.2.6 dispatches it only where ``terminated``.

    Attributes:
        data: the joined values of the data lines.
        type: the last ``event`` value, ``"message"`` where there is none or it is empty.
        id: the last event id of the stream so far.
        start, end: byte offsets; ``end`` is after the blank line.
        data_lines: byte offsets of each data line.
        terminated: a blank line ended it.
        block: its lines, comments included.
    """

    data: str
    type: str
    id: str
    start: int
    end: int
    data_lines: tuple[tuple[int, int], ...]
    terminated: bool
    block: Block

    @property
    def span(self) -> tuple[int, int]:
        """Byte offsets ``[start, end)``."""
        return self.start, self.end


class Decoder:
    """An incremental decoder. Everything it notes can be read at any time:

    Attributes:
        blocks: all blocks so far, in order, also those without data.
        events: all events so far.
        line_ends: how many lines ended with ``"\\n"``, ``"\\r\\n"``, ``"\\r"``.
        first_cr: byte offset of the first CR, else None.
        bom: the stream began with EF BB BF (not part of the first line).
        bad_utf8: byte offset of the first byte that is no UTF-8, else None.
        closed: ``close`` was called.
    """

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.events: list[Event] = []
        self.line_ends: Counter[str] = Counter()
        self.first_cr: int | None = None
        self.bom = False
        self.bad_utf8: int | None = None
        self.closed = False
        self._pending = bytearray()  # bytes not yet known to be whole lines
        self._offset = 0  # of the first pending byte
        self._searched = 0  # pending bytes known to hold no line end
        self._begun = False  # whether the first bytes are known to be a BOM or not
        self._number = 0
        self._lines: list[Line] = []
        self._last_id = ""

    @property
    def comments(self) -> list[Line]:
        """All comment lines of finished blocks, in order."""
        return [line for block in self.blocks for line in block.lines if line.is_comment]

    @property
    def waiting(self) -> int:
        """How many lines the unfinished block has so far."""
        return len(self._lines)

    def feed(self, data: bytes) -> list[Event]:
        """Take bytes, give the events they complete. Raises ValueError after ``close``."""
        if self.closed:
            raise ValueError("the decoder is closed")
        self._pending += data
        return self._read(final=False)

    def close(self) -> list[Event]:
        """The stream ended: give what was waiting, the unfinished event included; repeatable."""
        if self.closed:
            return []
        self.closed = True
        events = self._read(final=True)
        if self._pending:
            events += self._take_line(0, len(self._pending), len(self._pending), "")
        if self._lines:
            events += self._end_block(self._lines[-1].end, terminated=False)
        return events

    def _read(self, *, final: bool) -> list[Event]:
        if not self._begun:
            if not final and len(self._pending) < len(_BOM) and _BOM.startswith(self._pending):
                return []
            self._begun = True
            self.bom = self._pending.startswith(_BOM)
            if self.bom:
                self._drop(len(_BOM))
        events: list[Event] = []
        start, size = 0, len(self._pending)
        search_from = self._searched
        while found := _LINE_END.search(self._pending, search_from):
            end, stop = found.span()
            if stop == size and found[0] == b"\r" and not final:
                search_from = end
                break
            events += self._take_line(start, end, stop, found[0].decode("ascii"))
            start = search_from = stop
        else:
            search_from = size
        found = None  # a live match would lock the buffer
        self._drop(start)
        self._searched = search_from - start
        return events

    def _drop(self, count: int) -> None:
        del self._pending[:count]
        self._offset += count

    def _take_line(self, start: int, end: int, stop: int, line_end: str) -> list[Event]:
        raw = bytes(self._pending[start:end])
        start, end, stop = start + self._offset, end + self._offset, stop + self._offset
        self._number += 1
        if line_end:
            self.line_ends[line_end] += 1
            if self.first_cr is None and "\r" in line_end:
                self.first_cr = end
        if not raw:
            return self._end_block(stop, terminated=True)
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            if self.bad_utf8 is None:
                self.bad_utf8 = start + error.start
            text = raw.decode("utf-8", "replace")
        name, _, value = text.partition(":")
        self._lines.append(Line(self._number, start, end, text, name, value.removeprefix(" ")))
        return []

    def _end_block(self, end: int, *, terminated: bool) -> list[Event]:
        if not self._lines:
            return []
        block = Block(tuple(self._lines), self._lines[0].start, end, terminated)
        self._lines.clear()
        self.blocks.append(block)
        for line in block.fields("id"):
            if "\0" not in line.value:
                self._last_id = line.value
        data = block.fields("data")
        if not data:
            return []
        types = block.fields("event")
        event = Event(
            data="\n".join(line.value for line in data),
            type=(types[-1].value if types else "") or "message",
            id=self._last_id,
            start=block.start,
            end=block.end,
            data_lines=tuple(line.span for line in data),
            terminated=terminated,
            block=block,
        )
        self.events.append(event)
        return [event]


def decode(body: bytes) -> Decoder:
    """A closed decoder that has read the whole ``body``."""
    decoder = Decoder()
    decoder.feed(body)
    decoder.close()
    return decoder
