"""What a check holds in its hands: one model of the target, asked questions, answers shared.

The laws:

1. A check states the request it needs. Identical requests to one model are sent once per session
   and shared; a check about repetition asks for another `sample`.
2. A 429 is waited out and repeated, a 5xx or a lost connection is repeated twice, with the plainest
   valid call between: only what persists while that call succeeds can be blamed on the target.
3. A target that no longer answers the plainest call is gone; nothing more is asked of it. Nor is a
   model whose plainest call is answered 429 after as much waiting as is worth it (`wire.pace`).
"""

import datetime as dt
import json
import time
from collections.abc import Callable
from dataclasses import replace
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import quote

from .endless import endless, is_stream, patience
from .generation import Amount
from .guards import refuses, streamed
from .outcomes import Inconclusive
from .probes import PROBES
from .prompts import HELLO
from .protocol.facts import Facts
from .protocol.jsontext import read_document
from .protocol.models import listed_ids
from .protocol.reasoning import shows_reasoning
from .protocol.stream import StreamReading, read_stream
from .protocol.usage import shows_cache
from .target.capabilities import FIELDS, NAMES, RESTS_ON, Capability, State, declared
from .target.profile import Profile
from .wire.client import Client
from .wire.exchange import BEARER, IDENTITY, JSON, Exchange, FailureKind, Request

CHAT_PATH = "/chat/completions"

OMIT: Final = object()
"""As a field's value: leave the field out."""

BOUND = 64
"""Output tokens that a check asks for where it does not care: enough for a greeting."""

ROOMY = 2048
"""The same for a model that answers that `BOUND` leaves it no room to think."""

LONGEST_WAIT = 60.0
"""Seconds to wait for a Retry-After, so that a limit per minute is outlived; a longer one leaves
the check inconclusive."""

SHORT_WAIT = 5.0
VAIN = 3
"""After so many 429s that were waited for in vain, while the plainest call was answered, they are
no matter of patience: from then on none is waited for longer than `SHORT_WAIT` seconds."""

REPEATS = 3

MOST_EVENTS = 50_000
"""Events that are held read; beyond that, the first streams are read again when asked for."""

MET = (402, 409, 429)
MOST_MET = 20

NOTHING_GENERATED = Amount()


def encode(body: Any) -> bytes:
    """`body` as UTF-8 JSON; what UTF-8 does not have (a lone surrogate) is escaped."""
    try:
        return json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return json.dumps(body).encode()


def canary_request(model: str) -> Request:
    """The plainest valid call, as documented: `model` and `messages`, nothing else."""
    return Request(
        "POST",
        CHAT_PATH,
        encode({"model": model, "messages": [{"role": "user", "content": HELLO}]}),
    )


def stream_canary(model: str) -> Request:
    """The plainest call for a stream."""
    messages = [{"role": "user", "content": HELLO}]
    return Request(
        "POST", CHAT_PATH, encode({"model": model, "messages": messages, "stream": True})
    )


def facts_of(body: Any, *, complete: bool = True) -> Facts:
    """What a request asked for, as far as the reply's form depends on it."""
    if not isinstance(body, dict):
        return Facts(complete=complete)
    messages = body.get("messages")
    history = messages if isinstance(messages, list) else []
    given = body.get("stream_options")
    options = given if isinstance(given, dict) else {}
    return Facts(
        n=_count(body.get("n"), 1),
        include_usage=options.get("include_usage") is True,
        calls_allowed=bool(body.get("tools") or body.get("functions"))
        or any(isinstance(m, dict) and m.get("tool_calls") for m in history),
        stream=body.get("stream") is True,
        complete=complete,
        functions=bool(body.get("functions")),
        custom=_offers_custom(body.get("tools")),
        audio=bool(body.get("audio")),
        logprobs=body.get("logprobs") is True,
        top_logprobs=_count(body.get("top_logprobs"), 0),
        moderation=bool(body.get("moderation")),
        include_obfuscation=options.get("include_obfuscation"),
    )


def _count(given: Any, otherwise: int) -> int:
    """A count that a request gave; `otherwise` where it is none, or not above zero."""
    counts = isinstance(given, int) and not isinstance(given, bool) and given > 0
    return given if counts else otherwise


def _offers_custom(tools: Any) -> bool:
    listed = tools if isinstance(tools, list) else []
    return any(isinstance(tool, dict) and tool.get("type") == "custom" for tool in listed)


