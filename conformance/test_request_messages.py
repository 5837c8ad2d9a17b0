"""Messages: roles in any order, strings and parts, every one of them read (CC-REQ-001 to 049)."""

import re
from collections.abc import Mapping
from typing import Any

from .asking import prompts
from .asking.invalid import USER, invalid
from .asking.parameters import refused_as
from .asking.recall import CODE_WORD, RECALL, control_returns, nonce, returned, text_parts
from .chat import OMIT, Chat
from .expect import require
from .guards import (
    accepted,
    answered,
    counts,
    error_object,
    is_refusal,
    message,
    not_5xx,
    refused,
    status_line,
    text,
    usage,
)
from .outcomes import Inconclusive, Unsupported
from .requirements import requirement
from .wire.exchange import Exchange


@requirement("CC-REQ-001")
def test_a_body_without_messages_is_refused(chat: Chat) -> None:
    exchange = invalid(chat, "messages left out")
    # 422 is CC-ERR-012's warning.
    error_object(refused(exchange, what="a body without messages", statuses=(400, 422)))


@requirement("CC-REQ-002")
def test_empty_messages_are_refused(chat: Chat) -> None:
    refused_as("CC-REQ-002", chat, "empty messages")


@requirement("CC-REQ-003")
def test_messages_of_another_type_are_refused(chat: Chat) -> None:
    refused_as("CC-REQ-003", chat, "messages of another type")


SYSTEM = {"role": "system", "content": "You are brief."}
SAID = {"role": "assistant", "content": "Hello."}


def with_system(chat: Chat) -> Exchange:
    """A valid call with the roles system, user and assistant."""
    return chat.ask(messages=[SYSTEM, USER, SAID, USER])


def lacks_system(chat: Chat) -> bool:
    """Whether the model has no system role: it refuses the role, in words that say so, and answers
    the same conversation without it."""
    exchange = with_system(chat)
    if not is_refusal(exchange):
        return False
    told = exchange.body.decode("utf-8", "replace")
    without = chat.ask(messages=[USER, SAID, USER])
    return without.status == 200 and bool(re.search(r"role|system", told, re.IGNORECASE))


@requirement("CC-REQ-004")
def test_system_user_and_assistant_are_accepted(chat: Chat) -> None:
    exchange = with_system(chat)
    if lacks_system(chat):
        raise Unsupported(f"the model has no system role: {status_line(exchange)}", exchange)
    accepted(exchange, what="the roles system, user and assistant")


@requirement("CC-REQ-005")
def test_the_role_developer_is_accepted(chat: Chat) -> None:
    developer = {"role": "developer", "content": "You are brief."}
    accepted(chat.ask(messages=[developer, USER]), what="the role developer")


@requirement("CC-REQ-006")
def test_a_missing_or_unknown_role_is_refused(chat: Chat) -> None:
    refused_as("CC-REQ-006", chat, "a message without a known role", named="message")


@requirement("CC-REQ-007")
def test_content_may_be_a_string_or_text_parts(chat: Chat) -> None:
    word, asked = CODE_WORD
    plain = accepted(chat.ask(asked, max_tokens=RECALL), what="content as a string")
    messages = [{"role": "user", "content": [{"type": "text", "text": asked}]}]
    exchange = chat.ask(messages=messages, max_tokens=RECALL)
    accepted(exchange, what="content as an array of text parts")
    one, other = usage(plain), usage(exchange)
    if one is not None and other is not None:
        require(
            abs(one["prompt_tokens"] - other["prompt_tokens"]) <= 8,
            "prompt_tokens of both spellings differ by at most 8",
            f"{one['prompt_tokens']} and {other['prompt_tokens']}",
            at="$.usage.prompt_tokens",
            on=exchange,
        )
    if control_returns(chat):
        returned(chat, messages, lambda said: word in said, "the code word in a text part")


@requirement("CC-REQ-008")
def test_text_parts_reach_the_model_in_every_role(chat: Chat) -> None:
    first, second = nonce(), nonce()
    told: list[dict[str, Any]] = [
        {"role": "user" if lacks_system(chat) else "system", "content": text_parts(first)},
        USER,
        {"role": "assistant", "content": text_parts(second)},
        {"role": "user", "content": prompts.ASK_TWO_WORDS},
    ]
    where = "the text parts of system and assistant messages"
    returned(chat, told, lambda said: first in said and second in said, where)


@requirement("CC-REQ-009")
def test_several_text_parts_are_used_in_order(chat: Chat) -> None:
    first, second = nonce(), nonce()
    content = [*text_parts(first, second), {"type": "text", "text": prompts.ASK_TWO_WORDS}]

    def in_order(said: str) -> bool:
        return -1 < said.find(first) < said.find(second)

    returned(
        chat, [{"role": "user", "content": content}], in_order, "the text parts of one message"
    )


@requirement("CC-REQ-010")
def test_a_part_of_unknown_type_is_refused(chat: Chat) -> None:
    refused_as("CC-REQ-010", chat, "a content part of unknown type")


