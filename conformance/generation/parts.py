"""A valid request as the features that it holds, and the body that they make.

The laws:

1. Two features with one `key` exclude each other; whatever else stands beside a feature, the
   request is valid.
2. A null says nothing: it never takes away what another feature asks for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis.strategies import DrawFn, SearchStrategy, composite

from conformance.asking import prompts

from .drawing import some_of

Message = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    """One feature with a value: the parameters that it sets, and what it does to the messages.

    `before`: messages put before the question (`leads`: before all others); `said`: text put before
    it, in the same message; `pieces`: how many text parts the question is split into (0: it is a
    string); `named`: further members of the message that asks.
    """

    feature: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    before: tuple[Message, ...] = ()
    leads: bool = False
    said: str = ""
    pieces: int = 0
    named: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Feature:
    """Something that a valid request may hold.

    `clause` wants it accepted; `names` are the words of a clean refusal; `plain` is its plainest
    value; `needs` are capabilities without which no request holds it. `choosy`: a target may take
    some of the values and refuse others by name.
    """

    name: str
    clause: str
    names: tuple[str, ...]
    values: SearchStrategy[Part]
    plain: Part
    key: str
    needs: tuple[str, ...] = ()
    choosy: bool = False


@composite
def with_others(
    draw: DrawFn,
    first: Feature | None,
    offered: Sequence[Feature],
    most: int = 3,
    plainly: bool = False,
) -> tuple[Part, ...]:
    """`first` with a value, and up to `most` others of those offered (`plainly`: as they are)."""
    taken = {first.key} if first else set()
    chosen = [first] if first else []
    others = [feature for feature in offered if feature.key not in taken]
    for feature in draw(some_of(others, 0, most)) if others else ():
        if feature.key not in taken:
            taken.add(feature.key)
            chosen.append(feature)
    return tuple(one.plain if plainly else draw(one.values) for one in chosen)


def fields_of(parts: Sequence[Part]) -> dict[str, Any]:
    """What a body holds beside model and bound: the parameters and messages of the parts."""
    fields: dict[str, Any] = {}
    for part in parts:
        fields |= {k: v for k, v in part.fields.items() if v is not None or k not in fields}
    return {**fields, "messages": _messages(parts)}


def _messages(parts: Sequence[Part]) -> list[Message]:
    before = [m for part in sorted(parts, key=lambda part: not part.leads) for m in part.before]
    said = " ".join([*(part.said for part in parts if part.said), prompts.HELLO])
    pieces = max((part.pieces for part in parts), default=0)
    asks: dict[str, Any] = {"role": "user", "content": _split(said, pieces) if pieces else said}
    for part in parts:
        asks |= part.named
    return [*before, asks]


def _split(text: str, pieces: int) -> list[Message]:
    """The text as that many text parts, which join to it."""
    size = -(-len(text) // pieces)
    return [{"type": "text", "text": text[at : at + size]} for at in range(0, len(text), size)]
