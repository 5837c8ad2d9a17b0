"""Causes: which of the broken clauses are one broken thing.

Laws
----
* Evidence groups, likeness does not: two clauses are kin only where the same reply breaks both, at
  the same place, by the same thing seen there.
* A clause that shows a second thing besides is kin to neither: nothing hides behind another name.
* A client library's failure joins a cause only where the suite said which clauses explain it.
* A pure function of the results: the same results give the same causes, in the same order.

Theory
------
A *sighting* is one finding reduced to what can be compared: the reply (``reply``, digits that only
the same octets share), the place in it, and what was seen there. By the convention of findings the
place names the very value that is wrong (``$.choices[0].delta``, ``line 7``), so two clauses that
name the same value of the same reply speak of the same thing, whatever each of them requires. A
finding that names no place is compared only where it asks for another status: a reply has one.

The *form* of a sighting is the sighting without the reply and without numbers, so that
``chunk 3 $.id`` of one stream and ``chunk 5 $.id`` of another are one form. A status keeps its
reply: two requests that a server fails on fail for reasons of their own.

Two clauses are *kin* where

1. their forms are the same, all of them, and each form is shown to both by one and the same
   sighting, on every model on which both are broken;
2. the models of one are among the models of the other;
3. no finding of either was left out or stays without a form.

Kin share all their forms, so that kin of kin are about the same thing too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from reports.verdict import LEVELS, Entry

from .cards import Card

__all__ = ["Cause", "causes", "kin"]

Sighting: TypeAlias = tuple[str, str, str]
"""Reply, place, what was seen there."""
Form: TypeAlias = tuple[str, ...]
Shown: TypeAlias = Mapping[str | None, frozenset[Sighting]]
"""The sightings of one clause, by model."""

_MORE: Final = re.compile(r" \(and \d+ more like it\)$|[,;] \d of \d times$")
_RUN: Final = re.compile(r"[0-9a-f]+")
_STATUS: Final = re.compile(r"status (\d{3})\b")
_DEMAND: Final = re.compile(r"(?:status |an? |the )(\d(?:\d\d|xx)(?: or \d(?:\d\d|xx))*)\b")
_EXPLAINED: Final = re.compile(r"; explained by (CC-[A-Z]+-\d{3}(?:, CC-[A-Z]+-\d{3})*)$")


# --- what a clause was seen to do ---------------------------------------------------------------


def _sighting(finding: Mapping[str, Any]) -> Sighting | None:
    """The finding as it can be compared; None where it cannot."""
    reply = finding.get("reply")
    if not reply:
        return None
    seen = _MORE.sub("", finding["seen"])
    if (status := _STATUS.match(seen)) is not None:
        # Whatever else is wrong with a reply may be told by its status line too.
        return (reply, "status", status[1]) if _other(finding["required"], status[1]) else None
    return (reply, finding["at"], seen) if finding["at"] else None


def _other(required: str, status: str) -> bool:
    """Whether another status is required.

    >>> _other("status 400 or 422 for n below 1", "500"), _other("a 4xx envelope", "400")
    (True, False)
    """
    found = _DEMAND.match(required)
    return found is not None and not any(
        named in (status, f"{status[0]}xx") for named in found[1].split(" or ")
    )


def _form(sighting: Sighting) -> Form:
    _, at, seen = sighting
    if at == "status":
        return sighting
    return _unnumbered(at), _unnumbered(seen)


def _unnumbered(text: str) -> str:
    """The text, a # for each number and each run of hexadecimal digits.

    >>> _unnumbered("chunk 13 $.id chatcmpl-b9ee79")
    'chunk # $.id chatcmpl-#'
    """
    return _RUN.sub(lambda run: "#" if any(map(str.isdigit, run[0])) else run[0], text)


def _shown(entries: Iterable[Entry]) -> Shown | None:
    """The sightings of one clause; None where a finding cannot be compared, or was not told."""
    shown: dict[str | None, frozenset[Sighting]] = {}
    for entry in entries:
        evidence = entry["evidence"]
        found = [_sighting(finding) for finding in evidence["findings"]]
        if not found or None in found or evidence.get("left_out"):
            return None
        shown[entry["model"]] = frozenset(one for one in found if one)
    return shown


# --- kinship ------------------------------------------------------------------------------------


def kin(one: Shown, other: Shown) -> bool:
    """Whether two clauses are broken by one thing; see the theory above."""
    if not (one.keys() <= other.keys() or other.keys() <= one.keys()):
        return False
    if _forms(one.values()) != _forms(other.values()):
        return False
    return all(
        _forms([one[model] & other[model]]) == _forms([one[model]]) == _forms([other[model]])
        for model in one.keys() & other.keys()
    )


def _forms(sightings: Iterable[Iterable[Sighting]]) -> frozenset[Form]:
    return frozenset(_form(sighting) for some in sightings for sighting in some)


def _explained(card: Card) -> frozenset[str]:
    """The clauses that the suite says explain every finding of a card; empty: none does."""
    named = [
        _EXPLAINED.search(finding["seen"])
        for entry in card.entries
        for finding in entry["evidence"]["findings"]
    ]
    if not named or None in named:
        return frozenset()
    return frozenset(clause for found in named if found for clause in found[1].split(", "))


# --- causes -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cause:
    """One broken thing: the cards of the clauses that it breaks, the most telling first."""

    cards: tuple[Card, ...]
    """Those of the worse verdict, where it breaks some clauses and only bends others."""
    warned: tuple[Card, ...] = ()
    """The warnings that a failure explains."""
    blocked: tuple[str, ...] = ()
    """Clauses that could not be judged because of it."""

    @property
    def first(self) -> Card:
        """The card that stands for the cause."""
        return self.cards[0]

    @property
    def others(self) -> tuple[Card, ...]:
        """The cards of what else it breaks."""
        return self.cards[1:]

    @property
    def models(self) -> tuple[str, ...]:
        """Every model on which it broke a clause, in the order of the cards."""
        return tuple(dict.fromkeys(model for card in self.cards for model in card.models))

    @property
    def share(self) -> str:
        """``2 of 10 models``: where any of its clauses is broken."""
        return max(self.cards, key=lambda card: len(card.models)).share


def causes(cards: Sequence[Card], entries: Iterable[Entry]) -> list[Cause]:
    """The cards put together by cause: failures first, then by level, then what hurts most.

    Args:
        cards: failures and warnings, as ``cards.cards`` makes them.
        entries: those of the run, for what the broken clauses block.
    """
    groups = _grouped(cards)
    _join_clients(groups)
    blocked: dict[str, set[str]] = {}
    for entry in entries:
        if entry["verdict"] == "BLOCKED" and entry["evidence"]["by"]:
            blocked.setdefault(entry["evidence"]["by"], set()).add(entry["id"])
    place = {id(card): number for number, card in enumerate(cards)}
    found = []
    for group in groups:
        # What a client makes of it comes last, whatever its level.
        group.sort(key=lambda c: (bool(_explained(c)), LEVELS.index(c.level), place[id(c)]))
        broken = tuple(card for card in group if card.verdict == "FAIL")
        bent = tuple(card for card in group if card.verdict != "FAIL")
        ids = {clause for card in group for clause in blocked.get(card.id, ())}
        rest = tuple(sorted(ids))
        found.append(Cause(broken, bent, rest) if broken else Cause(bent, (), rest))
    return sorted(found, key=lambda cause: (*_weight(cause), place[id(cause.first)]))


def _weight(cause: Cause) -> tuple[bool, int, int]:
    """Sorts before what is easier to bear: clauses that are broken or cannot be judged count."""
    first = cause.first
    touched = len(cause.cards) + len(cause.warned) + len(cause.blocked)
    return first.verdict != "FAIL", LEVELS.index(first.level), -touched


def _grouped(cards: Iterable[Card]) -> list[list[Card]]:
    """The cards, kin together. A relation of kin to kin is one: they share all their forms."""
    groups: list[list[Card]] = []
    known: list[list[Shown]] = []
    for card in cards:
        shown = _shown(card.entries)
        mine, mine_shown = [card], [] if shown is None else [shown]
        rest = []
        for group, relatives in zip(groups, known, strict=True):
            if shown is not None and any(kin(shown, relative) for relative in relatives):
                mine, mine_shown = [*group, *mine], [*relatives, *mine_shown]
            else:
                rest.append((group, relatives))
        groups = [group for group, _ in rest] + [mine]
        known = [relatives for _, relatives in rest] + [mine_shown]
    return groups


def _with(client: Card, card: Card) -> bool:
    """Whether a client failed where the clause is broken; for the whole target it is run once."""
    return client.shown["model"] is None or set(client.models) <= set(card.models)


def _join_clients(groups: list[list[Card]]) -> None:
    """Put what a client stumbled over under the one cause of the clauses that explain it."""
    for group in [group for group in groups if len(group) == 1]:
        card, named = group[0], _explained(group[0])
        homes = [
            home
            for home in groups
            if home is not group and any(one.id in named and _with(card, one) for one in home)
        ]
        if len(homes) == 1:
            homes[0].append(card)
            groups.remove(group)
