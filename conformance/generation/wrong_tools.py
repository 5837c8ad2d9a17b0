"""How tools, and the choice among them, break exactly one rule (``wrong`` has the laws)."""

from typing import Any

from conformance.asking import prompts

from .mistakes import LEFT_OUT, Fields, Wrong, each, row


def _tools(*functions: Any) -> list[Fields]:
    return [{"tools": [{"type": "function", "function": one}]} for one in functions]


TOOL = prompts.WEATHER_TOOL
NAMELESS = {"description": "Has no name"}
BAD_NAMES = ("bad name!", "a.b", "größe", "a/b", "a" * 65, "", "a" * 300, "🙂", " ", "a\n")

TOOLS: tuple[Wrong, ...] = (
    row(
        "a function name out of form",
        "CC-REQ-037",
        "tools function name",
        *_tools(*[{**TOOL["function"], "name": name} for name in BAD_NAMES]),
        needs="tools",
    ),
    row(
        "a function without a name",
        "CC-REQ-037",
        "tools function name",
        *_tools(NAMELESS, {}),
        *each("tools", ([{"type": "function"}],)),
        needs="tools",
    ),
    row(
        "a tool of unknown type",
        "CC-REQ-037",
        "tools type",
        *each("tools", [[{**TOOL, "type": kind}] for kind in ("banana", "", "functions")]),
        needs="tools",
    ),
    row(
        "tools no array of objects",
        "CC-REQ-037",
        "tools",
        *each("tools", ("x", 1, True, TOOL, ["x"], [1], [None], [[]])),
        needs="tools",
    ),
    row(
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
    row(
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
    row(
        "tool_choice out of form",
        "CC-REQ-039",
        "tool_choice tool",
        *each("tool_choice", ("banana", "", 1, True, {"type": "banana"}, []), tools=[TOOL]),
        needs="tools",
    ),
)
