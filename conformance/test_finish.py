"""Finish reasons: why the model stopped, in one of five words (CC-FIN)."""

from typing import Any

from . import prompts
from .battery import TIGHT, cut, plain, streams
from .chat import BOUND, OMIT, Chat
from .expect import completions_keep, require, streams_keep, trials, whole_stream
from .guards import (
    accepted,
    choices_of,
    finish_reason,
    message,
    refuses,
    success,
    text,
    usage,
)
from .outcomes import Blocked, Inconclusive, Unsupported
from .protocol.jsontext import read_document
from .requirements import requirement
from .wire.exchange import Exchange


@requirement("CC-FIN-001")
def test_finish_reason_is_one_of_five(chat: Chat) -> None:
    completions_keep("CC-FIN-001", plain(chat))


@requirement("CC-FIN-002")
def test_vendor_finish_reasons_are_not_used(chat: Chat) -> None:
    completions_keep("CC-FIN-002", plain(chat))
    if chat.has("stream"):
        streams_keep("CC-FIN-002", chat, streams(chat))


@requirement("CC-FIN-003")
def test_an_answer_cut_by_the_bound_ends_with_length(chat: Chat) -> None:
    looked: list[Exchange] = []

    def trial(number: int) -> bool | None:
        exchange = accepted(cut(chat, number))
        looked.append(exchange)
        reason = finish_reason(exchange)
        counted = usage(exchange)
        if counted is None:
            return True if reason == "length" else None
        if counted["completion_tokens"] > TIGHT + 1:
            raise Blocked("CC-REQ-024", f"{counted['completion_tokens']} tokens", exchange)
        if reason == "length":
            return True
        full = counted["completion_tokens"] >= TIGHT
        return False if full and _goes_on(chat) else None

    chat.memory["trials"] = trials(
        trial,
        required="finish_reason is 'length' where the bound cut the answer",
        seen=lambda: f"finish_reason {finish_reason(looked[-1])!r}",
        on=lambda: looked[-1],
    )


def _goes_on(chat: Chat) -> bool:
    """Whether the answer is ten times as long where the bound allows it (the control)."""
    control = accepted(chat.ask(prompts.COUNT, **{chat.bound_name: 10 * TIGHT}))
    counted = usage(control)
    return counted is not None and counted["completion_tokens"] >= 10 * TIGHT


@requirement("CC-FIN-004")
def test_a_natural_end_and_a_stop_sequence_end_with_stop(chat: Chat) -> None:
    looked: list[Exchange] = []

    def trial(number: int) -> bool | None:
        exchange = chat.ask(sample=number, max_tokens=OMIT)
        if finish_reason(exchange) == "length":
            exchange = chat.ask(sample=number, **{chat.bound_name: 1024})
        looked.append(exchange)
        return _stopped(exchange, 1024)

    natural = trials(
        trial,
        required="finish_reason is 'stop' at a natural end",
        seen=lambda: f"finish_reason {finish_reason(looked[-1])!r}",
        on=lambda: looked[-1],
    )
    chat.memory["trials"] = natural
    _stop_sequence(chat)


def _stopped(exchange: Exchange, bound: int) -> bool | None:
    """Whether the answer ended by `stop`; None where the bound may have cut it.

    `length` with less than half of the bound written, and a bound that no context window is
    smaller than, is a wrong reason and no cut.
    """
    reason, counted = finish_reason(exchange), usage(exchange)
    if reason == "length" and counted is not None:
        return None if counted["completion_tokens"] >= min(bound, BOUND) // 2 else False
    return None if reason in ("length", "content_filter") else reason == "stop"


