"""What the rows of the table came to, kept on disk as they come.

A run that is cut short loses the row under way; `python -m tests.hostile.table --go-on` runs the
rest. It is no part of the repository: the page is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final

from tests.plugin.bench import ROOT

PATH: Final = ROOT / ".cache" / "hostile.json"


@dataclass(frozen=True, slots=True)
class Came:
    """How a run ended, what is wrong with that ("" where nothing is), and what it cost.

    `cost`: seconds beyond those of a right target; `peak`: MiB, None where the run hung; `timeout`:
    the seconds that it gave an exchange.
    """

    ended: str
    wrong: str
    cost: float
    peak: int | None
    timeout: float


def key(name: str, scope: str) -> str:
    """Under which a row is kept."""
    return f"{name} {scope}"


def read() -> dict[str, Came]:
    """What is kept; nothing where nothing is."""
    if not PATH.exists():
        return {}
    return {name: Came(**told) for name, told in json.loads(PATH.read_text("utf-8")).items()}


def write(kept: Mapping[str, Came]) -> None:
    """Keep this, in the place of what was."""
    PATH.parent.mkdir(exist_ok=True)
    beside = PATH.with_suffix(".new")
    told = {name: asdict(came) for name, came in kept.items()}
    beside.write_text(json.dumps(told, indent=1, ensure_ascii=False), "utf-8")
    beside.replace(PATH)
