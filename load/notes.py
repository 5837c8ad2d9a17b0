"""A run as it goes, kept beside the process that measures: what its results would be by now. Pure.

Laws: what is reported is added up as the ledger of the run does; a run that is not over says so
(`Facts.state`), and its figures reach as far as all is known. No secret is among what is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from conformance.target.profile import Profile
from load.facts import Facts
from load.gather import Ledger, Pulse
from load.options import Settings

__all__ = ["Notes", "Opening", "secretless"]


@dataclass(frozen=True, slots=True)
class Opening:
    """What is known of a run when it begins; members as those of `Facts`."""

    settings: Settings
    run: str
    locust: str
    version: str
    command: str


def secretless(settings: Settings) -> Settings:
    """Settings as far as results are made from them: without keys, headers, prompts."""
    return replace(
        settings,
        profile=Profile(settings.profile.name),
        key=None,
        headers={},
        file=(),
        trace=settings.trace[:1],  # that there is one is all that results say
        extra={},
    )


class Notes:
    """The reports of a run so far."""

    def __init__(self, opening: Opening) -> None:
        self.opening = opening
        self._ledger = Ledger(opening.run)
        self._pulses: dict[str, Pulse] = {}
        self._users = 0

    def take(self, worker: str, data: Mapping[str, Any], users: int) -> None:
        """Take a report, as `Ledger.report` does; so many users run."""
        self._ledger.report(worker, data)
        self._users = max(self._users, users)
        if data.get("pulse"):
            self._pulses[worker] = Pulse(**data["pulse"])

    @property
    def empty(self) -> bool:
        """Whether nothing was reported."""
        return not self._pulses and not self._ledger.finals

    def facts(self, state: str) -> Facts:
        """The run so far; ``state`` as in `Facts`."""
        so_far = {worker: pulse.so_far() for worker, pulse in self._pulses.items()}
        known = self.opening
        return Facts(
            settings=known.settings,
            run=known.run,
            book=self._ledger.book,
            finals={**so_far, **self._ledger.finals},
            users=self._users,
            locust=known.locust,
            version=known.version,
            command=known.command,
            state=state,
        )