def _stop_sequence(chat: Chat) -> None:
    """A matched stop sequence ends the text before it, with `stop`."""
    for bound in (TIGHT, BOUND, 1024):  # a model that thinks first needs more until it speaks
        control = chat.ask(prompts.COUNT, **{chat.bound_name: bound})
        said = text(control).split()
        if len(said) >= 3:
            break
    else:
        raise Inconclusive("the control answer is too short to hold a stop sequence", control)
    word = "5" if "5" in said else said[len(said) // 2]
    looked: list[Exchange] = []

    def trial(number: int) -> bool | None:
        stop = {"stop": [f" {word}"], chat.bound_name: max(bound, BOUND)}
        exchange = chat.ask(prompts.COUNT, sample=number, **stop)
        if refuses(exchange, ("stop",)):
            raise Unsupported("stop is refused", exchange)
        looked.append(accepted(exchange))
        if word in text(exchange).split():
            return None  # that `stop` takes effect is judged by CC-SAMP
        return _stopped(exchange, BOUND)

    trials(
        trial,
        required="finish_reason is 'stop' where a stop sequence ended the text",
        seen=lambda: f"finish_reason {finish_reason(looked[-1])!r}",
        on=lambda: looked[-1],
    )


def _calls(
    chat: Chat, *, streamed_too: bool = True, **fields: Any
) -> list[tuple[Exchange, list[Any], Any]]:
    """Replies to an invitation to call a tool: exchange, calls and finish_reason of each."""
    found: list[tuple[Exchange, list[Any], Any]] = []
    tools = {"tools": [prompts.WEATHER_TOOL], chat.bound_name: 256, **fields}
    plainly = success(chat.ask(prompts.WEATHER, **tools))
    calls = message(plainly).get("tool_calls")
    found.append((plainly, calls if isinstance(calls, list) else [], finish_reason(plainly)))
    if streamed_too and chat.has("stream"):
        streamed = chat.stream(prompts.WEATHER, **tools)
        reading = whole_stream(chat, streamed)
        folded = choices_of(reading.fold())
        said = folded[0].get("message") if folded else None
        calls = said.get("tool_calls") if isinstance(said, dict) else None
        listed = calls if isinstance(calls, list) else []
        found.append((streamed, listed, reading.finish_reason()))
    return found


def _is_whole(call: Any) -> bool:
    """Whether the arguments of a call parse."""
    function = call.get("function") if isinstance(call, dict) else None
    arguments = function.get("arguments") if isinstance(function, dict) else None
    return isinstance(arguments, str) and read_document(arguments.encode()).is_object


@requirement("CC-FIN-005")
def test_a_called_tool_ends_with_tool_calls(chat: Chat) -> None:
    found = _calls(chat)
    called = [row for row in found if row[1]]
    if not called:
        raise Inconclusive("the model called no tool", found[0][0])
    for exchange, calls, reason in called:
        whole = all(_is_whole(call) for call in calls)
        allowed = ("tool_calls",) if whole else ("tool_calls", "length")
        required = f"finish_reason {' or '.join(map(repr, allowed))} beside tool_calls"
        require(reason in allowed, required, reason, on=exchange)


@requirement("CC-FIN-007")
def test_tool_calls_as_reason_means_that_there_are_calls(chat: Chat) -> None:
    for exchange, calls, reason in [
        *_calls(chat),
        *_calls(chat, streamed_too=False, tool_choice="none"),
    ]:
        require(
            reason != "tool_calls" or bool(calls),
            "a non-empty tool_calls array beside finish_reason 'tool_calls'",
            calls,
            on=exchange,
        )


@requirement("CC-FIN-008")
def test_a_cut_tool_call_ends_with_length(chat: Chat) -> None:
    for bound in (4, 12, 24):  # a model that thinks first needs some of it before it calls
        found = _calls(chat, streamed_too=False, **{chat.bound_name: bound})
        cut_off = [row for row in found if row[1] and not all(_is_whole(call) for call in row[1])]
        for exchange, _, reason in cut_off:
            require(reason == "length", "finish_reason 'length'", reason, on=exchange)
        if cut_off:
            return
    raise Inconclusive("no tool call was cut off", found[0][0])
