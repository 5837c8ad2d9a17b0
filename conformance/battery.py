"""The standing requests: what many checks look at, asked once per model.

The laws:

1. A check that speaks of "every reply" looks at the replies to these requests; it needs no other
   check to have run first, so that it can be run alone.
2. Each invalid request breaks one rule and names the parameter that breaks it.

Where the next request goes: a valid one into `plain` or `streams`, an invalid one into `INVALID`.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from . import prompts
from .chat import CHAT_PATH, OMIT, Chat, encode
from .credentials import MALFORMED, WRONG_KEY
from .guards import is_refusal, refuses
from .outcomes import Blocked
from .target.capabilities import FIELDS, LABEL
from .wire.exchange import Exchange, FailureKind, Request
from .wire.raw import RawReply, converse

LONG = 160
"""Output bound of the long answer: at least 100 tokens (CC-SSE-021)."""


def plain(chat: Chat) -> list[Exchange]:
    """Valid calls without `stream`: the plainest, a bounded one, text beyond ASCII, a cut one, and
    those that are answered by tool calls."""
    return [
        chat.canary(),
        chat.ask(),
        beyond_ascii(chat),
        cut(chat),
        *(calls(chat) if chat.has("tools") else []),
    ]


def beyond_ascii(chat: Chat, sample: int = 0) -> Exchange:
    """A valid call that asks for text beyond ASCII to be repeated."""
    return chat.ask(prompts.repeat(BEYOND_ASCII), sample=sample, max_tokens=256)


BEYOND_ASCII = " ".join(prompts.UNICODE.values())

TIGHT = 16
"""An output bound that a count to 300 exceeds by far."""


def cut(chat: Chat, sample: int = 0) -> Exchange:
    """A valid call whose answer the output bound cuts."""
    return chat.ask(prompts.COUNT, sample=sample, **{chat.bound_name: TIGHT})


def streams(chat: Chat) -> list[Exchange]:
    """Streamed calls: a short answer, a long one, one that asks for usage, and one that fails.

    The last only where the profile names a prompt that makes a stream fail.
    """
    found = [chat.stream(), long_stream(chat)]
    if chat.has("stream_usage"):
        found.append(usage_stream(chat))
    trigger = chat.profile.triggers.get("stream_error")
    return found if trigger is None else [*found, chat.stream(trigger)]


def usage_stream(chat: Chat) -> Exchange:
    """A streamed call that asks for usage."""
    return chat.stream(stream_options={"include_usage": True})


def long_stream(chat: Chat, sample: int = 0) -> Exchange:
    """A streamed answer of at least 100 tokens, cut by its bound."""
    return chat.stream(prompts.COUNT, sample=sample, **{chat.bound_name: LONG})


def counted_stream(chat: Chat, sample: int = 0) -> Exchange:
    """Another long stream, which tells its usage where that can be had."""
    if not chat.has("stream_usage"):
        return long_stream(chat, sample=1 + sample)
    fields: dict[str, Any] = {"stream_options": {"include_usage": True}, chat.bound_name: LONG}
    return chat.stream(prompts.COUNT, sample=sample, **fields)


def invitation(chat: Chat, **fields: Any) -> Exchange:
    """A call that offers a tool and invites the model to call it; `fields` as in `Chat.body`."""
    offered = {"tools": [prompts.WEATHER_TOOL], chat.bound_name: 256}
    return chat.ask(prompts.WEATHER, **{**offered, **fields})


def forbidden(chat: Chat, sample: int = 0) -> Exchange:
    """The same invitation, and a `tool_choice` that lets the model call nothing."""
    return invitation(chat, sample=sample, tool_choice="none", max_tokens=512)


CHOICE = ("tool_choice", "tool choice")
"""What names a choice that is refused."""

CALLED = 512
"""Output bound where several calls, or a forced one, are to come: room to think before them."""


def forced(chat: Chat, tool: Mapping[str, Any] = prompts.WEATHER_TOOL, **fields: Any) -> Exchange:
    """A call whose `tool_choice` names the only tool; where it may not, the model has its choice.

    `fields` as in `Chat.body`.
    """
    offered = {"tools": [tool], "tool_choice": named(tool), **fields}
    exchange = invitation(chat, **offered)
    if refuses(exchange, CHOICE):
        return invitation(chat, **{**offered, "tool_choice": OMIT})
    return exchange


def named(tool: Mapping[str, Any]) -> dict[str, Any]:
    """The `tool_choice` that forces a call of `tool`."""
    return {"type": "function", "function": {"name": tool["function"]["name"]}}


def two_calls(chat: Chat, **fields: Any) -> Exchange:
    """A call that invites the model to call a tool twice at once; `fields` as in `Chat.body`."""
    asked = {"role": "user", "content": prompts.WEATHER_TWICE}
    return invitation(chat, **{"messages": [asked], chat.bound_name: CALLED, **fields})


def no_arguments(chat: Chat, **fields: Any) -> Exchange:
    """A call that forces a call of a tool without parameters; `fields` as in `Chat.body`."""
    asked = {"role": "user", "content": prompts.LOOK_UP}
    options = {"messages": [asked], chat.bound_name: CALLED, **fields}
    return forced(chat, prompts.LOOK_UP_TOOL, **options)


def calls(chat: Chat, **fields: Any) -> list[Exchange]:
    """Valid calls that tool calls answer: the model's own choice, a forced one, two at once."""
    found = [invitation(chat, **fields), forced(chat, **fields), two_calls(chat, **fields)]
    return list({id(exchange): exchange for exchange in found}.values())


