"""The bytes of a stream -> where its tokens are, its usage, its end. Off the clock, and fast.

Laws
----
* Nothing raises for what a target sends.
* The result is that of reading every chunk as JSON. A chunk may be taken unread only where it
  equals, byte for byte, one that was read, but for the inside of one string without escapes.
* A *token-bearing event* has non-empty ``content``, ``refusal``, ``reasoning_content`` or
  ``reasoning``, or a tool call's name or arguments. An event that has only a role, an empty delta,
  a usage or a comment never counts.

Theory
------
At 60,000 tokens a second reading each chunk as JSON would cost a fifth of a core. But the chunks of
one stream differ in one string: cut at that string, head and tail of a chunk are those of the chunk
before. The pair of a chunk that was read and found to bear a token is remembered; a chunk with the
same pair and a non-empty string there bears one too.

Bodies with a CR, and blocks of more than one line, are left to the decoder of the
conformance suite.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from conformance.protocol import sse
from conformance.protocol.finding import shorten

__all__ = ["Decoded", "decode", "error_message"]

WINDOW: Final = 65_536
"""Bytes, and the rest of a block, that are split into blocks at once."""

MOST_LINES: Final = 10_000
"""Lines of a block that are read: a right one has three."""

_SAID = re.compile(rb'"(content|refusal|reasoning_content|reasoning)": ?"([^"\\\x00-\x1f]+)"')
_VISIBLE: Final = ("content", "refusal")
_REASONING: Final = ("reasoning_content", "reasoning")
_SPEAKING: Final = (*_VISIBLE, *_REASONING, "tool_calls", "function_call")


@dataclass(slots=True)
class Decoded:
    """What a stream said. Offsets are bytes into the body, after the event's blank line.

    Attributes:
        events: offset after each event with data, in order.
        tokens: offset after each token-bearing event.
        visible: offset after the first token-bearing event that is no reasoning, else None.
        prompt_tokens, output_tokens, reasoning_tokens, cached_tokens: by ``usage``, else None.
        finish: the first finish_reason of each choice that has one, by index.
        choices: how many choices spoke or ended.
        done: ``[DONE]`` was read.
        model: the first chunk's ``model``.
        error: the message of an error event, else None.
        broken: the first data that is no JSON object, shortened, else None.
        text: the visible text of the first choice.
    """

    events: list[int] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)
    visible: int | None = None
    prompt_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None
    finish: dict[int, str] = field(default_factory=dict)
    choices: set[int] = field(default_factory=set)
    done: bool = False
    model: str | None = None
    error: str | None = None
    broken: str | None = None
    text: str = ""


def decode(body: bytes) -> Decoded:
    """Read a body, whole or cut off. Never raises."""
    reader = _Reader()
    for end, data, kind in _data(body):
        if reader.take(end, data, kind):
            break
    reader.result.text = b"".join(reader.said).decode("utf-8", "replace")
    return reader.result


def _data(body: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Each event: the offset after it, its data, its type (b"" where it names none)."""
    if b"\r" in body or body.startswith(b"\xef\xbb\xbf"):
        for event in _decoded(body):
            kind = b"" if event.type == "message" else event.type.encode("utf-8", "replace")
            yield event.end, event.data.encode("utf-8", "replace"), kind
        return
    end = 0
    size = len(body)
    for raw in _blocks(body):
        end += len(raw) + 2
        block = raw.lstrip(b"\n") if raw.startswith(b"\n") else raw
        at = min(end, size)  # the last block may lack its blank line
        if block.startswith(b"data:") and b"\n" not in block:
            yield at, block[6:] if block[5:6] == b" " else block[5:], b""
            continue
        fields = [line.partition(b":") for line in block.split(b"\n", MOST_LINES)[:MOST_LINES]]
        values = [value.removeprefix(b" ") for name, _, value in fields if name == b"data"]
        if values:
            kinds = [value.removeprefix(b" ") for name, _, value in fields if name == b"event"]
            yield at, b"\n".join(values), kinds[-1] if kinds else b""


def _decoded(body: bytes) -> Iterator[sse.Event]:
    """The events of the suite's decoder, which keeps none; up to a block of too many lines."""
    decoder = sse.Decoder()
    for start in range(0, len(body), WINDOW):
        yield from decoder.feed(body[start : start + WINDOW])
        decoder.events.clear()
        decoder.blocks.clear()
        if decoder.waiting > MOST_LINES:
            return
    yield from decoder.close()


def _blocks(body: bytes) -> Iterator[bytes]:
    """``body.split(b"\\n\\n")``, a window at a time: millions of blocks are never held at once."""
    start = 0
    while len(body) - start > WINDOW:
        stop = body.find(b"\n\n", start + WINDOW)
        if stop < 0:
            break
        yield from body[start:stop].split(b"\n\n")
        start = stop + 2
    yield from body[start:].split(b"\n\n")


