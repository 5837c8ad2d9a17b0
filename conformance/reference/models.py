"""The ten documented models, as a table.

Laws: an id is spelled once, here; ids keep the order of the documentation.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

WINDOW = 131_072
"""Context window in tokens where nothing else is documented."""


@dataclass(frozen=True, slots=True)
class Model:
    """One model: `created` in Unix seconds, `window` in tokens."""

    id: str
    created: int
    window: int = WINDOW
    reasoning: bool = False
    vision: bool = False

    @property
    def owner(self) -> str:
        """The vendor: what stands before the slash."""
        return self.id.partition("/")[0]

    def public(self) -> dict[str, Any]:
        """The Model object of the API."""
        return {
            "id": self.id,
            "object": "model",
            "created": self.created,
            "owned_by": self.owner,
        }


DOCUMENTED = (
    Model("meta/llama-3.3-70b-instruct", 1_733_443_200),
    Model("meta/llama-3.1-405b-instruct", 1_721_692_800),
    Model("nvidia/nemotron-4-340b-instruct", 1_718_323_200),
    Model("deepseek-ai/deepseek-r1", 1_737_331_200, reasoning=True),
    Model("qwen/qwen3-235b-a22b", 1_745_798_400),
    Model("mistralai/mistral-large-2-instruct", 1_721_779_200),
    Model("google/gemma-3-27b-it", 1_741_737_600, vision=True),
    Model("microsoft/phi-4-reasoning-plus", 1_745_971_200, reasoning=True),
    Model("zhipuai/glm-4-9b-chat", 1_717_545_600),
    Model("minimax/minimax-text-01", 1_736_899_200, window=1_000_192),
)


def served(ids: Iterable[str] = ()) -> dict[str, Model]:
    """The models to serve by id: the documented ones, or those named (unknown ids get defaults)."""
    known = {model.id: model for model in DOCUMENTED}
    wanted = list(ids)
    if not wanted:
        return known
    return {id_: known.get(id_) or Model(id_, DOCUMENTED[0].created) for id_ in wanted}
