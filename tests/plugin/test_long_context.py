"""`--long-context`: a documented context is taken whole, and nothing is sent without the option."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.asking.long_input import beyond, filling, listed_window
from conformance.chat import Chat
from conformance.reference.text import tokens
from tests.faults.trial import MODEL, WINDOW, profile, server
from tests.inprocess import Judgement, judgement

LONG = 100_000


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with server() as running:
        yield running


def judged(address: str, folder: Path, fault: str, *arguments: str) -> Judgement:
    """The verdict on CC-REQ-048 of a server with that fault, whose window the profile tells."""
    base = f"{address}/fault/{fault}/v1" if fault else f"{address}/v1"
    chosen = ("--requirement", "CC-REQ-048", "--model", MODEL, *arguments)
    return judgement(base, folder / "results.json", profile(folder), *chosen, timeout=20)


def longest(seen: Judgement) -> int:
    """The characters of the longest curl in the evidence."""
    return max(len(str(record)) for record in seen.results["requirements"])


@pytest.mark.parametrize(
    ("fault", "arguments", "verdict"),
    [
        ("", (), "PASS"),
        ("", ("--long-context", str(LONG)), "PASS"),
        ("truncates_a_long_prompt", ("--long-context", str(LONG)), "WARN"),
        ("calls_a_long_prompt_by_no_name", (), "WARN"),
    ],
)
def test_a_long_prompt_is_judged(
    address: str, tmp_path: Path, fault: str, arguments: tuple[str, ...], verdict: str
) -> None:
    seen = judged(address, tmp_path, fault, *arguments)

    assert seen.verdicts == {"CC-REQ-048": verdict}, seen.output
    assert longest(seen) < 60_000


def test_a_truncated_prompt_is_blamed_for_what_is_missing(address: str, tmp_path: Path) -> None:
    seen = judged(address, tmp_path, "truncates_a_long_prompt", "--long-context", str(LONG))

    assert f"prompt_tokens near {LONG:,}" in str(seen.results["requirements"])


def test_a_prompt_is_as_long_as_it_says() -> None:
    assert len(tokens(beyond(WINDOW))) > WINDOW
    assert len(beyond(WINDOW)) < 3 * WINDOW
    assert LONG - 1024 < len(tokens(filling(LONG))) < LONG
    assert len(filling(LONG)) < 4 * LONG


@pytest.mark.parametrize(
    ("models", "tokens_told"),
    [
        ({"data": [{"id": "m", "max_model_len": 8192}]}, 8192),
        ({"data": [{"id": "m", "context_length": 10, "context_window": 20}]}, 20),
        ({"data": [{"id": "other", "max_model_len": 8192}]}, None),
        (
            {"data": [{"id": "m", "max_model_len": "8192"}, {"id": "m", "context_window": True}]},
            None,
        ),
        ({"data": [5, {"id": "m", "context_length": 0}]}, None),
        ([], None),
        (None, None),
    ],
)
def test_a_window_is_read_from_the_list_of_models(models: object, tokens_told: int | None) -> None:
    assert listed_window(models, "m") == tokens_told


def test_a_chat_asks_for_no_long_context_by_itself() -> None:
    defaults = Chat.__init__.__kwdefaults__
    assert defaults is not None
    assert defaults["long_context"] == 0
