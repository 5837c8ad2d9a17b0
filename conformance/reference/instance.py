"""JSON Schema -> an instance of it: what a model says under a structured response format.

Laws: the result is a function of the schema and the hint; where the schema is beyond this module
(a pattern, a recursion without end) the result is the nearest plain value.

Theory. Optional properties are filled too, as long as the depth allows: a strict schema requires
them all, and a lax one shows more of itself. References are local ("#/$defs/…").
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

DEEPEST = 12
"""Levels after which only what is required is filled."""

_FORMATS = {
    "date": "2024-01-31",
    "date-time": "2024-01-31T12:00:00Z",
    "time": "12:00:00Z",
    "email": "user@example.com",
    "uri": "https://example.com/",
    "uuid": "123e4567-e89b-42d3-a456-426614174000",
    "ipv4": "192.0.2.1",
    "hostname": "example.com",
}


def instance(  # noqa: PLR0911 - a ladder of cases, one line each
    schema: Any, hint: str = "text", root: Any = None, depth: int = 0
) -> Any:
    """A value that `schema` accepts; free strings take `hint`."""
    root = schema if root is None else root
    if not isinstance(schema, dict) or depth > 2 * DEEPEST:
        return hint
    if "$ref" in schema:
        return instance(_resolve(root, schema["$ref"]), hint, root, depth + 1)
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    for several in ("anyOf", "oneOf"):
        if schema.get(several):
            options = schema[several]
            simple = [one for one in options if "$ref" not in one] if depth > DEEPEST else []
            return instance((simple or options)[0], hint, root, depth + 1)
    if schema.get("allOf"):
        return instance(_merged([*schema["allOf"], schema], root), hint, root, depth + 1)
    make = _MAKERS.get(_kind(schema), _string)
    return make(schema, hint, root, depth)


def _kind(schema: dict[str, Any]) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((one for one in kind if one != "null"), "null")
    if isinstance(kind, str):
        return kind
    return "object" if "properties" in schema else "array" if "items" in schema else "string"


def _resolve(root: Any, reference: str) -> Any:
    node = root
    for step in reference.lstrip("#").strip("/").split("/"):
        if step:
            name = step.replace("~1", "/").replace("~0", "~")
            node = node.get(name, {}) if isinstance(node, dict) else {}
    return node


def _merged(schemas: list[dict[str, Any]], root: Any) -> dict[str, Any]:
    merged: dict[str, Any] = {"properties": {}, "required": []}
    for each in schemas:
        one = _resolve(root, each["$ref"]) if "$ref" in each else each
        merged["properties"].update(one.get("properties", {}))
        merged["required"] += one.get("required", [])
        skipped = ("properties", "required", "allOf")
        merged.update({key: value for key, value in one.items() if key not in skipped})
    return merged


def _object(schema: dict[str, Any], hint: str, root: Any, depth: int) -> Any:
    required = schema.get("required", [])
    return {
        key: instance(value, hint, root, depth + 1)
        for key, value in schema.get("properties", {}).items()
        if key in required or depth < DEEPEST
    }


def _array(schema: dict[str, Any], hint: str, root: Any, depth: int) -> Any:
    size = max(schema.get("minItems", 0), 0 if depth >= DEEPEST else 1)
    size = min(size, schema.get("maxItems", size))
    return [instance(schema.get("items", {}), hint, root, depth + 1) for _ in range(size)]


def _string(schema: dict[str, Any], hint: str, root: Any, depth: int) -> Any:
    text = _FORMATS.get(str(schema.get("format")), hint)
    return text.ljust(schema.get("minLength", 0), "x")[: schema.get("maxLength")]


def _integer(schema: dict[str, Any], hint: str, root: Any, depth: int) -> Any:
    step = schema.get("multipleOf", 1)
    least = schema.get("minimum")
    if least is None and "exclusiveMinimum" in schema:
        least = schema["exclusiveMinimum"] + 1
    most = schema.get("maximum")
    if most is None and "exclusiveMaximum" in schema:
        most = schema["exclusiveMaximum"] - 1
    if least is not None:
        return int(-(-least // step) * step)
    return int((min(most, step) // step) * step) if most is not None else int(step)


def _number(schema: dict[str, Any], hint: str, root: Any, depth: int) -> Any:
    if "exclusiveMinimum" in schema and "exclusiveMaximum" in schema:
        return (schema["exclusiveMinimum"] + schema["exclusiveMaximum"]) / 2
    return _integer(schema, hint, root, depth)


_MAKERS: dict[str, Callable[[dict[str, Any], str, Any, int], Any]] = {
    "object": _object,
    "array": _array,
    "string": _string,
    "integer": _integer,
    "number": _number,
    "boolean": lambda *_: True,
    "null": lambda *_: None,
}
