"""What the terminal shows while checks run: one line per model and chapter.

The law: the reporter prints; it decides nothing. With `-v` pytest's own lines are shown instead.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

LETTERS: Mapping[str, str] = {
    "PASS": ".",
    "FAIL": "F",
    "WARN": "w",
    "UNSUPPORTED": "u",
    "INCONCLUSIVE": "i",
    "BLOCKED": "b",
    "ERROR": "E",
    "OBSERVED": "o",
}

STYLES: Mapping[str, dict[str, bool]] = {
    "PASS": {"green": True},
    "FAIL": {"red": True, "bold": True},
    "WARN": {"yellow": True},
    "ERROR": {"red": True, "bold": True},
}


class Progress:
    """Collects letters per model and chapter and prints a line when the chapter is through."""

    def __init__(self, reporter: pytest.TerminalReporter, chapters: Mapping[str, str]) -> None:
        self._reporter = reporter
        self._chapters = chapters
        self._pending: dict[tuple[str | None, str], list[str]] = {}
        self._model: str | None = "\0"

    def add(self, record: Mapping[str, Any], of: int) -> None:
        """Note a record; `of`: how many checks its model and chapter have in this run."""
        key = (record["model"], record["chapter"])
        verdicts = self._pending.setdefault(key, [])
        verdicts.append(record["verdict"])
        if len(verdicts) >= of:
            self._line(*key, self._pending.pop(key))

    def flush(self) -> None:
        """Print what is pending: the run ended early."""
        for (model, chapter), verdicts in self._pending.items():
            self._line(model, chapter, verdicts)
        self._pending.clear()

    def _line(self, model: str | None, chapter: str, verdicts: list[str]) -> None:
        out = self._reporter
        if model != self._model:
            self._model = model
            out.ensure_newline()
            out.write_line(model or "the target as a whole", bold=True)
        out.write(f"  {self._chapters.get(chapter, chapter):<38} ")
        for verdict in verdicts:
            out.write(LETTERS[verdict], **STYLES.get(verdict, {}))
        counted = Counter(v for v in verdicts if v != "PASS")
        words = ", ".join(f"{count} {verdict}" for verdict, count in counted.items())
        out.write_line(f"  {words}" if words else "")
