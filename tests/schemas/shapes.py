"""Two spellings of a message, JSON Schema and Python types, brought to one form and compared.

A *shape* is the list of alternatives that a value may be. `facts` writes it out as one line per
statement, so that two shapes can be compared member by member:

    $.choices[].finish_reason   required   yes
    $.choices[].finish_reason   values     stop, length, …
    $.messages[]<tool>.content  types      array, string

Compared are the names of members, whether they are required, JSON types, and listed values. Bounds
and patterns are not: the Python types have none.
"""

from __future__ import annotations

import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

import pydantic
import typing_extensions

import schemas

TYPE_NAMES = {str: "string", int: "integer", float: "number", bool: "boolean"}
DISCRIMINATORS = ("role", "type")
MAYBE_NULL = "null?"
"""In a pydantic model `X | None = None` says that a member may be missing; null it leaves open."""


@dataclass(frozen=True)
class Alternative:
    """One JSON type that a value may have, and what it consists of."""

    type: str
    values: frozenset[object] | None = None
    item: tuple[Alternative, ...] | None = None
    members: Mapping[str, Member] | None = None
    map_value: tuple[Alternative, ...] | None = None


@dataclass(frozen=True)
class Member:
    required: bool
    shape: tuple[Alternative, ...] = field(default=())


Shape = tuple[Alternative, ...]
NULL = Alternative("null")
ANY = Alternative("any")


# --- from JSON Schema -----------------------------------------------------------------------------


def of_schema(name: str) -> Shape:
    """The shape of a schema (``error``) or of a definition inside one (``error#error``)."""
    whole, _, definition = name.partition("#")
    root = schemas.schema(whole)
    return _of_node(root["$defs"][definition] if definition else root, root)


def _of_node(node: Mapping[str, Any], root: Mapping[str, Any]) -> Shape:
    if ref := node.get("$ref"):
        file, _, pointer = ref.partition("#")
        root = schemas.schema(file.removesuffix(".schema.json")) if file else root
        here: Any = root
        for step in pointer.strip("/").split("/") if pointer else ():
            here = here[step]
        return _of_node(here, root)
    if branches := node.get("anyOf"):
        return tuple(one for branch in branches for one in _of_node(branch, root))
    listed = [node["const"]] if "const" in node else node.get("enum")
    if listed is not None:
        return _of_values(listed)
    stated = node.get("type")
    names = [stated] if isinstance(stated, str) else stated or []
    return tuple(_of_type(name, node, root) for name in names) or (ANY,)


def _of_type(name: str, node: Mapping[str, Any], root: Mapping[str, Any]) -> Alternative:
    if name == "array":
        return Alternative("array", item=_of_node(node.get("items", {}), root))
    if name == "object":
        required = set(node.get("required", ()))
        return Alternative(
            "object",
            members={
                key: Member(key in required, _of_node(value, root))
                for key, value in node.get("properties", {}).items()
            },
            map_value=_of_node(node.get("additionalProperties", {}), root),
        )
    return Alternative(name)


def _of_values(listed: Iterable[object]) -> Shape:
    listed = list(listed)
    values = [value for value in listed if value is not None]
    shape = [
        Alternative(TYPE_NAMES[kind], frozenset(v for v in values if type(v) is kind))
        for kind in {type(value) for value in values}
    ]
    return (*shape, *([NULL] if None in listed else []))


# --- from Python types ----------------------------------------------------------------------------


def of_type(hint: Any) -> Shape:  # noqa: PLR0911  # one return for each kind of annotation
    """The shape of a pydantic model, a TypedDict, or any annotation made of them."""
    origin, args = get_origin(hint), get_args(hint)
    if hint is type(None):
        return (NULL,)
    if hint in TYPE_NAMES:
        return (Alternative(TYPE_NAMES[hint]),)
    if origin in (Union, types.UnionType):
        return tuple(one for arg in args for one in of_type(arg))
    if origin in (typing_extensions.Annotated, typing_extensions.Required):
        return of_type(args[0])
    if origin is Literal:
        return _of_values(args)
    if origin is not None and issubclass(origin, Mapping):
        return (Alternative("object", members={}, map_value=of_type(args[1])),)
    if origin is not None:
        return (Alternative("array", item=of_type(args[0])),)
    if is_typeddict(hint) or typing_extensions.is_typeddict(hint):
        return (Alternative("object", members=_of_typed_dict(hint)),)
    if isinstance(hint, type) and issubclass(hint, pydantic.BaseModel):
        return (Alternative("object", members=_of_model(hint)),)
    assert hint is object, f"no rule for {hint!r}"
    return (ANY,)


