"""Does a model answer its plainest call? While it does not, nothing else of it can be judged."""

from .chat import Chat
from .guards import not_5xx, status_line
from .outcomes import Blocked, Broken, Inconclusive, Unjudged
from .requirements import Requirement

FIRST = "CC-HTTP-001"
"""The canary: while the plainest call fails, nothing else about a model can be judged."""

INSISTENCE = 3
"""How often the canary is sent before its failure blocks the rest: one that fails at times does
not."""


def stands(chat: Chat, entry: Requirement) -> None:
    """Raise what keeps every check of a model from being judged: its plainest call fails.

    The requirement that is to blame for it is judged all the same. `Blocked` names one that fails
    for the same reply; a plainest call that fails at times leaves the rest undecided.
    """
    fallen = [_fallen(chat, entry, 0)]
    while fallen[-1] is not None and len(fallen) < INSISTENCE:
        fallen.append(_fallen(chat, entry, len(fallen)))
    if fallen[-1] is not None:
        raise fallen[-1]


def _fallen(chat: Chat, entry: Requirement, sample: int) -> Unjudged | None:
    try:
        canary = not_5xx(chat.canary(sample), "a reply to the plainest call")
    except Blocked as blocked:
        return None if blocked.by == entry.id else blocked
    except Broken as broken:  # it came 3 of 3 times, and yet succeeds between: no clause says so
        return Inconclusive(str(broken), broken.sightings[0].exchange)
    return None if canary.status == 200 else Blocked(FIRST, status_line(canary), canary)
