"""Rules for log probabilities, in a completion's choice and in a chunk's: CC-LOGP.

Laws
----
* Nothing here compares with another run: a token and its number are the model's own business.
* Bytes are compared as text, and lossily: a code point may be split over tokens, a server may write
  U+FFFD for what it cannot decode.
* What a text leaves out on purpose (thought, the tokens that begin and end a turn) may be told.

Decisions
---------
* ``logprobs`` that was not requested and is not null is CC-LOGP-008 (and CC-MSG-009), and nothing
  in it is judged.
* ``NaN`` and the infinities are CC-LOGP-003 alone, whether they are spelled bare (then the document
  is read as a tolerant client would) or as a number beyond the range of a double.
* Of ``content`` and ``refusal`` each entry is judged; the text that they join to is ``content``'s.
* A stream is judged by CC-LOGP-009: what its chunks tell is compared with their own deltas.

Theory
------
An entry stands for one token: its ``bytes``, or else its ``token`` as UTF-8. `Alignment` adds up,
over the chunks of one choice, the bytes told and the text sent. Where both are equal they are
dropped; where half a code point is told, its text may come with the next chunk.
"""

from __future__ import annotations

import codecs
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, TypeGuard

from .facts import Facts
from .finding import ABSENT, Findings, Quote, Tell, shorten
from .fold import REASONING
from .rules import Rule, breaches, is_integer, is_list, is_text, optional, present, unused

__all__ = ["Alignment", "Entry", "entries_of", "holds_nan", "is_told", "judge", "judge_choices"]

Entry = Mapping[str, object]

LISTS: Final = ("content", "refusal")
"""Members of ``logprobs`` that hold entries (SPEC choices.logprobs)."""

ROUNDING: Final = 1e-4
"""How far above zero a logarithm may come out for a probability of one."""


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_finite(value: object) -> bool:
    return not isinstance(value, float) or math.isfinite(value)


def _is_logarithm(value: object) -> bool:
    return not _is_number(value) or not _is_finite(value) or value <= ROUNDING


def _are_octets(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(one, int) and is_integer(one) and 0 <= one <= 255 for one in value
    )


UNASKED: Final = Rule(
    "CC-LOGP-008",
    "logprobs",
    unused,
    "logprobs is null or absent without the request",
    when=lambda facts: not facts.logprobs,
)
"""Of a choice, streamed or not."""

TOKEN_RULES: Final = (
    Rule("CC-LOGP-002", "token", is_text, "token is a string"),
    Rule("CC-LOGP-002", "logprob", _is_number, "logprob is a number"),
    Rule("CC-LOGP-003", "logprob", _is_finite, "logprob is finite"),
    Rule("CC-LOGP-003", "logprob", _is_logarithm, "logprob is at most 0", mild=True),
    Rule("CC-LOGP-002", "bytes", optional(_are_octets), "bytes is null or an array of 0-255"),
    Rule("CC-LOGP-010", "bytes", present, "the key bytes is there"),
)
"""Of an entry and of an alternative."""

ENTRY_RULES: Final = (
    *TOKEN_RULES,
    Rule("CC-LOGP-002", "top_logprobs", is_list, "top_logprobs is an array"),
)

HOLDER_RULES: Final = (
    *(
        Rule("CC-LOGP-002", name, optional(is_list), f"logprobs.{name} is null or an array")
        for name in LISTS
    ),
    Rule("CC-LOGP-007", "refusal", present, "the key refusal is there", mild=True),
)


def entries_of(logprobs: object, name: str = "content") -> list[Entry]:
    """The entries of ``content`` or ``refusal`` that are objects."""
    listed = logprobs.get(name) if isinstance(logprobs, dict) else None
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def holds_nan(choices: Iterable[Mapping[str, object]]) -> bool:
    """Whether a bare ``NaN`` or infinity stands in the log probabilities (lenient reading)."""
    for choice in choices:
        for entry in (one for name in LISTS for one in entries_of(choice.get("logprobs"), name)):
            listed = entry.get("top_logprobs")
            told = [entry, *(listed if isinstance(listed, list) else [])]
            if not all(_is_finite(one.get("logprob")) for one in told if isinstance(one, dict)):
                return True
    return False


