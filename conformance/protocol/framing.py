"""Rules for the bytes of a stream: chapter CC-SSE, as far as the body alone can tell.

Headers (001, 022, 023), clock (007, 021, 025) and repeated trials (020) are judged by the checks;
the part of 024 that needs the choices is judged by the chunk machine (stream.py).

Theory
------
Every ``data`` value is one ``Item`` of one ``Kind``; the rules speak about items, blocks and lines.
Where two entries' own words forbid the same bytes, both are told: a value that is no JSON is
CC-SSE-003 and CC-SSE-012, and in the place of ``[DONE]`` CC-SSE-005 too. What is *not* told is what
only follows from a breach:

* *Single newlines* (CC-SSE-004; also 003, 010 and 012, which ask for one JSON value on one line).
  The block's lines are then read as the values they were meant to be, so nothing is missed later.
* *A broken chunk* (``NaN``) is read as a tolerant client would, once it has been told.
* *An unfinished last event* is dropped by conformant parsers. If it holds JSON it is CC-SSE-018,
  and is read as if it had been finished; if it holds a fragment it is not judged as a value.
* *An error in plain text* (CC-SERR-003) is an error all the same: no ``[DONE]`` has to follow it.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from .finding import Finding, Findings, Quote, excerpt
from .jsontext import JsonError, loads, loads_leniently
from .sse import Block, Decoder, Event, Line

__all__ = ["Item", "Kind", "findings", "is_error", "items", "plain_error"]

DONE: Final = "[DONE]"
_FIELDS: Final = frozenset({"data", "event", "id", "retry"})  # §9.2.6; any other is ignored


class Kind(enum.Enum):
    """What a ``data`` value is."""

    DONE = "[DONE]"
    OBJECT = "a JSON object"
    VALUE = "another JSON value"
    BROKEN = "an object that is no JSON"
    TEXT = "no JSON"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class Item:
    """One ``data`` value.

    Attributes:
        number: counted from 1; findings call it "chunk N" or "event N".
        kind: what the value is.
        value: the JSON value; of a BROKEN one what a tolerant client reads; else None.
        text: the value as sent.
        span: byte offsets of its event (of its line, where a block held several).
        event: the event it came in.
    """

    number: int
    kind: Kind
    value: object
    text: str
    span: tuple[int, int]
    event: Event

    @property
    def where(self) -> str:
        """Its place, for people."""
        return f"event {self.number}"

    @property
    def seen(self) -> str:
        """Its value, for people: JSON as it stands, anything else in quotes."""
        quoted = self.kind in (Kind.TEXT, Kind.EMPTY)
        return self.text if quoted else excerpt(self.text)


def is_error(value: object) -> bool:
    """Whether a ``data`` value is an error event: openai-python and -node test for a truthy error.

    Truthy as in JavaScript: ``{}`` and ``[]`` are errors, null, false, 0 and ``""`` are none.
    """
    if not isinstance(value, dict):
        return False
    error = value.get("error")
    return isinstance(error, dict | list) or bool(error)


def items(events: list[Event]) -> list[Item]:
    """The ``data`` values of a stream in order, merged blocks (CC-SSE-004) taken apart."""
    found: list[Item] = []
    for event in events:
        lines = merged_lines(event)
        parts = [(line.value, line.span) for line in lines] or [(event.data, event.span)]
        for text, span in parts:
            kind, value = _classify(text)
            found.append(Item(len(found) + 1, kind, value, text, span, event))
    return found


def plain_error(values: list[Item]) -> Item | None:
    """The last value of a stream, if it must be an error told in plain text (CC-SERR-003).

    It is one if it is no JSON, nothing like ``[DONE]``, and no choice has finished before it.
    """
    last = values[-1] if values else None
    if last is None or last.kind is not Kind.TEXT or not last.event.terminated:
        return None
    spelled = last.text.strip().casefold()
    if spelled in ("[done]", "done") or any(_finishes(item.value) for item in values):
        return None
    return last


def _finishes(value: object) -> bool:
    choices = value.get("choices") if isinstance(value, dict) else None
    return any(
        isinstance(choice, dict) and choice.get("finish_reason")
        for choice in (choices if isinstance(choices, list) else [])
    )


def merged_lines(event: Event) -> tuple[Line, ...]:
    """The data lines of a block that holds several values for want of blank lines, else none."""
    lines = event.block.fields("data")
    if len(lines) < 2 or _classify(event.data)[0] in (Kind.OBJECT, Kind.VALUE):
        return ()
    whole = (Kind.OBJECT, Kind.VALUE, Kind.DONE)
    return lines if sum(_classify(line.value)[0] in whole for line in lines) >= 2 else ()


def _classify(text: str) -> tuple[Kind, object]:
    if text == DONE:
        return Kind.DONE, None
    if not text.strip():
        return Kind.EMPTY, None
    try:
        value = loads(text)
    except JsonError:
        if text.lstrip().startswith("{"):
            return Kind.BROKEN, loads_leniently(text)
        return Kind.TEXT, None
    return (Kind.OBJECT if isinstance(value, dict) else Kind.VALUE), value


def findings(decoder: Decoder, values: list[Item], *, complete: bool = True) -> list[Finding]:
    """All CC-SSE findings of a decoded body; ``complete`` as in Facts.

    002, 003, 004, 005, 006, 008, 009, 010, 012, 013, 014, 015, 016, 017, 018 and 026.
    """
    log = Findings()
    _bytes(log, decoder)
    _values(log, values)
    for block in decoder.blocks:
        _bare_json(log, block)
        _fields(log, block)
    _events(log, decoder.events)
    _empty_dispatch(log, decoder.blocks)
    _terminator(log, values, complete=complete)
    if complete:
        _unfinished(log, values)
    return list(log)


def _bytes(log: Findings, decoder: Decoder) -> None:
    if (bad := decoder.bad_utf8) is not None:
        required = "the byte stream is UTF-8"
        log.add("CC-SSE-002", required, Quote(f"no UTF-8 at byte {bad}"), span=(bad, bad + 1))
    if (cr := decoder.first_cr) is not None:
        ends = decoder.line_ends
        lf, crlf, lone = ends["\n"], ends["\r\n"], ends["\r"]
        seen = Quote(f"LF {lf}, CRLF {crlf}, CR {lone} times")
        log.add("CC-SSE-008", "every line ends with LF", seen, f"byte {cr}", span=(cr, cr + 1))
    if decoder.bom:
        log.add("CC-SSE-017", "no byte-order mark", Quote("EF BB BF"), "byte 0", span=(0, 3))


def _values(log: Findings, values: list[Item]) -> None:
    for item in values:
        if item.event.terminated or item.kind in (Kind.OBJECT, Kind.VALUE):
            _value(log, item)


def _value(log: Findings, item: Item) -> None:
    if item.kind in (Kind.VALUE, Kind.BROKEN, Kind.TEXT, Kind.EMPTY):
        required = "every data value but [DONE] is one JSON object"
        log.add("CC-SSE-003", required, item.seen, item.where, span=item.span)
    if item.kind in (Kind.BROKEN, Kind.TEXT, Kind.EMPTY):
        required = "no data value is empty or no JSON, [DONE] apart"
        log.add("CC-SSE-012", required, item.seen, item.where, span=item.span)
    if isinstance(item.value, dict):
        choices, error = item.value.get("choices"), item.value.get("error")
        if not isinstance(choices, list) and not isinstance(error, dict):
            required = "every data object has a list of choices or an error object"
            log.add("CC-SSE-016", required, item.seen, item.where, span=item.span)


def _bare_json(log: Findings, block: Block) -> None:
    """No JSON stands outside a data field: neither on one line nor over the lines of a block."""
    required = "no JSON stands outside a data field"
    bare = [line for line in block.lines if line.name not in _FIELDS and not line.is_comment]
    single = [line for line in bare if _is_json(line.text)]
    for line in single:
        log.add("CC-SSE-003", required, excerpt(line.text), f"line {line.number}", span=line.span)
    if len(bare) == len(block.lines) > 1 and not single:
        text = "\n".join(line.text for line in bare)
        if _is_json(text):
            span = (block.start, block.lines[-1].end)
            log.add("CC-SSE-003", required, excerpt(text), f"line {bare[0].number}", span=span)


def _is_json(text: str) -> bool:
    try:
        loads(text)
    except JsonError:
        return False
    return True


def _fields(log: Findings, block: Block) -> None:
    data = block.fields("data")
    for line in data:
        if not line.text.startswith("data: "):
            required = "one space follows `data:`"
            log.add(
                "CC-SSE-009", required, excerpt(line.text), f"line {line.number}", span=line.span
            )
    for line in block.fields("event"):
        if line.value != "message" and not _announces_error(block, line):
            required = "there is no event field, or it is `message`"
            at = f"line {line.number}"
            log.add("CC-SSE-015", required, excerpt(line.text), at, span=line.span)
    others = [line for line in block.lines if line.name in _FIELDS]
    if others and not data and block.terminated:
        line = others[0]
        required = "a block with event, id or retry has a data line"
        span = (block.start, block.end)
        log.add("CC-SSE-013", required, excerpt(line.text), f"line {line.number}", span=span)


def _events(log: Findings, events: list[Event]) -> None:
    for event in events:
        where = f"line {event.block.lines[0].number}"
        if merged_lines(event):
            seen = Quote(f"{len(event.data_lines)} values in one block")
            for clause in ("CC-SSE-003", "CC-SSE-004", "CC-SSE-010", "CC-SSE-012"):
                required = "a blank line ends every value"
                log.add(clause, required, seen, where, span=event.span)
        elif len(event.data_lines) > 1:
            seen = Quote(f"{len(event.data_lines)} data lines for one value")
            log.add("CC-SSE-010", "a value is on one data line", seen, where, span=event.span)


def _announces_error(block: Block, line: Line) -> bool:
    """CC-SERR-008 accepts ``event: error`` before an error object."""
    data = "\n".join(field.value for field in block.fields("data"))
    return line.value == "error" and is_error(_classify(data)[1])


def _empty_dispatch(log: Findings, blocks: list[Block]) -> None:
    """openai-python dispatches an empty event at a blank line, once it has seen an id."""
    seen_id = False
    for block in blocks:
        comment = block.lines[-1]
        if seen_id and comment.is_comment and block.terminated and not block.fields("data"):
            required = "once an id was sent, no blank line follows a comment"
            at = f"line {comment.number}"
            log.add(
                "CC-SSE-014", required, excerpt(comment.text), at, span=(block.start, block.end)
            )
        seen_id = seen_id or bool(block.fields("id"))


def _terminator(log: Findings, values: list[Item], *, complete: bool) -> None:
    done = [item for item in values if item.kind is Kind.DONE]
    last = values[-1] if values else None
    failed = any(is_error(item.value) for item in values) or plain_error(values) is not None
    if complete and not failed and (last is None or last.kind is not Kind.DONE):
        required = "the last data value is [DONE]"
        seen = last.seen if last else Quote("no data at all")
        at, span = (last.where, last.span) if last else ("", None)
        log.add("CC-SSE-005", required, seen, at, span=span)
    for item in _after(values, done):
        if item.kind is not Kind.DONE:
            required = "no data but [DONE] follows [DONE]"
            log.add("CC-SSE-006", required, item.seen, item.where, span=item.span)
    if len(done) > 1:
        seen = Quote(f"{len(done)} of them")
        log.add("CC-SSE-026", "[DONE] occurs once", seen, done[1].where, span=done[1].span)


def _after(values: list[Item], done: list[Item]) -> Iterator[Item]:
    if done:
        yield from values[done[0].number :]


def _unfinished(log: Findings, values: list[Item]) -> None:
    for item in values:
        if item.event.terminated:
            continue
        if item.kind in (Kind.OBJECT, Kind.VALUE):
            required = "a blank line ends every event that carries JSON"
            log.add("CC-SSE-018", required, item.seen, item.where, span=item.span)
        elif item.kind is Kind.DONE:
            required = "a blank line ends [DONE]"
            seen = Quote("the body ends before it")
            log.add("CC-SSE-026", required, seen, item.where, span=item.span)
