"""How a request breaks exactly one rule: one row for each rule, with the clause that refuses it.

The laws:

1. A row breaks its rule whatever valid features stand beside it, and no other rule.
2. `demanded` rows are refused by their clause; the others may be answered either way, and are here
   for the clauses that speak of every faulty request: never 5xx, one form, the culprit named.
3. What a lax server generates for a row stays cheap: a row that takes away the bound asks for a
   greeting, and `n` above 128 stands beside a bound of one token.
"""

from collections.abc import Sequence
from typing import Any

from conformance import prompts

from .drawing import choice_of
from .mistakes import LEFT_OUT, Fields, Wrong
from .valid import USER


def _row(
    name: str,
    clause: str,
    names: str,
    *values: Fields,
    needs: str = "",
    demanded: bool = True,
) -> Wrong:
    touches = frozenset(key for fields in values for key in fields)
    words, flags = tuple(names.split()), tuple(needs.split())
    return Wrong(name, clause, words, choice_of(values), touches, flags, demanded)


def _each(parameter: str, values: Sequence[Any], **beside: Any) -> list[Fields]:
    return [{parameter: value, **beside} for value in values]


NO_NUMBERS: Sequence[Any] = ("hot", "1", "", True, [], [1], {}, {"value": 1})
NO_INTEGERS: Sequence[Any] = (1.5, "5", "", True, [], [1], {}, 0.1)
NO_BOOLEANS: Sequence[Any] = ("true", 1, 0, "yes", "", [], [True], {}, 1.5)
NO_OBJECTS: Sequence[Any] = ("x", "", 1, 1.5, True, [], ["x"])

Range = tuple[str, str, float, float]

RANGES: tuple[Range, ...] = (
    ("temperature", "CC-REQ-021", 0, 2),
    ("top_p", "CC-REQ-022", 0, 1),
    ("presence_penalty", "CC-REQ-028", -2, 2),
    ("frequency_penalty", "CC-REQ-028", -2, 2),
)
STEPS = (0.1, 0.01, 1, 0.5, 8, 98, 1e6, 1e300)


def _numbers(parameter: str, clause: str, least: float, most: float) -> list[Wrong]:
    return [
        _row(
            f"{parameter} below {least:g}",
            clause,
            parameter,
            *_each(parameter, [round(least - step, 2) for step in STEPS]),
        ),
        _row(
            f"{parameter} above {most:g}",
            clause,
            parameter,
            *_each(parameter, [round(most + step, 2) for step in STEPS]),
        ),
        _row(f"{parameter} no number", clause, parameter, *_each(parameter, NO_NUMBERS)),
    ]


def _said(*contents: Any, role: str = "user") -> list[Fields]:
    return [{"messages": [{"role": role, "content": content}]} for content in contents]


def _roles(*roles: Any) -> list[Fields]:
    return [{"messages": [{"role": role, "content": "hi"}]} for role in roles]


def _biases(*values: Any) -> list[Fields]:
    return [{"logit_bias": {"1": value}} for value in values]


def _usage_asked(*values: Any) -> list[Fields]:
    return [{"stream": True, "stream_options": {"include_usage": value}} for value in values]


def _unknown(*values: Any) -> list[Fields]:
    return [{name: value} for name in ("x_unknown", "x-y", "größe") for value in values]


def _stops(*lists: Any) -> list[Fields]:
    return [{"stop": given} for given in lists]


def _messages(*lists: Any) -> list[Fields]:
    return [{"messages": given} for given in lists]


def _tools(*functions: Any) -> list[Fields]:
    return [{"tools": [{"type": "function", "function": one}]} for one in functions]


TOOL = prompts.WEATHER_TOOL
NAMELESS = {"description": "Has no name"}
BAD_NAMES = ("bad name!", "a.b", "größe", "a/b", "a" * 65, "", "a" * 300, "🙂", " ", "a\n")

