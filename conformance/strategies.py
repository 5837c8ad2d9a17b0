"""The requests that Hypothesis generates: valid, invalid in one way, malformed.

Each is drawn from a row of a table in `conformance/generation/`, which names the clause that it is
about; `offered` is what the target has been seen to offer, so that no request asks for more.
"""

from collections.abc import Sequence

from hypothesis.strategies import SearchStrategy

from .generation.drawing import choice_of
from .generation.malformed import VARIANTS
from .generation.mistakes import Mistake, Wrong, broken
from .generation.parts import Feature, Part, with_others

__all__ = ["accepted_requests", "malformed_bodies", "rejected_requests"]


def accepted_requests(
    offered: Sequence[Feature], *, holding: Feature | None = None
) -> SearchStrategy[tuple[Part, ...]]:
    """Parts of a valid request: `holding`, and up to three other features of those offered.

    `generation.parts.fields_of` makes a body of them.
    """
    return with_others(holding, tuple(offered))


def rejected_requests(offered: Sequence[Feature], rule: Wrong) -> SearchStrategy[Mistake]:
    """A valid request in which exactly `rule` is broken."""
    return broken(rule, tuple(offered))


def malformed_bodies() -> SearchStrategy[int]:
    """A number that chooses one of the variants of a row of `generation.malformed`."""
    return choice_of(range(VARIANTS))
