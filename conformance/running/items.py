"""What a collected check is about, read off pytest's item."""

import re

import pytest

from conformance.requirements import REQUIREMENTS, Requirement


def requirement_of(item: pytest.Item) -> Requirement | None:
    """The requirement that a check carries; None for a test of somebody else."""
    mark = item.get_closest_marker("requirement")
    return None if mark is None else REQUIREMENTS[mark.args[0]]


def model_of(item: pytest.Item) -> str | None:
    """The model that a check is about; None for a check of the whole target."""
    mark = item.get_closest_marker("requirement")
    if mark is None or mark.kwargs["scope"] == "target":
        return None
    model: str = item.callspec.params["chat"]  # type: ignore[attr-defined]  # Function
    return model


def may_harm(item: pytest.Item) -> bool:
    """Whether a check may leave the target unwell."""
    mark = item.get_closest_marker("requirement")
    return mark is not None and bool(mark.kwargs["harms"])


def slug(model: str) -> str:
    """A model's id as it may stand in a node id: pytest-html writes node ids unescaped."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", model)[:60]


def model_in(nodeid: str) -> str:
    """The part of a node id that stands for the model; in a family it follows the clause."""
    return re.sub(r"^CC-[A-Z]+-\d+-", "", nodeid.rpartition("[")[2])


GENERATED = "test_generated"
"""What the files of checks of generated requests begin with."""


def is_generated(item: pytest.Item) -> bool:
    """Whether a check looks at generated requests."""
    return requirement_of(item) is not None and item.path.name.startswith(GENERATED)
