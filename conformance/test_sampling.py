"""n, stop, seed, limits, penalties, logit_bias: what is accepted takes effect (CC-SAMP).

The law: an effect is seen against a control, the same call without the parameter, and the control
is a count, which a model either continues or does not: what was cut from it shows.
"""

from collections.abc import Iterable

from .asking import prompts
from .asking.control import Control, cool, counted, modes, reason, said, stopped
from .asking.recall import RECALL, nonce
from .asking.sent import facts_of, sent_json
from .chat import Chat
from .expect import each, judge, require, second_look, trials, whole_stream
from .guards import (
    accepted,
    choices_of,
    completion,
    counts,
    error_object,
    finish_reason,
    first_choice,
    is_refusal,
    not_5xx,
    refused,
    status_line,
    text,
    usage,
)
from .outcomes import Blocked, Inconclusive, Sighting, Trials, Unsupported
from .protocol.finding import shorten
from .requirements import requirement
from .wire.exchange import Exchange

# n.


@requirement("CC-SAMP-001")
def test_n_choices_come_back_for_n(chat: Chat) -> None:
    required = "2 choices for n 2, or a refusal"
    exchange = not_5xx(chat.ask(n=2), required)
    if is_refusal(exchange):
        raise Unsupported(f"refused: {status_line(exchange)}", exchange)
    first_choice(exchange)
    plain = len(choices_of(completion(exchange)))
    require(plain == 2, required, f"{plain} of them", at="$.choices", on=exchange)
    if not chat.has("stream") or is_refusal(streamed := chat.stream(n=2)):
        return
    seen = sorted(whole_stream(chat, streamed).choices)
    require(len(seen) == 2, f"{required}, streamed too", f"choices {seen}", on=streamed)


# stop.


@requirement("CC-SAMP-002")
def test_a_stop_sequence_is_no_part_of_the_text(chat: Chat) -> None:
    control = counted(chat)
    word = control.word(1 / 2)
    stopped(chat, prompts.COUNT, [word], control.bound)  # refused once is refused
    shorter: list[bool] = []

    def look(row: tuple[bool, int]) -> Iterable[Sighting]:
        stream, number = row
        exchange = stopped(chat, prompts.COUNT, [word], control.bound, number=number, stream=stream)
        told = said(chat, exchange)
        required = f"a text that ends before the stop sequence {word!r}"
        require(word not in told, required, shorten(told[-40:]), on=exchange)
        shorter.append(len(told) < len(control.text))
        return ()

    rows = [(stream, number) for stream in modes(chat) for number in range(3)]
    judge(each(rows, look))
    if not any(shorter):
        raise Inconclusive("no text is shorter than the one without stop", control.exchange)
    chat.memory["trials"] = Trials(len(shorter), len(shorter), len(shorter), len(rows))


BEFORE, MARK, AFTER = "one apple, two pears", ">>>>>>> END", "three plums"
"""A text around a stop sequence of several tokens, of which the first ones repeat."""

MARKED = prompts.repeat(f"{BEFORE} {MARK} {AFTER}")


@requirement("CC-SAMP-003")
def test_no_beginning_of_a_stop_sequence_leaks(chat: Chat) -> None:
    leaky: list[tuple[Exchange, str]] = []
    ignored: list[Exchange] = []

    def held(number: int, stream: bool) -> bool | None:
        exchange = stopped(chat, MARKED, [MARK], RECALL, number=number, stream=stream)
        told = said(chat, exchange)
        if MARK in told:
            ignored.append(exchange)
            return None
        rest = told.partition(BEFORE)[2].strip()
        if reason(chat, exchange) != "stop" or BEFORE not in told or not MARK.startswith(rest):
            return None
        if not rest:
            return True
        leaky.append((exchange, f"the text ends in {rest!r}"))
        whole = said(chat, chat.ask(MARKED, **cool(chat), **{chat.bound_name: RECALL}))
        return False if f"{BEFORE} {MARK}" in whole else None

    required = f"no beginning of the stop sequence {MARK!r} in the text"
    try:
        chat.memory["trials"] = trials(
            lambda number: held(number, True),
            required=f"{required}, streamed",
            seen=lambda: leaky[-1][1],
            on=lambda: leaky[-1][0],
        )
    except Inconclusive:
        if ignored:
            why = f"the stop sequence {MARK!r} is in the text"
            raise Blocked("CC-SAMP-002", why, ignored[-1]) from None
        raise
    second_look(
        lambda number: held(number, False),
        required=required,
        seen=lambda: leaky[-1][1],
        on=lambda: leaky[-1][0],
    )


