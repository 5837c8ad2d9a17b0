"""The standing requests: what many checks look at, asked once per model.

The laws:

1. A check that speaks of "every reply" looks at the replies to these requests; it needs no other
   check to have run first, so that it can be run alone.

Where the next request goes: into `plain` or `streams`; an invalid one into `invalid.INVALID`.
"""

from collections.abc import Mapping
from typing import Any

from conformance.chat import OMIT, Chat
from conformance.guards import answered, is_refusal, refuses
from conformance.target.capabilities import FIELDS
from conformance.wire.exchange import Exchange, FailureKind, Request
from conformance.wire.raw import RawReply, converse

from . import prompts
from .sent import CHAT_PATH, encode

LONG = 160
"""Output bound of the long answer: at least 100 tokens (CC-SSE-021)."""


def plain(chat: Chat) -> list[Exchange]:
    """Valid calls without `stream`: the plainest, a bounded one, text beyond ASCII, a cut one,
    those that are answered by tool calls, one for two choices, and one for an answer in a form."""
    return [
        chat.canary(),
        chat.ask(),
        beyond_ascii(chat),
        cut(chat),
        *(calls(chat) if chat.has("tools") else []),
        *([chat.ask(n=2)] if chat.has("n") else []),
        *([chat.ask(**FIELDS["json_schema"])] if chat.has("json_schema") else []),
    ]


def particular(chat: Chat) -> list[Exchange]:
    """Further valid calls without `stream`, for what a server may refuse, but not answer in another
    way: any object, log probabilities, a seed, a stop sequence.

    One of log probabilities may hold a bare NaN, which is CC-LOGP-003's business.
    """
    flags = [flag for flag in ("json_mode", "logprobs", "seed") if chat.has(flag)]
    asked = [*(chat.ask(**FIELDS[flag]) for flag in flags), chat.ask(**TOGETHER[0])]
    return [exchange for exchange in asked if not is_refusal(exchange)]


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
    found = _plain_streams(chat)
    trigger = chat.profile.triggers.get("stream_error")
    return found if trigger is None else [*found, chat.stream(trigger)]


def _plain_streams(chat: Chat) -> list[Exchange]:
    usage = [usage_stream(chat)] if chat.has("stream_usage") else []
    return [chat.stream(), long_stream(chat), *usage]


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


def demanded(chat: Chat, sample: int = 0) -> Exchange:
    """A call whose `tool_choice` demands a call, whatever the prompt says."""
    fields = {"tools": [prompts.WEATHER_TOOL], "tool_choice": "required", "max_tokens": CALLED}
    return chat.ask(sample=sample, **fields)


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
    """Every kind of stream: the standing ones, those of tool calls, one of two choices, one in a
    form.

    One whose connection was cut is left out: it has no form to judge, and the cut is CC-HTTP-009's.
    """
    found = [*streams(chat), *_further_streams(chat)]
    whole = [exchange for exchange in found if not was_cut(exchange)]
    if not whole:
        answered(found[0])  # raises: it was cut
    return whole


def good_streams(chat: Chat) -> list[Exchange]:
    """Every kind of stream that is to come whole, those whose connection was cut among them."""
    return [*_plain_streams(chat), *_further_streams(chat)]


def _further_streams(chat: Chat) -> list[Exchange]:
    tools = calls(chat, stream=True) if chat.has("tools") else []
    several = [chat.stream(n=2)] if chat.has("n") else []
    in_form = {**FIELDS["json_schema"], "stream": True}
    formed = [chat.ask(**in_form)] if chat.has("json_schema") else []
    return [counted_stream(chat), *tools, *several, *formed]


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


def conversation(chat: Chat, number: int = 0) -> list[RawReply]:
    """A success, a 4xx, a stream and a success on one connection, framing and all; `number` counts
    its repetitions.

    A request that found the connection closed has a reply without a response.
    """
    key = f"conversation {number}"
    if key not in chat.memory:
        good = Request("POST", CHAT_PATH, encode(chat.body()))
        bad = Request("POST", CHAT_PATH, BROKEN_JSON)
        stream = Request("POST", CHAT_PATH, encode(chat.body(stream=chat.has("stream"))))
        chat.memory[key] = converse(chat.client, [good, bad, stream, good])
    replies: list[RawReply] = chat.memory[key]
    for reply in replies:
        chat.note(reply.exchange)
    return replies


def called(*ids: str) -> dict[str, Any]:
    """An assistant's message that calls a tool once under each id; nine letters and digits, as
    Mistral wants them, suit every server."""
    function = {"name": "get_weather", "arguments": '{"location": "Paris"}'}
    calls = [{"id": name, "type": "function", "function": function} for name in ids]
    return {"role": "assistant", "content": None, "tool_calls": calls}


def result(name: str, content: str = "18 °C, sunny") -> dict[str, Any]:
    """A tool's result for the call with that id."""
    return {"role": "tool", "tool_call_id": name, "content": content}


BROKEN_JSON = b'{"model":'
BROKEN_STREAM = b'{"stream": true, "model":'
"""The same, for as much as can be told of it, with `stream: true`."""

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
