"""The standing invalid requests, and the refusals that they bring.

The laws:

1. Each invalid request breaks one rule and names the parameter that breaks it.
2. A check that speaks of "every refusal" looks at all of them (`refusals`).

Where the next one goes: a row of `INVALID`.
"""

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from conformance.chat import OMIT, Chat
from conformance.guards import is_refusal
from conformance.target.capabilities import FIELDS, LABEL, declared
from conformance.wire.exchange import Exchange

from . import prompts
from .battery import BROKEN_JSON, BROKEN_STREAM, called, result
from .credentials import MALFORMED, WRONG_KEY
from .limits import by_key
from .probes import SPEECH
from .sent import encode


@dataclass(frozen=True, slots=True)
class Invalid:
    """A request that breaks one rule.

    `names` are the words of which one must occur in the refusal (CC-REQ-045); `rule` is the
    requirement that demands the refusal; `replayed`: also sent with `stream: true` (CC-REQ-043).
    """

    rule: str
    names: tuple[str, ...]
    body: Callable[[Chat], bytes]
    replayed: bool = False


def _fields(**fields: Any) -> Callable[[Chat], bytes]:
    return lambda chat: encode(chat.body(**fields))


def _messages(*messages: Any) -> Callable[[Chat], bytes]:
    return _fields(messages=list(messages))


def unknown_model() -> str:
    """A model id that nobody serves; the same for the whole process, so that it is shared."""
    return _UNKNOWN


_UNKNOWN = f"no-such-model-{uuid.uuid4().hex[:12]}"

USER = {"role": "user", "content": prompts.HELLO}

TOOLS = ("tools", "tool", "tool_choice", "function", "functions", "name")
"""What names the culprit where an offered tool or the choice of one is wrong."""

TURNS = ("messages", "role", "tool", "tools", "tool_calls", "tool_call_id", "function")
"""The same where calls and results do not fit together."""


def _named_tool(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {**prompts.WEATHER_TOOL["function"], "name": name}}


LOGPROBS = ("top_logprobs", "logprobs")


def _named_form(**name: str) -> Callable[[Chat], bytes]:
    """A call with a `json_schema` under this name, or under none."""
    given = {"schema": LABEL, "strict": True}
    form = {"type": "json_schema", "json_schema": {**name, **given}}
    return _fields(**{**FIELDS["json_schema"], "response_format": form})


