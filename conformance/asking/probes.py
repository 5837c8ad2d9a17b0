"""What is a model capable of? Asked where the profile is silent, at most once for each flag.

The laws are those of `target.capabilities`; declared wins before a probe is asked.

| flag | present when |
|---|---|
| `auth` | the profile says so; where it leaves it open, a call without credentials is refused |
| `models` | `GET /models` is answered, other than by 404, 405 or 501 |
| `retrieve` | a listed id resolves, encoded or raw |
| `cache`, `reasoning` | the plainest reply shows it, or the profile documents the model so |
| `vision` | a call with a picture is not refused, nor said to be unsupported by a 5xx |
| `audio_in`, `file_in` | the same of sound or a file, and pictures are taken |
| `no_vision` | `vision` is absent |
| `audio_out` | a call for speech is neither refused nor answered by text alone (CC-REQ-035) |
| `ratelimit` | the plainest reply tells limits, a 429 was met, or the profile has a `limited` key |
| `quota` | a 429 said so, or the profile names an `exhausted` key |
| `filter` | the profile names a prompt that the filter stops |
| any other | what it rests on is there, and a call with its `FIELDS` is not refused by name |

A model that takes no pictures is not asked for sound and files, which are optional: a profile may
declare them. A refusal of a part is any 4xx: the same call without the part is answered, and what
a server calls a part that it does not know is its own affair.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from conformance.guards import choices_of, is_refusal, persists, refuses, status_line
from conformance.protocol.errors import read_error
from conformance.protocol.headers import told
from conformance.protocol.jsontext import read_document
from conformance.protocol.reasoning import shows_reasoning
from conformance.protocol.usage import shows_cache
from conformance.target.capabilities import FIELDS, NAMES, RESTS_ON, Capability
from conformance.wire.exchange import Exchange

from .pictures import FILE, ROOM, SOUND, Messages, which_colour

if TYPE_CHECKING:
    from conformance.chat import Chat

SPEECH: Mapping[str, Any] = {
    "modalities": ["text", "audio"],
    "audio": {"voice": "alloy", "format": "wav"},
}
"""What asks for a spoken answer."""

NO_CREDIT = frozenset(
    {
        "insufficient_quota",
        "credit_balance_exhausted",
        "organization_spend_limit_exceeded",
        "project_spend_limit_exceeded",
        "organization_usage_limit_exceeded",
    }
)
"""How an error says that credit is exhausted, rather than that calls come too fast."""


def is_out_of_credit(exchange: Exchange) -> bool:
    """Whether a 429 or 402 says that credit is exhausted."""
    error = read_error(exchange.body)
    return error is not None and bool({error.type, error.code} & NO_CREDIT)


def spoken(exchange: Exchange) -> Any:
    """`message.audio` of the first choice; None without one."""
    value = read_document(exchange.body).value
    choices = choices_of(value) if isinstance(value, dict) else []
    said = choices[0].get("message") if choices else None
    return said.get("audio") if isinstance(said, dict) else None


def probed(chat: Chat, flag: str) -> Capability:
    """What the probe of `flag` finds; raises `Unjudged` where it may not ask."""
    if flag in PROBES:
        return PROBES[flag](chat)
    if flag in RESTS_ON and not chat.has(RESTS_ON[flag]):
        return Capability(flag, "absent", f"{RESTS_ON[flag]} is absent")
    if flag not in FIELDS:
        return Capability(flag, "absent", "no probe for it yet, and the profile is silent")
    exchange = chat.ask(**FIELDS[flag])
    absent = refuses(exchange, NAMES[flag])
    because = f"probed: status {exchange.status}"
    return Capability(flag, "absent" if absent else "present", because)


# -- of the target ----------------------------------------------------------------------------


def _auth(chat: Chat) -> Capability:
    known = chat.profile.auth
    if known != "probe":
        because = f'the profile says auth = "{known}"'
        return Capability("auth", "present" if known == "bearer" else "absent", because)
    if chat.post(chat.body(), authorization=None).status == 200:
        return Capability("auth", "absent", "answers 200 without credentials")
    return Capability("auth", "present", "refuses without credentials")


def _models(chat: Chat) -> Capability:
    status = chat.get("/models").status
    absent = status in (404, 405, 501)
    return Capability("models", "absent" if absent else "present", f"probed: status {status}")


def _retrieve(chat: Chat) -> Capability:
    for listed in chat.listed_models()[:2]:
        for path in (
            f"/models/{quote(listed, safe='', errors='surrogatepass')}",
            f"/models/{listed}",
        ):
            if 200 <= (status := chat.get(path).status or 0) < 300:
                return Capability("retrieve", "present", f"GET {path} answers {status}")
    return Capability("retrieve", "absent", "no listed id resolves, neither encoded nor raw")


# -- of the model -----------------------------------------------------------------------------


def _reasoning(chat: Chat) -> Capability:
    """A model whose documented traits name reasoning may hide it, and reasons all the same."""
    if "reasoning" in chat.profile.model(chat.model).traits:
        return Capability("reasoning", "present", "the profile documents the model as reasoning")
    return _shown("reasoning", shows_reasoning)(chat)


def _shown(
    flag: str, shows: Callable[[dict[str, Any]], str | None]
) -> Callable[[Chat], Capability]:
    """`cache` and `reasoning` show themselves in the plainest reply, or they are not there."""

    def probe(chat: Chat) -> Capability:
        value = read_document(chat.canary().body).value
        told = shows(value if isinstance(value, dict) else {})
        if told:
            return Capability(flag, "present", f"the plainest reply carries {told}")
        return Capability(flag, "absent", "the plainest reply shows nothing of it")

    return probe


def _takes(flag: str, messages: Messages) -> Callable[[Chat], Capability]:
    def probe(chat: Chat) -> Capability:
        exchange = chat.ask(messages=messages, max_tokens=ROOM)
        because = f"probed: status {exchange.status}"
        return Capability(flag, "absent" if is_refusal(exchange) else "present", because)

    return probe


UNSUPPORTED = re.compile(r"\bnot supported|n[o']t support|unsupported", re.IGNORECASE)


def _vision(chat: Chat) -> Capability:
    """A 5xx that says "image input is not supported" is llama.cpp's refusal: it sees nothing, and
    that it says so by a 5xx is CC-MM-004's business."""
    exchange = chat.ask(messages=which_colour("red"), max_tokens=ROOM)
    error = read_error(exchange.body) if persists(exchange) else None
    if error is not None and UNSUPPORTED.search(str(error.message)):
        return Capability("vision", "absent", f"probed: {status_line(exchange)}")
    return _takes("vision", which_colour("red"))(chat)


