"""Which tool is called, and with what arguments (CC-TOOL, behaviour).

The laws:

1. A choice is obeyed, or refused by a 4xx that names it: accepted and ignored is broken.
2. A model that is free to call may refrain, and one that its bound has cut may have meant to: what
   it does not call says nothing of the server.
3. How a call is spelled is judged in `test_tools`; one that cannot be read is blamed on that.
"""

from typing import Any

import schemas

from .asking import prompts
from .asking.battery import (
    CALLED,
    CHOICE,
    beyond_ascii,
    demanded,
    forbidden,
    forced,
    invitation,
    named,
    two_calls,
)
from .asking.parameters import offered
from .chat import Chat
from .expect import require, second_look, streamed_calls, trials
from .guards import (
    accepted,
    calls_in,
    counts,
    finish_reason,
    is_refusal,
    message,
    status_line,
    text,
    well_formed_calls,
)
from .outcomes import Inconclusive, Unjudged, Unsupported
from .protocol.calls import ToolCall
from .protocol.finding import excerpt, shorten
from .protocol.jsontext import read_document
from .protocol.rules import is_filled_text, is_text
from .requirements import requirement
from .target.capabilities import FIELDS, NOTE
from .wire.exchange import Exchange


@requirement("CC-TOOL-018")
def test_tool_choice_none_yields_no_call(chat: Chat) -> None:
    looked: list[Exchange] = []

    def trial(number: int) -> bool | None:
        exchange = forbidden(chat, number)
        looked.append(offered(chat, exchange, *CHOICE, what="tool_choice none"))
        if calls_in(exchange):
            return False
        return True if counts(exchange) else None

    chat.memory["trials"] = trials(
        trial,
        of=2,
        required="no call where tool_choice is none",
        seen=lambda: f"calls {shorten(calls_in(looked[-1]))}",
        on=lambda: looked[-1],
    )


@requirement("CC-TOOL-019")
def test_tool_choice_required_yields_a_call(chat: Chat) -> None:
    looked: list[Exchange] = []

    def trial(number: int) -> bool | None:
        exchange = demanded(chat, number)
        looked.append(offered(chat, exchange, *CHOICE, what="tool_choice required"))
        if calls_in(exchange):
            return True
        return False if counts(exchange) else None

    chat.memory["trials"] = trials(
        trial,
        required="a call where tool_choice is required, whatever the prompt",
        seen=lambda: _end(looked[-1]),
        on=lambda: looked[-1],
    )


@requirement("CC-TOOL-020")
def test_a_named_tool_choice_yields_that_function(chat: Chat) -> None:
    looked: list[Exchange] = []
    wanted = prompts.TIME_TOOL["function"]["name"]

    def trial(number: int) -> bool | None:
        fields = {
            "tools": [prompts.WEATHER_TOOL, prompts.TIME_TOOL],
            "tool_choice": named(prompts.TIME_TOOL),
            "max_tokens": CALLED,
        }
        exchange = invitation(chat, sample=number, **fields)
        looked.append(offered(chat, exchange, *CHOICE, what="a named tool_choice"))
        made = well_formed_calls(exchange)
        if made:
            return all(call.name == wanted for call in made)
        return False if counts(exchange) else None

    chat.memory["trials"] = trials(
        trial,
        required=f"calls of {wanted} alone, which tool_choice names",
        seen=lambda: _end(looked[-1]),
        on=lambda: looked[-1],
    )


def _end(exchange: Exchange) -> str:
    """What a reply holds where other calls were demanded."""
    made = [call.name for call in well_formed_calls(exchange)]
    if made:
        return f"calls of {', '.join(made)}"
    said = excerpt(text(exchange), 60)
    return f"no call, finish_reason {finish_reason(exchange)!r}, text {said!r}"


@requirement("CC-TOOL-021")
def test_parallel_tool_calls_false_yields_at_most_one_call(chat: Chat) -> None:
    looked: list[Exchange] = []

    def trial(number: int) -> bool | None:
        exchange = two_calls(chat, sample=number, parallel_tool_calls=False)
        names = ("parallel_tool_calls", "parallel tool calls")
        looked.append(offered(chat, exchange, *names, what="parallel_tool_calls false"))
        made = calls_in(exchange)
        if made:
            return len(made) == 1
        return True if counts(exchange) else None

    chat.memory["trials"] = trials(
        trial,
        required="at most one call where parallel_tool_calls is false",
        seen=lambda: f"{len(calls_in(looked[-1]))} calls",
        on=lambda: looked[-1],
    )


