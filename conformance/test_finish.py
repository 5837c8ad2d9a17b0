"""Finish reasons: why the model stopped, in one of five words (CC-FIN)."""

from . import prompts
from .battery import plain, streams
from .chat import OMIT, Chat
from .expect import completions_keep, streams_keep, trials
from .guards import accepted, first_choice, refuses, text, usage
from .outcomes import Blocked, Inconclusive, Unsupported
from .requirements import requirement
from .test_usage import TIGHT
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
        exchange = accepted(chat.ask(prompts.COUNT, sample=number, **{chat.bound_name: TIGHT}))
        looked.append(exchange)
        reason = first_choice(exchange).get("finish_reason")
        counted = usage(exchange)
        if counted is None:
            return True if reason == "length" else None
        if counted["completion_tokens"] > TIGHT + 1:
            raise Blocked("CC-REQ-024", f"{counted['completion_tokens']} tokens", exchange)
        if counted["completion_tokens"] < TIGHT:
            return True if reason == "length" else None
        return reason == "length"

    chat.memory["trials"] = trials(
        trial,
        required="finish_reason is 'length' where the bound cut the answer",
        seen=lambda: f"finish_reason {first_choice(looked[-1]).get('finish_reason')!r}",
        on=lambda: looked[-1],
    )


@requirement("CC-FIN-004")
def test_a_natural_end_and_a_stop_sequence_end_with_stop(chat: Chat) -> None:
    looked: list[Exchange] = []

    def trial(number: int) -> bool | None:
        exchange = chat.ask(sample=number, max_tokens=OMIT)
        if first_choice(exchange).get("finish_reason") == "length":
            exchange = chat.ask(sample=number, **{chat.bound_name: 1024})
        looked.append(exchange)
        reason = first_choice(exchange).get("finish_reason")
        return None if reason in ("length", "content_filter") else reason == "stop"

    natural = trials(
        trial,
        required="finish_reason is 'stop' at a natural end",
        seen=lambda: f"finish_reason {first_choice(looked[-1]).get('finish_reason')!r}",
        on=lambda: looked[-1],
    )
    chat.memory["trials"] = natural
    _stop_sequence(chat)


def _stop_sequence(chat: Chat) -> None:
    """A matched stop sequence ends the text before it, with `stop`."""
    control = chat.ask(prompts.COUNT)
    said = text(control).split()
    if len(said) < 3:
        raise Inconclusive("the control answer is too short to hold a stop sequence", control)
    word = "5" if "5" in said else said[len(said) // 2]
    looked: list[Exchange] = []

    def trial(number: int) -> bool | None:
        exchange = chat.ask(prompts.COUNT, sample=number, stop=[f" {word}"])
        if refuses(exchange, ("stop",)):
            raise Unsupported("stop is refused", exchange)
        looked.append(accepted(exchange))
        reason = first_choice(exchange).get("finish_reason")
        if word in text(exchange).split() or reason == "length":
            return None  # that `stop` takes effect is judged by CC-SAMP
        return reason == "stop"

    trials(
        trial,
        required="finish_reason is 'stop' where a stop sequence ended the text",
        seen=lambda: f"finish_reason {first_choice(looked[-1]).get('finish_reason')!r}",
        on=lambda: looked[-1],
    )
