"""What a check holds in its hands: one model of the target, asked questions, answers shared.

The laws:

1. A check states the request it needs. Identical requests to one model are sent once per session
   and shared; a check about repetition asks for another `sample`.
2. A reply counts only after what may pass has been waited for (`patience`).
3. What the model is capable of is declared, or probed once (`probes`). A stream is read once.
"""

from collections.abc import Callable
from typing import Any, Final

from .asking.probes import probed
from .asking.prompts import HELLO
from .asking.sent import CHAT_PATH, canary_request, encode, facts_of, sent_json
from .generation import Amount
from .guards import streamed
from .patience import Patience
from .protocol.jsontext import read_document
from .protocol.models import listed_ids
from .protocol.stream import StreamReading, read_stream
from .target.capabilities import Capability, declared
from .target.profile import Profile
from .wire.client import Client
from .wire.exchange import BEARER, IDENTITY, JSON, Exchange, Request

OMIT: Final = object()
"""As a field's value: leave the field out."""

BOUND = 64
"""Output tokens that a check asks for where it does not care: enough for a greeting."""

ROOMY = 2048
"""The same for a model that answers that `BOUND` leaves it no room to think."""

MOST_EVENTS = 50_000
MOST_OCTETS = 4_000_000
"""Events, and octets of bodies, that are held read; beyond either, the first streams are read again
when asked for."""

NOTHING_GENERATED = Amount()


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
        self._capabilities: dict[str, Capability] = {}
        self._shared = {} if shared is None else shared
        self._readings: dict[int, tuple[Exchange, StreamReading]] = {}
        refusing = {} if limited is None else limited
        self.patience = Patience(client, model, self._shared, on_gone, refusing)

    def afresh(self) -> "Chat":
        """The same model, of which nothing has been asked yet; what it is capable of is known.

        It takes no `long_context`: what is billed by the million is sent once.
        """
        other = Chat(
            self.client,
            self.profile,
            self.model,
            bound_name=self.bound_name,
            bound=self._bound,
            clients=None if self.clients is None else frozenset(),
        )
        other._capabilities = self._capabilities
        other.patience = self.patience.afresh(other._shared)
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
            self.patience.may_send(request)
            if settled:
                self._shared[key] = self.client.send(request, timeout)
                self.patience.meet(self._shared[key])
            else:
                self._shared[key] = self.patience.settled(
                    lambda: self.client.send(request, timeout)
                )
        exchange = self._shared[key]
        self.used.append(exchange)
        return exchange

    def note(self, exchange: Exchange) -> Exchange:
        """Count an exchange made outside `send` (a bare socket) among those looked at."""
        self.used.append(exchange)
        return exchange

    # -- capabilities ---------------------------------------------------------------------------

    def has(self, flag: str) -> bool:
        """Whether the capability is there, as declared or probed."""
        return self.capability(flag).present

    def capability(self, flag: str) -> Capability:
        """What is known of `flag`; probed at most once per model and session."""
        if flag not in self._capabilities:
            known = declared(flag, self.profile.capabilities)
            if known is None:
                known = probed(self, flag)
            self._capabilities[flag] = known
        return self._capabilities[flag]

    @property
    def known(self) -> tuple[Capability, ...]:
        """The capabilities that were asked about so far."""
        return tuple(self._capabilities.values())

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
            while len(self._readings) > 1 and self._holds_too_much():
                del self._readings[next(iter(self._readings))]
        return known[1]

    def _holds_too_much(self) -> bool:
        """Whether the streams that are held read pass a bound."""
        held = self._readings.values()
        events = sum(len(reading.events) for _, reading in held)
        octets = sum(len(exchange.body) for exchange, _ in held)
        return events > MOST_EVENTS or octets > MOST_OCTETS