INVALID: Mapping[str, Invalid] = {
    "messages left out": Invalid(
        "CC-REQ-001", ("messages",), _fields(messages=OMIT), replayed=True
    ),
    "messages empty": Invalid("CC-REQ-002", ("messages",), _fields(messages=[])),
    "messages a string": Invalid("CC-REQ-003", ("messages",), _fields(messages="hi")),
    "messages null": Invalid("CC-REQ-003", ("messages",), _fields(messages=None)),
    "role left out": Invalid(
        "CC-REQ-006", ("messages", "role"), _messages({"content": "hi"}), replayed=True
    ),
    "role unknown": Invalid(
        "CC-REQ-006", ("messages", "role"), _messages({"role": "banana", "content": "hi"})
    ),
    "part of unknown type": Invalid(
        "CC-REQ-010",
        ("messages", "content", "type"),
        _messages({"role": "user", "content": [{"type": "foo"}]}),
    ),
    "content null": Invalid(
        "CC-REQ-012", ("messages", "content"), _messages({"role": "user", "content": None})
    ),
    "stream a string": Invalid("CC-REQ-019", ("stream",), _fields(stream="true")),
    "temperature below 0": Invalid(
        "CC-REQ-021", ("temperature",), _fields(temperature=-0.1), replayed=True
    ),
    "temperature a string": Invalid("CC-REQ-021", ("temperature",), _fields(temperature="hot")),
    "top_p above 1": Invalid("CC-REQ-022", ("top_p",), _fields(top_p=1.1)),
    "max_tokens 0": Invalid("CC-REQ-023", ("max_tokens",), _fields(max_tokens=0), replayed=True),
    "max_tokens a string": Invalid("CC-REQ-023", ("max_tokens",), _fields(max_tokens="5")),
    "n 0": Invalid("CC-REQ-026", ("n",), _fields(n=0)),
    "stop with five items": Invalid("CC-REQ-027", ("stop",), _fields(stop=list("abcde"))),
    "presence_penalty above 2": Invalid(
        "CC-REQ-028", ("presence_penalty",), _fields(presence_penalty=2.1)
    ),
    "logit_bias an array": Invalid("CC-REQ-029", ("logit_bias",), _fields(logit_bias=[])),
    "logit_bias above 100": Invalid("CC-REQ-029", ("logit_bias",), _fields(logit_bias={"1": 200})),
    "logprobs an integer": Invalid("CC-REQ-030", ("logprobs",), _fields(logprobs=1)),
    "top_logprobs above 20": Invalid(
        "CC-REQ-031", LOGPROBS, _fields(logprobs=True, top_logprobs=21)
    ),
    "top_logprobs below 0": Invalid(
        "CC-REQ-031", LOGPROBS, _fields(logprobs=True, top_logprobs=-1)
    ),
    "top_logprobs without logprobs": Invalid("CC-REQ-031", LOGPROBS, _fields(top_logprobs=2)),
    "seed a fraction": Invalid("CC-REQ-032", ("seed",), _fields(seed=1.5)),
    "response_format unknown": Invalid(
        "CC-REQ-036", ("response_format",), _fields(response_format={"type": "xml"})
    ),
    "json_schema without name": Invalid(
        "CC-STRUCT-005", ("response_format", "json_schema", "name"), _named_form()
    ),
    "json_schema name out of form": Invalid(
        "CC-STRUCT-005", ("response_format", "json_schema", "name"), _named_form(name="bad name!")
    ),
    "function name out of form": Invalid(
        "CC-REQ-037", TOOLS, lambda chat: encode(chat.body(tools=[_named_tool("bad name!")]))
    ),
    "function name too long": Invalid(
        "CC-REQ-037", TOOLS, lambda chat: encode(chat.body(tools=[_named_tool("x" * 65)]))
    ),
    "tool_choice unknown": Invalid(
        "CC-REQ-039",
        TOOLS,
        _fields(
            tools=[prompts.WEATHER_TOOL],
            tool_choice={"type": "function", "function": {"name": "no_such_function"}},
        ),
    ),
    "tool_choice without tools": Invalid("CC-REQ-039", TOOLS, _fields(tool_choice="required")),
    "result without a call": Invalid(
        "CC-TOOL-024",
        TURNS,
        _fields(messages=[USER, result("call00024")], tools=[prompts.WEATHER_TOOL]),
    ),
    "call without a result": Invalid(
        "CC-TOOL-025",
        TURNS,
        _fields(
            messages=[USER, called("call00025", "call00026"), result("call00025"), USER],
            tools=[prompts.WEATHER_TOOL],
        ),
    ),
    "model empty": Invalid("CC-MODEL-011", ("model",), _fields(model="")),
    "model with spaces": Invalid(
        "CC-MODEL-011", ("model",), lambda chat: encode(chat.body(model=f" {chat.model} "))
    ),
    "model unknown": Invalid(
        "CC-MODEL-009",
        ("model",),
        lambda chat: encode(chat.body(model=unknown_model())),
        replayed=True,
    ),
}
"""Every request that must be refused, by what is wrong with it."""

NO_OBJECTS = (b"", b"null", b"[]", b'"x"', b"1")
"""Bodies that are JSON, or nothing, and no object (CC-HTTP-013)."""