def judge(tell: Tell, logprobs: object, facts: Facts, path: str) -> None:
    """CC-LOGP-002, 003, 004, 005, 007 and 010 of one ``logprobs``, where they were requested.

    Args:
        path: its place in the object, ``$.choices[0].logprobs``.
    """
    if not facts.logprobs or logprobs is ABSENT or logprobs is None:
        return
    if not isinstance(logprobs, dict):
        tell("CC-LOGP-002", "logprobs is null or an object", logprobs, path)
        return
    _members(tell, HOLDER_RULES, logprobs, facts, path)
    for name in LISTS:
        listed = logprobs.get(name)
        at = f"{path}.{name}[*]"
        for entry in listed if isinstance(listed, list) else []:
            _members(tell, ENTRY_RULES, entry, facts, at)
            top = entry.get("top_logprobs") if isinstance(entry, dict) else None
            ranked = top if isinstance(top, list) else []
            for one in ranked:
                _members(tell, TOKEN_RULES, one, facts, f"{at}.top_logprobs[*]")
            _alternatives(tell, ranked, facts, f"{at}.top_logprobs")


def _members(tell: Tell, table: tuple[Rule, ...], holder: object, facts: Facts, path: str) -> None:
    """What one table says of an object; another value than an object is CC-LOGP-002 alone."""
    if not isinstance(holder, dict):
        tell("CC-LOGP-002", "an entry is an object", holder, path)
        return
    for rule, seen in breaches(table, holder, facts):
        tell(rule.id, rule.required, seen, f"{path}.{rule.name}", mild=rule.mild)


def _alternatives(tell: Tell, ranked: Sequence[object], facts: Facts, path: str) -> None:
    most = facts.top_logprobs
    if len(ranked) > most:
        required = f"at most {most} alternatives" if most else "[] where none were asked for"
        tell("CC-LOGP-004", required, Quote(f"{len(ranked)} of them"), path)
    values = [one.get("logprob") for one in ranked if isinstance(one, dict)]
    numbers = [value for value in values if _is_number(value) and _is_finite(value)]
    if any(now > before + ROUNDING for before, now in pairwise(numbers)):
        tell("CC-LOGP-005", "the most likely alternative comes first", numbers, path)


def judge_choices(log: Findings, choices: Iterable[object], facts: Facts, usage: object) -> None:
    """All of a completion: what `judge` says of its choices, and CC-LOGP-006."""
    if not facts.logprobs:
        return
    for position, choice in enumerate(choices):
        if isinstance(choice, dict):
            path = f"$.choices[{position}].logprobs"
            judge(Tell(log), choice.get("logprobs", ABSENT), facts, path)
            _judge_whole(Tell(log), choice, facts, usage, f"{path}.content")


def _judge_whole(
    tell: Tell, choice: Mapping[str, object], facts: Facts, usage: object, path: str
) -> None:
    entries = entries_of(choice.get("logprobs"))
    if not entries:
        return
    if facts.top_logprobs and all(entry.get("top_logprobs") == [] for entry in entries):
        required = f"up to {facts.top_logprobs} alternatives of a token"
        tell("CC-LOGP-004", required, Quote("none for any token"), f"{path}[*].top_logprobs")
    given = choice.get("message")
    message = given if isinstance(given, dict) else {}
    content = message.get("content")
    more = bool(message.get("tool_calls")) or _thought(message, usage)
    if isinstance(content, str) and not is_told(entries, content, more=more):
        seen = _decoded(_joined(entries))
        tell("CC-LOGP-006", "the entries join to the content", seen, path)


def _thought(message: Mapping[str, object], usage: object) -> bool:
    """Whether the model thought before it spoke, as far as the reply shows it."""
    details = usage.get("completion_tokens_details") if isinstance(usage, dict) else None
    counted = details.get("reasoning_tokens") if isinstance(details, dict) else None
    return bool(counted) or any(message.get(name) for name in REASONING)


# What entries join to.

_CONTROL: Final = re.compile(r"<[|\uff5c]?[\w\u2581 /-]{1,40}[|\uff5c]?>|\[/?[A-Z_]{2,20}\]|")
"""A token that begins or ends a turn, in the spelling of some chat template; or nothing at all."""

_THINKING: Final = re.compile(r"</?think(?:ing)?>|<\|channel\|>|\[/?THINK\]")