@requirement("CC-REQ-011")
def test_a_message_with_tool_calls_may_lack_content(chat: Chat) -> None:
    spellings: Mapping[str, Any] = {"null": None, "empty": "", "left out": OMIT}
    turns = [_called(content, f"call0000{at}") for at, content in enumerate(spellings.values())]
    tools = [prompts.WEATHER_TOOL]
    if chat.ask(messages=[m for turn in turns for m in turn], tools=tools).status == 200:
        return
    spoken = chat.ask(messages=_called("I look it up.", "call00009"), tools=tools)
    if not_5xx(spoken, "status 200").status != 200:
        reason = f"refused beside a text too: {status_line(spoken)}"
        raise Inconclusive(reason, spoken)
    for name, turn in zip(spellings, turns, strict=True):
        exchange = chat.ask(messages=turn, tools=tools)
        accepted(exchange, what=f"an assistant message with tool_calls and content {name}")


def _called(content: Any, name: str) -> list[dict[str, Any]]:
    """A question, an assistant's call under the id `name` (nine letters and digits, as Mistral
    wants them) beside `content`, and the tool's result."""
    function = {"name": "get_weather", "arguments": '{"location": "Paris"}'}
    call = {"id": name, "type": "function", "function": function}
    said = {"role": "assistant", "content": content, "tool_calls": [call]}
    result = {"role": "tool", "tool_call_id": name, "content": "18 °C, sunny"}
    return [USER, {key: value for key, value in said.items() if value is not OMIT}, result]


@requirement("CC-REQ-012")
def test_null_content_of_a_user_message_is_refused(chat: Chat) -> None:
    refused_as("CC-REQ-012", chat, "a user message with content null")


@requirement("CC-REQ-014")
def test_the_servers_own_message_is_accepted_as_history(chat: Chat) -> None:
    whole = chat.canary()  # without a bound: one that was cut may hold no content to send back
    said = message(whole)
    if not text(whole):
        raise Inconclusive("the model said nothing that could be sent back", whole)
    again = {"role": "user", "content": prompts.HELLO}
    exchange = answered(chat.ask(messages=[USER, said, again]))
    specified = {
        key: value
        for key, value in said.items()
        if key
        in ("role", "content", "refusal", "annotations", "audio", "function_call", "tool_calls")
    }
    if exchange.status != 200 and specified != said:
        exchange = chat.ask(messages=[USER, specified, again])
    accepted(exchange, what="the message that the server itself returned")


@requirement("CC-REQ-046")
def test_roles_may_come_in_any_order(chat: Chat) -> None:
    system = [] if lacks_system(chat) else [SYSTEM]
    histories = {
        "an assistant message first, then two user messages in a row": [SAID, USER, USER],
        "two assistant messages in a row, a system message in the middle": [
            *system,
            USER,
            SAID,
            SAID,
            *system,
            USER,
        ],
    }
    for what, messages in histories.items():
        accepted(chat.ask(messages=messages), what=what)


@requirement("CC-REQ-049")
def test_all_messages_reach_the_model(chat: Chat) -> None:
    if not control_returns(chat):
        raise Inconclusive(
            "the model does not return a code word from the last message 3 of 3 times",
            chat.memory.get("control exchange"),
        )
    ask = {"role": "user", "content": prompts.ASK_WORD}
    places = ("user", "assistant") if lacks_system(chat) else ("user", "assistant", "system")
    doubtful: list[str] = []
    for place in places:
        word = nonce()
        history = _history(place, f"{prompts.FILLER} {prompts.say_word(word)}", ask)
        exchanges: list[Exchange] = []
        said: list[bool] = []
        for number in range(3):
            exchange = chat.ask(messages=history, sample=number, max_tokens=RECALL)
            exchanges.append(accepted(exchange, what=f"a history with the word in {place}"))
            if counts(exchange):
                said.append(word in text(exchange).upper())
            if sum(said) == 2:
                break
        if sum(said) < 2:
            if len(said) == 3 and not any(said):
                _is_counted(chat, place, ask, exchanges[-1])
            doubtful.append(f"{place}: {sum(said)} of {len(said)}")
    if doubtful:
        raise Inconclusive(f"code words came back too rarely to judge: {', '.join(doubtful)}")


def _is_counted(chat: Chat, place: str, ask: dict[str, Any], exchange: Exchange) -> None:
    """The turn that is not remembered raises at least `prompt_tokens`, against `ask` alone."""
    alone = accepted(chat.ask(messages=[ask], max_tokens=RECALL))
    before, after = usage(alone), usage(exchange)
    grew = None
    if before is not None and after is not None:
        grew = after["prompt_tokens"] - before["prompt_tokens"]
    grown = "usage is absent" if grew is None else f"prompt_tokens rose by {grew}"
    require(
        grew is not None and grew >= 30,
        f"the {place} message reaches the model",
        f"its code word came back in 0 of 3 trials, and {grown}",
        on=exchange,
    )


def _history(place: str, told: str, ask: dict[str, Any]) -> list[dict[str, Any]]:
    """A conversation in which only the turn at `place` holds `told`."""
    match place:
        case "user":
            return [{"role": "user", "content": told}, SAID, ask]
        case "assistant":
            return [USER, {"role": "assistant", "content": told}, ask]
        case _:
            return [{"role": "system", "content": told}, ask]
