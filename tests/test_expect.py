"""The vocabulary of blame: what does not count makes no failure, and what is shown is safe."""

from collections.abc import Callable, Sequence

import pytest

from conformance.expect import each, require, second_look, trials
from conformance.outcomes import Broken, Inconclusive, Sighting, Unjudged
from conformance.protocol.finding import Finding

HELD = "held"
BROKEN = "broken"
OPEN = "open"


def run(outcomes: Sequence[bool | None], needed: int, of: int) -> tuple[str, int]:
    """How trials with these outcomes end, and how many of them were run."""
    asked: list[int] = []

    def trial(number: int) -> bool | None:
        asked.append(number)
        return outcomes[number]

    try:
        trials(trial, needed=needed, of=of, required="r", seen=lambda: "s")
    except Broken:
        return BROKEN, len(asked)
    except Inconclusive:
        return OPEN, len(asked)
    return HELD, len(asked)


@pytest.mark.parametrize(
    ("outcomes", "needed", "ends", "after"),
    [
        ([True, True, False], 2, HELD, 2),
        ([True, False, True], 2, HELD, 3),
        ([False, False, True], 2, BROKEN, 2),
        ([False, True, False], 2, BROKEN, 3),
        ([True, None, None], 2, OPEN, 3),
        ([False, None, None], 2, OPEN, 3),
        ([True, None, False], 2, OPEN, 3),
        ([None, None, None], 2, OPEN, 3),
        ([None, False, False], 2, BROKEN, 3),
        ([True, False, False], 1, HELD, 1),
        ([False, False, True], 1, HELD, 3),
        ([False, False, False], 1, BROKEN, 3),
        ([False, False, None], 1, OPEN, 3),
    ],
)
def test_trials_end_as_soon_as_they_are_decided(
    outcomes: list[bool | None], needed: int, ends: str, after: int
) -> None:
    assert run(outcomes, needed, 3) == (ends, after)


def look(outcomes: Sequence[bool | Unjudged | None]) -> None:
    """A second look with these outcomes."""

    def trial(number: int) -> bool | None:
        outcome = outcomes[number]
        if isinstance(outcome, Unjudged):
            raise outcome
        return outcome

    second_look(trial, required="r", seen=lambda: "s", on=lambda: None)


@pytest.mark.parametrize(
    "outcomes", [[True], [False, True], [None, None], [False, None], [Inconclusive("x"), False]]
)
def test_a_second_look_blames_nobody_for_less_than_two_breaches(
    outcomes: list[bool | Unjudged | None],
) -> None:
    look(outcomes)


def test_a_second_look_blames_for_two() -> None:
    with pytest.raises(Broken):
        look([False, False])


def test_what_was_seen_is_one_printable_line() -> None:
    with pytest.raises(Broken) as caught:
        require(False, "plain text", "a\x1b[31m\nb\ud83d\u202e" + "c" * 1000)

    seen = caught.value.sightings[0].finding.seen
    assert seen.isprintable()
    assert len(seen) <= 400


def raises(error: Exception) -> Callable[[object], list[Sighting]]:
    def look_at(_: object) -> list[Sighting]:
        raise error

    return look_at


def test_one_that_cannot_be_judged_hides_none_of_the_others() -> None:
    blame = [Sighting(Finding("", "r", "s"))]

    def look_at(number: int) -> list[Sighting]:
        if number == 0:
            raise Inconclusive("first")
        return blame if number == 2 else []

    assert each([0, 1], look_at) == []
    assert each([0, 2], look_at) == blame
    with pytest.raises(Inconclusive, match="first"):
        each([0], look_at)


def test_blame_counts_however_it_is_told() -> None:
    told = Broken([Sighting(Finding("", "r", "s"))])

    assert each([1], raises(told)) == list(told.sightings)