class Chat:
    """One model of the target.

    `used` lists the exchanges that the running check has looked at, in order.
    """

    def __init__(
        self,
        client: Client,
        profile: Profile,
        model: str,
        *,
        shared: dict[tuple[Request, int], Exchange] | None = None,
        on_gone: Callable[[str], None] = lambda reason: None,
        limited: dict[str, str] | None = None,
        long_context: int = 0,
        bound_name: str = "max_tokens",
        bound: int = BOUND,
        generated: Amount = NOTHING_GENERATED,
        clients: frozenset[str] | None = frozenset(),
    ) -> None:
        self.client = client
        self.profile = profile
        self.model = model
        self.long_context = long_context
        self.bound_name = bound_name
        self.generated = generated
        self.clients = clients
        """The clauses whose client libraries start together at the first need; None: none runs."""
        self._bound = bound
        self.used: list[Exchange] = []
        self.memory: dict[str, Any] = {}
        """Per model and session: probes and control runs that several checks rest on."""
        self.met: list[Exchange] = []
        """Refusals that are not about the request (402, 409, 429), also those outlived."""
        self._capabilities: dict[str, Capability] = {}
        self._shared = {} if shared is None else shared
        self._readings: dict[int, tuple[Exchange, StreamReading]] = {}
        self._endless: list[str] = []
        self._pace: float | None = None
        self._on_gone = on_gone
        self._limited = {} if limited is None else limited
        self._patient = True
        self._vain = 0

    def afresh(self) -> "Chat":
        """The same model, of which nothing has been asked yet; what it is capable of is known.

        It takes no `long_context`: what is billed by the million is sent once.
        """
        other = Chat(
            self.client,
            self.profile,
            self.model,
            on_gone=self._on_gone,
            limited=self._limited,
            bound_name=self.bound_name,
            bound=self._bound,
            clients=None if self.clients is None else frozenset(),
        )
        other._capabilities = self._capabilities
        other._endless, other._pace = self._endless, self._pace
        return other

    # -- requests -------------------------------------------------------------------------------

    def body(self, prompt: str = HELLO, /, **fields: Any) -> dict[str, Any]:
        """A valid body: this model, one user message, an output bound; `fields` change it.

        `OMIT` as a value leaves a field out; `max_tokens=OMIT` sends no bound. A valid bound goes
        by the name that the model takes (`bound_name`).
        """
        body: dict[str, Any] = {
            "model": self.model,
            "messages": [{"role": "user", "content": prompt}],
        }
        bound = fields.get("max_tokens", OMIT)
        if bound is OMIT and not {"max_tokens", "max_completion_tokens"} & set(fields):
            body[self.bound_name] = self._bound
        elif type(bound) is int and bound > 0:
            fields[self.bound_name] = fields.pop("max_tokens")
        body.update(fields)
        return {key: value for key, value in body.items() if value is not OMIT}

    def post(self, body: Any, *, sample: int = 0, **options: Any) -> Exchange:
        """Send `body` (bytes as they are, else as JSON) to the chat path.

        Options: `headers` (pairs, replacing those of the same name), `authorization`, `path`,
        `method`, `timeout`, `settled` (the first answer counts: no repeats after a 5xx).
        """
        octets = body if isinstance(body, bytes) else encode(body)
        request = Request(
            method=options.get("method", "POST"),
            path=options.get("path", CHAT_PATH),
            body=octets,
            headers=(JSON, IDENTITY),
            authorization=options.get("authorization", BEARER),
        ).with_headers(*options.get("headers", ()))
        return self.send(
            request,
            sample=sample,
            timeout=options.get("timeout"),
            settled=options.get("settled", False),
        )

    def ask(self, prompt: str = HELLO, /, **fields: Any) -> Exchange:
        """A valid call without `stream`; `sample` numbers its independent repetitions."""
        options = {name: fields.pop(name) for name in ("sample", "settled") if name in fields}
        return self.post(self.body(prompt, **fields), **options)

    def stream(self, prompt: str = HELLO, /, **fields: Any) -> Exchange:
        """A valid call with `stream: true`; `sample` numbers its independent repetitions."""
        return self.ask(prompt, **{"stream": True, **fields})

    def get(self, path: str, *, method: str = "GET", **options: Any) -> Exchange:
        """A request without a body."""
        request = Request(
            method=method,
            path=path,
            headers=(IDENTITY,),
            authorization=options.get("authorization", BEARER),
        ).with_headers(*options.get("headers", ()))
        return self.send(request)

    def canary(self, sample: int = 0) -> Exchange:
        """The reply to the plainest valid call."""
        return self.send(canary_request(self.model), sample=sample)

    def observe(self, what: str) -> None:
        """Keep one sentence on what the target does: all that an INFO entry records, and what a
        MAY entry tells besides its verdict."""
        self.memory["observed"] = what

    # -- sending --------------------------------------------------------------------------------

    def send(
        self,
        request: Request,
        *,
        sample: int = 0,
        timeout: float | None = None,
        settled: bool = False,
    ) -> Exchange:
        """The exchange for `request`, sent if it was not yet; raises `Inconclusive` when it may
        not be sent: the target is gone, or answers 429 to everything, or a budget is spent."""
        key = (request, sample)
        if key not in self._shared:
            if is_stream(request) and self._endless:
                raise Inconclusive(self._endless[0])
            if request.authorization == BEARER:
                self.may_ask()
            send = self.client.send if settled else self._settled
            self._shared[key] = send(request, timeout)
            if settled:
                self.meet(self._shared[key])
        exchange = self._shared[key]
        self.used.append(exchange)
        return exchange

    def may_ask(self) -> None:
        """Raises `Inconclusive` when nothing more is asked of the model."""
        if self.model in self._limited:
            raise Inconclusive(self._limited[self.model])

    def meet(self, exchange: Exchange) -> None:
        """Remember a reply that clauses on limits and payment speak of."""
        if exchange.status in MET and len(self.met) < MOST_MET:
            self.met.append(exchange)

    def note(self, exchange: Exchange) -> Exchange:
        """Count an exchange made outside `send` (a bare socket) among those looked at."""
        self.used.append(exchange)
        return exchange

    def _settled(self, request: Request, timeout: float | None) -> Exchange:
        return self.settled(lambda: self.client.send(request, timeout))

    def settled(self, send: Callable[[], Exchange]) -> Exchange:
        """What `send` brings once it is answered other than by 429, 5xx or a lost connection.

        It is called at most `REPEATS` times, and once while the target goes on refusing by 429 in
        spite of waiting. Raises `Inconclusive` when the target is gone or answers nothing but 429.
        """
        canary_ok: bool | None = None
        for attempt in range(1, REPEATS + 1):
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
            if exchange.status is None or attempt == REPEATS - 1:
                canary_ok = self.alive()
            if exchange.failure is not None:
                self.client.renew()  # a connection that one reply has spoilt spoils no other
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
        self._limited[self.model] = limited(exchange)
        raise Inconclusive(self._limited[self.model], exchange)

    def alive(self) -> bool:
        """Whether the plainest call, sent now, is answered by 200 and a whole reply.

        Raises `Inconclusive` when it is not answered at all: the target is gone.
        """
        request = canary_request(self.model)
        for attempt in range(2):
            if attempt:
                time.sleep(0.5)
            self.client.renew()
            exchange = self.client.send(request)
            if exchange.status is not None:
                return exchange.status == 200 and not unsettled(exchange)
            if exchange.failure and exchange.failure.kind is FailureKind.TIMEOUT:
                break  # to wait for it once more would cost the whole timeout again
        reason = str(exchange.failure)
        self._on_gone(reason)
        raise Inconclusive(f"the target stopped answering: {reason}", exchange)

    def _ends(self, request: Request) -> bool:
        """After a reply to `request` without end: whether the plainest one like it ends, with 200.

        Raises `Inconclusive` when it does not; nothing like it is asked any more.
        """
        like = stream_canary(self.model) if is_stream(request) else canary_request(self.model)
        self.client.renew()
        exchange = self.client.send(like, self._patience())
        if not endless(exchange):
            return exchange.status == 200
        reason = f"{'streams do' if is_stream(request) else 'the plainest reply does'} not end"
        self._endless.append(f"{reason}: {exchange.failure}")
        if not is_stream(request):
            self._on_gone(str(exchange.failure))
        raise Inconclusive(self._endless[-1], exchange)

    def _patience(self) -> float:
        """Seconds for the plainest call."""
        known = self._shared.get((canary_request(self.model), 0))
        if known is not None and known.complete:
            self._pace = known.ended_at
        return patience(self._pace, self.client.endpoint.timeout)

    # -- capabilities ---------------------------------------------------------------------------

    def has(self, flag: str) -> bool:
        """Whether the capability is there, as declared or probed."""
        return self.capability(flag).present

    def capability(self, flag: str) -> Capability:
        """What is known of `flag`; probed at most once per model and session."""
        if flag not in self._capabilities:
            known = declared(flag, self.profile.capabilities)
            if known is None:
                known = PROBES[flag](self) if flag in PROBES else self._probe(flag)
            self._capabilities[flag] = known
        return self._capabilities[flag]

    @property
    def known(self) -> tuple[Capability, ...]:
        """The capabilities that were asked about so far."""
        return tuple(self._capabilities.values())

    def _probe(self, flag: str) -> Capability:
        if flag == "auth":
            return self._probe_auth()
        if flag == "models":
            exchange = self.get("/models")
            absent = exchange.status in (404, 405, 501)
        elif flag == "retrieve":
            return self._probe_retrieve()
        elif flag in ("cache", "reasoning"):
            return self._seen_in_replies(flag)
        elif flag in RESTS_ON and not self.has(RESTS_ON[flag]):
            return Capability(flag, "absent", f"{RESTS_ON[flag]} is absent")
        elif flag in FIELDS:
            exchange = self.ask(**FIELDS[flag])
            absent = refuses(exchange, NAMES[flag])
        else:
            return Capability(flag, "absent", "no probe for it yet, and the profile is silent")
        state: State = "absent" if absent else "present"
        return Capability(flag, state, f"probed: status {exchange.status}")

    def _seen_in_replies(self, flag: str) -> Capability:
        """`cache` and `reasoning` show themselves in the plainest reply, or they are not there.

        A model whose documented traits name reasoning may hide it, and reasons all the same.
        """
        if flag == "reasoning" and flag in self.profile.model(self.model).traits:
            return Capability(flag, "present", "the profile documents the model as reasoning")
        value = read_document(self.canary().body).value
        body = value if isinstance(value, dict) else {}
        told = shows_reasoning(body) if flag == "reasoning" else shows_cache(body)
        if told:
            return Capability(flag, "present", f"the plainest reply carries {told}")
        return Capability(flag, "absent", "the plainest reply shows nothing of it")

    def _probe_auth(self) -> Capability:
        if self.profile.auth != "probe":
            state: State = "present" if self.profile.auth == "bearer" else "absent"
            return Capability("auth", state, f'the profile says auth = "{self.profile.auth}"')
        exchange = self.post(self.body(), authorization=None)
        open_to_all = exchange.status == 200
        because = (
            "answers 200 without credentials" if open_to_all else "refuses without credentials"
        )
        return Capability("auth", "absent" if open_to_all else "present", because)

    def _probe_retrieve(self) -> Capability:
        for listed in self.listed_models()[:2]:
            for path in (
                f"/models/{quote(listed, safe='', errors='surrogatepass')}",
                f"/models/{listed}",
            ):
                if self.get(path).status == 200:
                    return Capability("retrieve", "present", f"GET {path} answers 200")
        return Capability("retrieve", "absent", "no listed id resolves, neither encoded nor raw")

    def listed_models(self) -> list[str]:
        """The ids that GET /models lists, as far as it can be read; a slash first."""
        ids = listed_ids(read_document(self.get("/models").body).value)
        return sorted(ids, key=lambda listed: "/" not in listed)

    # -- reading --------------------------------------------------------------------------------

    def reading(self, exchange: Exchange) -> StreamReading:
        """The stream in `exchange`, decoded and judged once.

        Raises `Blocked` or `Inconclusive` where there is no stream to read.
        """
        streamed(exchange)
        known = self._readings.get(id(exchange))
        if known is None:
            facts = facts_of(sent_json(exchange), complete=exchange.failure is None)
            known = (exchange, read_stream(exchange.body, facts))
            self._readings[id(exchange)] = known
            while len(self._readings) > 1 and self._held() > MOST_EVENTS:
                del self._readings[next(iter(self._readings))]
        return known[1]

    def _held(self) -> int:
        """Events of all streams that are held read."""
        return sum(len(reading.events) for _, reading in self._readings.values())


def sent_json(exchange: Exchange) -> Any:
    """The request's body as a JSON value; None when it is none."""
    try:
        return json.loads(exchange.request.body or b"")
    except ValueError:
        return None


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
