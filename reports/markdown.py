"""GitHub-flavoured Markdown out of strings that nobody has vouched for.

Laws
----
* What a target, a profile or a results file says stands in code: there no markup, no HTML, no link
  and no mention of a person means anything.
* One string is one line; none of them goes into a table, where a bar would end a cell.
* Only the catalogue's own sentences are Markdown already.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from . import words
from .signs import TARGET
from .told import printable

__all__ = ["block", "code", "names", "prose"]

_TICKS: Final = re.compile("`+")


def code(text: str, limit: int = 300) -> str:
    """``text`` as inline code, in at most ``limit`` characters; an empty one is told as such.

    >>> code("a `b` @c")
    '`` a `b` @c ``'
    """
    said = words.short(printable(text), limit)
    if not said:
        return "(nothing)"
    fence = "`" * (_longest(said) + 1)
    # A space is stripped from both ends only where there is one at both.
    padded = f" {said} " if len(fence) > 1 or said[0] == said[-1] == " " else said
    return f"{fence}{padded}{fence}"


def block(text: str, language: str = "") -> str:
    """``text`` as a fenced block, whole; its lines are kept."""
    lines = [words.visible(line) for line in text.split("\n")]
    fence = "`" * max(3, _longest(text) + 1)
    return "\n".join([f"{fence}{language}", *lines, fence])


def _longest(text: str) -> int:
    return max(map(len, _TICKS.findall(text)), default=0)


def prose(markdown: str) -> str:
    """A text of the catalogue, which is Markdown, in one line."""
    return " ".join(markdown.split())


def names(models: Iterable[str], limit: int = 10) -> str:
    """Models as code, those beyond ``limit`` counted."""
    every = list(models)
    shown = [model if model == TARGET else code(model, 80) for model in every[:limit]]
    left = len(every) - limit
    return words.listed([*shown, f"{left} more"] if left > 0 else shown)