@requirement("CC-TOOL-027")
def test_long_names_and_text_beyond_ascii_survive_a_call(chat: Chat) -> None:
    looked: list[tuple[Exchange, str]] = []
    plainly: set[int] = set()

    def keep_note(number: int, **fields: Any) -> Exchange:
        asked = [{"role": "user", "content": prompts.KEEP_NOTE}]
        options = {"messages": asked, "sample": number, "max_tokens": CALLED, **fields}
        return forced(chat, prompts.NOTE_TOOL, **options)

    def survives(exchange: Exchange, made: list[ToolCall]) -> bool | None:
        for call in made:
            if call.name != prompts.LONG_NAME:
                looked.append((exchange, f"a call of {call.name}"))
                return False
            noted = _note(call)
            if noted is None:
                continue
            looked.append((exchange, f"the note {shorten(noted)}"))
            return True if prompts.NOTE in noted else _unless_it_never_says_it(chat)
        return None

    def trial(number: int) -> bool | None:
        exchange = keep_note(number)
        offered(chat, exchange, what="a function with a name of 64 characters")
        held = survives(exchange, well_formed_calls(exchange))
        if held:
            plainly.add(number)
        return held

    def streamed(number: int) -> bool | None:
        if number not in plainly and not trial(number):
            return None  # the plain call is the control
        exchange = keep_note(number, stream=True)
        return survives(exchange, streamed_calls(chat, exchange) or [])

    required = f"a call of {prompts.LONG_NAME} with the note {prompts.NOTE!r}"
    chat.memory["trials"] = trials(
        trial, required=required, seen=lambda: looked[-1][1], on=lambda: looked[-1][0]
    )
    if chat.has("stream"):
        second_look(
            streamed,
            of=3,
            required=f"{required}, streamed too",
            seen=lambda: looked[-1][1],
            on=lambda: looked[-1][0],
        )


def _note(call: ToolCall) -> str | None:
    """The note in a call's arguments, where the model has copied at least the words of it."""
    held = read_document(call.arguments.encode("utf-8", "surrogatepass")).value
    noted = held.get("note") if isinstance(held, dict) else None
    copied = isinstance(noted, str) and all(word in noted for word in ("Lunch", "noon"))
    return noted if copied and isinstance(noted, str) else None


def _unless_it_never_says_it(chat: Chat) -> bool | None:
    """False (broken) where the model repeats an emoji in its text; None where it does not (the
    control)."""
    try:
        return False if prompts.UNICODE["emoji"][0] in text(beyond_ascii(chat)) else None
    except Unjudged:
        return None


@requirement("CC-TOOL-028")
def test_strict_arguments_validate_against_the_schema(chat: Chat) -> None:
    function = {**prompts.FORECAST_TOOL["function"], "strict": True}
    tool = {**prompts.FORECAST_TOOL, "function": function}
    looked: list[tuple[Exchange, str]] = []

    def trial(number: int) -> bool | None:
        exchange = invitation(chat, tools=[tool], sample=number, max_tokens=CALLED)
        offered(chat, exchange, "strict", "tools", what="a function with strict true")
        made = well_formed_calls(exchange)
        if not made or not counts(exchange):
            return None
        for call in made:
            wrong = _misfit(call, function["parameters"])
            if wrong is not None:
                looked.append((exchange, wrong))
                return False
        return True

    chat.memory["trials"] = trials(
        trial,
        needed=3,
        required="arguments that validate against the schema of a strict function",
        seen=lambda: looked[-1][1],
        on=lambda: looked[-1][0],
    )


def _misfit(call: ToolCall, parameters: dict[str, Any]) -> str | None:
    """Where a call's arguments do not fit `parameters`; None where they do."""
    document = read_document(call.arguments.encode("utf-8", "surrogatepass"))
    if document.error is not None or document.trailing:
        return f"arguments are no JSON: {shorten(call.arguments)}"
    return schemas.misfit(parameters, document.value)


@requirement("CC-TOOL-029")
def test_a_custom_tool_is_called_with_an_input(chat: Chat) -> None:
    exchange = chat.ask(**FIELDS["custom_tools"])
    if is_refusal(exchange):
        raise Unsupported(f"refused: {status_line(exchange)}", exchange)
    made = calls_in(accepted(exchange, what="a custom tool, or a 4xx"))
    if not made and not counts(exchange):
        raise Inconclusive("the answer was cut before a call", exchange)
    form = f'a call {{id, type: "custom", custom: {{name: {NOTE["name"]!r}, input}}}}'
    require(bool(made), form, "no call", on=exchange)
    for number, call in enumerate(made):
        at = f"$.choices[0].message.tool_calls[{number}]"
        require(_is_custom_call(call), form, call, at=at, on=exchange)


def _is_custom_call(call: Any) -> bool:
    """CC-TOOL-029's form."""
    custom = call.get("custom") if isinstance(call, dict) else None
    return (
        isinstance(custom, dict)
        and is_filled_text(call.get("id"))
        and call.get("type") == "custom"
        and custom.get("name") == NOTE["name"]
        and is_text(custom.get("input"))
    )


@requirement("CC-TOOL-031")
def test_tools_that_are_not_needed_change_no_answer(chat: Chat) -> None:
    looked: list[Exchange] = []

    def trial(number: int) -> bool | None:
        exchange = chat.ask(**FIELDS["tools"], sample=number)
        looked.append(offered(chat, exchange, what="tools that the prompt does not need"))
        if calls_in(exchange):
            return False
        if not counts(exchange):
            return None
        text(exchange)  # raises where content is neither a string nor null
        return finish_reason(exchange) == "stop" and _content(exchange) is not None

    chat.memory["trials"] = trials(
        trial,
        required="text and finish_reason 'stop' where no tool is needed",
        seen=lambda: (
            f"content {shorten(_content(looked[-1]))}, {len(calls_in(looked[-1]))} calls, "
            f"finish_reason {finish_reason(looked[-1])!r}"
        ),
        on=lambda: looked[-1],
    )


def _content(exchange: Exchange) -> object:
    return message(exchange).get("content")
