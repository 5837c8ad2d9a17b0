"""Failures, warnings and what was not judged, grouped as the page shows them.

Laws
----
* One clause broken on ten models is one card; one reason on ten models is one row.
* A card shows the evidence that tells most, in full, and names every other model.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from conformance.requirements import Requirement
from reports import words
from reports.signs import SIGNS, TARGET, Sign
from reports.text import frequency, intermittent, timed
from reports.verdict import LEVELS, Entry, Verdict

from .view import anchor

__all__ = [
    "Card",
    "Once",
    "OpenRow",
    "Row",
    "cards",
    "heads",
    "observed_rows",
    "often",
    "open_rows",
]
__all__ += ["roomy", "rows"]


@dataclass(frozen=True, slots=True)
class Card:
    """One clause with one verdict, on all models that got it."""

    id: str
    level: str
    kind: str
    verdict: str
    sign: Sign
    anchor: str
    requirement: Requirement | None
    shown: Entry
    """The entry whose evidence is shown in full."""
    others: tuple[Entry, ...]
    of: int
    """For how many models (or targets) the clause was run."""
    accepted: frozenset[str] = field(default=frozenset())
    """States of the known deviations that speak of it."""

    @property
    def entries(self) -> tuple[Entry, ...]:
        """One for every model that is broken, the shown one first."""
        return (self.shown, *self.others)

    @property
    def models(self) -> tuple[str, ...]:
        """Every model that is broken, the shown one first."""
        return tuple(entry["model"] or TARGET for entry in self.entries)

    @property
    def counted(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """How often it was seen (``3 of 8 replies``, or ""), and on which models as often."""
        found: dict[str, list[str]] = {}
        for entry, model in zip(self.entries, self.models, strict=True):
            found.setdefault(often(entry["evidence"]), []).append(model)
        return tuple((times, tuple(models)) for times, models in found.items())

    @property
    def frequency(self) -> str:
        """How often it was seen on the shown model, in words; "" where nobody counted."""
        return frequency(self.shown["evidence"])

    @property
    def intermittent(self) -> str:
        """``intermittent: 2 of 6`` over all its models, where it comes and goes; else ""."""
        return intermittent(self.entries)

    @property
    def share(self) -> str:
        """``2 of 10 models``."""
        if self.shown["model"] is None:
            return TARGET
        return f"{len(self.models)} of {words.amount(self.of, 'model')}"


def cards(
    results: Mapping[str, Any], requirements: Mapping[str, Requirement], verdict: Verdict
) -> list[Card]:
    """One card per clause that has ``verdict`` on some model; by level, then in catalogue order."""
    found: dict[str, list[Entry]] = {}
    run: dict[str, int] = {}
    for entry in results["requirements"]:
        run[entry["id"]] = run.get(entry["id"], 0) + 1
        if entry["verdict"] == verdict:
            found.setdefault(entry["id"], []).append(entry)
    made = [
        _card(entries, requirements.get(clause), run[clause], results["deviations"])
        for clause, entries in found.items()
    ]
    return sorted(made, key=lambda card: LEVELS.index(card.level))


def _card(
    entries: Sequence[Entry],
    requirement: Requirement | None,
    run: int,
    deviations: Iterable[Mapping[str, Any]],
) -> Card:
    shown = max(entries, key=_telling)  # the first of several
    return Card(
        id=shown["id"],
        level=shown["level"],
        kind=shown["kind"],
        verdict=shown["verdict"],
        sign=SIGNS[shown["verdict"]],
        anchor=anchor(shown["id"], shown["verdict"]),
        requirement=requirement,
        shown=shown,
        others=tuple(entry for entry in entries if entry is not shown),
        of=run,
        accepted=frozenset(row["state"] for row in deviations if row["id"] == shown["id"]),
    )


def _telling(entry: Entry) -> tuple[bool, bool]:
    exchanges = entry["evidence"]["exchanges"]
    marked = any(line["mark"] for exchange in exchanges for line in exchange["transcript"])
    return marked, bool(exchanges)


def often(evidence: Mapping[str, Any]) -> str:
    """In how many replies or trials it was seen: ``3 of 8 replies``; "" where nobody counted."""
    if trials := evidence["trials"]:
        broken = trials["counted"] - trials["passed"]
        return f"{broken} of {words.amount(trials['counted'], 'trial')}"
    if seen := evidence["seen_in"]:
        return f"{seen['broken']} of {words.amount(seen['looked'], 'reply', 'replies')}"
    return ""


def roomy(cards: Iterable[Card], room: int) -> frozenset[tuple[str, str | None]]:
    """Which entries beside those that the cards show have their exchanges in the page too.

    They are ``(id, model)``, in the order of the cards, as long as ``room`` lasts: octets of the
    exchanges as JSON, each reply once. Those without room are in the results that the page embeds.
    """
    found: set[tuple[str, str | None]] = set()
    met: set[str] = set()
    for entry in (entry for card in cards for entry in card.others):
        exchanges = [x for x in entry["evidence"]["exchanges"] if x["reply"] not in met]
        size = len(json.dumps(exchanges)) if exchanges else 0
        if size <= room:
            room -= size
            met |= {x["reply"] for x in exchanges if x["reply"]}
            found.add((entry["id"], entry["model"]))
    return frozenset(found)


# --- an exchange --------------------------------------------------------------------------------


class Once:
    """Shows each reply once in a page, with its command: a later place leads to where it stands.

    A reply of which other lines are marked is shown again, and so is one that another command
    brought; one that marks none has nothing to add.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, tuple[int, ...]], str] = {}
        self._first: dict[tuple[str, str], str] = {}

    def __call__(self, exchange: Mapping[str, Any]) -> tuple[str, str]:
        """Return the id of the place that is to show ``exchange``, or of that which does so."""
        reply, curl = exchange["reply"], exchange["curl"]
        if not reply:
            return "", ""
        marks = tuple(line["offset"] for line in exchange["transcript"] if line["mark"])
        before = self._known.get((reply, curl, marks))
        before = before or ("" if marks else self._first.get((reply, curl)))
        if before:
            return "", before
        again = any(reply == other for other, _ in self._first)
        here = f"reply-{reply}-{len(self._known) + 1}" if again else f"reply-{reply}"
        self._known[reply, curl, marks] = here
        self._first.setdefault((reply, curl), here)
        return here, ""


