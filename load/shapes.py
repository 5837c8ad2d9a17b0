"""Shapes of a closed loop, for Locust: a table of stages becomes users and a rate, once a second.

Law: the class here is abstract; a locustfile names the shape that it wants (`ramp.py`, …), because
Locust uses every shape that it finds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from locust import LoadTestShape

from load.stages import Stage, users_at

__all__ = ["Stage", "Staged"]


class Staged(LoadTestShape):
    """A shape from a table; a subclass sets ``stages``."""

    abstract = True
    stages: Sequence[Stage] = ()

    def tick(self) -> tuple[int, float] | None:
        """Users, and how many of them may start or stop in a second; None at the end."""
        clock: Any = self  # Locust leaves its clock untyped
        users = users_at(self.stages, clock.get_run_time())
        return None if users is None else (users, max(1.0, float(users)))
