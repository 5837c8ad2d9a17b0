"""Finish reasons: why the model stopped, in one of five words (CC-FIN).

The law: `length` is called wrong only for a text that no bound can have cut, and `stop` only for
one that a bound has cut, with a control run that shows that the model had more to say.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from .asking import prompts
from .asking.battery import (
    CHOICE,
    LONG,
    TIGHT,
    all_streams,
    counted_stream,
    cut,
    forbidden,
    invitation,
    named,
    plain,
    two_calls,
)
from .chat import BOUND, OMIT, Chat
from .expect import completions_keep, require, second_look, streams_keep, trials, whole_stream
from .guards import (
    answered,
    calls_in,
    choices_of,
    filtered,
    finish_reason,
    is_refusal,
    message,
    refuses,
    status_line,
    success,
    text,
    usage,
    within_bound,
)
from .outcomes import Blocked, Inconclusive, Unjudged, Unsupported
from .protocol.jsontext import read_document
from .protocol.markup import markup
from .protocol.reasoning import spoken
from .protocol.rules import is_count
from .protocol.usage import COUNTS
from .requirements import requirement
from .wire.exchange import Exchange

ROOMY = 1024
"""An output bound that leaves a model room to think and to greet."""


@dataclass(frozen=True, slots=True)
class End:
    """How the first choice of an answer ended, streamed or not; no `counts` without sound usage."""

    exchange: Exchange
    reason: object
    text: str
    calls: list[Any]
    counts: Mapping[str, int] | None

    @property
    def written(self) -> int | None:
        """Output tokens, also where a server counts those of reasoning in the total alone."""
        if self.counts is None:
            return None
        prompt, output, total = (self.counts[name] for name in COUNTS)
        return max(output, total - prompt)


def plain_end(exchange: Exchange) -> End:
    """How a reply without `stream` ended."""
    calls = message(exchange).get("tool_calls")
    listed = calls if isinstance(calls, list) else []
    return End(exchange, finish_reason(exchange), text(exchange), listed, usage(exchange))


def streamed_end(chat: Chat, exchange: Exchange) -> End:
    """How a stream that breaks no MUST ended."""
    reading = whole_stream(chat, exchange)
    folded = choices_of(reading.fold())
    said = folded[0].get("message") if folded else None
    calls = said.get("tool_calls") if isinstance(said, dict) else None
    told = reading.usage
    counts = told if isinstance(told, dict) and all(is_count(told.get(n)) for n in COUNTS) else None
    listed = calls if isinstance(calls, list) else []
    return End(exchange, reading.finish_reason(), reading.text(), listed, counts)


def _goes_on(chat: Chat, bound: int) -> bool:
    """Whether the model writes far more than `bound` where it may (the control)."""
    control = plain_end(within_bound(chat.ask(prompts.COUNT, **{chat.bound_name: bound + 128})))
    return (control.written or 0) >= bound + 100


def says_length_when_cut(chat: Chat, end: End, bound: int) -> bool | None:
    """Whether an answer that `bound` has cut says `length`; None where nothing shows a cut.

    Raises `Blocked` by CC-REQ-024 for an answer that passes the bound.
    """
    if end.counts is None:
        return True if end.reason == "length" else None
    output = end.counts["completion_tokens"]
    if output > bound + 1:
        raise Blocked("CC-REQ-024", f"{output} tokens", end.exchange)
    if end.reason == "length":
        return True
    return False if output >= bound and _goes_on(chat, bound) else None


SHORT = BOUND // 2
"""Tokens of an answer that the bounds of these checks cannot have cut."""

SHORT_TEXT = 200
"""Characters of such an answer."""


def says_stop_when_done(chat: Chat, end: End) -> bool | None:
    """Whether an answer that nothing has cut says `stop`; None where a bound may have cut it."""
    if end.reason != "length":
        return None if end.reason == "content_filter" else end.reason == "stop"
    short = end.written is not None and end.written < SHORT
    seen = 0 < len(end.text) < SHORT_TEXT  # without text the bound went into thought
    return False if short and seen and _goes_on(chat, SHORT) else None


@requirement("CC-FIN-001")
def test_finish_reason_is_one_of_five(chat: Chat) -> None:
    completions_keep("CC-FIN-001", plain(chat))


@requirement("CC-FIN-002")
def test_vendor_finish_reasons_are_not_used(chat: Chat) -> None:
    completions_keep("CC-FIN-002", plain(chat))
    if chat.has("stream"):
        streams_keep("CC-FIN-002", chat, all_streams(chat))


@requirement("CC-FIN-003")
def test_an_answer_cut_by_the_bound_ends_with_length(chat: Chat) -> None:
    looked: list[End] = []

    def trial(number: int) -> bool | None:
        looked.append(plain_end(within_bound(cut(chat, number))))
        return says_length_when_cut(chat, looked[-1], TIGHT)

    def streamed(number: int) -> bool | None:
        looked.append(streamed_end(chat, counted_stream(chat, number)))
        return says_length_when_cut(chat, looked[-1], LONG)

    chat.memory["trials"] = trials(
        trial,
        required="finish_reason is 'length' where the bound cut the answer",
        seen=lambda: f"finish_reason {looked[-1].reason!r}",
        on=lambda: looked[-1].exchange,
    )
    if chat.has("stream"):
        second_look(
            streamed,
            required="finish_reason is 'length' where the bound cut a stream",
            seen=lambda: f"finish_reason {looked[-1].reason!r}",
            on=lambda: looked[-1].exchange,
        )


@requirement("CC-FIN-004")
def test_a_natural_end_and_a_stop_sequence_end_with_stop(chat: Chat) -> None:
    looked: list[End] = []

    def trial(number: int) -> bool | None:
        exchange = chat.ask(sample=number, max_tokens=OMIT)
        if finish_reason(exchange) == "length":
            exchange = within_bound(chat.ask(sample=number, **{chat.bound_name: ROOMY}))
        looked.append(plain_end(exchange))
        return says_stop_when_done(chat, looked[-1])

    def streamed(number: int) -> bool | None:
        options = {"stream_options": {"include_usage": True}} if chat.has("stream_usage") else {}
        looked.append(streamed_end(chat, chat.stream(sample=number, **options)))
        return says_stop_when_done(chat, looked[-1])

    natural = trials(
        trial,
        required="finish_reason is 'stop' at a natural end",
        seen=lambda: f"finish_reason {looked[-1].reason!r}",
        on=lambda: looked[-1].exchange,
    )
    chat.memory["trials"] = natural
    if chat.has("stream"):
        second_look(
            streamed,
            required="finish_reason is 'stop' at the natural end of a stream",
            seen=lambda: f"finish_reason {looked[-1].reason!r}",
            on=lambda: looked[-1].exchange,
        )
    _stop_sequence(chat)


def _stop_sequence(chat: Chat) -> None:
    """A matched stop sequence ends the text before it, with `stop`; thoughts may hold it."""
    control, bound = _control(chat)
    words = re.findall(r"\s\S+", spoken(control.text).strip())
    if len(words) < 2:
        reason = "the control answer is too short to hold a stop sequence"
        raise Inconclusive(reason, control.exchange)
    word = words[min(len(words) // 2, 4)]
    looked: list[End] = []
    ignored: list[Exchange] = []

    def trial(number: int) -> bool | None:
        exchange = chat.ask(prompts.COUNT, sample=number, stop=[word], **{chat.bound_name: bound})
        if refuses(exchange, ("stop",)):
            raise Unsupported("stop is refused", exchange)
        if is_refusal(answered(exchange)):
            raise Blocked("CC-REQ-027", status_line(exchange), exchange)
        looked.append(plain_end(exchange))
        if word in spoken(looked[-1].text):
            if (leaked := markup(looked[-1].text)) is not None:  # thoughts, perhaps
                raise Blocked("CC-MSG-011", f"{leaked} in the text", exchange)
            ignored.append(exchange)
            return None
        return says_stop_when_done(chat, looked[-1])

    try:
        trials(
            trial,
            required="finish_reason is 'stop' where a stop sequence ended the text",
            seen=lambda: f"finish_reason {looked[-1].reason!r}",
            on=lambda: looked[-1].exchange,
        )
    except Inconclusive:
        if ignored:
            reason = f"the stop sequence {word!r} is in the text"
            raise Blocked("CC-SAMP-002", reason, ignored[-1]) from None
        raise


def _control(chat: Chat) -> tuple[End, int]:
    """A count without stop sequence, and the bound that a model needs to come so far."""
    try:
        control = plain_end(within_bound(cut(chat)))
        if control.reason != "length" or len(spoken(control.text).split()) >= 3:
            return control, BOUND
    except Inconclusive:
        pass  # so small a bound is refused
    # The bound went into thought.
    return plain_end(within_bound(chat.ask(prompts.COUNT, **{chat.bound_name: ROOMY}))), ROOMY


def _calls(chat: Chat) -> Iterator[End]:
    """The answers to an invitation to call a tool, plain and streamed; then, where they can be
    read, those to an invitation to call it twice."""
    yield plain_end(success(invitation(chat)))
    if chat.has("stream"):
        yield streamed_end(chat, invitation(chat, stream=True))
    with suppress(Unjudged):
        yield plain_end(success(two_calls(chat)))
        if chat.has("stream"):
            yield streamed_end(chat, two_calls(chat, stream=True))


def _is_whole(call: Any) -> bool:
    """Whether the arguments of a call parse."""
    function = call.get("function") if isinstance(call, dict) else None
    arguments = function.get("arguments") if isinstance(function, dict) else None
    return isinstance(arguments, str) and read_document(arguments.encode()).is_object


def _is_full(end: End, bound: int) -> bool:
    """Whether the bound may have cut the answer, as far as usage tells."""
    return end.written is None or end.written >= bound


@requirement("CC-FIN-005")
def test_a_called_tool_ends_with_tool_calls(chat: Chat) -> None:
    called = False
    for end in _calls(chat):
        if not end.calls or end.reason == "content_filter":
            continue
        called = True
        uncut = all(map(_is_whole, end.calls)) and not (end.counts and _is_full(end, 256))
        allowed = ("tool_calls",) if uncut else ("tool_calls", "length")
        required = f"finish_reason {' or '.join(map(repr, allowed))} beside tool_calls"
        require(end.reason in allowed, required, end.reason, on=end.exchange)
    if not called:
        raise Inconclusive("the model called no tool", end.exchange)


@requirement("CC-FIN-006")
def test_the_reason_beside_a_forced_call_is_told(chat: Chat) -> None:
    force = {"tool_choice": named(prompts.WEATHER_TOOL)}
    plainly = invitation(chat, **force)
    if refuses(plainly, CHOICE):
        raise Unsupported(f"refused: {status_line(plainly)}", plainly)
    told = {"": finish_reason(plainly)}
    if chat.has("stream"):
        streamed = invitation(chat, **force, stream=True)
        told[" streamed"] = str(chat.reading(streamed).finish_reason())
    reasons = ",".join(f"{mode} {reason!r}" for mode, reason in told.items())
    forced = (
        "a call forced by name ends" if calls_in(plainly) else "no call comes where one is forced"
    )
    chat.observe(f"{forced}, finish_reason{reasons}")


@requirement("CC-FIN-007")
def test_tool_calls_as_reason_means_that_there_are_calls(chat: Chat) -> None:
    def look(end: End) -> None:
        required = "a non-empty tool_calls array beside finish_reason 'tool_calls'"
        require(end.reason != "tool_calls" or bool(end.calls), required, end.calls, on=end.exchange)

    for end in _calls(chat):
        look(end)
    try:
        unwanted = plain_end(success(forbidden(chat)))
    except Unjudged:
        return  # that `none` is taken is judged by CC-TOOL
    look(unwanted)


@requirement("CC-FIN-009")
def test_a_filtered_answer_ends_with_content_filter(chat: Chat) -> None:
    prompt = chat.profile.triggers.get("filter")
    if prompt is None:
        raise Unsupported("the profile names no prompt that the content filter stops")
    looked: list[End] = []

    def trial(number: int) -> bool | None:
        exchange = chat.ask(prompt, sample=number)
        if filtered(exchange) or is_refusal(exchange):
            raise Unsupported("the prompt itself is refused", exchange)
        looked.append(plain_end(success(exchange)))
        return looked[-1].reason == "content_filter"

    def streamed(number: int) -> bool | None:
        looked.append(streamed_end(chat, chat.stream(prompt, sample=number)))
        return looked[-1].reason == "content_filter"

    required = "finish_reason is 'content_filter' where the filter stopped the answer"

    def seen() -> str:
        return f"finish_reason {looked[-1].reason!r}"

    def on() -> Exchange:
        return looked[-1].exchange

    chat.memory["trials"] = trials(trial, needed=1, of=2, required=required, seen=seen, on=on)
    if chat.has("stream"):
        second_look(streamed, required=required, seen=seen, on=on)


@requirement("CC-FIN-008")
def test_a_cut_tool_call_ends_with_length(chat: Chat) -> None:
    seen: Unjudged | None = None
    for bound in (8, 24):  # a model that thinks first needs some of it before it calls
        try:
            end = plain_end(within_bound(invitation(chat, **{chat.bound_name: bound})))
        except Inconclusive as refused:
            seen = refused
            continue
        if end.calls and not all(map(_is_whole, end.calls)) and _is_full(end, bound):
            require(end.reason == "length", "finish_reason 'length'", end.reason, on=end.exchange)
            return
        seen = Inconclusive(f"no call was cut by a bound of {bound}", end.exchange)
    if seen is not None:
        raise seen
