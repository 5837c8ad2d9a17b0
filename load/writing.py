"""Writes the results of a run: JSON that its schema accepts, and CSV beside it.

Laws: a file is put in place whole; what cannot be written is one line, never a traceback that loses
the summary.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import schemas

__all__ = ["put", "unwritable", "write"]


def unwritable(where: Path) -> str | None:
    """Why a file cannot be written, None where it can; its folder is made."""
    try:
        where.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=where.parent):
            return "it is a folder" if where.is_dir() else None
    except OSError as error:
        return error.strerror or str(error)


def write(results: Mapping[str, Any], intervals: str, where: Path) -> str | None:
    """Write both files; None, or one line that says what could not be written."""
    broken = schemas.violations("load_results", results)
    if broken:
        return f"load: a bug: the results break their schema at {broken[0].path}\n"
    try:
        where.parent.mkdir(parents=True, exist_ok=True)
        put(where, json.dumps(results, indent=1, ensure_ascii=False) + "\n")
        put(where.with_suffix(".csv"), intervals)
    except OSError as error:
        return f"load: --load-results {where} cannot be written: {error.strerror}\n"
    return None


def put(where: Path, text: str) -> None:
    """Put a file in place, whole. Raises OSError."""
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", dir=where.parent, prefix=f".{where.name}.", delete=False
    ) as file:
        made = Path(file.name)
        try:
            file.write(text)
            file.flush()
            made.chmod(0o644)
            made.replace(where)
        except BaseException:
            made.unlink()
            raise
