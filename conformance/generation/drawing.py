"""Hypothesis, as it is used here: strategies over tables, examples by seed, shrinking.

The laws:

1. Every draw is a boolean. For numbers and texts Hypothesis mixes in constants that it reads from
   the modules of the process, and keeps what it read in a folder `.hypothesis`: the same seed would
   give other requests in another checkout, and a run would leave a folder behind.
2. No database, no deadline, no health check, nothing printed: an example costs a request to a
   target, and what it shows is told by the suite.

Theory. An index into a table is read off a few booleans, the first entry for all False; so every
table puts its simplest entry first, and Hypothesis, which shrinks to False, shrinks to it.
"""

import contextlib
from collections.abc import Callable, Sequence
from typing import TypeVar

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import HypothesisException
from hypothesis.strategies import SearchStrategy

T = TypeVar("T")


def choice_of(options: Sequence[T]) -> SearchStrategy[T]:
    """One of `options`, each about as often; the first is the simplest.

    Raises:
        ValueError: there is none.
    """
    if not options:
        raise ValueError("nothing to choose from")
    bits = (len(options) - 1).bit_length()

    def entry(drawn: tuple[bool, ...]) -> T:
        return options[sum(bit << place for place, bit in enumerate(drawn)) % len(options)]

    return st.tuples(*[st.booleans()] * bits).map(entry)


def some_of(options: Sequence[T], least: int, most: int) -> SearchStrategy[list[T]]:
    """A list of `least` to `most` of the options, repetitions allowed."""
    return st.lists(choice_of(options), min_size=least, max_size=most)


def one_of(strategies: Sequence[SearchStrategy[T]]) -> SearchStrategy[T]:
    """A value of one of the strategies; the first is the simplest."""
    return choice_of(strategies).flatmap(lambda chosen: chosen)


def examples(strategy: SearchStrategy[T], count: int, number: int) -> tuple[T, ...]:
    """`count` values of the strategy, or as many as there are; `number` is the seed.

    The first value that Hypothesis tries is the simplest one and the same for every seed: it is
    left out where there are others.
    """
    drawn: list[T] = []

    @seed(number)
    @_settings(count + 1, Phase.generate)
    @given(strategy)
    def collect(value: T) -> None:
        drawn.append(value)

    collect()
    return tuple(drawn[1:] or drawn)


class _Found(Exception):  # noqa: N818 - not an error: how Hypothesis is told of a hit
    """The value shows what is looked for."""


def shrunk(
    strategy: SearchStrategy[T], count: int, number: int, shows: Callable[[T], bool]
) -> T | None:
    """The simplest value found that `shows` what is looked for, starting from `examples(…)`.

    None where none of these shows it. `shows` must answer alike for equal values; it may answer
    False for a value that it does not want to try.
    """
    simplest: T | None = None

    @seed(number)
    @_settings(count + 1, Phase.generate, Phase.shrink)
    @given(strategy)
    def look(value: T) -> None:
        nonlocal simplest
        if shows(value):
            simplest = value  # Hypothesis ends with the simplest one
            raise _Found

    # The latter says that it could not reproduce what it found: the last hit still is one.
    with contextlib.suppress(_Found, HypothesisException):
        look()
    return simplest


def _settings(count: int, *phases: Phase) -> settings:
    return settings(
        max_examples=count,
        phases=phases,
        database=None,
        deadline=None,
        print_blob=False,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )
