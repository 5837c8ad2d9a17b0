"""The axes along which right servers differ, and their combinations.

The laws:

1. An axis is a question that the contract leaves open; its values are *ways*, each right by itself.
   The first is the reference server's own.
2. A way is one function at one seam. Ways of different axes do not know of each other: what comes
   later takes what is there, whatever came before.
3. What a way earns a warning for, it declares; a combination is warned of the union, and of
   nothing else.

Theory. Ways act in the order in which their axes are declared: first on the objects of a reply,
document or stream alike (``ways_of_objects``), then on their spelling, then on the bytes of the
message (``ways_of_bytes``). So every way meets its input in one form, and any two can be combined.
A covering array (``covering``) brings every two ways together in some combination.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from conformance.reference.call import Call
from conformance.reference.faults.registry import Fault, Seam

from .covering import covering
from .dialect import DIALECTS, MODEL, Dialect

T = TypeVar("T", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Way:
    """One value of an axis. `act` is None for the reference server's own; the rest as `Dialect`."""

    axis: str
    name: str
    says: str
    seam: Seam = "reply"
    act: Callable[..., Any] | None = None
    warns: frozenset[str] = frozenset()
    model: str = ""


AXES: dict[str, list[Way]] = {
    name: [Way(name, "own", own)]
    for name, own in (
        # what is told, and in what pieces: ways_of_sequence.py
        ("model", "a model that does not think"),
        ("arguments", "compact, UTF-8 as it is"),
        ("calls", "the name first, then the arguments in pieces"),
        ("content of calls", "null"),
        ("pieces", "a token in each delta"),
        ("opening", 'the role with content ""'),
        ("ending", "the reason with an empty delta"),
        ("choices", "their deltas take turns"),
        ("usage", "when asked for, in a chunk of its own; null in all others"),
        # members that are there, null or absent: ways_of_members.py
        ("refusal", "null where there is none"),
        ("logprobs", "null where none were asked for"),
        ("ratings", "an entry for each token, with its bytes"),
        ("silence", "what was not said is absent"),
        ("details", "of prompt and completion"),
        ("envelope", "fingerprint and tier are there"),
        ("names", "ids as upstream's, the model as asked for"),
        ("vendor", "none of its own"),
        ("errors", "upstream's envelope, all four members"),
        # how it is spelled: ways_of_spelling.py
        ("failure", "an error event"),
        ("json", "compact, UTF-8 as it is"),
        ("padding", "nothing around a document"),
        ("data", "`data: `, with the space"),
        ("fields", "data alone"),
        ("comments", "none"),
        ("done", "once, ended by a blank line"),
        ("line ends", "LF"),
        # how it is sent: ways_of_messages.py
        ("coding", "none"),
        ("framing", "documents by length, streams by chunks, an event each"),
        ("connection", "lives on where the client lets it"),
        ("head", "names in title case, a charset with streams"),
        ("writes", "an event each"),
    )
}
"""Every axis with its ways, in the order in which they act; the reference server's own first."""

TOGETHER: dict[frozenset[str], frozenset[str]] = {}
"""What two ways are warned of that neither is alone, by their names."""


BY_THE_CLOCK = frozenset({"CC-SSE-021", "CC-HTTP-025", "CC-CONC-003", "CC-CONC-004"})
"""Not told apart on a busy machine: there a quick stream comes in one piece, and calls are late."""

FEW = ("--examples", "5")
"""Generated requests are few: how a reply is spelled does not depend on them."""


def way(
    name: str,
    *,
    seam: Seam = "reply",
    warns: tuple[str, ...] = (),
    model: str = "",
) -> Callable[[T], T]:
    """Registers a function as a way of the axis `name`.

    Raises:
        ValueError: the function has no docstring, or its name is taken.
    """

    def register(act: T) -> T:
        says, called = act.__doc__ or "", act.__name__
        if not says or any(called == one.name for ways in AXES.values() for one in ways):
            raise ValueError(f"way {called!r} lacks a docstring or is there already")
        AXES[name].append(Way(name, called, says, seam, act, frozenset(warns), model))
        return act

    return register


def together(one: str, other: str, *warns: str) -> None:
    """Declares what two ways are warned of that neither is alone."""
    TOGETHER[frozenset((one, other))] = frozenset(warns)


def combinations() -> list[tuple[Way, ...]]:
    """Combinations of one way for each axis, in which every two ways meet."""
    axes = list(AXES.values())
    rows = covering([len(ways) for ways in axes])
    return [tuple(ways[i] for ways, i in zip(axes, row, strict=True)) for row in rows]


def warned(combination: tuple[Way, ...]) -> frozenset[str]:
    """What a combination is warned of: the union over its ways, and over the pairs of them."""
    names = {one.name for one in combination}
    alone = [one.warns for one in combination]
    return frozenset().union(*alone, *(ids for pair, ids in TOGETHER.items() if pair <= names))


def _understood(call: Call) -> Call:
    """What the reference server's own ways come to when all of them meet."""
    return call


def combined(number: int, combination: tuple[Way, ...], *, module: str, profile: str) -> Dialect:
    """A combination as a dialect of `module`, registered as ``pair_NUMBER``."""
    name = f"pair_{number:02d}"
    chosen = [one for one in combination if one.act is not None]
    says = "; ".join(f"{one.axis}: {one.name}" for one in chosen) + "."
    parts = tuple(
        Fault(one.name, frozenset(), one.seam, one.says, one.act) for one in chosen if one.act
    )
    DIALECTS[name] = Dialect(
        name=name,
        says=says,
        seam="request",
        act=_understood,
        warns=warned(combination),
        undecided=frozenset(),
        unsure=BY_THE_CLOCK,
        only=(),
        model=next((one.model for one in combination if one.model), MODEL),
        profile=profile,
        module=module,
        parts=parts,
        arguments=FEW,
    )
    return DIALECTS[name]
