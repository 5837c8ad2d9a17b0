"""Our schemas against the types of the `openai` package, member by member.

The types are generated from upstream's specification by somebody else's generator, so they are an
independent witness. Every difference stands in `schemas/PROVENANCE.toml` with its reason.
"""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Any

import pytest
from openai.types import Model
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.chat.completion_create_params import CompletionCreateParams
from openai.types.completion_usage import CompletionUsage
from openai.types.shared import ErrorObject

from conformance.requirements import REQUIREMENTS
from schemas import NAMES

from .shapes import Alternative, Difference, Member, Shape, differences, facts, of_schema, of_type

WITNESSES = {
    "chat_request": CompletionCreateParams,
    "chat_completion": ChatCompletion,
    "chat_completion#usage": CompletionUsage,
    "chat_completion_chunk": ChatCompletionChunk,
    "model": Model,
    "error#error": ErrorObject,
}

PROVENANCE: dict[str, Any] = tomllib.loads(
    files("schemas").joinpath("PROVENANCE.toml").read_text(encoding="utf-8")
)
DEVIATIONS: list[dict[str, Any]] = PROVENANCE["deviation"]


@pytest.mark.parametrize("name", WITNESSES)
def test_every_difference_from_the_types_is_explained(name: str) -> None:
    explained = {
        Difference(row["at"], row["aspect"], row["ours"], row["upstream"])
        for row in DEVIATIONS
        if row["schema"] == name and not row.get("unseen")
    }
    assert differences(of_schema(name), of_type(WITNESSES[name])) == explained


@pytest.mark.parametrize("name", WITNESSES)
def test_comparison_reaches_the_whole_type(name: str) -> None:
    fewest = {
        "chat_request": 400,
        "chat_completion": 200,
        "chat_completion#usage": 30,
        "chat_completion_chunk": 180,
        "model": 10,
        "error#error": 8,
    }
    assert len(list(facts(of_type(WITNESSES[name])))) >= fewest[name]


def test_unseen_deviations_name_a_member_of_ours() -> None:
    for row in DEVIATIONS:
        if row.get("unseen"):
            paths = {path for path, _, _ in facts(of_schema(row["schema"]))}
            assert row["at"] in paths, row


def test_unseen_types_are_what_the_schema_says() -> None:
    for row in DEVIATIONS:
        if row.get("unseen") and row["aspect"] == "types":
            stated = {p: v for p, aspect, v in facts(of_schema(row["schema"])) if aspect == "types"}
            assert stated[row["at"]] == row["ours"], row


def test_deviations_have_a_reason_and_a_clause() -> None:
    keys = {"schema", "at", "aspect", "ours", "upstream", "reason", "clause"}
    for row in DEVIATIONS:
        assert set(row) - {"unseen"} == keys, row
        assert row["aspect"] in {"member", "required", "types", "values", "bounds"}, row
    for row in [*DEVIATIONS, *PROVENANCE["general"]]:
        assert row["clause"] in REQUIREMENTS, row
        assert row["reason"].endswith("."), row


def test_provenance_names_the_origin_of_every_message() -> None:
    ours = {"results", "load_results", "load_sweep", "comparison"}
    assert set(PROVENANCE["upstream"]["schemas"]) == set(NAMES) - ours


# --- the comparison itself ------------------------------------------------------------------------

STRING = (Alternative("string"),)
NUMBER = (Alternative("number"),)


def an_object(**members: Shape) -> Shape:
    return (Alternative("object", members={k: Member(True, v) for k, v in members.items()}),)


@pytest.mark.parametrize(
    ("ours", "upstream", "expected"),
    [
        (an_object(a=STRING), an_object(a=STRING), set()),
        (an_object(a=STRING), an_object(), {Difference("$.a", "member", "there", "absent")}),
        (an_object(), an_object(a=STRING), {Difference("$.a", "member", "absent", "there")}),
        (
            an_object(a=STRING),
            an_object(a=NUMBER),
            {Difference("$.a", "types", "string", "number")},
        ),
        (
            (Alternative("object", members={"a": Member(False, STRING)}),),
            an_object(a=STRING),
            {Difference("$.a", "required", "no", "yes")},
        ),
        (
            an_object(a=(Alternative("string", values=frozenset({"x"})),)),
            an_object(a=(Alternative("string", values=frozenset({"x", "y"})),)),
            {Difference("$.a", "values", "x", "x, y")},
        ),
        (
            an_object(a=(Alternative("array", item=STRING),)),
            an_object(a=(Alternative("array", item=NUMBER),)),
            {Difference("$.a[]", "types", "string", "number")},
        ),
        (
            an_object(a=(*STRING, Alternative("null"))),
            an_object(a=STRING),
            {Difference("$.a", "types", "null, string", "string")},
        ),
        (
            an_object(a=(*STRING, Alternative("null"))),
            an_object(a=(*STRING, Alternative("null?"))),
            set(),
        ),
        (
            an_object(a=an_object(b=STRING)),
            an_object(),
            {Difference("$.a", "member", "there", "absent")},
        ),
    ],
)
def test_comparison_finds(ours: Shape, upstream: Shape, expected: set[Difference]) -> None:
    assert differences(ours, upstream) == expected