def _takes_too(flag: str, messages: Messages) -> Callable[[Chat], Capability]:
    def probe(chat: Chat) -> Capability:
        if not chat.has("vision"):
            return Capability(flag, "absent", "vision is absent, and the profile is silent")
        return _takes(flag, messages)(chat)

    return probe


def _no_vision(chat: Chat) -> Capability:
    vision = chat.capability("vision")
    return Capability("no_vision", "absent" if vision.present else "present", vision.because)


def _speech(chat: Chat) -> Capability:
    exchange = chat.ask(**SPEECH)
    if is_refusal(exchange):
        return Capability("audio_out", "absent", f"probed: status {exchange.status}")
    if exchange.status == 200 and spoken(exchange) is None:
        return Capability("audio_out", "absent", "speech was asked for and text came alone")
    return Capability("audio_out", "present", f"probed: status {exchange.status}")


def _limits(chat: Chat) -> Capability:
    if "limited" in chat.profile.keys:
        return Capability("ratelimit", "present", "the profile names a key at its limit")
    if any(e.status == 429 and not is_out_of_credit(e) for e in chat.patience.met):
        return Capability("ratelimit", "present", "a 429 was met")
    if told(chat.canary().headers, "CC-HDR-003"):
        return Capability("ratelimit", "present", "the plainest reply tells limits")
    return Capability("ratelimit", "absent", "no 429 was met, and replies tell no limits")


def _quota(chat: Chat) -> Capability:
    if "exhausted" in chat.profile.keys:
        return Capability("quota", "present", "the profile names a key without credit")
    if any(map(is_out_of_credit, chat.patience.met)):
        return Capability("quota", "present", "a refusal for want of credit was met")
    return Capability("quota", "absent", "the profile names no key without credit")


def _filter(chat: Chat) -> Capability:
    if "filter" in chat.profile.triggers:
        return Capability("filter", "present", "the profile names a prompt that it stops")
    return Capability("filter", "absent", "the profile names no prompt that it stops")


PROBES: Mapping[str, Callable[[Chat], Capability]] = {
    "auth": _auth,
    "models": _models,
    "retrieve": _retrieve,
    "cache": _shown("cache", shows_cache),
    "reasoning": _reasoning,
    "vision": _vision,
    "no_vision": _no_vision,
    "audio_in": _takes_too("audio_in", SOUND),
    "file_in": _takes_too("file_in", FILE),
    "audio_out": _speech,
    "ratelimit": _limits,
    "quota": _quota,
    "filter": _filter,
}
"""The probe of each flag that needs more than fields of a request."""
