"""How a verdict looks, wherever it is shown: an icon *and* a word; colour repeats it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["SIGNS", "TARGET", "Sign"]

TARGET: Final = "the target as a whole"


@dataclass(frozen=True, slots=True)
class Sign:
    """How a verdict looks: ``css`` class, icon, and a word that fits a cell."""

    css: str
    icon: str
    word: str
    meaning: str = ""


SIGNS: Final[Mapping[str, Sign]] = {
    "FAIL": Sign("fail", "✕", "fail", "a MUST is broken (a SHOULD, under strict)"),
    "ERROR": Sign("fail", "‼", "error", "the suite itself failed; never the target's fault"),
    "INCONCLUSIVE": Sign("open", "?", "open", "the target could not be judged: 429, 5xx, timeout"),
    "BLOCKED": Sign("open", "⊘", "blocked", "a requirement that this one rests on is broken"),
    "WARN": Sign("warn", "!", "warn", "a SHOULD is broken"),
    "PASS": Sign("pass", "✓", "held", "demanded, exercised, held"),
    "OBSERVED": Sign("none", "○", "observed", "an INFO entry: what is done is told, not judged"),
    "UNSUPPORTED": Sign("none", "–", "n/a", "the capability is refused cleanly or declared absent"),  # noqa: RUF001  # a dash is meant
}