class _Reader:
    """One stream, event by event."""

    def __init__(self) -> None:
        self.result = Decoded()
        self.said: list[bytes] = []
        self._known: dict[tuple[bytes, bytes], bool] = {}  # head and tail -> whether it is visible

    def take(self, end: int, data: bytes, kind: bytes) -> bool:
        """One event; whether the stream is over."""
        result = self.result
        found = _SAID.search(data)
        if found is not None:
            start, stop = found.span(2)
            visible = self._known.get((data[:start], data[stop:]))
            if visible is not None and (data.isascii() or _is_utf8(data)):
                result.events.append(end)
                result.tokens.append(end)
                if visible:
                    self.said.append(found[2])
                    if result.visible is None:
                        result.visible = end
                return False
        if data.strip() == b"[DONE]":
            result.done = True
            return True
        if not data:
            return False
        result.events.append(end)
        try:
            value = json.loads(data)
        except (ValueError, RecursionError):
            value = None
        if isinstance(value, dict):
            self._chunk(end, value, kind, data, found)
        elif kind == b"error":
            result.error = result.error or data.decode("utf-8", "replace")
        elif result.broken is None:
            result.broken = data[:120].decode("utf-8", "replace")
        return False

    def _chunk(
        self,
        end: int,
        value: Mapping[str, Any],
        kind: bytes,
        data: bytes,
        found: re.Match[bytes] | None,
    ) -> None:
        result = self.result
        if value.get("error") or kind == b"error":
            result.error = result.error or error_message(value)
            return
        if result.model is None and isinstance(value.get("model"), str):
            result.model = value["model"]
        if isinstance(usage := value.get("usage"), dict):
            self._usage(usage)
        choices = value.get("choices")
        bears, visible, plain = False, False, True
        last: Mapping[str, Any] = {}
        for choice in choices if isinstance(choices, list) else []:
            if not isinstance(choice, dict):
                continue
            index = choice.get("index") if isinstance(choice.get("index"), int) else 0
            result.choices.add(index or 0)
            last = delta if isinstance(delta := choice.get("delta"), dict) else {}
            spoken, shown = _speech(last)
            bears, visible = bears or spoken or shown, visible or shown
            reason = choice.get("finish_reason")
            if isinstance(reason, str):
                result.finish.setdefault(index or 0, reason)
            plain = plain and reason is None and not index
        if not bears:
            return
        result.tokens.append(end)
        if visible:
            if result.visible is None:
                result.visible = end
            self.said.append(_text(value).encode("utf-8", "replace"))
        if found is not None and plain and len(choices or ()) == 1 and not value.get("usage"):
            start, stop = found.span(2)
            name = found[1].decode()
            # The string that was cut out must be the one, and the only one, that bears the token.
            borne = {one: last[one] for one in _SPEAKING if last.get(one)}
            if borne == {name: found[2].decode()}:
                self._known[data[:start], data[stop:]] = name in _VISIBLE

    def _usage(self, usage: Mapping[str, Any]) -> None:
        result = self.result
        result.prompt_tokens = _count(usage, "prompt_tokens", result.prompt_tokens)
        result.output_tokens = _count(usage, "completion_tokens", result.output_tokens)
        for owner, name, into in (
            ("completion_tokens_details", "reasoning_tokens", "reasoning_tokens"),
            ("prompt_tokens_details", "cached_tokens", "cached_tokens"),
        ):
            details = usage.get(owner)
            if isinstance(details, dict):
                setattr(result, into, _count(details, name, getattr(result, into)))


def _count(source: Mapping[str, Any], name: str, known: int | None) -> int | None:
    value = source.get(name)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53:
        return value
    return known


def _speech(delta: Mapping[str, Any]) -> tuple[bool, bool]:
    """Whether a delta bears a token that is not shown (reasoning, a call), and one that is."""
    shown = any(isinstance(delta.get(name), str) and delta[name] for name in _VISIBLE)
    spoken = any(isinstance(delta.get(name), str) and delta[name] for name in _REASONING)
    calls = delta.get("tool_calls")
    functions = (
        [c.get("function") for c in calls if isinstance(c, dict)] if isinstance(calls, list) else []
    )
    functions.append(delta.get("function_call"))
    called = any(isinstance(f, dict) and (f.get("name") or f.get("arguments")) for f in functions)
    return spoken, shown or called


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _text(chunk: Mapping[str, Any]) -> str:
    """The visible text of the first choice in a chunk."""
    for choice in chunk.get("choices") or ():
        delta = choice.get("delta") if isinstance(choice, dict) else None
        if isinstance(delta, dict) and not choice.get("index"):
            return "".join(p for name in _VISIBLE if isinstance(p := delta.get(name), str))
    return ""


def error_message(value: object) -> str:
    """The message of an error body or event, whatever its form; one line of at most 200 letters."""
    error = value.get("error", value) if isinstance(value, Mapping) else value
    if isinstance(error, Mapping):
        error = error.get("message") or error
    if not isinstance(error, str):
        error = shorten(error, 200)  # neither deep nor large values cost more than they show
    return " ".join(error.split())[:200]