def hostile(chat: Chat) -> list[bytes]:
    """Bodies that parse and that a careless server chokes on (CC-HTTP-023).

    A lone surrogate, U+0000, a member of 1 MB (one that costs no tokens), an object 500 deep.
    """
    text = encode(chat.body("TEXT"))
    nested = b'{"a":' * 500 + b"1" + b"}" * 500
    return [
        text.replace(b'"TEXT"', b'"\\ud800"'),
        text.replace(b'"TEXT"', b'"a\\u0000b"'),
        encode(chat.body(user="u" * 1_000_000)),
        text.replace(b'{"model"', b'{"x": ' + nested + b', "model"'),
    ]


def invalid(chat: Chat, name: str) -> Exchange:
    """The reply to the invalid request of that name."""
    return chat.post(INVALID[name].body(chat))


def invalid_by_rule(chat: Chat, rule: str) -> dict[str, Exchange]:
    """The replies to every invalid request that breaks `rule`."""
    return {name: invalid(chat, name) for name, row in INVALID.items() if row.rule == rule}


def replayed(chat: Chat) -> list[tuple[Exchange, Exchange]]:
    """The invalid requests that are refused, each without and with `stream: true` (CC-REQ-043)."""
    pairs: list[tuple[Exchange, Exchange]] = []
    for name, row in INVALID.items():
        if row.replayed and is_refusal(plain := invalid(chat, name)):
            body = {**json.loads(row.body(chat)), "stream": True}
            pairs.append((plain, chat.post(encode(body))))
    return pairs


def no_numbers(chat: Chat) -> dict[str, Exchange]:
    """The replies to numbers that JSON, or a double, lacks (CC-REQ-044)."""
    body = encode(chat.body(temperature=0.125))
    literals = ("NaN", "1e999")
    return {one: chat.post(body.replace(b"0.125", one.encode())) for one in literals}


def unknown_parameter(chat: Chat, **fields: Any) -> Exchange:
    """The reply to a parameter that does not exist (CC-REQ-017)."""
    return chat.ask(x_unknown=1, **fields)


def refusals(chat: Chat) -> list[Exchange]:
    """Every 4xx that the standing faulty requests are answered with (scope of CC-ERR-001).

    Credentials that are missing, wrong, malformed or not enough, a body that is no JSON or no
    object, numbers that JSON lacks, an unknown model, all of `INVALID`, streamed too, and what a
    server may refuse.
    A reply other than 4xx is another clause's business and left out.
    """
    if "refusals" not in chat.memory:
        chat.memory["refusals"] = _refusals(chat)
    found: list[Exchange] = chat.memory["refusals"]
    return [chat.note(exchange) for exchange in found]


def _refusals(chat: Chat) -> list[Exchange]:
    faulty = [chat.post(BROKEN_JSON), *(invalid(chat, name) for name in INVALID)]
    faulty += [*(chat.post(body) for body in NO_OBJECTS), *no_numbers(chat).values()]
    faulty += [unknown_parameter(chat), chat.ask(**SPEECH)]
    if declared("functions", chat.profile.capabilities) is None:
        faulty.append(chat.ask(**FIELDS["functions"]))
    if chat.has("stream"):
        faulty += [chat.post(BROKEN_STREAM), *(streamed for _, streamed in replayed(chat))]
        faulty.append(unknown_parameter(chat, stream=True))
        faulty.append(chat.stream(stream_options={"include_usage": "yes"}))
    if chat.has("auth"):
        body = chat.body()
        values = [None, f"Bearer {WRONG_KEY}", *MALFORMED.values()]
        faulty += [chat.post(body, authorization=value) for value in values]
        faulty.append(chat.post(chat.body(stream=True), authorization=f"Bearer {WRONG_KEY}"))
        faulty.append(chat.post({"model": unknown_model()}, authorization=f"Bearer {WRONG_KEY}"))
        restricted = by_key(chat, "restricted")
        faulty += [] if restricted is None else [restricted]
    if chat.has("retrieve"):
        faulty.append(chat.get(f"/models/{unknown_model()}"))
    faulty.append(chat.post(chat.body(model=OMIT)))
    return [exchange for exchange in faulty if is_refusal(exchange)]
