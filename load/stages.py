"""How many users run when, as a table of stages: pure.

Law: `users_at` is a function of table and moment; it knows no clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Stage", "users_at"]


@dataclass(frozen=True, slots=True)
class Stage:
    """``seconds`` long; the users go evenly from those before it to ``users``, or at once."""

    seconds: float
    users: int
    at_once: bool = False


def users_at(stages: Sequence[Stage], moment: float) -> int | None:
    """The users at a moment, None after the last stage.

    >>> table = [Stage(10, 20), Stage(5, 20), Stage(5, 100, at_once=True)]
    >>> [users_at(table, moment) for moment in (0, 5, 12, 15, 20)]
    [1, 10, 20, 100, None]
    """
    before = 0
    for stage in stages:
        if moment < stage.seconds:
            share = 1.0 if stage.at_once else moment / stage.seconds
            return max(1, round(before + (stage.users - before) * share))
        moment -= stage.seconds
        before = stage.users
    return None
