"""The tables of generated requests: what they call valid is, and a mistake breaks its rule alone.

The judge is the schema of a request, which knows nothing of the tables.
"""

import json
from collections.abc import Mapping
from typing import Any

import pytest

import schemas
from conformance.checks import checks
from conformance.generation.drawing import examples
from conformance.generation.malformed import MALFORMED, VARIANTS, Malformed, is_json
from conformance.generation.mistakes import LEFT_OUT, Wrong
from conformance.generation.parts import Feature, fields_of
from conformance.generation.valid import FEATURES
from conformance.generation.wrong import WRONGS
from conformance.requirements import REQUIREMENTS
from conformance.strategies import accepted_requests, rejected_requests

EACH = 8
"""Examples of each row."""

BODY: Mapping[str, Any] = {"model": "m", "max_tokens": 64}
VALID = json.dumps({**BODY, "messages": [{"role": "user", "content": "Say hello."}]}).encode()


def clauses(fields: Mapping[str, Any]) -> set[str]:
    """The clauses that a body with these fields breaks, as the schema has it."""
    body = {name: value for name, value in {**BODY, **fields}.items() if value is not LEFT_OUT}
    return {violation.clause for violation in schemas.violations("chat_request", body)}


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_a_valid_request_fits_the_schema(feature: Feature) -> None:
    drawn = examples(accepted_requests(FEATURES, holding=feature), EACH, 1)

    assert [fields for parts in drawn if clauses(fields := fields_of(parts))] == []
    assert all(any(part.feature == feature.name for part in parts) for parts in drawn)
    assert clauses(fields_of([feature.plain])) == set()


ELSEWHERE: Mapping[str, set[str]] = {
    "messages left out": {"CC-REQ-003"},
    "messages empty": {"CC-REQ-003"},
    "an item of messages no object": {"CC-REQ-006"},
    "content null": {"CC-REQ-007", "CC-REQ-008", "CC-REQ-012"},
    "content left out": {"CC-REQ-007"},
    "null where it may not be": {"CC-REQ-033", "CC-REQ-036", "CC-REQ-037", "CC-REQ-039"},
}
"""Rows whose clause the schema files under a neighbour's name."""

BEYOND_THE_SCHEMA = (
    "tool_choice of an unknown function",
    "a forcing tool_choice without tools",
    "a parameter that nobody knows",
)
"""Rules between fields, which no schema of ours states."""


@pytest.mark.parametrize("rule", WRONGS, ids=lambda rule: rule.name)
def test_a_mistake_breaks_its_own_rule_and_no_other(rule: Wrong) -> None:
    drawn = examples(rejected_requests(FEATURES, rule), EACH, 1)
    broken = [clauses({**fields_of(one.parts), **one.fields}) for one in drawn]

    assert all(clauses(fields_of(one.parts)) == set() for one in drawn)
    if rule.name in BEYOND_THE_SCHEMA:
        assert all(found == set() for found in broken)
        return
    allowed = ELSEWHERE.get(rule.name, {rule.clause})
    blank = rule.name in ("model empty", "a function name out of form")  # " ", "a\n"
    assert all(len(found) == 1 or (blank and not found) for found in broken)
    assert set().union(*broken) <= allowed


def test_a_mistake_names_what_it_sets() -> None:
    for rule in WRONGS:
        assert rule.names[0] in rule.touches or rule.names[0] == "messages", rule.name


@pytest.mark.parametrize("row", MALFORMED, ids=lambda row: row.name)
def test_a_malformed_body_is_what_its_row_says(row: Malformed) -> None:
    bodies = [row.spoil(VALID, number) for number in range(VARIANTS)]

    assert VALID not in bodies
    if row.clause == "CC-HTTP-012":
        assert not any(map(is_json, bodies))
    if row.clause == "CC-HTTP-013":
        assert not any(is_json(body) and isinstance(json.loads(body), dict) for body in bodies)
    assert row.refused or not row.mild


@pytest.mark.parametrize("table", [FEATURES, WRONGS, MALFORMED], ids=["valid", "wrong", "raw"])
def test_rows_have_names_of_their_own_and_known_clauses(table: tuple[Any, ...]) -> None:
    assert len({row.name for row in table}) == len(table)
    assert {row.clause for row in table} <= set(REQUIREMENTS)


@pytest.mark.parametrize(
    ("family", "wanted"),
    [
        ("test_generated_valid_requests_are_accepted", {row.clause for row in FEATURES}),
        (
            "test_generated_mistakes_are_refused",
            {row.clause for row in WRONGS if row.demanded},
        ),
        (
            "test_generated_bodies_below_json_are_refused_or_survived",
            {row.clause for row in MALFORMED},
        ),
    ],
)
def test_every_clause_of_a_table_has_its_check(family: str, wanted: set[str]) -> None:
    assert {check.requirement for check in checks() if check.function == family} == wanted