def call_streams(chat: Chat) -> list[Exchange]:
    """The same calls, streamed; see `all_streams` for what is left out."""
    return [exchange for exchange in calls(chat, stream=True) if not was_cut(exchange)]


def all_streams(chat: Chat) -> list[Exchange]:
    """Every kind of stream: the standing ones, those of tool calls and one of two choices.

    One whose connection was cut is left out: it has no form to judge, and the cut is CC-HTTP-009's.
    """
    found = [*streams(chat), counted_stream(chat)]
    if chat.has("tools"):
        found += call_streams(chat)
    if chat.has("n"):
        found.append(chat.stream(n=2))
    whole = [exchange for exchange in found if not was_cut(exchange)]
    if not whole:
        raise Blocked("CC-HTTP-009", str(found[0].failure), found[0])
    return whole


def was_cut(exchange: Exchange) -> bool:
    """Whether a reply had begun when its connection ended: an error that every client sees."""
    failure = exchange.failure
    cuts = (FailureKind.TRUNCATED, FailureKind.RESET)
    return exchange.status == 200 and failure is not None and failure.kind in cuts


TOGETHER: tuple[Mapping[str, Any], ...] = (
    {
        "temperature": 0,
        "top_p": 0,
        "presence_penalty": -2,
        "frequency_penalty": -2,
        "seed": -1,
        "stop": "\u2603",
    },
    {
        "temperature": 0.7,
        "n": 1,
        "presence_penalty": 0,
        "frequency_penalty": 0,
        "logprobs": False,
        "stop": None,
        "user": "x",
        "response_format": {"type": "text"},
        "store": False,
        "service_tier": "auto",
    },
    {
        "temperature": 1,
        "safety_identifier": "x",
        "prompt_cache_key": "x",
        "prompt_cache_options": None,
        "web_search_options": None,
    },
    {
        "temperature": 2,
        "top_p": 1,
        "presence_penalty": 2,
        "frequency_penalty": 2,
        "seed": 2**53 - 1,
        "stop": ["\u2603", "\u2604", "\u2605", "\u2606"],
    },
    {
        "metadata": {"zq1": "a", "zq2": "b"},
        "prediction": {"type": "content", "content": "Hello!"},
        "modalities": ["text"],
        "prompt_cache_options": {"mode": "implicit"},
        "verbosity": "medium",
        "tools": None,
        "tool_choice": None,
        "parallel_tool_calls": None,
        "response_format": None,
        "user": None,
        "functions": None,
        "function_call": None,
        "web_search_options": {},
        "moderation": {"model": "omni-moderation-latest"},
    },
)
"""Values sent together: lower ends, neutral values, successors of `user`, upper ends, and what may
be ignored; null is legal, or harmless (CC-REQ-016).

Where the target takes them together, it need not be asked for each alone (`with_value`).
"""


