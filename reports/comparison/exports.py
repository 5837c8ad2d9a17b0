"""Comparisons as data, in the form of ``schemas/comparison.schema.json``.

The laws: nothing is shortened, nothing is counted that the reader can count, and a program need not
parse a sentence to know what happened.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from .changes import Changes
from .columns import Column
from .matrix import Matrix

__all__ = ["FORMAT", "changes_data", "matrix_data"]

FORMAT: Final = 1


def matrix_data(found: Matrix, shown: Sequence[Column], notes: Iterable[str]) -> dict[str, Any]:
    """The matrix: its rows as they are shown, the cells of each in the order of the targets."""
    return {
        "format": FORMAT,
        "kind": "matrix",
        "notes": list(notes),
        "targets": [_target(column) for column in shown],
        "clauses": [
            {
                "id": row.id,
                "level": row.level,
                "agreement": row.kind.value,
                "cells": [
                    {
                        "verdict": cell.verdict,
                        "models": [
                            {"model": model, "verdict": group.verdict, "told": group.told}
                            for group in cell.seen
                            for model in group.models
                        ],
                    }
                    for cell in row.cells
                ],
            }
            for row in found.rows
        ],
    }


def changes_data(found: Changes, shown: Sequence[Column], notes: Iterable[str]) -> dict[str, Any]:
    """What changed; the targets are the old run and the new one."""
    return {
        "format": FORMAT,
        "kind": "changes",
        "notes": list(notes),
        "targets": [_target(column) for column in shown],
        "newly_broke": bool(found.broke),
        "same": found.same,
        "changes": [
            {
                "id": row.id,
                "level": row.level,
                "change": row.change.value,
                "was": row.was,
                "now": row.now,
                "models": list(row.models),
                "told": row.told,
                "known_deviation": row.known,
            }
            for row in found.rows
        ],
    }


def _target(column: Column) -> dict[str, Any]:
    run = column.results
    return {
        "letter": column.letter,
        "name": column.name,
        "url": run["target"]["url"],
        "models": run["target"]["models"],
        "started": run["started"],
        "verdict": run["verdict"],
        "sentence": column.sentence,
        "strict": run["strict"],
        "interrupted": run["interrupted"],
        "suite": run["suite"]["version"],
    }
