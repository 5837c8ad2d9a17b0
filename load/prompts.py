"""What is asked: the messages of each request, a pure function of seed, worker and number.

Laws
----
* The same settings, seed, worker and number give the same request.
* ``unique`` prompts begin with a nonce, so that no prefix cache of the target can serve them;
  ``shared`` ones are the same on purpose. Which of the two is said in the results.
* A nonce names the run and the request. An answer that holds another nonce of the run has crossed
  over from another request.

Theory
------
The length of a prompt is given in words: tokens are the target's own, and ``usage`` reports them.
A distribution is ``NUMBER``, ``uniform:LOW,HIGH``, ``normal:MEAN,SD`` or
``lognormal:MEDIAN,SIGMA``.
A file holds one JSON value a line: a text, a list of messages, or an object with ``messages`` or
``prompt``; other members of the object (``max_tokens``, …) go into the request.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

__all__ = ["Prompt", "Workload", "foreign_nonce", "lengths", "nonce", "read_file"]

Messages = list[dict[str, Any]]

COUNT_PROMPT: Final = "Count from 1 to 300, separated by spaces. Write nothing else."
"""Asked where nothing else is given: long, and the same for every model."""

FOLLOW_UP: Final = "Go on."

_WORDS: Final = (
    *("time", "year", "people", "way", "day", "man", "thing", "woman", "life", "child", "world"),
    *("school", "state", "family", "student", "group", "country", "problem", "hand", "part"),
    *("place", "case", "week", "company", "system", "program", "question", "work", "number"),
    *("night", "point", "home", "water", "room", "mother", "area", "money", "story", "fact"),
)
_NONCE = re.compile(rb"rq-([0-9a-f]{8})-[0-9a-f]{2,}-[0-9a-f]{1,10}")


@dataclass(frozen=True, slots=True)
class Prompt:
    """What one request asks: messages, further members of the body, and its nonce ("" if none)."""

    messages: Messages
    extra: Mapping[str, Any] = field(default_factory=dict)
    nonce: str = ""


def nonce(run: str, worker: int, number: int) -> str:
    """The nonce of a request; ``run`` is eight hexadecimal digits.

    >>> nonce("00c0ffee", 1, 255)
    'rq-00c0ffee-01-ff'
    """
    return f"rq-{run}-{worker:02x}-{number:x}"


def foreign_nonce(text: str, own: str) -> str | None:
    """A nonce of the same run in ``text`` that is not ``own``, else None."""
    if not own:
        return None
    for found in _NONCE.finditer(text.encode()):
        seen = found[0].decode()
        # The answer may be cut off within its own nonce.
        if seen[:11] == own[:11] and not own.startswith(seen):
            return seen
    return None


def lengths(spelled: str) -> Callable[[random.Random], int]:
    """A distribution of lengths in words (at least 1).

    Raises:
        ValueError: one line, with the forms that there are.
    """
    name, _, given = spelled.rpartition(":")
    try:
        numbers = [float(part) for part in given.split(",")]
        match name, numbers:
            case "", [length] if length >= 1:
                return lambda _: int(length)
            case "uniform", [low, high] if 1 <= low <= high:
                return lambda source: source.randint(int(low), int(high))
            case "normal", [mean, deviation] if mean >= 1 and deviation >= 0:
                return lambda source: max(1, round(source.gauss(mean, deviation)))
            case "lognormal", [median, sigma] if median >= 1 and sigma >= 0:
                return lambda source: max(1, round(median * source.lognormvariate(0, sigma)))
    except ValueError:
        pass
    forms = "NUMBER, uniform:LOW,HIGH, normal:MEAN,SD or lognormal:MEDIAN,SIGMA, in words"
    raise ValueError(f"{spelled!r} is no length: write {forms}")


def read_file(path: Path) -> list[tuple[Messages, dict[str, Any]]]:
    """The prompts of a JSONL file, each with the further members of its request.

    Raises:
        ValueError: one line that names the file and the line.
        OSError: it cannot be read.
    """
    found = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except ValueError as error:
            raise ValueError(f"{path}:{number}: no JSON: {error}") from None
        read = _prompt(value)
        if read is None:
            raise ValueError(
                f"{path}:{number}: a text, a list of messages, or an object with "
                "'messages' or 'prompt' is wanted"
            )
        found.append(read)
    if not found:
        raise ValueError(f"{path}: no prompts")
    return found


def _prompt(value: Any) -> tuple[Messages, dict[str, Any]] | None:
    extra: dict[str, Any] = {}
    if isinstance(value, dict):
        extra = {k: v for k, v in value.items() if k not in ("messages", "prompt", "timestamp")}
        value = value.get("messages", value.get("prompt"))
    if isinstance(value, str) and value:
        return [{"role": "user", "content": value}], extra
    if isinstance(value, list) and value and all(isinstance(m, dict) for m in value):
        return value, extra
    return None


class Workload:
    """The prompts of one worker.

    Args:
        text: the fixed prompt, where neither ``words`` nor ``file`` is given.
        words: a distribution of lengths, see `lengths`; "" for none.
        file: prompts, see `read_file`; taken in turn, the workers interleaved.
        unique: whether each prompt begins with its nonce.
        turns: user messages per conversation; 1: each request stands alone.
        run: eight hexadecimal digits that name the run.

    Raises:
        ValueError: as `lengths`.
    """

    def __init__(
        self,
        text: str = COUNT_PROMPT,
        *,
        words: str = "",
        file: Sequence[tuple[Messages, dict[str, Any]]] = (),
        unique: bool = True,
        turns: int = 1,
        run: str = "00000000",
        worker: int = 0,
        workers: int = 1,
        seed: int = 0,
    ) -> None:
        self._text = text
        self._length = lengths(words) if words else None
        self._file = file
        self._unique = unique
        self._run, self._worker, self._workers, self._seed = run, worker, workers, seed
        self.turns = turns

    def opening(self, number: int) -> Prompt:
        """The first request of a conversation: the ``number``-th of this worker, from 0."""
        mark = nonce(self._run, self._worker, number) if self._unique else ""
        if self._file:
            messages, extra = self._file[(number * self._workers + self._worker) % len(self._file)]
            return Prompt(_marked(messages, mark), extra, mark)
        text = self._text
        if self._length is not None:
            # Shared prompts are the same for all workers, unique ones differ in words too.
            source = random.Random(f"{self._seed}/{self._worker}/{number}" if mark else self._seed)
            text = " ".join(source.choices(_WORDS, k=self._length(source)))
        return Prompt(_marked([{"role": "user", "content": text}], mark), {}, mark)

    def following(self, before: Prompt, answer: str) -> Prompt:
        """The next turn: what was said before, the answer, and a new user message."""
        said = [{"role": "assistant", "content": answer}, {"role": "user", "content": FOLLOW_UP}]
        return Prompt([*before.messages, *said], before.extra, before.nonce)


def _marked(messages: Messages, mark: str) -> Messages:
    """The messages with the mark at the very start of the first text."""
    if not mark:
        return messages
    first, *rest = messages
    content = first.get("content")
    if isinstance(content, str):
        return [{**first, "content": f"[{mark}] {content}"}, *rest]
    return [{"role": "system", "content": f"[{mark}]"}, *messages]
