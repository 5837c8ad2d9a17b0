"""The parameters that offer tools: their form, and the forms that are not theirs (CC-REQ)."""

from .asking import prompts
from .asking.parameters import offered, refused_as, taken_or_not
from .chat import Chat
from .expect import require
from .guards import accepted, answered, finish_reason, is_refusal, message, status_line
from .outcomes import Inconclusive, Unsupported
from .protocol.rules import is_text
from .requirements import requirement
from .target.capabilities import FIELDS, FUNCTION
from .wire.exchange import Exchange

BARE = {"type": "function", "function": {"name": prompts.WEATHER_TOOL["function"]["name"]}}
"""A function of which nothing but the name is given."""


@requirement("CC-REQ-037")
def test_a_function_needs_a_name_of_letters_and_digits_alone(chat: Chat) -> None:
    offered(chat, chat.ask(tools=[BARE]), what="a function of which only the name is given")
    refused_as("CC-REQ-037", chat, "a function's name out of form")


@requirement("CC-REQ-038")
def test_an_empty_list_of_tools_is_taken_either_way(chat: Chat) -> None:
    exchange = answered(chat.ask(tools=[]))
    chat.observe(f"`tools: []` is {taken_or_not(exchange)}")


@requirement("CC-REQ-039")
def test_a_tool_choice_that_cannot_be_met_is_refused(chat: Chat) -> None:
    refused_as("CC-REQ-039", chat, "a tool_choice that cannot be met")


@requirement("CC-REQ-042")
def test_legacy_functions_are_called_or_refused(chat: Chat) -> None:
    exchange = chat.ask(**FIELDS["functions"])
    if is_refusal(exchange):
        raise Unsupported(f"refused: {status_line(exchange)}", exchange)
    accepted(exchange, what="functions, or a 4xx")
    call = message(exchange).get("function_call")
    if call is None and finish_reason(exchange) in ("length", "content_filter"):
        raise Inconclusive("the answer was cut before a call", exchange)
    at = "$.choices[0].message.function_call"
    form = f"a function_call {{name: {FUNCTION['name']!r}, arguments: a string}}"
    require(_is_function_call(call), form, call, at=at, on=exchange)
    _ends_as_forced(exchange)


def _is_function_call(call: object) -> bool:
    return (
        isinstance(call, dict)
        and call.get("name") == FUNCTION["name"]
        and is_text(call.get("arguments"))
    )


def _ends_as_forced(exchange: Exchange) -> None:
    """A forced call ends with `stop` upstream, a free one with `function_call`."""
    ends = ("function_call", "stop", "length")
    reason = finish_reason(exchange)
    required = f"finish_reason {' or '.join(map(repr, ends))} beside function_call"
    require(reason in ends, required, reason, at="$.choices[0].finish_reason", on=exchange)
