"""Keys that are ordinary words, as local servers take them: ``none``, ``test``, ``EMPTY``.

Laws
----
1. A word is not masked where it stands by itself: a target says ``"finish_reason": "stop"`` though
   the key is ``stop``, and what is judged is what it said.
2. Nor would a mask hide it: a hole in a text that everybody knows spells what it covers.
3. Where it stands as a credential, ``Bearer none``, it is masked like any other.
4. What is no word in doubt is masked: only a form that no generator of keys gives is one, and what
   replies consist of in any case.
"""

import json
import re
from functools import cache

LONGEST = 12
"""Characters of a word at most; longer ones of the same form are passwords."""

SHORTEST = 4
"""What is shorter is a word, whatever it looks like: it stands in every text."""

_WORD = re.compile(r"(?:[a-z]+|[A-Z]+|[A-Z][a-z]+)\d{0,4}|\d+")
_COMPOUND = re.compile(r"[A-Za-z]+(?:[ ._/-]+[A-Za-z]+)+")

_OF_HTTP = "application/json text/event-stream keep-alive content-type transfer-encoding no-cache"


@cache
def is_word(secret: str) -> bool:
    """Whether `secret` may stand in any reply without having to do with the key.

    >>> [key for key in ("none", "EMPTY", "1234", "chat.completion", "sk-1234") if is_word(key)]
    ['none', 'EMPTY', '1234', 'chat.completion']
    """
    if len(secret) < SHORTEST:
        return True
    if _WORD.fullmatch(secret):
        return len(secret) <= LONGEST
    return _COMPOUND.fullmatch(secret) is not None and secret in _vocabulary()


@cache
def _vocabulary() -> str:
    """The names and values that the contract knows, and those of HTTP around them."""
    from schemas import NAMES, schema  # here: few keys ask for it, and it takes a while

    return json.dumps([schema(name) for name in NAMES]) + _OF_HTTP