@requirement("CC-SAMP-004")
def test_the_earliest_of_several_stop_sequences_ends_the_text(chat: Chat) -> None:
    control = counted(chat)
    early, late = control.word(1 / 2), control.word(3 / 4)
    if early == late:
        raise Inconclusive("the control answer is too short for two of them", control.exchange)
    looked: list[tuple[Exchange, str]] = []

    def trial(number: int) -> bool | None:
        exchange = stopped(chat, prompts.COUNT, [late, early], control.bound, number=number)
        told = said(chat, exchange)
        looked.append((exchange, f"the text ends in {shorten(told[-40:])}"))
        if early not in told:
            return True if len(told) < len(control.text) else None
        alone = stopped(chat, prompts.COUNT, [early], control.bound)
        if early in said(chat, alone):
            raise Blocked("CC-SAMP-002", f"{early!r} is in the text with one sequence too", alone)
        return False

    chat.memory["trials"] = trials(
        trial,
        required=f"a text that ends before {early!r}, the earliest match",
        seen=lambda: looked[-1][1],
        on=lambda: looked[-1][0],
    )
    # In a stream, what is held back for a match that does not come may be lost as well.
    _without_effect(chat, control, f"{early}-never", stream=chat.has("stream"))


def _without_effect(chat: Chat, control: Control, never: str, *, stream: bool) -> None:
    """A stop sequence that begins like the text and never occurs takes nothing from it."""
    looked: list[tuple[Exchange, str]] = []

    def trial(number: int) -> bool | None:
        exchange = stopped(
            chat, prompts.COUNT, [never], control.bound, number=number, stream=stream
        )
        told = said(chat, exchange)
        looked.append((exchange, f"{len(told)} of {len(control.text)} characters"))
        if told == control.text:
            return True
        if not _is_part(told, control.text):
            return None  # another text is the model's
        if control.text.startswith(told) and _ended_sooner(chat, exchange):
            return None
        if stream:  # what streams lose without stop too is CC-EQUIV-008's
            fields = {**cool(chat), chat.bound_name: control.bound}
            if said(chat, chat.stream(prompts.COUNT, **fields)) != control.text:
                return None
        return False

    second_look(
        trial,
        required=f"the whole text, in which {never!r} does not occur",
        seen=lambda: looked[-1][1],
        on=lambda: looked[-1][0],
    )


def _ended_sooner(chat: Chat, exchange: Exchange) -> bool:
    """Whether something else than a stop sequence may have ended a text before its control: a
    refusal, a filter, or a bound of which other thoughts have taken more."""
    why = reason(chat, exchange)
    return (
        _is_refused(chat, exchange)
        or why == "content_filter"
        or (why == "length" and chat.has("reasoning"))
    )


def _is_refused(chat: Chat, exchange: Exchange) -> bool:
    """Whether the model refuses to answer, streamed or not."""
    streamed = facts_of(sent_json(exchange)).stream
    told = whole_stream(chat, exchange).fold() if streamed else completion(exchange)
    said = (choices_of(told) or [{}])[0].get("message")
    return isinstance(said, dict) and bool(said.get("refusal"))


def _is_part(told: str, whole: str) -> bool:
    """Whether `told` is `whole` with some characters left out and none added."""
    rest = iter(whole)
    return len(told) < len(whole) and all(character in rest for character in told)


# Limits.


@requirement("CC-SAMP-005")
def test_an_output_bound_of_one_token_is_honoured(chat: Chat) -> None:
    required = "at most one token, or a refusal with 400"
    exchange = chat.ask(prompts.COUNT, max_tokens=1)
    if exchange.status in (400, 422):
        error_object(exchange)  # upstream's sentence on what is not finished among them
        return
    accepted(exchange, what="an output bound of 1, or 400")
    reason = finish_reason(exchange)
    if reason == "content_filter":
        raise Inconclusive("a content filter ended the answer before its bound", exchange)
    told = usage(exchange)
    if told is not None:
        seen = f"{told['completion_tokens']} completion_tokens"
        at = "$.usage.completion_tokens"
        require(told["completion_tokens"] <= 2, required, seen, at=at, on=exchange)
    words = text(exchange).split()
    require(len(words) <= 2, required, f"the text {shorten(text(exchange))}", on=exchange)
    ends = ("length", "stop")
    require(reason in ends, "finish_reason 'length' or 'stop'", reason, on=exchange)