def _of_typed_dict(hint: Any) -> dict[str, Member]:
    # The annotations are strings, so `__required_keys__` does not see `Required`.
    hints = get_type_hints(hint, include_extras=True)
    return {
        name: Member(get_origin(one) is typing_extensions.Required, of_type(one))
        for name, one in hints.items()
    }


def _of_model(model: type[pydantic.BaseModel]) -> dict[str, Member]:
    members = {}
    for name, info in model.model_fields.items():
        shape = of_type(info.annotation)
        if not info.is_required():
            shape = tuple(replace(one, type=MAYBE_NULL) if one == NULL else one for one in shape)
        members[name] = Member(info.is_required(), shape)
    return members


# --- as facts -------------------------------------------------------------------------------------


def facts(shape: Shape, path: str = "$") -> Iterator[tuple[str, str, str]]:
    """Write a shape out as (path, aspect, value)."""
    yield path, "types", ", ".join(sorted({one.type for one in shape}))
    if values := _listed(shape):
        yield path, "values", values
    items = [one for each in shape if each.item for one in each.item]
    if items and ANY not in items:
        yield from facts(tuple(items), f"{path}[]")
    objects = [one for one in shape if one.type == "object"]
    kinds = dict.fromkeys(_discriminator(one) for one in objects)
    if len(kinds) > 1 and all(kinds):
        for kind in kinds:
            same = [one for one in objects if _discriminator(one) == kind]
            yield from _members(same, f"{path}<{kind}>")
    elif objects:
        yield from _members(objects, path)


def _listed(shape: Shape) -> str:
    """The values that a string or boolean may have; "" where any is allowed."""
    scalars = [one for one in shape if one.type in ("string", "boolean")]
    if not scalars or any(one.values is None for one in scalars):
        return ""
    values = {value for one in scalars for value in one.values or ()}
    return "" if values == {True, False} else ", ".join(sorted(map(str, values)))


def _discriminator(one: Alternative) -> str:
    for name in DISCRIMINATORS:
        if one.members and name in one.members:
            return _listed(one.members[name].shape)
    return ""


def _members(objects: Sequence[Alternative], path: str) -> Iterator[tuple[str, str, str]]:
    """Objects that nothing tells apart count as one, which may have what any of them has."""
    maps = [value for one in objects for value in one.map_value or ()]
    if maps and ANY not in maps:
        yield from facts(tuple(maps), f"{path}{{}}")
    tables = [one.members or {} for one in objects]
    for name in dict.fromkeys(name for table in tables for name in table):
        members = [table.get(name, Member(required=False)) for table in tables]
        required = all(member.required for member in members)
        yield f"{path}.{name}", "required", "yes" if required else "no"
        yield from facts(tuple(one for m in members for one in m.shape), f"{path}.{name}")


# --- compared -------------------------------------------------------------------------------------


@dataclass(frozen=True, order=True)
class Difference:
    """One statement in which two shapes differ."""

    at: str
    aspect: str
    ours: str
    upstream: str


def differences(ours: Shape, upstream: Shape) -> set[Difference]:
    """Compare two shapes; a member that one side lacks is one difference, whatever it holds."""
    here = {(path, aspect): value for path, aspect, value in facts(ours)}
    there = {(path, aspect): value for path, aspect, value in facts(upstream)}
    lone = {path for path, aspect in here.keys() ^ there.keys() if aspect == "required"}
    found = {
        Difference(
            path,
            "member",
            *(("there", "absent") if (path, "required") in here else ("absent", "there")),
        )
        for path in lone
        if not any(_inside(path, other) for other in lone)
    }
    for path, aspect in here.keys() | there.keys():
        if path in lone or any(_inside(path, other) for other in lone):
            continue
        one, two = here.get((path, aspect), "any"), there.get((path, aspect), "any")
        if MAYBE_NULL in two:
            one, two = _without_null(one), _without_null(two)
        if one != two:
            found.add(Difference(path, aspect, one, two))
    return found


def _inside(path: str, other: str) -> bool:
    return path.startswith(other) and path[len(other) :][:1] in tuple(".[<{")


def _without_null(names: str) -> str:
    return ", ".join(name for name in names.split(", ") if name not in ("null", MAYBE_NULL))
