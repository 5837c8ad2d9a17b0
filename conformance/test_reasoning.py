"""Reasoning models: thoughts stand beside the answer, under one name, and none is lost (CC-REAS).

The laws:

1. Nothing has to be exposed; what is exposed is judged.
2. Where a model does not think over a greeting, it is asked for something else in a stream of its
   own (`thoughtful`); where no stream shows thoughts, the clauses about them are UNSUPPORTED.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .asking import prompts
from .asking.battery import TIGHT, all_streams, cut, plain, with_value
from .asking.invalid import USER
from .asking.sent import facts_of, sent_json
from .chat import OMIT, ROOMY, Chat
from .expect import each, judge, require, second_look, sightings_of, trials, whole_stream
from .guards import (
    UNFINISHED,
    accepted,
    answered,
    choices_of,
    completion,
    counts,
    error_object,
    finish_reason,
    is_refusal,
    message,
    refuses,
    status_line,
    success,
    text,
    usage,
)
from .outcomes import Inconclusive, Sighting, Unjudged, Unsupported
from .protocol.completion import findings
from .protocol.errors import read_error
from .protocol.finding import Finding, shorten
from .protocol.fold import REASONING
from .protocol.reasoning import Channel, answer, channel
from .requirements import requirement
from .target.capabilities import FIELDS
from .wire.exchange import Exchange

FIRST = "Harbour"
FORCED = f"{FIRST} lights burn until the morning, and the last boat comes home."
"""An answer whose first word is known (CC-REAS-006)."""


def thoughtful(chat: Chat, number: int = 0, *, stream: bool = True) -> Exchange:
    """A call whose answer is forced, with room to think before it."""
    mode = {"stream": True} if stream else {}
    fields = {**mode, chat.bound_name: ROOMY}
    return chat.ask(prompts.repeat(FORCED), sample=number, **fields)


def streams(chat: Chat) -> list[Exchange]:
    """Every kind of stream, one with room to think among them; none without streams."""
    return [thoughtful(chat), *all_streams(chat)] if chat.has("stream") else []


def completions(chat: Chat) -> Iterator[tuple[Exchange, dict[str, Any]]]:
    """Every standing reply with its completion: as it came, or made of a stream's chunks.

    A reply that cannot be read is another clause's business. Raises the reason why none could be.
    """
    first: Unjudged | None = None
    read = 0
    for exchange in [*plain(chat), *streams(chat)]:
        try:
            streamed = facts_of(sent_json(exchange)).stream
            told = chat.reading(exchange).fold() if streamed else completion(exchange)
        except Unjudged as reason:
            first = first or reason
            continue
        read += 1
        yield exchange, told
    if first is not None and not read:
        raise first


def kept(chat: Chat, requirement_id: str) -> None:
    """Completions, streamed ones too, keep the rule; `protocol.completion` has it."""
    judge(
        sighting
        for exchange, told in completions(chat)
        for sighting in sightings_of(
            requirement_id, findings(told, facts_of(sent_json(exchange))), exchange
        )
    )


def streams_keep_theirs(chat: Chat, requirement_id: str) -> None:
    """Streams keep the rule; UNSUPPORTED where none of them tells thoughts."""
    told = False

    def look(exchange: Exchange) -> Iterable[Sighting]:
        nonlocal told
        reading = chat.reading(exchange)
        found = sightings_of(requirement_id, reading.findings, exchange)
        thoughts = (any(any(p) for p in c.reasonings.values()) for c in reading.choices.values())
        told = told or bool(found) or any(thoughts)
        return found

    judge(each(streams(chat), look))
    if not told:
        raise Unsupported("no stream exposes reasoning in a field of its own")


@requirement("CC-REAS-001")
def test_reasoning_stands_outside_the_answer(chat: Chat) -> None:
    kept(chat, "CC-REAS-001")
    judge(
        sighting
        for exchange in streams(chat)
        for sighting in _streamed("CC-REAS-001", chat, exchange)
    )
    seen: dict[bool, dict[Channel, Exchange]] = {False: {}, True: {}}
    for exchange, told in completions(chat):
        for choice in choices_of(told):
            said = choice.get("message")
            how = channel(said) if isinstance(said, dict) else None
            if how is not None:
                seen[facts_of(sent_json(exchange)).stream].setdefault(how, exchange)
    plainly, streamed = seen[False], seen[True]
    named = {"field": "in a field of its own", "content": "in <think> tags within content"}
    shown = [named[how] for how in sorted({*plainly, *streamed})]
    chat.observe(f"reasoning is exposed {' and '.join(shown) or 'nowhere'}")
    if plainly and streamed:
        usual = next(iter(plainly))  # a form may be told of in another way than words of its own
        other = next((how for how in streamed if how not in plainly), usual)
        required = f"reasoning {named[usual]}, as without stream"
        require(other == usual, required, f"reasoning {named[other]}", on=streamed[other])


def _streamed(requirement_id: str, chat: Chat, exchange: Exchange) -> list[Sighting]:
    """What the rules for deltas say; nothing where there is no stream to read."""
    try:
        return sightings_of(requirement_id, chat.reading(exchange).findings, exchange)
    except Unjudged:
        return []


@requirement("CC-REAS-002")
def test_two_fields_of_reasoning_have_the_same_text(chat: Chat) -> None:
    kept(chat, "CC-REAS-002")


@requirement("CC-REAS-003")
def test_reasoning_comes_before_the_answer(chat: Chat) -> None:
    streams_keep_theirs(chat, "CC-REAS-003")


@requirement("CC-REAS-004")
def test_a_reasoning_delta_is_a_string(chat: Chat) -> None:
    streams_keep_theirs(chat, "CC-REAS-004")


@requirement("CC-REAS-005")
def test_no_half_of_a_think_tag_is_in_the_answer(chat: Chat) -> None:
    kept(chat, "CC-REAS-005")


@requirement("CC-REAS-006")
def test_no_word_is_lost_between_reasoning_and_answer(chat: Chat) -> None:
    lost: list[tuple[Exchange, str]] = []

    def trial(number: int) -> bool | None:
        exchange = thoughtful(chat, number)
        reading = whole_stream(chat, exchange)
        told = answer(reading.text()).strip()
        if reading.finish_reason() != "stop" or not told:
            return None
        if FORCED in told:
            return True
        lost.append((exchange, f"the answer is {shorten(told)}"))
        if not FORCED.endswith(told):
            return None  # another text is the model's
        # Without stream nothing can be lost between two chunks.
        return False if FORCED in text(thoughtful(chat, number, stream=False)) else None

    chat.memory["trials"] = trials(
        trial,
        required=f"the answer begins with {FIRST!r}, as it does without stream",
        seen=lambda: lost[-1][1],
        on=lambda: lost[-1][0],
    )


@requirement("CC-REAS-007")
def test_the_final_answer_is_in_content(chat: Chat) -> None:
    looked: list[Exchange] = []

    def trial(number: int) -> bool | None:
        exchange = chat.ask(sample=number, max_tokens=OMIT)
        said = message(exchange)
        called = any(said.get(name) for name in ("tool_calls", "function_call"))
        if finish_reason(exchange) != "stop" or not counts(exchange) or called:
            return None
        looked.append(exchange)
        return bool(answer(text(exchange)).strip())

    def streamed(number: int) -> bool | None:
        exchange = thoughtful(chat, number)
        reading = whole_stream(chat, exchange)
        looked.append(exchange)
        if reading.finish_reason() != "stop":
            return None
        return bool(answer(reading.text()).strip())

    required = "an answer in content where finish_reason is 'stop'"
    chat.memory["trials"] = trials(
        trial,
        required=required,
        seen=lambda: f"content is {shorten(text(looked[-1]))}",
        on=lambda: looked[-1],
    )
    if chat.has("stream"):
        second_look(
            streamed,
            required=f"{required}, streamed",
            seen=lambda: f"content is {shorten(chat.reading(looked[-1]).text())}",
            on=lambda: looked[-1],
        )


@requirement("CC-REAS-009")
def test_the_output_bound_covers_reasoning_too(chat: Chat) -> None:
    exchange = answered_or_unfinished(
        chat.ask(prompts.COUNT, max_tokens=OMIT, max_completion_tokens=TIGHT)
    )
    if refuses(exchange, ("max_completion_tokens",)):
        exchange = answered_or_unfinished(cut(chat))
    if exchange.status in (400, 422):
        error_object(exchange)  # upstream: "Could not finish the message …"
        return
    accepted(exchange, what=f"an output bound of {TIGHT} that thoughts exhaust, or 400")
    why, told = finish_reason(exchange), usage(exchange)
    written = told["completion_tokens"] if told else None
    required = f"at most {TIGHT} completion_tokens, reasoning included (one more to stop)"
    kept = written is None or written <= TIGHT + 1
    require(kept, required, written, at="$.usage.completion_tokens", on=exchange)
    thoughts = [str(message(exchange).get(name) or "").split() for name in REASONING]
    words = len(text(exchange).split()) + max(map(len, thoughts))
    required = f"no more than {TIGHT} tokens of text and reasoning"
    require(words <= 2 * TIGHT, required, f"{words} words", on=exchange)
    if (written is None or written < TIGHT) and why != "length":
        raise Inconclusive("nothing shows that the bound ended the answer", exchange)
    require(why == "length", "finish_reason 'length' where the bound ends it", why, on=exchange)


def answered_or_unfinished(exchange: Exchange) -> Exchange:
    """A whole reply; the refusal of a bound that thinking exhausts is one."""
    return exchange if UNFINISHED in exchange.body else answered(exchange)


OFTEN_FIXED: Mapping[str, Any] = {
    "temperature": 0,
    "top_p": 0,
    "presence_penalty": 2,
    "frequency_penalty": 2,
    "stop": "\u2603",
}
"""Parameters that reasoning models often cannot honour, with a value that asks for something."""

PROBED = ("n", "logprobs", "logit_bias")
"""More of them: the probe of the capability asks for them."""

CODES = ("unsupported_parameter", "unsupported_value")


@requirement("CC-REAS-010")
def test_what_a_reasoning_model_cannot_honour_is_refused_by_name(chat: Chat) -> None:
    def look(name: str) -> list[Sighting]:
        probed = name in PROBED
        exchange = chat.ask(**FIELDS[name]) if probed else with_value(chat, name, OFTEN_FIXED[name])
        answered(exchange)
        if exchange.status != 400 or not is_refusal(exchange):
            return []
        error = read_error(exchange.body)
        if error is None:
            return []  # CC-ERR-001
        if error.param == name and error.code in CODES:
            return []
        required = f"code {' or '.join(CODES)}, and param {name!r}"
        return [Sighting(Finding("", required, status_line(exchange), name), exchange)]

    judge(each((*OFTEN_FIXED, *PROBED), look))


@requirement("CC-REAS-011")
def test_reasoning_is_accepted_as_history(chat: Chat) -> None:
    said = message(success(chat.canary()))
    name = next((one for one in REASONING if said.get(one)), REASONING[0])
    told = {"role": "assistant", "content": "Hello.", name: "The user wants a greeting."}
    plainly = {key: value for key, value in told.items() if key != name}
    exchange = chat.ask(messages=[USER, told, USER])
    if is_refusal(exchange) and chat.ask(messages=[USER, plainly, USER]).status != 200:
        raise Inconclusive(f"refused without {name} too: {status_line(exchange)}", exchange)
    accepted(exchange, what=f"a history with {name}")
