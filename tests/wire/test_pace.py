"""The account of a run: what goes out, when, and what does not."""

import pytest

from conformance.wire.pace import (
    ANSWERED,
    EASE,
    UNANSWERED,
    Account,
    Booked,
    Limits,
    Rate,
    Refused,
    book,
    duration,
    heard,
    held,
    settled,
    worth_waiting,
)

PER_MINUTE = Limits(rate=Rate(6, 60.0))


def booked(account: Account, limits: Limits, now: float, calls: int = 1, tokens: int = 0) -> Booked:
    made = book(account, limits, now, calls, tokens)
    assert isinstance(made, Booked), made
    return made


def sent(bursts: list[int], limits: Limits) -> list[float]:
    """When each call goes out, if every burst is made as soon as it may."""
    account, now, out = Account(), 0.0, []
    for calls in bursts:
        made = booked(account, limits, now, calls)
        out += [made.at] * calls
        account, now = settled(made.account, flown=calls), made.at
    return out


def test_calls_go_out_a_gap_apart() -> None:
    assert sent([1, 1, 1], PER_MINUTE) == [0.0, 10.0, 20.0]


@pytest.mark.parametrize("bursts", [[1] * 20, [3, 1, 1, 5, 1, 6, 6, 1, 2], [6, 6, 6]])
def test_no_period_holds_more_calls_than_the_rate(bursts: list[int]) -> None:
    out = sent(bursts, PER_MINUTE)
    for start in out:
        assert sum(start <= at < start + 60 for at in out) <= 6
        assert sum(start - 60 < at <= start for at in out) <= 6


def test_more_at_once_than_the_rate_allows_is_refused() -> None:
    assert book(Account(), PER_MINUTE, 0.0, 7, 0) == Refused(
        "7 calls at once do not fit a rate of 6/min"
    )


@pytest.mark.parametrize(
    ("limits", "account", "calls", "tokens", "reason"),
    [
        (Limits(requests=5), Account(requests=5), 1, 0, "the budget of 5 requests is spent"),
        (Limits(requests=1), Account(requests=1), 1, 0, "the budget of 1 request is spent"),
        (
            Limits(requests=5),
            Account(requests=4),
            2,
            0,
            "the budget of 5 requests is spent: 2 are needed, 1 left",
        ),
        (Limits(tokens=50), Account(tokens=50), 1, 9, "the budget of 50 tokens is spent"),
        (
            Limits(tokens=5000),
            Account(tokens=4000),
            1,
            1001,
            "the budget of 5,000 tokens is spent: 1,001 may be needed, 1,000 left",
        ),
    ],
)
def test_what_exceeds_a_budget_is_refused(
    limits: Limits, account: Account, calls: int, tokens: int, reason: str
) -> None:
    assert book(account, limits, 0.0, calls, tokens) == Refused(reason)


def test_what_costs_no_tokens_goes_out_although_these_are_spent() -> None:
    booked(Account(tokens=50), Limits(tokens=50), 0.0, 1, 0)


def test_a_budget_is_used_to_its_end() -> None:
    account = booked(Account(requests=3, tokens=40), Limits(5, 50), 0.0, 2, 10).account
    assert (account.requests, account.tokens) == (5, 50)


def test_a_call_that_is_over_costs_what_it_has_cost() -> None:
    account = booked(Account(), Limits(), 0.0, 1, 100).account
    account = settled(account, tokens=100, flown=1, spent=7)
    assert (account.requests, account.tokens, account.flying) == (1, 7, 0)


def test_a_429_halves_the_calls_under_way_and_answers_let_them_grow() -> None:
    account = heard(Account(flying=8), 0.0, 429)
    assert account.room == 4
    assert book(account, Limits(), 0.0, 1, 0) is None  # 8 are under way
    assert book(Account(flying=3, room=4), Limits(), 0.0, 1, 0) is not None
    for _ in range(EASE):
        account = heard(account, 0.0, 200)
    assert account.room == 5


def test_one_call_may_always_be_under_way_and_so_may_a_burst_alone() -> None:
    account = Account()
    for _ in range(10):
        account = heard(account, 0.0, 429)
    assert account.room == 1
    booked(account, Limits(), 0.0, 10)
    made = book(Account(flying=1, room=1), Limits(), 0.0, 1, 0, flying=False)
    assert isinstance(made, Booked)
    assert made.account.flying == 1


def test_every_call_waits_as_long_as_the_target_asks() -> None:
    assert booked(held(Account(), 100.0, 7.0), Limits(), 101.0).at == 107.0
    assert held(Account(next_at=200.0), 100.0, 7.0).next_at == 200.0


def test_429s_in_a_row_are_waited_for_only_so_long() -> None:
    account = heard(Account(), 100.0, 429)
    assert worth_waiting(account, 100.0, UNANSWERED)
    assert not worth_waiting(account, 101.0, UNANSWERED)
    account = heard(heard(account, 110.0, 200), 120.0, 429)
    assert worth_waiting(account, 120.0, ANSWERED)
    assert not worth_waiting(account, 120.0, 3600.0)
    assert heard(account, 130.0, None).refused_since == 120.0  # no answer ends no row


def test_how_long_calls_take_at_a_rate() -> None:
    assert duration(Rate(60, 60.0), 250) == 249.0
    assert duration(Rate(5, 1.0), 0) == 0.0
    assert [str(Rate(60, 60.0)), str(Rate(2, 1.0))] == ["60/min", "2/s"]
