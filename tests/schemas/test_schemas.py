"""The schemas themselves: valid, closed under `$ref`, and neither too strict nor too lax."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import schemas
from conformance.requirements import REQUIREMENTS

from .examples import BAD, COMPLETION, GOOD, MESSAGE, changed


@pytest.mark.parametrize("name", schemas.NAMES)
def test_schema_is_valid(name: str) -> None:
    schema = schemas.schema(name)
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"{schemas.BASE}{name}.schema.json"
    assert schema["title"]
    assert schema["description"].endswith(".")


def test_every_file_is_named() -> None:
    found = {f.name for f in files("schemas").iterdir() if f.name.endswith(".schema.json")}
    assert found == {f"{name}.schema.json" for name in schemas.NAMES}


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every JSON object inside a schema."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from nodes(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from nodes(inner)


@pytest.mark.parametrize("name", schemas.NAMES)
def test_references_lead_to_a_definition_in_this_folder(name: str) -> None:
    for node in nodes(schemas.schema(name)):
        file, _, pointer = node.get("$ref", f"{name}.schema.json").partition("#")
        here: Any = schemas.schema(file.removesuffix(".schema.json") or name)
        for step in pointer.split("/")[1:]:
            here = here[step]


@pytest.mark.parametrize("name", schemas.NAMES)
def test_every_definition_is_used(name: str) -> None:
    texts = {other: json.dumps(schemas.schema(other)) for other in schemas.NAMES}
    for definition in schemas.schema(name).get("$defs", {}):
        at_home = f'"#/$defs/{definition}"' in texts[name]
        abroad = any(f"{name}.schema.json#/$defs/{definition}" in text for text in texts.values())
        assert at_home or abroad, definition


@pytest.mark.parametrize("name", schemas.NAMES)
def test_clauses_are_in_the_catalogue(name: str) -> None:
    for node in nodes(schemas.schema(name)):
        assert node.get("x-clause", "CC-SSE-001") in REQUIREMENTS


@pytest.mark.parametrize(("name", "value"), GOOD)
def test_good_value_fits(name: str, value: dict[str, Any]) -> None:
    assert schemas.violations(name, value) == []


@pytest.mark.parametrize(("name", "value", "path", "clause"), BAD)
def test_bad_value_is_refused(name: str, value: dict[str, Any], path: str, clause: str) -> None:
    found = schemas.violations(name, value)
    assert {(one.path, one.clause) for one in found} == {(path, clause)}


def test_violations_come_outermost_first_and_hide_nothing() -> None:
    value = changed(changed(COMPLETION, "id", 1), *MESSAGE, "content", 2)
    value["usage"] = {"prompt_tokens": -1, "completion_tokens": "2"}
    assert [one.path for one in schemas.violations("chat_completion", value)] == [
        "$.id",
        "$.usage",
        "$.usage.completion_tokens",
        "$.usage.prompt_tokens",
        "$.choices[0].message.content",
    ]


def test_message_shows_a_long_value_shortened() -> None:
    value = changed(COMPLETION, *MESSAGE, "content", ["x" * 1000])
    (one,) = schemas.violations("chat_completion", value)
    assert one.message.endswith("… is not of type 'string', 'null'")
    assert len(one.message) < 2 * schemas.SHOWN


def test_message_of_a_union_names_the_types() -> None:
    (one,) = schemas.violations("chat_completion", changed(COMPLETION, "usage", "many"))
    assert one.message == "'many' is of none of the types null, object"


def test_definition_can_be_validated_alone() -> None:
    assert schemas.violations("chat_completion#usage", COMPLETION["usage"]) == []
    assert len(schemas.violations("chat_completion#usage", {})) == 3


@pytest.mark.parametrize("name", ["nonsense", "error#nonsense", "../conftest"])
def test_unknown_name_is_refused(name: str) -> None:
    with pytest.raises(KeyError, match=r"nonsense|conftest"):
        schemas.validator(name)


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({"unit": "celsius", "days": 1}, None),
        ({"unit": "celsius", "days": 1.0}, None),
        ({"unit": "kelvin", "days": 1}, "$.unit"),
        ({"unit": "celsius", "days": "1"}, "$.days"),
        ({"unit": "celsius"}, "$"),
        ({"unit": "celsius", "days": 1, "why": ""}, "$"),
        ([], "$"),
    ],
)
def test_a_schema_that_a_request_gave_says_where_a_value_does_not_fit(
    value: Any, path: str | None
) -> None:
    given = {
        "type": "object",
        "properties": {"unit": {"enum": ["celsius", "fahrenheit"]}, "days": {"type": "integer"}},
        "required": ["unit", "days"],
        "additionalProperties": False,
    }
    found = schemas.misfit(given, value)
    assert (None if found is None else found.partition(": ")[0]) == path
