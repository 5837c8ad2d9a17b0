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

from .mistakes import Fields, Wrong, each, row
from .wrong_messages import MESSAGES
from .wrong_tools import TOOLS

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
        row(
            f"{parameter} below {least:g}",
            clause,
            parameter,
            *each(parameter, [round(least - step, 2) for step in STEPS]),
        ),
        row(
            f"{parameter} above {most:g}",
            clause,
            parameter,
            *each(parameter, [round(most + step, 2) for step in STEPS]),
        ),
        row(f"{parameter} no number", clause, parameter, *each(parameter, NO_NUMBERS)),
    ]


def _biases(*values: Any) -> list[Fields]:
    return [{"logit_bias": {"1": value}} for value in values]


def _usage_asked(*values: Any) -> list[Fields]:
    return [{"stream": True, "stream_options": {"include_usage": value}} for value in values]


def _unknown(*values: Any) -> list[Fields]:
    return [{name: value} for name in ("x_unknown", "x-y", "größe") for value in values]


def _stops(*lists: Any) -> list[Fields]:
    return [{"stop": given} for given in lists]


WRONGS: tuple[Wrong, ...] = (
    *MESSAGES,
    row("stream no boolean", "CC-REQ-019", "stream", *each("stream", NO_BOOLEANS)),
    *[rule for given in RANGES for rule in _numbers(*given)],
    row("max_tokens below 1", "CC-REQ-023", "max_tokens", *each("max_tokens", (0, -1, -(10**9)))),
    row("max_tokens no integer", "CC-REQ-023", "max_tokens", *each("max_tokens", NO_INTEGERS)),
    row(
        "max_completion_tokens no bound",
        "CC-REQ-024",
        "max_completion_tokens max_tokens",
        *each("max_completion_tokens", (0, -1, *NO_INTEGERS)),
        demanded=False,
    ),
    row("n below 1", "CC-REQ-026", "n", *each("n", (0, -1, -(10**9)))),
    row("n above 128", "CC-REQ-026", "n", *each("n", (129, 130, 200), max_tokens=1)),
    row("n no integer", "CC-REQ-026", "n", *each("n", NO_INTEGERS)),
    row(
        "stop with more than four items",
        "CC-REQ-027",
        "stop",
        *each(
            "stop",
            [list("\u2603\u2604\u2605\u2606\u2607\u2608\u2609"[:most]) for most in (5, 6, 7)],
        ),
    ),
    row("an item of stop no string", "CC-REQ-027", "stop", *_stops([1], [None], ["a", 1])),
    row("stop no string", "CC-REQ-027", "stop", *_stops(1, True, {}, 1.5, {"a": "b"})),
    row(
        "logit_bias no object",
        "CC-REQ-029",
        "logit_bias",
        *each("logit_bias", ([], "x", 1, True, [{"1": 1}])),
        needs="logit_bias",
    ),
    row(
        "a bias out of range",
        "CC-REQ-029",
        "logit_bias",
        *_biases(200, -200, 101, -101, 1e9),
        needs="logit_bias",
    ),
    row(
        "a bias no number",
        "CC-REQ-029",
        "logit_bias",
        *_biases("x", None, [], {}),
        needs="logit_bias",
    ),
    row("logprobs no boolean", "CC-REQ-030", "logprobs", *each("logprobs", NO_BOOLEANS)),
    row(
        "top_logprobs out of range",
        "CC-REQ-031",
        "top_logprobs",
        *each("top_logprobs", (21, -1, 100, -100), logprobs=True),
        needs="logprobs",
    ),
    row(
        "top_logprobs no integer",
        "CC-REQ-031",
        "top_logprobs",
        *each("top_logprobs", NO_INTEGERS, logprobs=True),
        needs="logprobs",
    ),
    row("seed no integer", "CC-REQ-032", "seed", *each("seed", NO_INTEGERS)),
    row(
        "seed beyond int64",
        "CC-REQ-032",
        "seed",
        *each("seed", (2**63, -(2**63) - 1, 10**30)),
        demanded=False,  # many readers of JSON round such an integer before anybody sees it
    ),
    row(
        "more metadata than allowed",
        "CC-REQ-034",
        "metadata",
        {"metadata": {str(number): "v" for number in range(17)}},
        *each("metadata", ({"k" * 65: "v"}, {"k": "v" * 513}, {"k": 1}, "x", [])),
        demanded=False,  # a server that ignores metadata is right
    ),
    row(
        "response_format of unknown type",
        "CC-REQ-036",
        "response_format type",
        *each("response_format", [{"type": kind} for kind in ("xml", "", "JSON", "yaml", 1)]),
    ),
    row(
        "response_format no object",
        "CC-REQ-036",
        "response_format",
        *each("response_format", ("json", 1, True, [], "text", {}, [{"type": "text"}])),
    ),
    *TOOLS,
    row(
        "stream_options no object",
        "CC-REQ-040",
        "stream_options",
        *each("stream_options", NO_OBJECTS, stream=True),
        needs="stream stream_usage",
    ),
    row(
        "include_usage no boolean",
        "CC-REQ-040",
        "stream_options include_usage",
        *_usage_asked("yes", "", [], {}, "true", 5),
        needs="stream stream_usage",
    ),
    row(
        "reasoning_effort unknown",
        "CC-REQ-041",
        "reasoning_effort",
        *each("reasoning_effort", ("extreme", "", 5, True, [], {})),
        needs="reasoning",
    ),
    row(
        "model no string",
        "CC-MODEL-011",
        "model",
        *each("model", (1, None, [], {}, True, 1.5, ["x"])),
    ),
    row("model empty", "CC-MODEL-011", "model", *each("model", ("", " ", "\n"))),
    row(
        "user no string",
        "CC-REQ-033",
        "user",
        *each("user", (1, [], {}, True, 1.5)),
        demanded=False,
    ),
    row(
        "a parameter that nobody knows",
        "CC-REQ-017",
        "x_unknown x-y größe",
        *_unknown(1, "x", {}, []),
        demanded=False,
    ),
    row(
        "null where it may not be",
        "CC-REQ-016",
        "tools tool_choice response_format user",
        *[{name: None} for name in ("tools", "tool_choice", "response_format", "user")],
        demanded=False,
    ),
)
"""Every rule, by its clause."""
