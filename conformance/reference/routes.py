"""Call -> Reply: paths, credentials, the body, and the operations.

Laws: credentials come before the body, the body before the model, and all of them before the first
byte of an answer; every error is the documented envelope.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

from conformance.reference import chat, messages, parameters, text
from conformance.reference.call import Call, Header, Reply, refusal
from conformance.reference.models import Model

DEFAULT_KEY = "sk-reference"
LIMIT = 8 * 1024 * 1024
"""Largest request body, in bytes."""

_STREAMED: tuple[Header, ...] = (
    ("Content-Type", "text/event-stream; charset=utf-8"),
    ("Cache-Control", "no-cache"),
    ("X-Accel-Buffering", "no"),
)
_CHALLENGE: Header = ("WWW-Authenticate", 'Bearer realm="api"')


@dataclass(frozen=True, slots=True)
class Site:
    """What is served, and to whom."""

    models: Mapping[str, Model]
    key: str = DEFAULT_KEY


Operation = Callable[[Call, Site], Reply]


def respond(call: Call, site: Site) -> Reply:
    """Answers one call. Never raises for anything the call holds."""
    try:
        reply = _routed(call, site)
    except RecursionError:
        reply = refusal(400, "The body of the request is nested too deeply.")
    return stamped(reply, call)


def stamped(reply: Reply, call: Call) -> Reply:
    """The reply with the headers that every reply carries; those that it has are kept."""
    return replace(reply, headers=Reply(0, headers=_common(call)).having(*reply.headers).headers)


def _routed(call: Call, site: Site) -> Reply:
    operations = _operations(call.path)
    if not operations:
        return refusal(404, f"Invalid URL ({call.method} /v1{call.path})", code="unknown_url")
    allowed = ", ".join([*operations, *(["HEAD"] if "GET" in operations else []), "OPTIONS"])
    if call.method == "OPTIONS":
        return Reply(204, content=b"", headers=(("Allow", allowed), *_preflight(call, allowed)))
    operation = operations.get("GET" if call.method == "HEAD" else call.method)
    if operation is None:
        message = f"Not allowed to {call.method} on /v1{call.path}. (HINT: use {allowed}.)"
        return refusal(405, message, code="method_not_supported", headers=(("Allow", allowed),))
    return _unauthorized(call, site) or operation(call, site)


def _operations(path: str) -> dict[str, Operation]:
    if path == "/chat/completions":
        return {"POST": _complete}
    if path == "/models":
        return {"GET": _list}
    if path.startswith("/models/") and len(path) > len("/models/"):
        return {"GET": _retrieve}
    return {}


def _common(call: Call) -> tuple[Header, ...]:
    headers: tuple[Header, ...] = (
        ("x-request-id", f"req_{call.nonce}"),
        ("openai-version", "2020-10-01"),
        ("openai-processing-ms", "1"),
        ("x-ratelimit-limit-requests", "10000"),
        ("x-ratelimit-remaining-requests", "9999"),
        ("x-ratelimit-reset-requests", "6ms"),
        ("x-ratelimit-limit-tokens", "1000000"),
        ("x-ratelimit-remaining-tokens", "999000"),
        ("x-ratelimit-reset-tokens", "60ms"),
    )
    if call.values("origin"):
        exposed = "x-request-id, openai-processing-ms"
        headers += (
            ("Access-Control-Allow-Origin", "*"),
            ("Access-Control-Expose-Headers", exposed),
        )
    return headers


def _preflight(call: Call, allowed: str) -> tuple[Header, ...]:
    if not call.values("origin"):
        return ()
    asked = ", ".join(call.values("access-control-request-headers"))
    return (
        ("Access-Control-Allow-Methods", allowed),
        ("Access-Control-Allow-Headers", asked or "authorization, content-type"),
        ("Access-Control-Max-Age", "600"),
    )


def _unauthorized(call: Call, site: Site) -> Reply | None:
    if call.trusted:
        return None
    given = call.values("authorization")
    if not given:
        message = (
            "You didn't provide an API key. You need to provide your API key in an Authorization "
            "header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY)."
        )
        return refusal(401, message, headers=(_CHALLENGE,))
    scheme, _, token = given[0].strip(" \t").partition(" ")
    if len(given) == 1 and scheme.lower() == "bearer" and token.strip(" \t") == site.key:
        return None
    if reply := SPARE_KEYS.get(token.strip(" \t").removeprefix(f"{site.key}-")):
        return reply
    message = "Invalid API key provided"
    return refusal(401, message, code="invalid_api_key", headers=(_CHALLENGE,))


SPARE_KEYS: Mapping[str, Reply] = {
    "limited": refusal(
        429,
        "Rate limit reached for requests. Please try again in 1s.",
        kind="requests",
        code="rate_limit_exceeded",
        headers=(("Retry-After", "1"), ("retry-after-ms", "1000"), ("x-should-retry", "true")),
    ),
    "exhausted": refusal(
        429,
        "You exceeded your current quota, please check your plan and billing details.",
        kind="insufficient_quota",
        code="insufficient_quota",
        headers=(("x-should-retry", "false"),),
    ),
    "restricted": refusal(
        403,
        "This key has insufficient permissions for this model.",
        code="insufficient_permissions",
    ),
}
"""What the keys KEY-limited, KEY-exhausted and KEY-restricted are answered, KEY being the good one:
a key at its rate limit, one without credit, and one that may not use the model."""


def _list(call: Call, site: Site) -> Reply:
    return Reply(200, {"object": "list", "data": [m.public() for m in site.models.values()]})


def _retrieve(call: Call, site: Site) -> Reply:
    id_ = unquote(call.path.removeprefix("/models/"))
    model = site.models.get(id_)
    return Reply(200, model.public()) if model else _no_such_model(id_)


def _no_such_model(id_: str) -> Reply:
    message = f"The model '{id_}' does not exist or you do not have access to it."
    return refusal(404, message, param="model", code="model_not_found")


def _refused_number(literal: str) -> Any:
    raise ValueError(f"{literal} is not a JSON number")


def _finite(literal: str) -> float:
    value = float(literal)
    if not math.isfinite(value):
        raise ValueError(f"{literal} is out of range")
    return value


def parse(content: bytes) -> dict[str, Any]:
    """Reads a body as one strict JSON object (RFC 8259, finite numbers, whole characters).

    Raises:
        ValueError: it is not; the message says why.
    """
    value = json.loads(
        content.decode("utf-8-sig"), parse_constant=_refused_number, parse_float=_finite
    )
    if not isinstance(value, dict):
        raise ValueError("the body is not a JSON object")  # noqa: TRY004 - one kind of refusal
    if b"\\u" in content:
        json.dumps(value, ensure_ascii=False).encode()  # a lone surrogate raises a ValueError
    return value


def _complete(call: Call, site: Site) -> Reply:  # noqa: PLR0911 - a ladder of cases, one line each
    if call.too_large:
        return refusal(413, f"The request body is larger than {LIMIT} bytes.")
    media = "".join(call.values("content-type")[:1]).partition(";")[0].strip().lower()
    if media and media != "application/json" and not media.endswith("+json"):
        return refusal(415, f"Unsupported media type {media!r}: send application/json.")
    try:
        body = parse(call.content)
    except ValueError as problem:
        reason = str(problem).encode("ascii", "backslashreplace").decode()
        return refusal(400, f"We could not parse the JSON body of your request: {reason}.")
    if found := parameters.check(body):
        return refusal(400, found.message, param=found.param, code=found.code)
    model = site.models.get(body["model"])
    if model is None:
        return _no_such_model(body["model"])
    if not model.vision and (found := messages.unseen(body["messages"])):
        return refusal(400, found.message, param=found.param, code=found.code)
    needed = text.prompt_tokens(body["messages"], body.get("tools"))
    if needed > model.window:
        message = (
            f"This model's maximum context length is {model.window} tokens. However, your messages "
            f"resulted in {needed} tokens. Please reduce the length of the messages."
        )
        return refusal(400, message, param="messages", code="context_length_exceeded")
    return _generated(call, body, model)


def _generated(call: Call, body: dict[str, Any], model: Model) -> Reply:
    given = chat.answer(body, model, call.nonce, int(call.moment))
    if body.get("stream"):
        return Reply(
            200,
            events=chat.events(given),
            headers=_STREAMED,
            model=model.id,
            cost=given.cost,
        )
    if chat.breaks_down(body):
        return Reply(500, {"error": chat.BREAKDOWN_ERROR})
    return Reply(200, chat.completion(given), model=model.id, cost=given.cost)
