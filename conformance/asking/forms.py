"""Answers in a form that the request gave, with or without log probabilities.

The laws:

1. A form is asked for that no answer has by chance, so that obeying and ignoring look different;
   the prompt does not tell it.
2. A combination that a target refuses (a form beside log probabilities) is asked for in parts.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from conformance.chat import OMIT, Chat
from conformance.expect import whole_stream
from conformance.guards import finish_reason, message, refuses, text
from conformance.protocol.finding import shorten
from conformance.protocol.jsontext import JsonError, loads
from conformance.target.capabilities import FIELDS, LABEL
from conformance.wire.exchange import Exchange
from schemas import misfit

from .sent import facts_of, sent_json

RANKS = 5
"""Alternatives asked for: as many as every server with log probabilities is known to give."""

SDK_FORM: Mapping[str, Any] = {
    "type": "json_schema",
    "json_schema": {
        "schema": {
            "properties": {
                "code": {
                    "enum": ["zq-amber-41", "zq-cedar-73"],
                    "title": "Code",
                    "type": "string",
                },
                "sure": {"title": "Sure", "type": "boolean"},
            },
            "required": ["code", "sure"],
            "title": "Label",
            "type": "object",
            "additionalProperties": False,
        },
        "name": "Label",
        "strict": True,
    },
}
"""`LABEL` as openai-python 3.54.0 sends it for a pydantic model (`chat.completions.parse`)."""


RANKED: Mapping[str, Any] = {"logprobs": True, "top_logprobs": RANKS}
BARE: Mapping[str, Any] = {"logprobs": True, "top_logprobs": 0, "stream": True}
"""Log probabilities with and, in a stream, without alternatives."""


def formed(chat: Chat, **fields: Any) -> Exchange:
    """A call whose answer has the form `LABEL`; `fields` as in `Chat.body`."""
    return chat.ask(**{**FIELDS["json_schema"], **fields})


def as_sdks_send_it(chat: Chat) -> Exchange:
    """The same call in the words of an SDK, `stream: false` included."""
    return formed(chat, response_format=SDK_FORM, stream=False)


Call: TypeAlias = Callable[[], Exchange]
"""A call that is made when it is asked for: where one may not be sent, another may."""


def three_formed(chat: Chat) -> Sequence[Call]:
    """Three calls for one form: plainly, as SDKs send it, and beside log probabilities."""
    return (
        lambda: formed(chat),
        lambda: as_sdks_send_it(chat),
        lambda: _beside(chat, RANKED, {"sample": 1}),
    )


def streamed_formed(chat: Chat) -> Sequence[Call]:
    """Two streamed calls for the form: beside log probabilities, and plainly."""
    return (
        lambda: _beside(chat, BARE, {"stream": True, "sample": 1}),
        lambda: formed(chat, stream=True),
    )


def _beside(chat: Chat, odds: Mapping[str, Any], without: Mapping[str, Any]) -> Exchange:
    if chat.has("logprobs"):
        exchange = formed(chat, **odds)
        if exchange.status == 200:
            return exchange
    return formed(chat, **without)


def with_odds(chat: Chat, odds: Mapping[str, Any]) -> Exchange:
    """A call for log probabilities, `RANKED` or `BARE`; in the form where that can be had, since a
    grammar leaves all tokens but a few without any probability; without `top_logprobs` where that
    is refused."""
    if chat.has("json_schema"):
        exchange = formed(chat, **odds)
        if exchange.status == 200:
            return exchange
    exchange = chat.ask(**{**FIELDS["logprobs"], **odds})
    if refuses(exchange, ("top_logprobs",)):
        return chat.ask(**{**FIELDS["logprobs"], **odds, "top_logprobs": OMIT})
    return exchange


@dataclass(frozen=True, slots=True)
class Answer:
    """What a reply holds of a form: its text, and why it ended; `refused` by the model."""

    exchange: Exchange
    text: str
    reason: object
    refused: bool = False

    @property
    def counts(self) -> bool:
        """Whether the answer came to its natural end."""
        return self.reason == "stop" and not self.refused

    @property
    def misfit(self) -> str | None:
        """Where the text is no JSON, or not in the form `LABEL`; None where it fits."""
        try:
            value = loads(self.text)
        except JsonError as error:
            return f"{error.reason}: {shorten(self.text)}"
        return misfit(LABEL, value)


def answer(chat: Chat, exchange: Exchange) -> Answer:
    """The answer in a reply, streamed or not; raises as the guards do."""
    if facts_of(sent_json(exchange)).stream:
        reading = whole_stream(chat, exchange)
        choice = reading.choices.get(0)
        refused = bool(choice and any(choice.refusals))
        return Answer(exchange, reading.text(), reading.finish_reason(), refused)
    refusal = message(exchange).get("refusal")
    return Answer(exchange, text(exchange), finish_reason(exchange), bool(refusal))