WRONGS: tuple[Wrong, ...] = (
    _row("messages left out", "CC-REQ-001", "messages", {"messages": LEFT_OUT}),
    _row("messages empty", "CC-REQ-002", "messages", {"messages": []}),
    _row(
        "messages no array",
        "CC-REQ-003",
        "messages",
        *_messages("hi", None, {}, 1, True, {"role": "user", "content": "hi"}, "", 1.5),
    ),
    _row(
        "an item of messages no object",
        "CC-REQ-003",
        "messages",
        *_messages(["hi"], [None], [1], [[]], [USER, "hi"], [[USER]], [True]),
    ),
    _row(
        "role left out",
        "CC-REQ-006",
        "messages role",
        *_messages([{"content": "hi"}], [USER, {"content": "hi"}], [{}]),
    ),
    _row(
        "role unknown",
        "CC-REQ-006",
        "messages role",
        *_roles("banana", "", "bot", "narrator"),
    ),
    _row(
        "role no string",
        "CC-REQ-006",
        "messages role",
        *_roles(None, 1, [], ["user"], {}),
    ),
    _row(
        "content null",
        "CC-REQ-012",
        "messages content",
        *_said(None),
        *_said(None, role="system"),
        *_messages([USER, {"role": "assistant", "content": None}, USER]),
    ),
    _row(
        "content of another type",
        "CC-REQ-007",
        "messages content",
        *_said(1, True, {}, 1.5, {"type": "text", "text": "hi"}),
        demanded=False,
    ),
    _row(
        "content left out",
        "CC-REQ-012",
        "messages content",
        *_messages([{"role": "user"}], [USER, {"role": "user"}]),
        demanded=False,
    ),
    _row(
        "part of unknown type",
        "CC-REQ-010",
        "messages content type",
        *_said([{"type": "foo"}], [{"type": "banana", "banana": "x"}], [{"type": "texts"}]),
        *_said([{"type": "text", "text": "Say hello."}, {"type": "foo"}]),
    ),
    _row(
        "part without its payload",
        "CC-REQ-010",
        "messages content text",
        *_said([{"type": "text"}], [{"type": "text", "text": "Say hello."}, {"type": "text"}]),
    ),
    _row(
        "part without a type",
        "CC-REQ-010",
        "messages content type",
        *_said([{}], [{"text": "hi"}], ["hi"], [None], [1]),
        demanded=False,
    ),
    _row("stream no boolean", "CC-REQ-019", "stream", *_each("stream", NO_BOOLEANS)),
    *[row for given in RANGES for row in _numbers(*given)],
    _row("max_tokens below 1", "CC-REQ-023", "max_tokens", *_each("max_tokens", (0, -1, -(10**9)))),
    _row("max_tokens no integer", "CC-REQ-023", "max_tokens", *_each("max_tokens", NO_INTEGERS)),
    _row(
        "max_completion_tokens no bound",
        "CC-REQ-024",
        "max_completion_tokens max_tokens",
        *_each("max_completion_tokens", (0, -1, *NO_INTEGERS)),
        demanded=False,
    ),
    _row("n below 1", "CC-REQ-026", "n", *_each("n", (0, -1, -(10**9)))),
    _row("n above 128", "CC-REQ-026", "n", *_each("n", (129, 130, 200), max_tokens=1)),
    _row("n no integer", "CC-REQ-026", "n", *_each("n", NO_INTEGERS)),
    _row(
        "stop with more than four items",
        "CC-REQ-027",
        "stop",
        *_each(
            "stop",
            [list("\u2603\u2604\u2605\u2606\u2607\u2608\u2609"[:most]) for most in (5, 6, 7)],
        ),
    ),
    _row("an item of stop no string", "CC-REQ-027", "stop", *_stops([1], [None], ["a", 1])),
    _row("stop no string", "CC-REQ-027", "stop", *_stops(1, True, {}, 1.5, {"a": "b"})),
    _row(
        "logit_bias no object",
        "CC-REQ-029",
        "logit_bias",
        *_each("logit_bias", ([], "x", 1, True, [{"1": 1}])),
        needs="logit_bias",
    ),
    _row(
        "a bias out of range",
        "CC-REQ-029",
        "logit_bias",
        *_biases(200, -200, 101, -101, 1e9),
        needs="logit_bias",
    ),
    _row(
        "a bias no number",
        "CC-REQ-029",
        "logit_bias",
        *_biases("x", None, [], {}),
        needs="logit_bias",
    ),
    _row("logprobs no boolean", "CC-REQ-030", "logprobs", *_each("logprobs", NO_BOOLEANS)),
    _row(
        "top_logprobs out of range",
        "CC-REQ-031",
        "top_logprobs",
        *_each("top_logprobs", (21, -1, 100, -100), logprobs=True),
        needs="logprobs",
    ),
    _row(
        "top_logprobs no integer",
        "CC-REQ-031",
        "top_logprobs",
        *_each("top_logprobs", NO_INTEGERS, logprobs=True),
        needs="logprobs",
    ),
    _row("seed no integer", "CC-REQ-032", "seed", *_each("seed", NO_INTEGERS)),
    _row(
        "seed beyond int64",
        "CC-REQ-032",
        "seed",
        *_each("seed", (2**63, -(2**63) - 1, 10**30)),
        demanded=False,  # many readers of JSON round such an integer before anybody sees it
    ),
    _row(
        "more metadata than allowed",
        "CC-REQ-034",
        "metadata",
        {"metadata": {str(number): "v" for number in range(17)}},
        *_each("metadata", ({"k" * 65: "v"}, {"k": "v" * 513}, {"k": 1}, "x", [])),
        demanded=False,  # a server that ignores metadata is right
    ),
    _row(
        "response_format of unknown type",
        "CC-REQ-036",
        "response_format type",
        *_each("response_format", [{"type": kind} for kind in ("xml", "", "JSON", "yaml", 1)]),
    ),
    _row(
        "response_format no object",
        "CC-REQ-036",
        "response_format",
        *_each("response_format", ("json", 1, True, [], "text", {}, [{"type": "text"}])),
    ),
    _row(
        "a function name out of form",
        "CC-REQ-037",
        "tools function name",
        *_tools(*[{**TOOL["function"], "name": name} for name in BAD_NAMES]),
        needs="tools",
    ),
    _row(
        "a function without a name",
        "CC-REQ-037",
        "tools function name",
        *_tools(NAMELESS, {}),
        *_each("tools", ([{"type": "function"}],)),
        needs="tools",
    ),
    _row(
        "a tool of unknown type",
        "CC-REQ-037",
        "tools type",
        *_each("tools", [[{**TOOL, "type": kind}] for kind in ("banana", "", "functions")]),
        needs="tools",
    ),
    _row(
        "tools no array of objects",
        "CC-REQ-037",
        "tools",
        *_each("tools", ("x", 1, True, TOOL, ["x"], [1], [None], [[]])),
        needs="tools",
    ),
    _row(
        "tool_choice of an unknown function",
        "CC-REQ-039",
        "tool_choice tool",
        *[
            {
                "tools": [TOOL],
                "tool_choice": {"type": "function", "function": {"name": name}},
            }
            for name in ("nobody", "get_weathers", "", "a" * 64)
        ],
        needs="tools",
    ),
    _row(
        "a forcing tool_choice without tools",
        "CC-REQ-039",
        "tool_choice tools tool",
        {"tool_choice": "required", "tools": LEFT_OUT},
        {
            "tool_choice": {"type": "function", "function": {"name": "get_weather"}},
            "tools": LEFT_OUT,
        },
        needs="tools",
    ),
    _row(
        "tool_choice out of form",
        "CC-REQ-039",
        "tool_choice tool",
        *_each("tool_choice", ("banana", "", 1, True, {"type": "banana"}, []), tools=[TOOL]),
        needs="tools",
    ),
    _row(
        "stream_options no object",
        "CC-REQ-040",
        "stream_options",
        *_each("stream_options", NO_OBJECTS, stream=True),
        needs="stream stream_usage",
    ),
    _row(
        "include_usage no boolean",
        "CC-REQ-040",
        "stream_options include_usage",
        *_usage_asked("yes", "", [], {}, "true", 5),
        needs="stream stream_usage",
    ),
    _row(
        "reasoning_effort unknown",
        "CC-REQ-041",
        "reasoning_effort",
        *_each("reasoning_effort", ("extreme", "", 5, True, [], {})),
        needs="reasoning",
    ),
    _row(
        "model no string",
        "CC-MODEL-011",
        "model",
        *_each("model", (1, None, [], {}, True, 1.5, ["x"])),
    ),
    _row("model empty", "CC-MODEL-011", "model", *_each("model", ("", " ", "\n"))),
    _row(
        "user no string",
        "CC-REQ-033",
        "user",
        *_each("user", (1, [], {}, True, 1.5)),
        demanded=False,
    ),
    _row(
        "a parameter that nobody knows",
        "CC-REQ-017",
        "x_unknown x-y größe",
        *_unknown(1, "x", {}, []),
        demanded=False,
    ),
    _row(
        "null where it may not be",
        "CC-REQ-016",
        "tools tool_choice response_format user",
        *[{name: None} for name in ("tools", "tool_choice", "response_format", "user")],
        demanded=False,
    ),
)
"""Every rule, by its clause."""
