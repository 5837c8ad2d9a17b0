"""Damage done by wrong decoders, told from what a model may write of its own."""

from __future__ import annotations

import json

import pytest

from conformance.protocol.damage import has_lone_surrogate, is_torn, misread

WANTED = "Café 🙂👩‍👩‍👧‍👦 你好"


def token_by_token(text: str, size: int) -> str:
    """The text as a server has it that decodes ``size`` bytes at a time."""
    octets = text.encode()
    pieces = (octets[i : i + size] for i in range(0, len(octets), size))
    return "".join(piece.decode("utf-8", "replace") for piece in pieces)


@pytest.mark.parametrize("size", [2, 3, 5, 7])
def test_a_text_decoded_in_pieces_is_torn(size: int) -> None:
    assert is_torn(token_by_token(WANTED, size), WANTED)
    assert misread(token_by_token(WANTED, size), WANTED) == "U+FFFD for some characters"


@pytest.mark.parametrize(
    "said", ["", "\ufffd", "\ufffd" * 9, "No \ufffd.", "Café \ufffd", "Café", WANTED, "你\ufffd好"]
)
def test_another_text_is_not_torn(said: str) -> None:
    assert not is_torn(said, WANTED)


def test_words_around_a_torn_text_hide_nothing() -> None:
    assert is_torn("Of course: Café \ufffd\ufffd👩‍👩‍👧‍👦 你好. Done.", WANTED)


@pytest.mark.parametrize(
    ("said", "how"),
    [
        (WANTED.encode().decode("latin-1"), "UTF-8 read as Latin-1"),
        (
            WANTED.encode("ascii", "replace").decode(),
            "'?' for every character beyond ASCII",
        ),
        (json.dumps(WANTED)[1:-1], "JSON escapes for every character beyond ASCII"),
        ("Café \ud83d", "a lone surrogate"),
        (f"Here: {WANTED}!", None),
        (f"{WANTED} \ufffd", None),
        ("Cafe, I cannot repeat this.", None),
        ("", None),
    ],
)
def test_how_a_text_was_misread(said: str, how: str | None) -> None:
    assert misread(said, WANTED) == how


def test_pairs_are_no_lone_surrogates() -> None:
    assert has_lone_surrogate("a\udc00")
    assert not has_lone_surrogate(WANTED)


def test_a_long_answer_full_of_replacements_costs_nothing() -> None:
    assert not is_torn("\ufffd a" * 20_000, WANTED)
