"""Reasoning beside the answer: channels, tags, and the order of deltas (CC-REAS)."""

from typing import Any

import pytest

from conformance.protocol.completion import findings
from conformance.protocol.facts import Facts
from conformance.protocol.reasoning import answer, channel, half_tag, shows_reasoning

from .talk import DONE, choice, chunk, finish, heard, role, text


def of(message: dict[str, Any], finish_reason: str = "stop") -> list[str]:
    """The ids of CC-REAS that a choice with this message breaks."""
    one = {"index": 0, "message": message, "finish_reason": finish_reason, "logprobs": None}
    found = findings({"choices": [one]}, Facts(stream=False))
    return [finding.id for finding in found if finding.id.startswith("CC-REAS")]


@pytest.mark.parametrize(
    ("message", "breaks"),
    [
        ({"content": "391"}, []),
        ({"content": "391", "reasoning_content": "Easy."}, []),
        ({"content": "391", "reasoning": "Easy.", "reasoning_details": [{}]}, []),
        ({"content": "391", "reasoning_content": None, "reasoning": ""}, []),
        ({"content": "<think>Easy.</think>391"}, []),
        ({"content": "391", "reasoning_content": {"text": "Easy."}}, ["CC-REAS-001"]),
        ({"content": "391", "reasoning": ["Easy."]}, ["CC-REAS-001"]),
        ({"content": "391", "thinking": "Easy."}, ["CC-REAS-001"]),
        ({"content": "391", "thinking": "Easy.", "reasoning": "Easy."}, []),
        ({"content": "391", "thinking": {"type": "enabled"}}, []),
        ({"content": "391", "reasoning_content": "Easy.", "reasoning": "Easy."}, []),
        ({"content": "391", "reasoning_content": "Easy.", "reasoning": ""}, []),
        ({"content": "391", "reasoning_content": "Easy.", "reasoning": "Ea"}, ["CC-REAS-002"]),
        ({"content": "Easy.</think>391"}, ["CC-REAS-005"]),
        ({"content": "<think>Easy. 391"}, ["CC-REAS-005"]),
    ],
)
def test_a_message(message: dict[str, Any], breaks: list[str]) -> None:
    assert of(message) == breaks


def test_a_text_that_its_bound_cut_may_end_in_its_thoughts() -> None:
    assert of({"content": "<think>Ea"}, "length") == []


@pytest.mark.parametrize(
    ("said", "tag"),
    [
        ("", None),
        ("1 < 2, and 3 > 2", None),
        ("use a <table", None),
        ("<think>a</think><think>b</think>c", None),
        ("</think><think>", "</think>"),
        ("a<think>b", "<think>"),
        ("think>a", "think>"),
        ("\n/think>a", "/think>"),
        ("k>391", "k>"),
        ("<think>a</think>391</t", "</t"),
        ("391 <thin", "<thin"),
    ],
)
def test_half_a_tag(said: str, tag: str | None) -> None:
    assert half_tag(said) == tag


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ({"content": "391"}, None),
        ({"content": None, "reasoning_content": ""}, None),
        ({"content": "391", "reasoning": "Easy."}, "field"),
        ({"content": "<think>Easy.</think>391"}, "content"),
        ({"content": "<think>Easy."}, None),
        ({"content": 5, "reasoning": 5}, None),
    ],
)
def test_a_channel(message: dict[str, Any], told: str | None) -> None:
    assert channel(message) == told


@pytest.mark.parametrize(
    ("members", "shown"),
    [
        ({}, None),
        ({"usage": {"completion_tokens_details": {"reasoning_tokens": 0}}}, None),
        ({"usage": {"completion_tokens_details": None}, "choices": [5]}, None),
        (
            {"usage": {"completion_tokens_details": {"reasoning_tokens": 3}}},
            "usage.completion_tokens_details.reasoning_tokens",
        ),
        ({"choices": [{"message": {"content": "391", "reasoning": "Easy."}}]}, "reasoning"),
        ({"choices": [{"message": {"content": "391", "thinking": "Easy."}}]}, "thinking"),
        (
            {"choices": [{"message": {"content": "Easy.</think>391"}}]},
            "a tag of thought in content",
        ),
        ({"choices": [{"message": {"content": "391", "reasoning": ""}}]}, None),
    ],
)
def test_what_shows_that_a_model_reasons(members: dict[str, Any], shown: str | None) -> None:
    assert shows_reasoning(members) == shown


def test_an_answer_is_what_stands_outside_the_blocks() -> None:
    assert answer("<think>a\nb</think>\n\n391") == "\n\n391"
    assert answer("391") == "391"


def delta(**members: Any) -> dict[str, Any]:
    return chunk(choice(members))


BOTH = delta(reasoning_content="y.", content="3")
"""The boundary: the last of the thought and the first of the answer."""


@pytest.mark.parametrize(
    ("told", "breaks"),
    [
        ([delta(reasoning_content="Eas"), BOTH, text("91")], []),
        ([delta(reasoning="Easy.", content=""), delta(content="\n"), delta(reasoning="!")], []),
        ([delta(reasoning="Easy."), text("391"), delta(reasoning="")], []),
        ([delta(reasoning=None, content="391")], []),
        ([text("391"), delta(reasoning="Easy.")], ["CC-REAS-003"]),
        ([BOTH, delta(reasoning_content="No."), text("91")], ["CC-REAS-003"]),
        ([delta(reasoning={"text": "Easy."})], ["CC-REAS-004"]),
        ([delta(reasoning_content=["Easy."])], ["CC-REAS-004"]),
        ([delta(thinking="Easy.")], ["CC-REAS-001"]),
        ([delta(thinking="Easy.", reasoning="Easy.")], []),
    ],
)
def test_deltas(told: list[dict[str, Any]], breaks: list[str]) -> None:
    assert heard(role(), *told, finish(), DONE) == breaks


def test_thoughts_between_calls_are_another_turns_matter() -> None:
    told = [text("I look."), delta(reasoning="Which place?")]
    assert heard(role(), *told, finish(), DONE, facts=Facts(calls_allowed=True)) == []
