"""The tables say something about every pair that can occur, and nothing twice."""

from __future__ import annotations

from itertools import product

import pytest

from conformance.protocol.automaton import (
    CHOICE,
    CHOICE_BREACHES,
    STREAM,
    STREAM_BREACHES,
    Input,
    Part,
    Speech,
    State,
    next_speech,
)

NEVER = {(state, Input.PREAMBLE) for state in State if state is not State.START}
"""A preamble is one only at the start; later it is a chunk without choices."""


def test_every_pair_of_the_stream_is_legal_or_a_breach() -> None:
    legal = {(state, given) for state, row in STREAM.items() for given in row}
    reading = {pair for pair in product(State, Input) if pair[0] is not State.ENDED}

    assert not legal & set(STREAM_BREACHES)
    assert legal | set(STREAM_BREACHES) == reading - NEVER


def test_every_pair_of_a_choice_is_legal_or_a_breach() -> None:
    legal = {(state, part) for state, row in CHOICE.items() for part in row}

    assert not legal & set(CHOICE_BREACHES)
    assert legal | set(CHOICE_BREACHES) == set(product(Speech, Part))


@pytest.mark.parametrize(("state", "part"), list(product(Speech, Part)))
def test_no_step_leads_back_to_silence(state: Speech, part: Part) -> None:
    after, broken = next_speech(state, part)

    assert after is not Speech.SILENT
    assert bool(broken) == (part not in CHOICE[state])


def test_a_finish_ends_a_choice_even_where_it_comes_first() -> None:
    assert next_speech(Speech.SILENT, Part.FINISH)[0] is Speech.FINISHED


def test_everything_leads_to_the_end() -> None:
    assert all(Input.DONE in row for state, row in STREAM.items() if state is not State.ENDED)
