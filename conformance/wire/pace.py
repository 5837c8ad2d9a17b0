"""How many calls may go out, and when: the account of a run, as plain data.

The laws:

1. Pure: no clock, no file, no socket. `gate` keeps the account and does the waiting.
2. Nothing is sent that the account does not hold: a call is booked before it goes out, with the
   most that it may cost, and set right by what came back.
3. One account for all processes of a run: they share the target's limits.

Theory. Calls get slots, `Rate.gap` seconds apart. Calls that have to be at once (a burst of k) go
out together at the last of the k slots that they wait for, and the next slot stands k gaps after
it: so no period holds more calls than the rate says, as long as k is no more than the rate allows.

A target that answers 429 is left alone for as long as it asks, by every process (`held`). How many
calls may be under way at once (`room`) is halved by each 429 and grows by one after `EASE` calls
that were answered: additive increase and multiplicative decrease, as in TCP, by which callers find
a limit that nobody told them (Chiu and Jain 1989).

429s in a row are waited for only so long (`worth_waiting`): in a row means over all processes, and
any other answer ends it.
"""

from dataclasses import dataclass, replace

MOST_AT_ONCE = 64
"""Calls under way at once, before any 429 has said that these are too many."""

EASE = 20
"""Calls answered in a row after which one more may be under way."""

UNANSWERED = 50.0
"""Seconds of 429s in a row that are waited for where the target has never answered otherwise: a run
against a target that answers 429 to everything ends within a minute."""

ANSWERED = 61.0
"""The same where it has: a limit per minute is outlived."""


@dataclass(frozen=True, slots=True)
class Rate:
    """At most so many `calls` in every period of so many `seconds` (60.0 or 1.0)."""

    calls: int
    seconds: float

    @property
    def gap(self) -> float:
        """Seconds between two calls."""
        return self.seconds / self.calls

    def __str__(self) -> str:
        return f"{self.calls}/{'min' if self.seconds == 60 else 's'}"


@dataclass(frozen=True, slots=True)
class Limits:
    """What the user allows; None: without bound."""

    requests: int | None = None
    tokens: int | None = None
    rate: Rate | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """What was booked so far; instants are seconds of one monotonic clock."""

    requests: int = 0
    tokens: int = 0
    """Input and output: of calls that are over what they cost, of the others the most they may."""
    next_at: float = 0.0
    """No call goes out before."""
    flying: int = 0
    """Calls under way."""
    room: int = MOST_AT_ONCE
    """How many may be."""
    eased: int = 0
    """Calls answered since `room` has last changed."""
    refused_since: float | None = None
    """When the first of the 429s in a row came; None after any other answer."""
    answered: bool = False
    """Whether there ever was an answer other than 429."""


@dataclass(frozen=True, slots=True)
class Booked:
    """The account after a booking, and the instant at which the calls may go out."""

    account: Account
    at: float


@dataclass(frozen=True, slots=True)
class Refused:
    """What cannot be sent, and why: one sentence."""

    reason: str


def book(
    account: Account, limits: Limits, now: float, calls: int, tokens: int, *, flying: bool = True
) -> Booked | Refused | None:
    """Book `calls` that go out at once and may cost so many `tokens` in all.

    None: not now, too many others are under way. `flying`: these are to count among them.
    """
    refusal = _beyond(account, limits, calls, tokens)
    if refusal is not None:
        return Refused(refusal)
    if flying and account.flying and account.flying + calls > account.room:
        return None
    gap = limits.rate.gap if limits.rate else 0.0
    at = max(now, account.next_at) + (calls - 1) * gap
    booked = replace(
        account,
        requests=account.requests + calls,
        tokens=account.tokens + tokens,
        next_at=at + calls * gap,
        flying=account.flying + (calls if flying else 0),
    )
    return Booked(booked, at)


def _beyond(account: Account, limits: Limits, calls: int, tokens: int) -> str | None:
    """Which limit these calls would break; None where they break none."""
    if limits.requests is not None and account.requests + calls > limits.requests:
        spent = f"the budget of {_count(limits.requests, 'request')} is spent"
        left = limits.requests - account.requests
        return f"{spent}: {calls:,} are needed, {left:,} left" if left > 0 else spent
    if limits.tokens is not None and account.tokens + tokens > limits.tokens:
        spent = f"the budget of {_count(limits.tokens, 'token')} is spent"
        left = limits.tokens - account.tokens
        return f"{spent}: {tokens:,} may be needed, {left:,} left" if left > 0 else spent
    if limits.rate is not None and calls > limits.rate.calls:
        return f"{calls:,} calls at once do not fit a rate of {limits.rate}"
    return None


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def settled(
    account: Account, *, calls: int = 0, tokens: int = 0, flown: int = 0, spent: int = 0
) -> Account:
    """Set right a booking of `calls`, `tokens` and `flown`, which has cost `spent` tokens.

    `calls`: those of the booking that were not made after all.
    """
    return replace(
        account,
        requests=account.requests - calls,
        tokens=account.tokens - tokens + spent,
        flying=max(0, account.flying - flown),
    )


def heard(account: Account, now: float, status: int | None) -> Account:
    """An answer came, or none (None), to a call with the key under judgement."""
    if status == 429:
        since = now if account.refused_since is None else account.refused_since
        most = min(account.room, max(2, account.flying))
        return replace(account, refused_since=since, room=max(1, most // 2), eased=0)
    if status is None:
        return account
    grown = account.eased + 1 >= EASE
    return replace(
        account,
        refused_since=None,
        answered=True,
        room=min(MOST_AT_ONCE, account.room + grown),
        eased=0 if grown else account.eased + 1,
    )


def held(account: Account, now: float, seconds: float) -> Account:
    """Nothing goes out for so many seconds from now."""
    return replace(account, next_at=max(account.next_at, now + seconds))


def worth_waiting(account: Account, now: float, seconds: float) -> bool:
    """Whether to wait so many seconds after a 429 and call again."""
    since = now if account.refused_since is None else account.refused_since
    return now + seconds - since <= (ANSWERED if account.answered else UNANSWERED)


def duration(rate: Rate, calls: int) -> float:
    """The seconds that so many calls take at least, one after the other."""
    return max(0, calls - 1) * rate.gap
