"""Texts and tools, as requests carry them: many scripts, odd characters, nested schemas."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from .drawing import choice_of, some_of

FRAGMENTS = (
    *("a", "Zoë", "naïve", "Übergröße", "你好世界", "こんにちは", "안녕하세요", "привет", "مرحبا"),
    *("שלום", "नमस्ते", "ไทย", "🙂", "👩‍👩‍👧‍👦", "🇩🇪", "e\u0301", "\n", "\t", '"quoted"', "\\", "{}"),
    *("0", "#", "'", "%s", "${x}", "\u2028", "\u00a0", "½", "→", "<b>", "&amp;"),
)
"""Pieces of text in many scripts, and characters that other formats treat in a special way."""


def texts() -> SearchStrategy[str]:
    """A short text of a few fragments."""
    return some_of(FRAGMENTS, 1, 8).map(" ".join)


PIECES = ("get", "weather", "_", "-", "a", "Z", "9", "findThe", "long_name_of_a_tool")
MEMBERS = ("location", "unit", "days", "größe", "a_b", "x1", "where")
KINDS = ("string", "integer", "number", "boolean", "enum", "array", "object")


@st.composite
def json_schemas(draw: DrawFn, depth: int = 4) -> dict[str, Any]:
    """A JSON Schema of the kind that tools have, nested up to `depth` levels."""
    kind = draw(choice_of(KINDS if depth else KINDS[:5]))
    match kind:
        case "enum":
            values = draw(st.lists(choice_of(("a", "b", "°C", "")), min_size=1, unique=True))
            return {"type": "string", "enum": values}
        case "array":
            return {"type": "array", "items": draw(json_schemas(depth - 1))}
        case "object":
            return draw(object_schemas(depth - 1))
        case _:
            described = draw(choice_of(("", "Where", "ein Maß")))
            return {"type": kind, **({"description": described} if described else {})}


@st.composite
def object_schemas(draw: DrawFn, depth: int = 3) -> dict[str, Any]:
    """A JSON Schema of an object, some of whose members are required."""
    names = draw(st.lists(choice_of(MEMBERS), max_size=4, unique=True))
    members = {name: draw(json_schemas(depth)) for name in names}
    schema: dict[str, Any] = {"type": "object", "properties": members}
    if required := names[: len(draw(some_of((0,), 0, 4)))]:
        schema["required"] = required
    if draw(st.booleans()):
        schema["additionalProperties"] = False
    return schema


@st.composite
def tools(draw: DrawFn) -> list[dict[str, Any]]:
    """One to four functions with names of their own."""
    names = st.builds("".join, some_of(PIECES, 1, 6)).map(lambda name: name[:64])
    given = []
    for name in draw(st.lists(names, min_size=1, max_size=4, unique=True)):
        function: dict[str, Any] = {"name": name}
        if draw(st.booleans()):
            function["description"] = draw(texts())
        if draw(st.booleans()):
            function["parameters"] = draw(object_schemas())
        given.append({"type": "function", "function": function})
    return given
