"""Long input: what a model's window is, and prompts of a known size (CC-REQ-048).

The laws:

1. A prompt that is accepted is billed. So none is sent to find out what the window is: it is
   documented by the profile (`context_tokens`), or told by the list of models, or unknown.
2. A prompt beyond a window of up to `LARGEST` tokens is sent unasked: it is refused before a model
   reads it, or costs what a long conversation costs. A larger one needs `--long-context`.
3. A prompt is called too long only if no tokenizer can make it fit, and one that fits has room to
   spare.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from conformance.chat import Chat
from conformance.protocol.jsontext import read_document

LARGEST = 200_000
"""The largest window, in tokens, beyond which a prompt is sent unasked."""

LISTED = ("context_length", "context_window", "max_model_len", "max_context_length")
"""How lists of models tell a window: OpenRouter, Groq, vLLM and SGLang, Mistral."""

ROOM = 512
"""Tokens left free in a prompt that has to fit: the chat template, and the answer."""


@dataclass(frozen=True, slots=True)
class Window:
    """The tokens that a model takes, and who says so."""

    tokens: int
    source: str


def window(chat: Chat) -> Window | None:
    """The window of the model; None where nobody tells it."""
    documented = chat.profile.model(chat.model).context_tokens
    if documented is not None:
        return Window(documented, "the profile documents")
    if not chat.has("models"):
        return None
    listed = listed_window(read_document(chat.get("/models").body).value, chat.model)
    return None if listed is None else Window(listed, "GET /models tells")


def listed_window(models: object, model: str) -> int | None:
    """The largest window that a list of models tells of `model`; None where it tells none."""
    rows = models.get("data") if isinstance(models, dict) else None
    told: list[int] = []
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict) and row.get("id") == model:
            told += _counts(row)
    return max(told, default=None)


def _counts(row: Mapping[str, object]) -> list[int]:
    values = (row.get(name) for name in LISTED)
    return [v for v in values if isinstance(v, int) and not isinstance(v, bool) and v > 0]


def beyond(tokens: int) -> str:
    """A prompt that holds at least a tenth more than `tokens` tokens: digits with spaces between
    them, which no tokenizer joins. Two bytes each."""
    digits = " 7 3 9 1 5 8 2 6 4 0"
    return digits * (tokens * 11 // 100 + 1)


def filling(tokens: int) -> str:
    """A prompt of `tokens` tokens and no more, less `ROOM`: a word that is one token to everybody.

    Four bytes each.
    """
    return " the" * max(1, tokens - ROOM)