def _joined(entries: Iterable[Entry]) -> bytes:
    return b"".join(map(_octets, entries))


def _octets(entry: Entry) -> bytes:
    given, token = entry.get("bytes"), entry.get("token")
    if _are_octets(given) and isinstance(given, list):
        return bytes(given)
    return token.encode("utf-8", "replace") if isinstance(token, str) else b""


def _decoded(octets: bytes) -> str:
    return octets.decode("utf-8", "replace")


def _is_same(told: str, text: str) -> bool:
    """Equality but for runs of U+FFFD, and for blanks and lost bytes at either end."""
    return _lossy(told) == _lossy(text)


def _lossy(text: str) -> str:
    return re.sub("\ufffd+", "\ufffd", text).strip().strip("\ufffd").strip()


def _is_control(entry: Entry) -> bool:
    token = entry.get("token")
    return isinstance(token, str) and _CONTROL.fullmatch(token) is not None


def is_told(entries: Sequence[Entry], content: str, *, more: bool = False) -> bool:
    """Whether the entries join to ``content``, a last stop token and control tokens apart.

    Where the model wrote ``more`` than its content (thought, calls) it is enough that they hold it.

    >>> is_told([{"token": "Hi", "bytes": [72, 105]}, {"token": "</s>", "bytes": None}], "Hi")
    True
    """
    told = _decoded(_joined(entries))
    if more or _THINKING.search(told):
        return _lossy(content) in _lossy(told)
    spoken = [entry for entry in entries if not _is_control(entry)]
    return any(
        _is_same(_decoded(_joined(some)), content) for some in (entries, entries[:-1], spoken)
    )


_LONGEST: Final = 10_000
"""Characters and octets that wait to be told apart: lost bytes may make them many."""


@dataclass(slots=True)
class Alignment:
    """CC-LOGP-009: what one choice of a stream tells beside what it says, chunk by chunk."""

    entries: list[Entry] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    astray: str | None = None
    """The first chunk whose entries and delta differ, in words; None while there is none."""
    _told: bytes = b""
    _said: str = ""
    _thought: bool = False
    _ends: bool = False

    def take(self, choice: Mapping[str, object], where: str) -> None:
        """Add one chunk's choice."""
        given = choice.get("delta")
        delta = given if isinstance(given, dict) else {}
        piece = delta.get("content")
        said = piece if isinstance(piece, str) else ""
        entries = entries_of(choice.get("logprobs"))
        self._thought = self._thought or any(delta.get(name) for name in REASONING)
        self.entries += entries
        self.texts.append(said)
        if self.astray is not None or len(self._said) + len(self._told) > _LONGEST:
            return  # what is told already, or nobody can tell any more
        self._said += said
        self._told += _joined(entry for entry in entries if said or not _is_control(entry))
        told = _decoded(self._told)
        if self._ends and said:
            self.astray = f"{where}: text after a token that was no text"
        if _is_unfinished(self._told):
            return  # the rest of the code point comes with the next token
        if _is_same(told, self._said) or self._is_spoken(entries):
            self._told, self._said = b"", ""
        elif "\ufffd" in told + self._said:
            return  # who decodes what by itself is no matter
        elif not self._said and len(entries) == 1:
            self._told, self._ends = b"", True  # the stop token: nothing may follow
        elif self.astray is None:
            seen = f"tokens {shorten(told, 50)} beside the text {shorten(self._said, 50)}"
            self.astray = f"{where}: {seen}"

    def _is_spoken(self, entries: Sequence[Entry]) -> bool:
        spoken = _joined(entry for entry in entries if not _is_control(entry))
        return _is_same(_decoded(spoken), self._said)

    def breach(self) -> str | None:
        """What is wrong, at the end of the stream; None where the entries fit the deltas."""
        text = "".join(self.texts)
        if not text:
            return None
        if not self.entries:
            return "no chunk carries log probabilities"
        if self._thought or _THINKING.search(_decoded(_joined(self.entries))):
            told = is_told(self.entries, text, more=True)
            return None if told else "the tokens do not hold the text"
        return self.astray


def _is_unfinished(octets: bytes) -> bool:
    """Whether the last code point lacks some of its bytes."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    decoder.decode(octets)
    return bool(decoder.getstate()[0])
