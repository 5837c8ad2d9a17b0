"""Whether what the model was told comes back: how a dropped message or part shows.

The laws:

1. A word that does not come back is blamed on the server only against a control: the same words
   where they must be seen. What the model forgets there too, it may forget.
2. One that comes back once has reached the model: no model guesses it. What is dropped never does.
3. An answer that was cut, filtered or refused is no trial.

Theory. A model that forgets four words in ten, and is served rightly, is blamed where each of
`TRIALS` answers lacks the words and a control has them: less than once in 1,000 runs. A server that
drops them is found where one of `CONTROLS` has them in each trial: in 94 % of the runs of a model
that forgets one word in ten.
"""

import uuid
from collections.abc import Callable
from typing import Any

from conformance.chat import Chat
from conformance.expect import trials
from conformance.guards import accepted, counts, is_refusal, status_line, text
from conformance.outcomes import Inconclusive, Unjudged
from conformance.wire.exchange import Exchange

from . import prompts

TRIALS, CONTROLS = 6, 2

RECALL = 1024
"""Output bound where a word is to come back: room to think first; the answer itself is short."""


def nonce() -> str:
    """A word that no model says by itself, in capitals."""
    return f"ZQ{uuid.uuid4().hex[:6].upper()}"


_WORD = nonce()

CODE_WORD = (_WORD, f"{prompts.say_word(_WORD)} {prompts.ASK_WORD}")
"""A code word, and the prompt that gives it and asks for it back."""


def text_parts(*words: str) -> list[dict[str, Any]]:
    """Text parts, each with a code word."""
    return [{"type": "text", "text": f"{prompts.say_word(word)} "} for word in words]


def as_strings(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same messages, text parts joined to strings."""

    def joined(content: Any) -> Any:
        return content if isinstance(content, str) else "".join(p["text"] for p in content)

    return [{**turn, "content": joined(turn["content"])} for turn in messages]


def control_returns(chat: Chat) -> bool:
    """Whether the model returns a code word that the last message gives it, 3 of 3 times."""
    if "control" not in chat.memory:
        word, asked = CODE_WORD
        found = []
        for number in range(3):
            exchange = chat.ask(asked, sample=number, max_tokens=RECALL)
            found.append(exchange.status == 200 and word in _text_or_empty(exchange).upper())
            if not found[-1]:
                break
        chat.memory["control"] = all(found)
        chat.memory["control exchange"] = exchange
    return bool(chat.memory["control"])


def _text_or_empty(exchange: Exchange) -> str:
    try:
        return text(exchange)
    except Unjudged:
        return ""


def returned(
    chat: Chat, messages: list[dict[str, Any]], holds: Callable[[str], bool], where: str
) -> None:
    """What the model says, in capitals, `holds` the code words, in one of `TRIALS` trials.

    The control is the same conversation spelled with strings: what is refused or forgotten there
    too is nothing that the parts can be blamed for. Raises `Broken` with the count, `Inconclusive`.
    """
    if not control_returns(chat):
        raise Inconclusive("the model does not return a code word from the last message either")
    forgot: list[Exchange] = []

    def held(exchange: Exchange) -> bool | None:
        accepted(exchange, what=where)
        return holds(text(exchange).upper()) if counts(exchange) else None

    def trial(number: int) -> bool | None:
        exchange = chat.ask(messages=messages, sample=number, max_tokens=RECALL)
        if not is_refusal(exchange) and held(exchange) is not False:
            return held(exchange)
        for control in range(CONTROLS):
            sample = number + control * TRIALS
            plainly = chat.ask(messages=as_strings(messages), sample=sample, max_tokens=RECALL)
            if is_refusal(exchange) and is_refusal(plainly):
                raise Inconclusive(f"refused as strings too: {status_line(exchange)}", exchange)
            accepted(exchange, what=where)
            if held(plainly):
                forgot.append(exchange)
                return False
        return None

    chat.memory["trials"] = trials(
        trial,
        needed=1,
        of=TRIALS,
        required=f"the code words in {where} come back, as they do from strings",
        seen=lambda: "they come back from strings only",
        on=lambda: forgot[-1],
    )
