"""The control of an effect: a count, which a model continues or does not, and a call like it.

The law: what a parameter does is seen against the same call without it. A text is what is said
besides thoughts, which vary; an answer that is cut, or that a filter ends, is no control.
"""

import re
from dataclasses import dataclass

from conformance.chat import BOUND, Chat
from conformance.expect import whole_stream
from conformance.guards import (
    answered,
    finish_reason,
    is_refusal,
    refuses,
    status_line,
    success,
    text,
    within_bound,
)
from conformance.outcomes import Blocked, Inconclusive, Unsupported
from conformance.protocol.reasoning import spoken
from conformance.wire.exchange import Exchange

from . import prompts
from .battery import with_value
from .recall import RECALL
from .sent import facts_of, sent_json


@dataclass(frozen=True, slots=True)
class Control:
    """A count that nothing stopped, under an output bound that a model needs to come so far."""

    exchange: Exchange
    text: str
    bound: int

    def word(self, share: float) -> str:
        """The first word from this share of the text on that did not occur before.

        The last one does not count where the bound may have cut it. Raises `Inconclusive` where
        there is none.
        """
        words = list(re.finditer(r"\S+", self.text))
        for found in words[:-1] if finish_reason(self.exchange) == "length" else words:
            late = found.start() >= share * len(self.text)
            if late and self.text.find(found[0]) == found.start():
                return found[0]
        reason = "the control answer is too short, or too repetitive, to hold a stop sequence"
        raise Inconclusive(reason, self.exchange)


FEWEST = 4
"""Words of a control that has a stop sequence in its second half."""


def cool(chat: Chat) -> dict[str, int]:
    """Temperature 0, where the model takes it."""
    return {"temperature": 0} if with_value(chat, "temperature", 0).status == 200 else {}


def counted(chat: Chat) -> Control:
    """The control: at temperature 0, with more room where the first bound went into thought."""
    for bound in (BOUND, RECALL):
        exchange = chat.ask(prompts.COUNT, **cool(chat), **{chat.bound_name: bound})
        told = said(chat, within_bound(exchange))
        if len(told.split()) >= FEWEST:
            break
    return Control(exchange, told, bound)


def said(chat: Chat, exchange: Exchange) -> str:
    """What an answer says besides its thoughts, streamed or not."""
    if facts_of(sent_json(exchange)).stream:
        return spoken(whole_stream(chat, exchange).text())
    return spoken(text(success(exchange)))


def reason(chat: Chat, exchange: Exchange) -> object:
    """Why an answer ended, streamed or not."""
    if facts_of(sent_json(exchange)).stream:
        return chat.reading(exchange).finish_reason()
    return finish_reason(exchange)


def stopped(
    chat: Chat, prompt: str, stop: list[str], bound: int, *, number: int = 0, stream: bool = False
) -> Exchange:
    """A call with stop sequences.

    Raises `Unsupported` where they are refused by name, `Blocked` where otherwise.
    """
    mode = {"stream": True} if stream else {}
    fields = {**cool(chat), **mode, chat.bound_name: bound}
    exchange = chat.ask(prompt, sample=number, stop=stop, **fields)
    if refuses(exchange, ("stop",)):
        raise Unsupported(f"stop is refused: {status_line(exchange)}", exchange)
    if is_refusal(answered(exchange)):
        raise Blocked("CC-REQ-027", status_line(exchange), exchange)
    return exchange


def modes(chat: Chat) -> tuple[bool, ...]:
    """`stream` off, and on where there are streams."""
    return (False, True) if chat.has("stream") else (False,)
