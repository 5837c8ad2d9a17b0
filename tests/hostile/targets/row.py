"""A row of the table, and the ends that runs come to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from tests.hostile.targets.wire import Wire

CERTIFICATES: Final = Path(__file__).parents[1] / "certificates"


class Scope(StrEnum):
    """Which requests meet the hostile answer."""

    ALL = "everything"
    CHAT = "chat"
    STREAMS = "streams"


@dataclass(frozen=True, slots=True)
class End:
    """How a run of the suite ends: one of these exit statuses, and words that are told."""

    statuses: tuple[int, ...]
    says: str = ""


Behave = Callable[[Wire], None]


@dataclass(frozen=True, slots=True)
class Target:
    """One row.

    Attributes:
        name: what it is called, with hyphens.
        behave: what it does.
        ends: of the suite, for each scope that it is tried in.
        load: the kind of failure of each request of the load generator; "" where it refuses to
            begin, and says why in one line.
        speaks_first: it does not wait for a request.
        certificate: speaks TLS with this file of ``certificates``.
        slow: a run against it takes longer than a test of every commit may.
    """

    name: str
    behave: Behave
    ends: dict[Scope, End]
    load: tuple[str, ...]
    speaks_first: bool = False
    certificate: str = ""
    slow: bool = False

    @property
    def says(self) -> str:
        """What it does, in a line."""
        return (self.behave.__doc__ or "").strip().splitlines()[0]


TARGETS: dict[str, Target] = {}


def target(
    everywhere: End,
    chat: End | None = None,
    streams: End | None = None,
    *,
    load: str | tuple[str, ...],
    speaks_first: bool = False,
    certificate: str = "",
    slow: bool = False,
) -> Callable[[Behave], Behave]:
    """Add a row."""

    def add(behave: Behave) -> Behave:
        ends = {Scope.ALL: everywhere, Scope.CHAT: chat, Scope.STREAMS: streams}
        name = behave.__name__.replace("_", "-")
        TARGETS[name] = Target(
            name,
            behave,
            {scope: end for scope, end in ends.items() if end is not None},
            (load,) if isinstance(load, str) else load,
            speaks_first=speaks_first,
            certificate=certificate,
            slow=slow,
        )
        return behave

    return add


# --- how runs end ---------------------------------------------------------------------------------

HUGE_LIST: Final = End((4,), "lists no model to choose (reply exceeds the size limit")
NO_MODELS: Final = End((4,), "lists no model to choose (status ")
CUT_LIST: Final = End((4,), "lists no model to choose (")
NO_HTTP: Final = End((4,), "what answers there is not HTTP/1.1")
GREETED: Final = End((4,), "speaks before it is asked, as no HTTP server does")
BAD_CERTIFICATE: Final = End((4,), "TLS handshake failed")
LATE: Final = End((6,), "no complete reply in time")
LATE_LIST: Final = End((4,), "lists no model to choose (no complete reply in time")
HUGE: Final = End((6,), "reply exceeds the size limit")
CLOSED: Final = End((6,), "connection closed by the target")
UNENDED: Final = End((6,))
BROKEN: Final = End((1,))
UNDECIDED: Final = End((6,))
CANNED: Final = End((1,))
"""The same answer to every request, right in form: the suite finds that it does not heed them."""
