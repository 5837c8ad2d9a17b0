"""Before any check: can the target be reached, with this key, at this base URL, for these models?

The laws:

1. A mistake of the user's is one line that says what happened and what to try (exit status 4).
2. What may be the target's fault is left to the checks: a preflight that goes wrong in any other
   way says nothing and lets them judge.
"""

import difflib
import time
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from conformance.asking.sent import LIST, canary_request
from conformance.chat import Chat
from conformance.endless import endless
from conformance.lost import PAUSE, is_lost, is_witness
from conformance.outcomes import Inconclusive
from conformance.patience import unsettled
from conformance.protocol.jsontext import read_document
from conformance.protocol.models import listed_ids
from conformance.wire.client import Client
from conformance.wire.exchange import Exchange, FailureKind, Request
from conformance.wire.raw import greeting
from conformance.wire.redact import MASKED
from conformance.wire.transcript import printable

from .settings import Settings

SLOW = frozenset({FailureKind.DNS, FailureKind.TLS, FailureKind.CONNECT_TIMEOUT})
"""Failures that may have cost all the time of an exchange: they are not waited for again."""

GREETING_SECONDS = 0.5
"""How long a server that did not answer is listened to."""

REFUSALS = (400, 403, 404)
"""How a target refuses a model that it does not serve."""

TRY = {
    FailureKind.DNS: "the host name does not resolve; check its spelling",
    FailureKind.REFUSED: "nothing listens there; is the server running, and is the port right?",
    FailureKind.UNREACHABLE: "no route to it; check the address",
    FailureKind.TLS: "check the certificate, or whether the target speaks http rather than https",
    FailureKind.CONNECT_TIMEOUT: "no connection within 10 s; check host, port and firewall",
    FailureKind.LOCAL: "check the base URL, the key and the headers of the profile",
    FailureKind.PROTOCOL: "what answers there is not HTTP/1.1; is it https rather than http?",
}


Shared = dict[tuple[Request, int], Exchange]
"""What has been sent, so that the checks do not send it again."""


def models_of(settings: Settings, client: Client, shared: Shared) -> tuple[str, ...]:
    """The models to judge: `--model`, the profile's, or what `/models` lists.

    Raises `pytest.UsageError` when the target cannot be reached or lists nothing to choose from,
    `Inconclusive` when it accepts the connection and never answers, not even the plainest call.
    """
    if settings.models:
        return settings.models
    documented = tuple(model.id for model in settings.profile.models)
    if documented and not settings.all_models:
        return documented
    probe = Chat(client, settings.profile, "", shared=shared)
    first = client.send(LIST)
    if endless(first) and first.status is None:
        _explain_greeting(settings, client)
        hint = "name a model with --model ID, if it lists none"
        raise Inconclusive(f"GET /models at {_unanswered(first, settings)}; {hint}")
    if first.failure is not None and first.failure.kind in SLOW:
        _explain(first, settings)
    if endless(first) or not unsettled(first):
        shared[LIST, 0] = first  # one without end would have none the next time either
    try:
        exchange = _insisted(client, probe.get("/models"))
    except Inconclusive as unanswered:
        if unanswered.exchange is None:
            raise
        _explain(unanswered.exchange, settings)
        raise Inconclusive(_unanswered(unanswered.exchange, settings)) from None
    if exchange.status in (404, 405):
        _explain_v1(settings, client, LIST)
    _explain(exchange, settings)
    # A name that no terminal may see, or that no request can hold (for it holds the key, which was
    # masked, or characters that are none) is nothing to choose; nor is one
    # of a list without end: who holds that open may hold all open, which would cost as much again.
    ids = [] if endless(exchange) else listed_ids(read_document(exchange.body).value)
    listed = [name for name in ids if name.isprintable() and MASKED not in name]
    if not listed:
        raise pytest.UsageError(
            f"{exchange.url} lists no model to choose ({_seen(exchange)}): name one with --model ID"
        )
    if settings.all_models:
        return tuple(sorted(listed))
    return (listed[0],)


def check(settings: Settings, client: Client, models: Sequence[str], shared: Shared) -> str | None:
    """Ask the first model the plainest question.

    Returns why nothing can be judged when the target accepts the connection and never answers;
    None when the checks can begin. Raises `pytest.UsageError` for what the user can mend.
    """
    request = canary_request(models[0])
    first = _tried(client, request)
    if is_lost(first) and first.status is None and is_witness(client.send(LIST)):
        return None  # who lists models, and resets what is asked of them, is for the checks
    exchange = _insisted(client, first)
    if exchange.status == 200 and exchange.failure is None:
        shared[request, 0] = first  # a refusal that was not repeated is judged, like any reply
    if exchange.status in (404, 405):
        _explain_v1(settings, client, request, LIST)
    if exchange.status == 403 and client.send(LIST).status == 200:
        return None  # the key is good, and may not use this model: the checks say so
    _explain(exchange, settings)
    if endless(exchange) and exchange.status is None:
        _explain_greeting(settings, client)
    if exchange.failure is not None and (exchange.status is None or endless(exchange)):
        return _unanswered(exchange, settings)
    if settings.models and (len(models) > 1 or exchange.status in REFUSALS):
        _explain_models(Chat(client, settings.profile, models[0]), exchange, models)
    return None


