"""A fault that comes and goes: ``NAME~3`` strikes one call in three, ``NAME~3.7`` other ones.

Laws: whether a call is struck depends on its number and the seed alone, so that a server that is
started anew strikes the same calls; a call is struck at every seam, or at none.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from conformance.reference.faults.registry import Fault

SIGN = "~"


def struck(number: int, among: int, seed: int) -> bool:
    """Whether the call of that number is struck, at odds of one in `among`."""
    digest = hashlib.sha256(f"{seed}/{number}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % among == 0


def sometimes(fault: Fault, among: int, seed: int = 0) -> Fault:
    """The fault, striking one call in `among`."""

    def at_odds(act: Callable[..., Any]) -> Callable[..., Any]:
        def now_and_then(*given: Any) -> Any:
            # Every seam takes what it changes first, and the call last.
            return act(*given) if struck(given[-1].number, among, seed) else given[0]

        return now_and_then

    return replace(
        fault,
        name=f"{fault.name}{SIGN}{among}.{seed}",
        act=at_odds(fault.act),
        parts=tuple(replace(part, act=at_odds(part.act)) for part in fault.parts),
    )


_ODDS = re.compile(r"([1-9][0-9]*)(?:\.([0-9]+))?")


def read_odds(text: str) -> tuple[int, int] | None:
    """``3`` and ``3.7`` as (among, seed); None for what is neither."""
    found = _ODDS.fullmatch(text)
    return (int(found[1]), int(found[2] or 0)) if found else None