def with_value(chat: Chat, parameter: str, value: Any) -> Exchange:
    """A valid call with `parameter` at `value`: one of `TOGETHER` if it was answered 200, else a
    call with that parameter alone, so that the culprit shows."""
    for fields in TOGETHER:
        if parameter in fields and _same(fields[parameter], value):
            exchange = chat.ask(**fields)
            if exchange.status == 200:
                return exchange
    return chat.ask(**{parameter: value})


def _same(one: Any, other: Any) -> bool:
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def conversation(chat: Chat) -> list[RawReply]:
    """A success, a 4xx, a stream and a success on one connection, framing and all.

    A request that found the connection closed has a reply without a response.
    """
    if "conversation" not in chat.memory:
        good = Request("POST", CHAT_PATH, encode(chat.body()))
        bad = Request("POST", CHAT_PATH, BROKEN_JSON)
        stream = Request("POST", CHAT_PATH, encode(chat.body(stream=chat.has("stream"))))
        chat.memory["conversation"] = converse(chat.client, [good, bad, stream, good])
    replies: list[RawReply] = chat.memory["conversation"]
    for reply in replies:
        chat.note(reply.exchange)
    return replies


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


def called(*ids: str) -> dict[str, Any]:
    """An assistant's message that calls a tool once under each id; nine letters and digits, as
    Mistral wants them, suit every server."""
    function = {"name": "get_weather", "arguments": '{"location": "Paris"}'}
    calls = [{"id": name, "type": "function", "function": function} for name in ids]
    return {"role": "assistant", "content": None, "tool_calls": calls}


def result(name: str, content: str = "18 °C, sunny") -> dict[str, Any]:
    """A tool's result for the call with that id."""
    return {"role": "tool", "tool_call_id": name, "content": content}


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

BROKEN_JSON = b'{"model":'

NULLABLE = (
    "temperature",
    "top_p",
    "n",
    "stop",
    "stream",
    "stream_options",
    "max_tokens",
    "max_completion_tokens",
    "presence_penalty",
    "frequency_penalty",
    "logprobs",
    "top_logprobs",
    "seed",
)
"""Parameters for which explicit null equals omission (CC-REQ-015)."""


def all_null(chat: Chat) -> Exchange:
    """A valid call with every nullable parameter as null."""
    return chat.ask(**dict.fromkeys(NULLABLE))


NO_OBJECTS = (b"", b"null", b"[]")
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


def refusals(chat: Chat) -> list[Exchange]:
    """Every 4xx that the standing faulty requests are answered with (scope of CC-ERR-001).

    Credentials that are missing, wrong or malformed, a body that is no JSON, an unknown model, and
    all of `INVALID`. A reply other than 4xx is another clause's business and left out.
    """
    faulty = [chat.post(BROKEN_JSON), *(invalid(chat, name) for name in INVALID)]
    if chat.has("auth"):
        body = chat.body()
        values = [None, f"Bearer {WRONG_KEY}", *MALFORMED.values()]
        faulty += [chat.post(body, authorization=value) for value in values]
        faulty.append(chat.post(chat.body(stream=True), authorization=f"Bearer {WRONG_KEY}"))
        faulty.append(chat.post({"model": unknown_model()}, authorization=f"Bearer {WRONG_KEY}"))
    if chat.has("retrieve"):
        faulty.append(chat.get(f"/models/{unknown_model()}"))
    faulty.append(chat.post(chat.body(model=OMIT)))
    return [exchange for exchange in faulty if is_refusal(exchange)]
