"""The deterministic model: its tokens, its convention of prompts, its tools and its schemas."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from conformance.reference.instance import instance
from conformance.reference.text import (
    GREETING,
    answer,
    biased,
    prompt_tokens,
    spelled,
    token_id,
    tokens,
)
from conformance.reference.tools import calls


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


@pytest.mark.parametrize(
    "text", ["", "1 2 300", "Hello, world!\n", "über 日本語 😀👨‍👩‍👧", "  a\t\0b"]
)
def test_tokens_join_to_the_text(text: str) -> None:
    assert "".join(tokens(text)) == text


def test_a_count_of_three_hundred_is_three_hundred_tokens() -> None:
    said = answer([user("Count from 1 to 300, separated by spaces. Write nothing else.")])
    assert said.split() == [str(i) for i in range(1, 301)]
    assert len(tokens(said)) == 300


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("Say hello.", GREETING),
        ("Count from 3 to 1, separated by spaces.", "3 2 1"),
        ("Repeat the following text exactly, and nothing else:\n\n a\n\nb ", " a\n\nb "),
        ("What is the code word? Answer with the code word only.", "I do not know."),
        ("The code word is 0f. The code word is ü1. What is the code word? Say it.", "ü1"),
        ("The code word is a. The code word is b. What are the two code words, in order?", "a b"),
    ],
)
def test_prompts_of_the_convention_are_understood(prompt: str, said: str) -> None:
    assert answer([user(prompt)]) == said
    assert answer([user([{"type": "text", "text": prompt}])]) == said


def test_a_code_word_is_found_in_every_role() -> None:
    question = user("What is the code word? Answer with the code word only.")
    for role in ("system", "developer", "user", "assistant", "tool"):
        told = {"role": role, "content": [{"type": "text", "text": "The code word is 7a."}]}
        assert answer([told, question]) == "7a"


def test_any_other_prompt_gets_a_sentence_that_depends_on_it() -> None:
    one, other = answer([user("a")]), answer([user("b")])
    assert one != other
    assert one == answer([user("a")])
    assert one != answer([user("a")], 1)


def test_prompt_tokens_depend_on_the_text_and_not_on_its_form() -> None:
    short = prompt_tokens([user("word " * 10)])
    assert short == prompt_tokens([user([{"type": "text", "text": "word " * 10}])])
    assert prompt_tokens([user("word " * 40)]) >= short + 30


def tool(name: str, **properties: Any) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties}
    return {"type": "function", "function": {"name": name, "parameters": schema}}


@pytest.mark.parametrize(
    ("prompt", "choice", "called"),
    [
        ("What is the weather in Paris?", None, ["get_weather"]),
        ("What is the weather in Paris and in London?", None, ["get_weather"] * 2),
        ("What is the weather in Paris?", "none", []),
        ("Say hi.", None, []),
        ("Say hi.", "required", ["get_weather"]),
        ("Say hi.", {"type": "function", "function": {"name": "get_time"}}, ["get_time"]),
    ],
)
def test_tools_are_called_as_chosen(prompt: str, choice: Any, called: list[str]) -> None:
    offered = [tool("get_weather", city={"type": "string"}), tool("get_time")]
    body = {"messages": [user(prompt)], "tools": offered, "tool_choice": choice}
    made = calls(body, "n")
    assert [one.name for one in made] == called
    assert len({one.id for one in made}) == len(made)


def test_no_tool_is_called_without_tools() -> None:
    assert calls({"messages": [user("What is the weather in Paris?")]}, "n") == []


SCHEMAS: list[dict[str, Any]] = [
    {"type": "string", "minLength": 8, "maxLength": 9},
    {"type": "integer", "minimum": 7, "multipleOf": 5},
    {"type": "integer", "maximum": -3},
    {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
    {"type": ["null", "boolean"]},
    {"enum": ["b", "a"]},
    {"const": 4},
    {"type": "array", "items": {"type": "integer"}, "minItems": 3},
    {
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/leaf"}, "b": {"anyOf": [{"type": "null"}]}},
        "required": ["a", "b"],
        "additionalProperties": False,
        "$defs": {"leaf": {"type": "object", "properties": {"x": {"type": "number"}}}},
    },
    {
        "type": "object",
        "properties": {"next": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}},
        "required": ["next"],
        "additionalProperties": False,
    },
    {"allOf": [{"properties": {"a": {"type": "integer"}}, "required": ["a"]}]},
]


@pytest.mark.parametrize("schema", SCHEMAS, ids="-".join)
def test_an_instance_is_valid_under_its_schema(schema: dict[str, Any]) -> None:
    jsonschema.validate(instance(schema), schema)


def test_a_bias_forces_a_token_or_removes_it() -> None:
    said = tokens("Hello dw to you")

    assert biased(said, {}, 8) == said
    assert biased(said, {"100": 100}, 3) == [" dw"] * 4
    assert biased(said, {"100": -100}, 8) == [one for one in said if one != " dw"]
    assert biased(said, {str(token_id("Hell")): -100, "x": 100}, 8) == said[1:]


@pytest.mark.parametrize("number", [0, 25, 26, 100, 26**4 - 1])
def test_every_number_of_the_vocabulary_spells_a_token_of_that_number(number: int) -> None:
    token = spelled(number)

    assert tokens(f"a{token} b")[1] == token
    assert token_id(token) == number
