"""Asked again: is a breach steady, or does it come and go?

The laws:

1. Nothing is asked again of a target that keeps the contract: only a check that ended `Broken` is.
2. A repetition decides no verdict. What broke once is broken; the count says how often.
3. Only like is compared with like: the same request, in the same place of the check. So a check
   that weighs several replies against each other blames all of them, or always the same.

Theory. A repetition is the same check on a `Chat` that has asked nothing yet, so that every request
of it is sent anew. A *reply* is known by its request and by how often the check had asked that
request before. The *suspects* are the replies that were blamed in any of the looks; a breach is
intermittent when a suspect was good in another look, and steady when that never happened. Where no
request recurs, since each carries a nonce, the check itself is the suspect.

A fault that strikes a reply with probability 1/3 passes for steady when all of `ENOUGH` repetitions
strike too: at most once in 27 times. A 5xx or a lost connection that is blamed came each time
(`Patience.settled`), so that one repetition is enough. Behaviour checks count their own trials and
are not run again.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from .chat import Chat
from .guards import POSTPONED, REPEATS_THAT_COUNT
from .outcomes import Broken, Repeated, Sighting, Unjudged
from .wire.exchange import Exchange, FailureKind, Request

ENOUGH = 3
"""Repetitions of suspects, all of them broken, after which a breach counts as steady."""

MOST = 3
"""How often a check is run again, at most."""

Place: TypeAlias = tuple[Request | None, int]
"""A reply within a look: its request, and how often that had been asked before."""

NOWHERE: Place = (None, 0)
"""Stands for the check itself where no reply can be blamed."""


@dataclass(frozen=True, slots=True)
class Look:
    """One run of a check: the replies that it could judge, and those of them that it blames."""

    looked: frozenset[Place]
    blamed: frozenset[Place]


def places(used: Iterable[Exchange]) -> dict[int, Place]:
    """The place of every distinct exchange, by `id`, in the order of its first use."""
    asked: Counter[Request] = Counter()
    found: dict[int, Place] = {}
    for exchange in used:
        if id(exchange) not in found:
            found[id(exchange)] = (exchange.request, asked[exchange.request])
            asked[exchange.request] += 1
    return found


def look_of(used: Sequence[Exchange], sightings: Sequence[Sighting]) -> Look:
    """What a check that used these exchanges saw; without sightings: it held."""
    found = places(used)
    blamed = {
        found.get(id(exchange), NOWHERE) if (exchange := blamed_by(one, used)) else NOWHERE
        for one in sightings
    }
    told = {found[id(exchange)] for exchange in used if _tells(exchange)}
    return Look(frozenset(told | blamed | {NOWHERE}), frozenset(blamed))


def blamed_by(sighting: Sighting, used: Sequence[Exchange]) -> Exchange | None:
    """The exchange that a sighting blames: its own, else the last one used."""
    return sighting.exchange or (used[-1] if used else None)


def _tells(exchange: Exchange) -> bool:
    """Whether a reply says anything: one that was lost or put off is neither good nor bad."""
    whole = exchange.failure is None or exchange.failure.kind is FailureKind.HELD_OPEN
    return whole and exchange.status not in POSTPONED and (exchange.status or 0) < 500


def comparable(looks: Sequence[Look]) -> Sequence[Look]:
    """The looks; where nothing that was blamed was asked for twice, what became of the check."""
    suspects = _suspects(looks)
    recurs = sum(len(look.looked & suspects) for look in looks) > len(suspects)
    return looks if recurs else [_as_one(look) for look in looks]


def _suspects(looks: Sequence[Look]) -> frozenset[Place]:
    return frozenset[Place]().union(*(look.blamed for look in looks))


def _as_one(look: Look) -> Look:
    """The look as a look at one thing, the check; one in which no reply tells anything is none."""
    whole = frozenset({NOWHERE})
    tells = look.blamed or look.looked - whole
    return Look(whole if tells else frozenset(), whole if look.blamed else frozenset())


def repeated(looks: Sequence[Look]) -> Repeated | None:
    """How often the suspects were broken over all looks; None when none was asked again."""
    looks = comparable(looks)
    suspects = _suspects(looks)
    of = sum(len(look.looked & suspects) for look in looks)
    return Repeated(sum(len(look.blamed) for look in looks), of) if of > len(suspects) else None


def decided(looks: Sequence[Look], enough: int = ENOUGH) -> bool:
    """Whether no further look is needed: the breach has proved steady."""
    found = repeated(looks)
    if found is None or not found.steady:
        return False
    return found.of - len(_suspects(comparable(looks))) >= enough


def persisted(broken: Broken) -> bool:
    """Whether every reply that is blamed came each time that it was asked for."""
    return all(
        one.exchange is not None and one.exchange.repeats >= REPEATS_THAT_COUNT
        for one in broken.sightings
    )


def ask_again(
    check: Callable[[Chat], object],
    broken: Broken,
    used: Sequence[Exchange],
    afresh: Callable[[int], Chat],
) -> Repeated | None:
    """Run `check`, which ended `broken`, again; returns how often its suspects were broken.

    `afresh` gives the chat of the n-th repetition, shared by every check that is asked again. None
    where nothing was learned: the target is gone, or answers something else altogether.
    """
    if broken.trials is not None:
        return None
    enough = 1 if persisted(broken) else ENOUGH
    looks = [look_of(used, broken.sightings)]
    for number in range(MOST):
        chat = afresh(number)
        chat.used.clear()
        try:
            check(chat)
            looks.append(look_of(chat.used, ()))
        except Broken as once_more:
            looks.append(look_of(chat.used, once_more.sightings))
        except Unjudged:
            continue
        if decided(looks, enough):
            break
    return repeated(looks)
