"""Steady or intermittent: like is compared with like, and nobody is asked more than needed."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest

from conformance.again import NOWHERE, ask_again, decided, look_of, repeated
from conformance.chat import Chat
from conformance.outcomes import Blocked, Broken, Repeated, Sighting, Trials
from conformance.protocol.finding import Finding
from conformance.wire.exchange import Exchange, Failure, FailureKind, Request

FINDING = Finding("", "r", "s")


def reply(body: bytes = b"a", **fields: Any) -> Exchange:
    """The reply to a request that `body` tells from others."""
    return Exchange(Request("POST", "/", body), "http://x", **{"status": 200, **fields})


def broken(*exchanges: Exchange | None, trials: Trials | None = None) -> Broken:
    return Broken([Sighting(FINDING, exchange) for exchange in exchanges], trials)


def look(replies: str, blamed: str) -> Any:
    """A look at the replies with these letters, some of which are blamed."""
    used = [reply(letter.encode()) for letter in replies]
    return look_of(used, [Sighting(FINDING, used[replies.index(letter)]) for letter in blamed])


@pytest.mark.parametrize(
    ("looks", "found", "enough"),
    [
        # The same one, each time; and a control that is always good says nothing.
        ([("ab", "a")], None, False),
        ([("ab", "a"), ("ab", "a")], (2, 2), False),
        ([("ab", "a")] * 4, (4, 4), True),
        ([("abc", "abc"), ("abc", "abc")], (6, 6), True),
        # It comes and goes.
        ([("a", "a"), ("a", "")], (1, 2), False),
        ([("abc", "a"), ("abc", "b")], (2, 4), False),
        ([("abc", "a"), ("abc", "")], (1, 2), False),
        # Nothing recurs: the check itself is what was repeated.
        ([("ab", "a"), ("b", "")], (1, 2), False),
        ([("a", "a"), ("b", "b")], (2, 2), False),
        ([("a", "a"), ("b", "b"), ("c", "c"), ("d", "d")], (4, 4), True),
    ],
)
def test_a_breach_is_steady_where_no_suspect_was_ever_good(
    looks: list[tuple[str, str]], found: tuple[int, int] | None, enough: bool
) -> None:
    seen = [look(*one) for one in looks]
    assert repeated(seen) == (found and Repeated(*found))
    assert decided(seen) == enough


def test_the_same_request_in_another_place_is_another_reply() -> None:
    used = [reply(), reply()]
    first = look_of(used, [Sighting(FINDING, used[1])])
    assert repeated([first, first]) == Repeated(2, 2)


def test_a_lost_or_postponed_reply_is_neither_good_nor_bad() -> None:
    bad = reply()
    lost = [
        reply(status=429),
        reply(status=503),
        reply(status=None, failure=Failure(FailureKind.RESET)),
    ]
    for other in lost:
        assert repeated([look_of([bad], [Sighting(FINDING, bad)]), look_of([other], [])]) is None
    held = reply(failure=Failure(FailureKind.HELD_OPEN))
    again = [look_of([bad], [Sighting(FINDING, bad)]), look_of([held], [])]
    assert repeated(again) == Repeated(1, 2)


def test_the_last_reply_stands_for_a_sighting_without_one() -> None:
    used = [reply(b"a"), reply(b"b")]
    assert look_of(used, [Sighting(FINDING)]).blamed == {(used[1].request, 0)}
    assert look_of([], [Sighting(FINDING)]).blamed == {NOWHERE}


def run(
    first: Broken, used: Sequence[Exchange], then: Sequence[Exception | None]
) -> tuple[Repeated | None, int]:
    """What is made of a check that ended `first` and then so; how often it was run again."""
    ran: list[int] = []

    def check(chat: Chat) -> None:
        ended = then[len(ran)]
        ran.append(1)
        chat.used.extend(reply(exchange.request.body or b"") for exchange in used)
        if isinstance(ended, Broken):
            raise broken(*(chat.used[0] if one.exchange else None for one in ended.sightings))
        if ended is not None:
            raise ended

    chat = cast("Chat", SimpleNamespace(used=[reply(b"of another check")]))
    return ask_again(check, first, used, lambda number: chat), len(ran)


def test_a_check_is_run_again_until_its_breach_is_steady_or_three_times() -> None:
    one = [reply()]
    again = broken(one[0])
    assert run(again, one, [again] * 3) == (Repeated(4, 4), 3)
    assert run(again, one, [None, again, None]) == (Repeated(2, 4), 3)
    assert run(again, one, [Blocked("CC-HTTP-001", "x"), again, None]) == (Repeated(2, 3), 3)
    assert run(again, one, [Blocked("CC-HTTP-001", "x")] * 3) == (None, 3)
    assert run(broken(None), [], [broken(None)] * 3) == (Repeated(4, 4), 3)


def test_what_came_three_of_three_times_is_asked_for_once_more() -> None:
    persisting = [reply(status=500, repeats=3, canary_ok=True)]
    steady = broken(persisting[0])
    assert run(steady, persisting, [steady]) == (Repeated(2, 2), 1)
    assert run(steady, persisting, [None, steady, steady]) == (Repeated(3, 4), 3)


def test_what_counts_its_own_trials_is_not_asked_again() -> None:
    counted = broken(reply(), trials=Trials(1, 3, 2, 3))
    assert run(counted, [reply()], []) == (None, 0)
