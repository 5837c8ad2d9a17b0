"""Assembling the chunks of a stream into the completion they stand for (CC-EQUIV-001).

The fold takes what it is given: a value of the wrong type is left out of the text, a missing role
or finish_reason stays missing, so that the rules for completions see what a client would get.

Absent content, refusal and logprobs become null. A choice that ended as audio does (CC-STREAM-012)
has no finish_reason and is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

__all__ = ["REASONING", "Assembly", "Choice", "is_audio_end", "is_cumulative", "repeats_whole"]

REASONING = ("reasoning_content", "reasoning")
"""Members of a delta or message that carry reasoning, DeepSeek's spelling before OpenRouter's."""

_COPIED = ("id", "created", "model", "system_fingerprint", "service_tier")


@dataclass(slots=True)
class Choice:
    """What one choice has said so far; ``texts`` and the like are the deltas, in order."""

    role: object = None
    texts: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    reasonings: dict[str, list[str]] = field(default_factory=dict)
    calls: dict[int, dict[str, object]] = field(default_factory=dict)
    function_call: dict[str, object] | None = None
    audio: dict[str, object] | None = None
    audio_ended: bool = False
    logprobs: dict[str, list[object]] = field(default_factory=dict)
    finish_reason: object = None

    @property
    def ended_as_audio(self) -> bool:
        """Ended by an ``expires_at``-only audio delta instead of a finish_reason."""
        return self.audio_ended and self.finish_reason is None

    def take(self, delta: Mapping[str, object]) -> None:
        """Add one delta."""
        if self.role is None:
            self.role = delta.get("role")
        for key, into in (("content", self.texts), ("refusal", self.refusals)):
            if isinstance(piece := delta.get(key), str):
                into.append(piece)
        for key in REASONING:
            if isinstance(piece := delta.get(key), str):
                self.reasonings.setdefault(key, []).append(piece)
        fragments = delta.get("tool_calls")
        for fragment in fragments if isinstance(fragments, list) else []:
            if isinstance(fragment, dict):
                index = fragment.get("index")
                key_of_call = index if isinstance(index, int) else len(self.calls)
                _merge(self.calls.setdefault(key_of_call, {}), fragment)
        if isinstance(call := delta.get("function_call"), dict):
            self.function_call = self.function_call or {}
            _merge(self.function_call, call)
        if isinstance(audio := delta.get("audio"), dict):
            self.audio = self.audio or {}
            _merge(self.audio, audio)
            self.audio_ended = is_audio_end(audio)

    def take_logprobs(self, logprobs: object) -> None:
        """Add one chunk's ``logprobs``."""
        if isinstance(logprobs, dict):
            for key in ("content", "refusal"):
                if isinstance(entries := logprobs.get(key), list):
                    self.logprobs.setdefault(key, []).extend(entries)

    def message(self) -> dict[str, object]:
        """The message that the deltas make."""
        message: dict[str, object] = {
            "content": "".join(self.texts) if self.texts else None,
            "refusal": "".join(self.refusals) if self.refusals else None,
        }
        if self.role is not None:
            message["role"] = self.role
        for key, pieces in self.reasonings.items():
            message[key] = "".join(pieces)
        if self.calls:
            message["tool_calls"] = [
                {key: value for key, value in call.items() if key != "index"}
                for _, call in sorted(self.calls.items())
            ]
        if self.function_call is not None:
            message["function_call"] = self.function_call
        if self.audio is not None:
            message["audio"] = self.audio
        return message


_GROWING = ("arguments", "data", "transcript", "input")  # strings that arrive in pieces


def _merge(into: dict[str, object], fragment: Mapping[str, object]) -> None:
    """Add a fragment of a call or audio: growing strings are joined, of others the first counts."""
    for key, value in fragment.items():
        known = into.get(key)
        if isinstance(value, dict) and isinstance(known, dict | None):
            nested = dict(known or {})
            _merge(nested, value)
            into[key] = nested
        elif key in _GROWING and isinstance(known, str) and isinstance(value, str):
            into[key] = known + value
        elif known is None or known == "":
            into[key] = value


def is_audio_end(audio: object) -> bool:
    """Whether an audio delta has nothing but ``expires_at`` (and perhaps its id)."""
    return isinstance(audio, dict) and "expires_at" in audio and set(audio) <= {"expires_at", "id"}


class Assembly:
    """The completion so far. ``take`` every ordinary chunk, in order."""

    def __init__(self) -> None:
        self.choices: dict[int, Choice] = {}
        self.usage: object = None
        self._head: dict[str, object] = {}

    def take(self, chunk: Mapping[str, object]) -> None:
        """Add what the chunk says about the whole: id, created, model, usage."""
        for key in _COPIED:
            if self._head.get(key) in (None, "") and key in chunk:
                self._head[key] = chunk[key]
        if chunk.get("usage") is not None:
            self.usage = chunk["usage"]

    def fold(self) -> dict[str, Any]:
        """The completion, as a non-streamed call would have answered it."""
        completion: dict[str, Any] = {**self._head, "object": "chat.completion"}
        completion["choices"] = [
            {
                "index": index,
                "message": choice.message(),
                "logprobs": choice.logprobs or None,
                "finish_reason": choice.finish_reason,
            }
            for index, choice in sorted(self.choices.items())
            if not choice.ended_as_audio
        ]
        if self.usage is not None:
            completion["usage"] = self.usage
        return completion


def is_cumulative(deltas: list[str]) -> bool:
    """CC-STREAM-015: five or more text deltas, each begins with the whole one before it, and grows.

    Empty deltas are no text. The clause wants this in 2 of 2 streams; that is the check's part.

    >>> is_cumulative(["1", "1 2", "1 2 3", "1 2 3 4", "1 2 3 4 5"])
    True
    """
    texts = [delta for delta in deltas if delta]
    return (
        len(texts) >= 5
        and len(texts[-1]) > len(texts[0])
        and all(now.startswith(before) for before, now in pairwise(texts))
    )


def repeats_whole(deltas: list[str]) -> bool:
    """CC-STREAM-015: the last text delta, 20 characters or more, equals all before it joined.

    The clause wants this in 2 of 2 streams; that is the check's part.

    >>> repeats_whole(["one two three ", "four five", "one two three four five"])
    True
    """
    texts = [delta for delta in deltas if delta]
    return len(texts) > 1 and len(texts[-1]) >= 20 and texts[-1] == "".join(texts[:-1])
