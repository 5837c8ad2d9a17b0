"""A request that breaks exactly one rule: the rule, and the valid features beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hypothesis.strategies import DrawFn, SearchStrategy, composite

from .drawing import choice_of
from .parts import Feature, Part, with_others

LEFT_OUT: Final = object()
"""As a value: the parameter is not sent."""

Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Wrong:
    """A rule, broken. `names` are words of which a refusal names one; `touches` the parameters that
    no other feature may set; `needs` capabilities without which the rule says nothing."""

    name: str
    clause: str
    names: tuple[str, ...]
    values: SearchStrategy[Fields]
    touches: frozenset[str]
    needs: tuple[str, ...] = ()
    demanded: bool = True


def row(
    name: str,
    clause: str,
    names: str,
    *values: Fields,
    needs: str = "",
    demanded: bool = True,
) -> Wrong:
    """A rule that each of `values` breaks; `names` and `needs` are words, spaces between them."""
    touches = frozenset(key for fields in values for key in fields)
    words, flags = tuple(names.split()), tuple(needs.split())
    return Wrong(name, clause, words, choice_of(values), touches, flags, demanded)


def each(parameter: str, values: Sequence[Any], **beside: Any) -> list[Fields]:
    """`parameter` with each of the values, the fields `beside` it."""
    return [{parameter: value, **beside} for value in values]


@dataclass(frozen=True, slots=True)
class Mistake:
    """A request that breaks one rule: the fields that do, and the valid parts beside them."""

    fields: Fields
    parts: tuple[Part, ...]


@composite
def broken(draw: DrawFn, rule: Wrong, offered: Sequence[Feature]) -> Mistake:
    """A request that breaks `rule` and no other, with up to two features beside, in plain form."""
    beside = [feature for feature in offered if not _touches(feature, rule)]
    fields = draw(rule.values)
    return Mistake(fields, draw(with_others(None, beside, most=2, plainly=True)))


def _touches(feature: Feature, rule: Wrong) -> bool:
    """Whether a feature sets what the rule is about, or could be taken for it."""
    about_messages = "messages" in rule.touches
    in_messages = not feature.plain.fields or bool(feature.plain.before)
    if about_messages and in_messages:
        return True
    return bool(rule.touches & set(feature.plain.fields)) or feature.name == "nulls"