def heads(exchange: Mapping[str, Any]) -> str:
    """What was sent, and what came before the body of the reply, line by line."""
    request = exchange["request"]
    sent = [f"{request['method']} {request['url']}", *_headers(request["headers"])]
    body = ["", words.middle(request["body"], HEAD)] if request["body"] else []
    status = str(exchange["status"]) if exchange["status"] else "no status"
    got = [status, *_headers(exchange["headers"])]
    return "\n".join([*sent, *body, "", *got])


def _headers(pairs: Iterable[Sequence[str]]) -> list[str]:
    return [words.middle(f"{name}: {value}", HEAD) for name, value in pairs]


# --- the transcript -----------------------------------------------------------------------------


UNMARKED: Final = 130
"""At most so many characters of a line that no finding points at."""
MARKED: Final = 2000
"""At most so many of one that a finding points at, and of the lines of a reply of few."""
FEW: Final = 3
HEAD: Final = 2000
"""At most so many of a header or of the body of a request."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a transcript."""

    time: str
    """``212.4 ms``, once per moment, and on every marked line."""
    text: str
    mark: bool
    css: str
    """What it is: ``mark``; ``gap``, lines left out; ``blank``; ``cut``, another read began."""


def rows(transcript: Iterable[Mapping[str, Any]]) -> list[Row]:
    """The lines of a transcript, with the borders between the reads that brought them."""
    lines = list(transcript)
    made: list[Row] = []
    moment: float | None = None
    read: int | None = None
    marked = False
    for line in lines:
        at, arrival, said = line["at_ms"], line["arrival"], line["text"]
        # The blank line that ends a marked event says nothing more.
        marked, mark = line["mark"], line["mark"] and bool(said or not marked)
        # A moment is told once, with the first line that has a text.
        told = at is not None and (mark or (bool(said) and at != moment))
        cut = bool(made) and arrival is not None and arrival != read
        limit = MARKED if mark or len(lines) <= FEW else UNMARKED
        states = {"mark": mark, "gap": at is None, "blank": not (said or mark), "cut": cut}
        made.append(
            Row(
                time=timed(line).strip() if told else "",
                text=words.middle(said, limit) or "(blank line)" * mark,
                mark=mark,
                css=" ".join(name for name, holds in states.items() if holds),
            )
        )
        moment = at if told else moment
        read = arrival if arrival is not None else read
    return made


# --- what was not judged ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OpenRow:
    """One clause that was not judged for some models, for one reason; or what was observed."""

    id: str
    level: str
    sign: Sign
    reason: str
    models: tuple[str, ...]
    rerun: str
    anchor: str
    """Set on the first row of a clause only: an id occurs once in a page."""


def open_rows(results: Mapping[str, Any], verdicts: Iterable[str]) -> list[OpenRow]:
    """The entries with one of ``verdicts``, those with the same reason together."""
    wanted = frozenset(verdicts)
    return _grouped(
        (entry, entry["evidence"]["reason"] or entry["evidence"]["summary"])
        for entry in results["requirements"]
        if entry["verdict"] in wanted
    )


def observed_rows(results: Mapping[str, Any]) -> list[OpenRow]:
    """What was observed, beside a verdict (MAY) or instead of one (INFO), the same together."""
    told = (
        (entry, entry["evidence"]["observed"] or entry["evidence"]["summary"])
        for entry in results["requirements"]
        if entry["verdict"] == "OBSERVED" or entry["evidence"]["observed"]
    )
    return _grouped(told, place="OBSERVED")


def _grouped(told: Iterable[tuple[Entry, str]], place: str = "") -> list[OpenRow]:
    """Rows by clause, verdict and reason; `place`: the verdict whose place in the page they are."""
    found: dict[tuple[str, str, str], list[Entry]] = {}
    for entry, reason in told:
        found.setdefault((entry["id"], entry["verdict"], reason), []).append(entry)
    seen: set[str] = set()
    rows = []
    for (clause, verdict, reason), entries in found.items():
        here = "" if clause in seen else anchor(clause, place or verdict)
        seen.add(clause)
        rows.append(
            OpenRow(
                id=clause,
                level=entries[0]["level"],
                sign=SIGNS[verdict],
                reason=reason,
                models=tuple(entry["model"] or TARGET for entry in entries),
                rerun=entries[0]["evidence"]["reproduce"],
                anchor=here,
            )
        )
    return rows
