"""What becomes of a text whose characters were decoded wrongly (CC-MSG-012, CC-SSE-020).

Laws
----
* A model may answer with another text, and with U+FFFD of its own: only damage that nothing but a
  wrong decoder does to the text that was asked for counts.
* What was asked for and what came are given; no model is asked here.

Theory
------
Bytes that are cut inside a character and decoded part by part give one U+FFFD or more for each
character, never fewer. So a run of ``m`` of them stands for 1 to ``m`` characters of the original,
and everything between the runs is as it was.
"""

from __future__ import annotations

import json
import re
from typing import Final

__all__ = ["has_lone_surrogate", "is_torn", "misread"]

REPLACEMENT: Final = "\ufffd"
_BEGINNING: Final = 4  # characters by which a misread text is known; the first of them not ASCII


def has_lone_surrogate(text: str) -> bool:
    """Whether half of a surrogate pair stands in ``text``.

    >>> has_lone_surrogate("\\ud83d"), has_lone_surrogate("\U0001f642")
    (True, False)
    """
    return any("\ud800" <= character <= "\udfff" for character in text)


def is_torn(said: str, wanted: str) -> bool:
    """Whether ``said`` holds ``wanted`` with some of its characters turned into runs of U+FFFD.

    >>> is_torn("a\ufffd\ufffdb", "a\U0001f642b"), is_torn("I \ufffd do not.", "a\U0001f642b")
    (True, False)
    """
    if REPLACEMENT not in said:
        return False
    first, last = said.find(wanted[:1]), said.rfind(wanted[-1:])
    bounds = {0, said.find(REPLACEMENT), max(first, 0)}
    ends = {len(said), said.rfind(REPLACEMENT) + 1, last + 1}
    return any(
        _stands_for(said[start:end], wanted) for start in bounds for end in ends if start < end
    )


def _stands_for(said: str, wanted: str) -> bool:
    kept = said.replace(REPLACEMENT, "")
    if REPLACEMENT not in said or not kept:
        return False
    pattern = re.sub(
        f"{REPLACEMENT}+|[^{REPLACEMENT}]+",
        lambda run: f".{{1,{len(run[0])}}}" if run[0][0] == REPLACEMENT else re.escape(run[0]),
        said,
    )
    return re.fullmatch(pattern, wanted, re.DOTALL) is not None


def misread(said: str, wanted: str) -> str | None:
    """How ``wanted`` was spoilt on its way into ``said``, in words; None where it was not.

    ``wanted`` begins with text that is not all ASCII, and is not JSON.

    >>> misread("CafÃ©", "Café"), misread("Caf?", "Café"), misread("Cafe", "Café")
    ('UTF-8 read as Latin-1', "'?' for every character beyond ASCII", None)
    """
    if wanted in said:
        return None
    if has_lone_surrogate(said):
        return "a lone surrogate"
    if is_torn(said, wanted):
        return "U+FFFD for some characters"
    beginning = wanted[:_BEGINNING]
    spoilt = {
        "UTF-8 read as Latin-1": beginning.encode().decode("latin-1"),
        "'?' for every character beyond ASCII": wanted.encode("ascii", "replace").decode(),
        "JSON escapes for every character beyond ASCII": json.dumps(wanted)[1:-1],
    }
    return next((how for how, text in spoilt.items() if text in said), None)
