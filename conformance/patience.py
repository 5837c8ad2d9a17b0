"""When a reply counts: 429s are waited out, 5xx and lost connections repeated, nobody is hurried.

The laws:

1. A 429 is waited out and repeated, a 5xx or a lost connection is repeated, with the plainest valid
   call between: only what persists while that call succeeds can be blamed on the target. A run asks
   some hundred questions: what strikes one call in twenty strikes three in a row in one run of
   thirty, and `INSISTENCE` in a row in one of 200,000.
2. A target that no longer answers the plainest call is gone; nothing more is asked of it. Nor is a
   model whose plainest call is answered 429 after as much waiting as is worth it (`wire.pace`).
3. What has no end is not repeated (`endless`).
4. A model whose plainest call is lost each time is asked for nothing more (`lost`): what rests on
   an answer of it is BLOCKED by the clause that this breaks. Where it was answered before, in this
   run, nobody is blamed: it stopped answering.
"""

import datetime as dt
import time
from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import replace
from email.utils import parsedate_to_datetime

from .asking.sent import CHAT_PATH, LIST, canary_request, is_stream, stream_canary
from .endless import endless, time_given
from .guards import legible
from .lost import PAUSE, TRIES, broken_by, is_lost, loss, told
from .outcomes import Blocked, Inconclusive
from .wire.client import Client
from .wire.exchange import BEARER, Exchange, FailureKind, Request

LONGEST_WAIT = 60.0
"""Seconds to wait for a Retry-After, so that a limit per minute is outlived; a longer one leaves
the check inconclusive."""

SHORT_WAIT = 5.0
VAIN = 3
"""After so many 429s that were waited for in vain, while the plainest call was answered, they are
no matter of patience: from then on none is waited for longer than `SHORT_WAIT` seconds."""

REPEATS = 3
"""How often a call is sent that is answered 429, or that costs much (`_is_costly`)."""

INSISTENCE = 6
"""How often one is sent that is answered 5xx, or whose connection is lost."""

CERTAIN = 3
"""After so many calls that failed each of `INSISTENCE` times, while the plainest one was answered,
chance is out of it: from then on those that fail are sent `REPEATS` times, which bounds a run."""

COSTLY = 1_000_000, 5.0
"""Octets of a body, and seconds to an answer, above which a call is sent `REPEATS` times."""

MET = (402, 409, 429)
MOST_MET = 20