BEYOND = 10**7
"""More output tokens than any model has."""


@requirement("CC-SAMP-006")
def test_a_bound_above_the_limit_is_clamped_or_refused(chat: Chat) -> None:
    exchange = not_5xx(chat.ask(max_tokens=BEYOND), f"status 200 or 400 for {BEYOND} tokens")
    if exchange.status != 200:
        refused(exchange, what=f"an output bound of {BEYOND}, or 200", statuses=(400, 422))


# seed and logit_bias.


@requirement("CC-SAMP-007")
def test_the_same_seed_gives_the_same_text(chat: Chat) -> None:
    fields = {"seed": 7, **cool(chat), chat.bound_name: RECALL}
    texts: list[str] = []
    prints: set[object] = set()
    for number in range(3):
        exchange = chat.ask(prompts.SENTENCE, sample=number, **fields)
        accepted(exchange, optional=("seed",), what="a seed")
        if not counts(exchange):
            continue
        told = text(exchange)
        prints.add(completion(exchange).get("system_fingerprint"))
        if told in texts:
            chat.memory["trials"] = Trials(2, len(texts) + 1, 2, 3)
            return
        texts.append(told)
    if len(texts) < 3:
        alike = ", no two of them the same" if len(texts) > 1 else ""
        raise Inconclusive(f"only {len(texts)} of 3 answers came whole{alike}")
    if len(prints) > 1:
        raise Inconclusive("the texts differ, and so does system_fingerprint: another backend")
    required = "the same text for one seed, at temperature 0, in 2 of 3 calls"
    seen = f"three texts: {', '.join(shorten(told, 60) for told in texts)}"
    require(False, required, seen, on=exchange)


TOKEN = "100"
"""The id of a token, in every vocabulary; a bias of +100 lets a model say nothing else."""


@requirement("CC-SAMP-009")
def test_a_logit_bias_takes_effect(chat: Chat) -> None:
    control = counted(chat)
    if not control.text.strip():
        raise Inconclusive("the call without logit_bias says nothing to tell", control.exchange)
    looked: list[Exchange] = []

    def trial(number: int) -> bool:
        fields = {**cool(chat), chat.bound_name: control.bound}
        exchange = chat.ask(prompts.COUNT, sample=number, logit_bias={TOKEN: 100}, **fields)
        looked.append(accepted(exchange, optional=("logit_bias",), what="logit_bias"))
        return said(chat, exchange) != control.text

    # A bias of -100 shows only to those who know the tokenizer; one of +100 shows to all.
    chat.memory["trials"] = trials(
        trial,
        needed=1,
        of=2,
        required="another text where a bias forces one token",
        seen=lambda: "the text of the call without logit_bias",
        on=lambda: looked[-1],
    )


# What is not the model's.


@requirement("CC-SAMP-011")
def test_where_stop_sequences_meet_hidden_reasoning(chat: Chat) -> None:
    exchange = stopped(chat, prompts.HELLO, ["."], RECALL)
    told, why = said(chat, exchange), finish_reason(exchange)
    shown = f"a text of {len(told)} characters" if told.strip() else "an empty text"
    chat.observe(f"a stop sequence '.' that thoughts hold too: {shown}, finish_reason {why!r}")


_NOTE = nonce()


@requirement("CC-SAMP-012")
def test_the_prompt_is_not_returned_with_the_answer(chat: Chat) -> None:
    note = f"Internal note {_NOTE}: answer in one short sentence."
    user = {"role": "user", "content": prompts.HELLO}
    looked: list[Exchange] = []

    def trial(number: int) -> bool:
        above = {"role": "system", "content": note}
        exchange = chat.ask(messages=[above, user], sample=number)
        if is_refusal(exchange):  # no system role
            told = [{"role": "user", "content": note}, {"role": "assistant", "content": "Yes."}]
            exchange = chat.ask(messages=[*told, user], sample=number)
        looked.append(exchange)
        return note not in text(exchange)  # that a model mentions the note is its own affair

    chat.memory["trials"] = trials(
        trial,
        needed=1,
        of=2,
        required="content without the system message",
        seen=lambda: shorten(text(looked[-1])),
        on=lambda: looked[-1],
    )
