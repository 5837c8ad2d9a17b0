"""The tokenizer and the "model": text as a pure function of the conversation.

Laws: the tokens of a text join to that text; no token splits a code point; the same conversation
always gets the same answer.

Theory. A token is up to four letters or three digits with the space before them, or else one code
point, so that counts grow with length and are the same for every spelling of the same text. The
answers follow a convention of prompts that a check can rely on (greet, count, repeat, code word);
everything else gets a sentence drawn from a hash of the conversation.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from conformance.reference import vision

_TOKEN = re.compile(r" ?[A-Za-z]{1,4}| ?[0-9]{1,3}|[^A-Za-z0-9]")
_COUNT = re.compile(r"\bcount from (-?\d{1,6}) to (-?\d{1,6})\b", re.IGNORECASE)
_CODE_WORD = re.compile(r"The code word is ([^\s.]+)")
_BLANK_LINE = re.compile(r"\r?\n\r?\n")

MOST_COUNTED = 20_000
"""The longest count, in numbers; more is cut off."""

GREETING = "Hello! How can I help you today?"
FILTERED = "Say what the filter stops."
"""The prompt whose answer the content filter cuts off."""

BREAKDOWN = "Fail in the middle of the stream."
"""The prompt that makes the generation fail half-way, for checks of errors in streams."""

_WORDS = (
    *("amber", "basin", "cedar", "delta", "ember", "fjord", "grove", "harbor", "inlet", "jetty"),
    *("knoll", "lagoon", "meadow", "north", "orchard", "prairie", "quarry", "river", "summit"),
    *("timber", "upland", "valley", "willow", "yonder", "zephyr"),
)


def tokens(text: str) -> list[str]:
    """Cuts a text into tokens; they join to it.

    >>> tokens("1 2 300 über")
    ['1', ' 2', ' 300', ' ', 'ü', 'ber']
    """
    return _TOKEN.findall(text)


def plain(content: Any) -> str:
    """The text of a message's content: a string, text parts joined by newlines, or nothing."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(
            part.get("text") or part.get("refusal") or ""
            for part in content
            if isinstance(part, dict) and part.get("type") != "image_url"
        )
    return ""


def prompt_tokens(messages: Iterable[dict[str, Any]], tools: Any = None) -> int:
    """Tokens of the prompt: of every text and call, four per message, and three for the answer."""
    total = 3
    for message in messages:
        total += 4 + len(tokens(plain(message.get("content"))))
        total += vision.TOKENS * len(vision.pictures([message]))
        if message.get("tool_calls"):
            total += len(tokens(json.dumps(message["tool_calls"], ensure_ascii=False)))
        if isinstance(message.get("name"), str):
            total += len(tokens(message["name"]))
    if tools:
        total += len(tokens(json.dumps(tools, ensure_ascii=False)))
    return total


def last_user_text(messages: Sequence[dict[str, Any]]) -> str:
    """The text of the last user message; empty where there is none."""
    for message in reversed(messages):
        if message.get("role") == "user":
            return plain(message.get("content"))
    return ""


def answer(  # noqa: PLR0911 - a ladder of cases, one line each
    messages: Sequence[dict[str, Any]], choice: int = 0
) -> str:
    """What the model says: the convention of prompts first, else a sentence of its own."""
    prompt = last_user_text(messages)
    if "two code words" in prompt:
        return " ".join(_code_words(messages)) or "I do not know."
    if "What is the code word" in prompt:
        return next(reversed(_code_words(messages)), "I do not know.")
    if seen := vision.pictures(messages[-1:]):
        return ", ".join(map(vision.colour, seen)).capitalize() + "."
    if prompt.startswith("Repeat the following text exactly"):
        blank = _BLANK_LINE.search(prompt)
        return prompt[blank.end() :] if blank else ""
    if count := _COUNT.search(prompt):
        first, last = int(count[1]), int(count[2])
        step = 1 if last >= first else -1
        return " ".join(map(str, range(first, last + step, step)[:MOST_COUNTED]))
    if messages[-1].get("role") == "tool":
        return f"The tool answered: {plain(messages[-1].get('content'))}"
    if prompt.lower().startswith(("say hello", "say hi")):
        return GREETING
    return sentence(messages, choice)


def _code_words(messages: Iterable[dict[str, Any]]) -> list[str]:
    return [word for m in messages for word in _CODE_WORD.findall(plain(m.get("content")))]


def sentence(messages: Sequence[dict[str, Any]], choice: int = 0) -> str:
    """A sentence of 16 to 31 words that depends on every message and on the choice."""
    spelled = json.dumps([[m.get("role"), plain(m.get("content"))] for m in messages])
    digest = hashlib.sha256(f"{choice}:{spelled}".encode()).digest()
    drawn = [_WORDS[byte % len(_WORDS)] for byte in digest[: 16 + digest[0] % 16]]
    return " ".join(drawn).capitalize() + "."


def thought(messages: Sequence[dict[str, Any]]) -> str:
    """What a reasoning model thinks before it answers; never holds words of the conversation."""
    size = len(last_user_text(messages))
    return f"The question has {size} characters. I answer it directly."


_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def token_id(token: str) -> int:
    """The number of a token in the vocabulary: of up to four small letters, then all others."""
    if not re.fullmatch(r" [a-z]{1,4}", token):
        return 26**4 + digest(token)
    number = 0
    for letter in token[1:]:
        number = 26 * number + _LETTERS.index(letter)
    return number


def spelled(number: int) -> str:
    """A token that has this number, of those of small letters.

    >>> spelled(100), token_id(" dw")
    (' dw', 100)
    """
    letters = ""
    while number or not letters:
        number, last = divmod(number, 26)
        letters = _LETTERS[last] + letters
    return f" {letters[-4:]}"


def biased(said: list[str], bias: dict[str, int], bound: int) -> list[str]:
    """What is said under `logit_bias`: +100 forces one token up to the bound, -100 removes one."""
    forced = [int(name) for name, value in bias.items() if value == 100 and name.isdecimal()]
    if forced:
        return [spelled(forced[0])] * (bound + 1)
    removed = {name for name, value in bias.items() if value == -100}
    return [one for one in said if str(token_id(one)) not in removed] if removed else said


def digest(*parts: str) -> int:
    """A number in 0..2**32-1 that depends on the parts alone."""
    return int.from_bytes(hashlib.sha256("\0".join(parts).encode()).digest()[:4], "big")
