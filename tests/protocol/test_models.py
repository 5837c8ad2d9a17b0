"""The list of models."""

from __future__ import annotations

import pytest

from conformance.protocol.models import findings, model_findings

from .talk import ids

MODEL = {"id": "m", "object": "model", "created": 1, "owned_by": "o"}


@pytest.mark.parametrize(
    ("value", "breaks"),
    [
        ({"object": "list", "data": []}, []),
        ({"object": "list", "data": [MODEL, {**MODEL, "id": "n", "extra": 1}]}, []),
        ([MODEL], ["CC-MODEL-001"]),
        ({"data": [MODEL]}, ["CC-MODEL-001"]),
        ({"object": "list"}, ["CC-MODEL-001"]),
        ({"object": "list", "data": {"m": MODEL}}, ["CC-MODEL-001"]),
        ({"object": "list", "data": ["m"]}, ["CC-MODEL-002"]),
        ({"object": "list", "data": [{**MODEL, "id": ""}]}, ["CC-MODEL-002"]),
        ({"object": "list", "data": [{**MODEL, "object": "m"}]}, ["CC-MODEL-002"]),
        ({"object": "list", "data": [{**MODEL, "created": "1"}]}, ["CC-MODEL-002"]),
        ({"object": "list", "data": [{**MODEL, "created": 1733443200000}]}, ["CC-MODEL-002"]),
        ({"object": "list", "data": [{**MODEL, "created": -1}]}, ["CC-MODEL-002"]),
        ({"object": "list", "data": [{**MODEL, "created": 0}]}, []),
        ({"object": "list", "data": [{**MODEL, "owned_by": None}]}, ["CC-MODEL-002"]),
        ({"object": "list", "data": [{"id": "m"}]}, ["CC-MODEL-002"]),
        ({"object": "list", "data": [MODEL, MODEL]}, ["CC-MODEL-003"]),
    ],
)
def test_a_list_of_models(value: object, breaks: list[str]) -> None:
    assert ids(findings(value)) == breaks


@pytest.mark.parametrize(
    ("value", "breaks"),
    [
        (MODEL, []),
        ({**MODEL, "extra": 1}, []),
        ({"id": "m"}, ["CC-MODEL-002"]),
        ({"data": MODEL}, ["CC-MODEL-002"]),
        ([MODEL], ["CC-MODEL-002"]),
        (None, ["CC-MODEL-002"]),
    ],
)
def test_one_model(value: object, breaks: list[str]) -> None:
    assert ids(model_findings(value)) == breaks