def _tried(client: Client, request: Request) -> Exchange:
    """The reply to `request`; what a second try brings, where the connection is lost before it."""
    exchange = client.send(request)
    if is_lost(exchange) and exchange.status is None:
        time.sleep(PAUSE)
        client.renew()
        return client.send(request)
    return exchange


def _insisted(client: Client, exchange: Exchange) -> Exchange:
    """`exchange`; what a second try brings, where it is a refusal.

    A refusal that comes and goes is no mistake of the user's.
    """
    refused = 400 <= (exchange.status or 0) < 500 and exchange.status != 429
    return client.send(exchange.request) if refused else exchange


def _explain_v1(settings: Settings, client: Client, *requests: Request) -> None:
    """Raise a usage error when an API answers one of `requests` one level down, at `/v1`."""
    if urlsplit(settings.target_url or "").path.endswith("/v1"):
        return
    for request in requests:
        below = client.send(replace(request, path="/v1" + request.path))
        if below.is_json_type and below.status not in (404, 405):
            raise pytest.UsageError(
                f"there is no API at {settings.target_url}, but one level down: "
                f"use --target-url {settings.target_url}/v1"
            )


def _unanswered(exchange: Exchange, settings: Settings) -> str:
    """What is said of a target that takes the connection and gives no reply."""
    url = settings.target_url or ""
    closed = exchange.failure is not None and exchange.failure.kind is FailureKind.RESET
    hint = "; is it https rather than http?" if closed and url.startswith("http:") else ""
    return f"{url}: {exchange.failure}{hint}"


def _explain_greeting(settings: Settings, client: Client) -> None:
    """Raise a usage error when what listens there speaks first, as no HTTP server does."""
    said = greeting(client.endpoint, GREETING_SECONDS)
    if said:
        raise pytest.UsageError(
            f"cannot reach {settings.target_url}: what listens there speaks before it is asked, "
            f"as no HTTP server does ({printable(said, 60)}); is the port right?"
        )


def _explain(exchange: Exchange, settings: Settings) -> None:
    """Raise a usage error for what the user can mend: address, key, base URL."""
    url = exchange.url
    failure = exchange.failure
    if failure is not None and failure.kind in TRY and exchange.status is None:
        raise pytest.UsageError(
            f"cannot reach {settings.target_url}: {failure}; {TRY[failure.kind]}"
        )
    if exchange.status in (401, 403):
        variable = settings.key_variable
        if settings.key is None:
            raise pytest.UsageError(
                f"{url} answers {exchange.status} without a key: put it into the environment, "
                f"export {variable}=…, or name another variable with --api-key-env"
            )
        raise pytest.UsageError(
            f"{url} answers {exchange.status} to the key given: check ${variable} "
            f"({printable(exchange.body, 120)})"
        )
    if exchange.media_type == "text/html" or exchange.body.lstrip()[:1] == b"<":
        hint = "" if "/v1" in urlsplit(url).path else f"; did you mean {settings.target_url}/v1?"
        raise pytest.UsageError(
            f"{url} answers {exchange.status} with an HTML page, not an API: "
            f"check the base URL{hint}"
        )


def _explain_models(chat: Chat, first: Exchange, models: Sequence[str]) -> None:
    """Raise a usage error for a model named by `--model` that is neither listed nor served.

    `first` is the reply of the first of them; the others are asked where the list lacks them.
    """
    try:
        listed = chat.listed_models()
    except Inconclusive:
        return
    for model in models:
        if not listed or model in listed:
            continue
        reply = first if model == models[0] else chat.client.send(canary_request(model))
        if reply.status in REFUSALS:
            near = difflib.get_close_matches(model, listed, n=5, cutoff=0.3) or listed[:5]
            raise pytest.UsageError(
                f"{reply.url} answers {reply.status} for --model {_shown(model)}: "
                f"it lists {', '.join(map(_shown, near))}{' …' if len(listed) > len(near) else ''}"
            )


def _shown(model: str) -> str:
    return printable(model.encode("utf-8", "backslashreplace"))


def _seen(exchange: Exchange) -> str:
    if exchange.failure is not None:
        return str(exchange.failure)
    return f"status {exchange.status}: {printable(exchange.body, 80) or 'an empty body'}"
