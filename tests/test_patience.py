"""How often a call is sent before what comes of it counts, by a client with scripted replies."""

from collections.abc import Iterable

import pytest

from conformance.asking.sent import CHAT_PATH, canary_request
from conformance.patience import CERTAIN, INSISTENCE, REPEATS, Patience
from conformance.wire.client import Client, Endpoint
from conformance.wire.exchange import Exchange, Request

MODEL = "m"
SMALL, LARGE = (Request("POST", CHAT_PATH, octets) for octets in (b"{}", b"x" * 2_000_000))


class Scripted(Client):
    """A client whose plainest call is answered by `canaries` in turn, the last one for ever."""

    def __init__(self, canaries: Iterable[int]) -> None:
        super().__init__(Endpoint("http://target.invalid/v1"))
        self._canaries = list(canaries)

    def send(self, request: Request, timeout: float | None = None) -> Exchange:
        """No other call is made by itself."""
        assert request == canary_request(MODEL)
        more = len(self._canaries) > 1
        return Exchange(request, "", self._canaries.pop(0) if more else self._canaries[0])


def settled(
    statuses: list[int],
    request: Request = SMALL,
    *,
    canaries: Iterable[int] = (200,),
    took: float = 0,
) -> Exchange:
    """What comes of `request`, whose replies have these statuses, after so many seconds each."""
    told = iter(statuses)
    with Scripted(canaries) as client:
        patience = Patience(client, MODEL, {}, lambda reason: None, {})
        return patience.settled(lambda: Exchange(request, "", next(told), ended_at=took))


@pytest.mark.parametrize("fails", range(INSISTENCE))
def test_a_fault_that_passes_is_outlived(fails: int) -> None:
    found = settled([500] * fails + [200])
    assert (found.status, found.repeats) == (200, fails + 1)


def test_a_fault_that_stays_is_met_each_time_while_the_plainest_call_is_answered() -> None:
    found = settled([503] * INSISTENCE)
    assert (found.status, found.repeats, found.canary_ok) == (503, INSISTENCE, True)


def test_nobody_is_blamed_where_the_plainest_call_fails_too() -> None:
    found = settled([500] * REPEATS, canaries=[500])
    assert (found.repeats, found.canary_ok) == (REPEATS, False)
    assert settled([500] * INSISTENCE, canaries=[200, 500]).canary_ok is False


def test_what_others_have_shown_is_sent_less_often() -> None:
    with Scripted([200]) as client:
        patience = Patience(client, MODEL, {}, lambda reason: None, {})
        found = [
            patience.settled(lambda: Exchange(SMALL, "", 500)).repeats for _ in range(CERTAIN + 1)
        ]
    assert found == [*[INSISTENCE] * CERTAIN, REPEATS]


@pytest.mark.parametrize(("request_", "took"), [(LARGE, 0.0), (SMALL, 6.0)])
def test_what_costs_much_is_sent_less_often(request_: Request, took: float) -> None:
    found = settled([500] * REPEATS, request_, took=took)
    assert (found.repeats, found.canary_ok) == (REPEATS, True)