class Patience:
    """With one model of the target.

    `shared`: what was sent, by request and sample. `on_gone` is told why the target is gone.
    `limited`: why nothing more is asked of a model, by its id; shared by all models.
    """

    def __init__(
        self,
        client: Client,
        model: str,
        shared: MutableMapping[tuple[Request, int], Exchange],
        on_gone: Callable[[str], None],
        limited: dict[str, str],
    ) -> None:
        self.client = client
        self.model = model
        self.on_gone = on_gone
        self.limited = limited
        self.met: list[Exchange] = []
        """Refusals that are not about the request (402, 409, 429), also those outlived."""
        self._shared = shared
        self._endless: list[str] = []
        self._pace: float | None = None
        self._patient = True
        self._vain = 0
        self._failed = 0

    def afresh(self, shared: MutableMapping[tuple[Request, int], Exchange]) -> "Patience":
        """With the same model, of which nothing has been asked yet; how long it takes is known."""
        other = Patience(self.client, self.model, shared, self.on_gone, self.limited)
        other._endless, other._pace = self._endless, self._pace
        other._failed = self._failed
        return other

    def may_send(self, request: Request) -> None:
        """Raises `Inconclusive` when no such request is sent any more; `Blocked` when that is since
        the plainest one is lost."""
        if is_stream(request) and self._endless:
            raise Inconclusive(self._endless[0])
        if request.authorization == BEARER:
            self.may_ask()
            if request.path == CHAT_PATH:
                self._not_lost()

    def may_ask(self) -> None:
        """Raises `Inconclusive` when nothing more is asked of the model."""
        if self.model in self.limited:
            raise Inconclusive(self.limited[self.model])

    def meet(self, exchange: Exchange) -> None:
        """Remember a reply that clauses on limits and payment speak of."""
        if exchange.status in MET and len(self.met) < MOST_MET:
            self.met.append(legible(exchange))

    def settled(self, send: Callable[[], Exchange]) -> Exchange:
        """What `send` brings once it is answered other than by 429, 5xx or a lost connection.

        It is called at most `INSISTENCE` times, and once while the target goes on refusing by 429
        in spite of waiting. Raises `Inconclusive` when the target is gone or answers nothing but
        429, `Blocked` when the plainest call is lost each time (that call itself is returned).
        """
        canary_ok: bool | None = None
        for attempt in range(1, INSISTENCE + 1):
            self.client.repeated += attempt > 1
            exchange = send()
            self.meet(exchange)
            if not unsettled(exchange):
                self._patient = True
                break
            if exchange.status == 429:
                patient = self._patient and attempt < REPEATS
                self._patient = patient and self.waits(waits_for(exchange, attempt))
                if not self._patient:
                    self._refused(exchange, attempt)
                    break
                continue
            if endless(exchange):  # is not repeated: it would cost the whole timeout again
                canary_ok = self._ends(exchange.request)
                break
            if exchange.status is None or attempt in (REPEATS - 1, INSISTENCE - 1):
                canary_ok = self.alive() and canary_ok is not False
                if (lost := self._loss) is not None and exchange.request == lost.request:
                    return lost
                if exchange.request.path == CHAT_PATH:
                    self._not_lost()
            if exchange.failure is not None:
                self.client.renew()  # a connection that one reply has spoilt spoils no other
            enough = self._failed >= CERTAIN or _is_costly(exchange)
            if attempt >= REPEATS and (canary_ok is False or enough):
                break  # nobody is blamed, or it was asked often enough
        else:
            self._failed += canary_ok is True
        return replace(exchange, repeats=attempt, canary_ok=canary_ok)

    def waits(self, seconds: float) -> bool:
        """Let the next call wait so long, as a 429 has asked; False when that is too long."""
        longest = LONGEST_WAIT if self._vain < VAIN else SHORT_WAIT
        if seconds > longest or not self.client.gate.worth_waiting(seconds):
            return False
        self.client.gate.hold(seconds)
        return True

    def _refused(self, exchange: Exchange, attempt: int) -> None:
        """A 429 outlasted all patience: is it about this request, or about every one?

        Raises `Inconclusive` when the plainest call is answered 429 as well.
        """
        if exchange.request.authorization != BEARER:
            return
        plainest = canary_request(self.model)
        if exchange.request != plainest and self.client.send(plainest).status != 429:
            self._vain += attempt > 1
            return
        self.limited[self.model] = limited(exchange)
        raise Inconclusive(self.limited[self.model], exchange)

    def alive(self) -> bool:
        """Whether the plainest call, sent now, is answered by 200 and a whole reply.

        Raises `Inconclusive` when it is not answered at all: the target is gone, or the model no
        longer answers.
        """
        if self._loss is not None:
            return False
        request = canary_request(self.model)
        tries: list[Exchange] = []
        for attempt in range(TRIES):
            if attempt:
                time.sleep(PAUSE)
            self.client.renew()
            exchange = self.client.send(request)
            if exchange.status is not None and not is_lost(exchange):
                return exchange.status == 200 and not unsettled(exchange)
            tries.append(exchange)
            if exchange.failure and exchange.failure.kind is FailureKind.TIMEOUT:
                break  # to wait for it once more would cost the whole timeout again
        self._lose(tries)
        return False

    def _lose(self, tries: Sequence[Exchange]) -> None:
        """None of the plainest calls was answered whole: note whose breach that is.

        Raises `Inconclusive` when it is nobody's.
        """
        last = tries[-1]
        if all(map(is_lost, tries)):
            self.client.renew()
            found = loss(tries, self.client.send(LIST))
            if broken_by(found) is not None and (last.request, 0) not in self._shared:
                self._shared[last.request, 0] = found
                return
            if broken_by(found) is not None:
                self.limited[self.model] = f"the model stopped answering: {told(found)}"
                raise Inconclusive(self.limited[self.model], found)
        self.on_gone(str(last.failure))
        raise Inconclusive(f"the target stopped answering: {last.failure}", last)

    @property
    def _loss(self) -> Exchange | None:
        """The plainest call, where it was lost each time."""
        known = self._shared.get((canary_request(self.model), 0))
        return known if known is not None and broken_by(known) is not None else None

    def _not_lost(self) -> None:
        """Raises `Blocked` where the plainest call was lost each time."""
        if (lost := self._loss) is not None:
            raise Blocked(str(broken_by(lost)), told(lost), lost)

    def _ends(self, request: Request) -> bool:
        """After a reply to `request` without end: whether the plainest one like it ends, with 200.

        Raises `Inconclusive` when it does not; nothing like it is asked any more.
        """
        like = stream_canary(self.model) if is_stream(request) else canary_request(self.model)
        self.client.renew()
        exchange = self.client.send(like, self._time_given())
        if not endless(exchange):
            return exchange.status == 200
        reason = f"{'streams do' if is_stream(request) else 'the plainest reply does'} not end"
        self._endless.append(f"{reason}: {exchange.failure}")
        if not is_stream(request):
            self.on_gone(str(exchange.failure))
        raise Inconclusive(self._endless[-1], exchange)

    def _time_given(self) -> float:
        """Seconds for the plainest call."""
        known = self._shared.get((canary_request(self.model), 0))
        if known is not None and known.complete:
            self._pace = known.ended_at
        return time_given(self._pace, self.client.endpoint.timeout)


def _is_costly(exchange: Exchange) -> bool:
    """Whether to send this again would cost much, of the network or of time."""
    octets, seconds = COSTLY
    return len(exchange.request.body or b"") > octets or exchange.ended_at > seconds


def unsettled(exchange: Exchange) -> bool:
    """Whether another try may be answered: a 429, a 5xx, or no whole reply."""
    if exchange.failure is not None:
        return exchange.failure.kind is not FailureKind.HELD_OPEN
    return exchange.status == 429 or (exchange.status or 0) >= 500


def limited(exchange: Exchange) -> str:
    """What is said of a model of which nothing more is asked, since `exchange` is its last 429."""
    asked = exchange.header("retry-after")
    seconds = retry_after(asked, dt.datetime.now(dt.UTC))
    wait = f" and asks to wait {seconds:,.0f} s" if seconds is not None else ""
    return (
        f"rate-limited: the target answers 429 to every call{wait}; "
        "use --rate N/min, or --resume the run later"
    )


def waits_for(exchange: Exchange, attempt: int) -> float:
    """The seconds to wait after a 429: as Retry-After says, without it 1, then 4."""
    seconds = retry_after(exchange.header("retry-after"), dt.datetime.now(dt.UTC))
    return float(4 ** (attempt - 1)) if seconds is None else seconds


def retry_after(value: str | None, now: dt.datetime) -> float | None:
    """The seconds that a Retry-After asks for: a number or a date (RFC 9110 §10.2.3).

    None where there is no such header, or one that cannot be read.
    """
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return None
    date = date if date.tzinfo else date.replace(tzinfo=dt.UTC)
    return max(0.0, (date - now).total_seconds())
