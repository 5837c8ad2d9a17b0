"""The generated requests of one model: drawn once, sent once, looked at by many checks.

The laws:

1. A check looks at every case that is about its clause; no check needs another to have run. Cases
   are sent in the order of their table, a malformed body always with the plainest call after it.
2. A breach is shown in the simplest request that shows it. What that search may cost is bounded,
   for one breach and for the model (`Amount.shrinking`); beyond it the request stays as it is.
3. Blamed is what is wrong by itself. Where a valid request is refused, each of its features is
   asked for alone; a combination that is refused by name is nobody's fault.
4. A target that leaves requests unanswered gets no more of them.
"""

import re
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal, TypeAlias

from hypothesis.strategies import SearchStrategy

from .asking.battery import TOGETHER, all_null, with_value
from .asking.sent import encode, sent_json
from .chat import OMIT, Chat
from .expect import LONGEST_SEEN
from .generation import Amount
from .generation.dealing import deal
from .generation.drawing import examples, shrunk
from .generation.malformed import MALFORMED, Malformed
from .generation.mistakes import LEFT_OUT, Mistake, Wrong
from .generation.parts import Feature, Part, fields_of
from .generation.valid import BY_NAME, FEATURES
from .generation.wrong import WRONGS
from .guards import is_refusal, not_5xx, persists, refuses, status_line
from .outcomes import Broken, Inconclusive, Repeated, Sighting, Unjudged, Unsupported
from .protocol.finding import Finding, excerpt
from .strategies import accepted_requests, malformed_bodies, rejected_requests
from .wire.exchange import Exchange

Row: TypeAlias = Feature | Wrong | Malformed
Kind: TypeAlias = Literal["valid", "invalid", "malformed"]

MOST_LOST = 2
"""Generated requests that may go unanswered."""

AGAIN = 3
"""How often the simplest request of a breach is asked again."""

AFTER: Final = 1000
"""Sample numbers of the plainest calls after malformed bodies begin here."""


@dataclass(frozen=True, slots=True, eq=False)
class Hand:
    """The examples of one row: what they were drawn from, and the values."""

    row: Row
    strategy: SearchStrategy[Any]
    count: int
    seed: int
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One generated request: parts of a valid one, a `Mistake`, or the number of a variant."""

    hand: Hand
    value: Any

    @property
    def row(self) -> Row:
        """The row of the table that it is drawn from."""
        return self.hand.row


Look: TypeAlias = Callable[[Case, Exchange], Iterable[Sighting]]
"""What is wrong with the reply to a case; may raise `Broken`, and `Unjudged` where nobody knows."""


@cache
def drawn(
    kind: Kind, offered: tuple[str, ...], absent: frozenset[str], amount: Amount
) -> list[Case]:
    """The cases of one kind for targets that offer these features and lack these capabilities."""
    features = [BY_NAME[name] for name in offered]
    tables: Mapping[Kind, Sequence[Row]] = {
        "valid": features,
        "invalid": [rule for rule in WRONGS if not absent & set(rule.needs)],
        "malformed": MALFORMED,
    }
    count = amount.malformed if kind == "malformed" else amount.examples
    cases: list[Case] = []
    for row, share in deal(tables[kind], count, amount.seed, lambda row: row.clause):
        strategy: SearchStrategy[Any] = malformed_bodies()
        if isinstance(row, Feature):
            strategy = accepted_requests(features, holding=row)
        elif isinstance(row, Wrong):
            strategy = rejected_requests(features, row)
        number = zlib.crc32(f"{amount.seed}:{row.name}".encode())
        values = examples(strategy, share, number)
        hand = Hand(row, strategy, share, number, values)
        cases += [Case(hand, value) for value in values]
    return cases


class Corpus:
    """What is generated for one model, and what has been spent on it."""

    def __init__(self, chat: Chat) -> None:
        self.chat = chat
        self.amount = chat.generated
        self._left = self.amount.shrinking
        self._sent: dict[bytes, Exchange] = {}
        self._after: dict[bytes, Exchange] = {}
        self._lost = 0
        self._offered = tuple(f.name for f in FEATURES if offers(chat, f))
        flags = {flag for rule in WRONGS for flag in rule.needs}
        self._absent = frozenset(flag for flag in flags if not chat.has(flag))

    def cases(self, kind: Kind, clause: str = "") -> list[Case]:
        """The cases of a kind, in the order of their table; those of one clause where it is named.

        Valid cases are about every clause that one of their features has.
        """
        found = drawn(kind, self._offered, self._absent, self.amount)
        return [case for case in found if not clause or clause in clauses_of(case)]

    def body(self, row: Row, value: Any) -> bytes:
        """The body of a case."""
        if isinstance(value, Mistake):
            fields = {**fields_of(value.parts), **value.fields}
            return encode(
                self.chat.body(**{k: OMIT if v is LEFT_OUT else v for k, v in fields.items()})
            )
        if isinstance(row, Malformed):
            return row.spoil(encode(self.chat.body()), value)
        return encode(self.chat.body(**fields_of(value)))

    def exchange(self, case: Case) -> Exchange:
        """The reply to a case."""
        body = self.body(case.row, case.value)
        exchange = self._send(body)
        if isinstance(case.row, Malformed):
            self._plainest_after(body)
        return exchange

    def after(self, case: Case) -> Exchange:
        """The reply to the plainest call that came right after a malformed body."""
        self.exchange(case)
        return self.chat.note(self._plainest_after(self.body(case.row, case.value)))

    def _plainest_after(self, body: bytes) -> Exchange:
        if body not in self._after:
            self._after[body] = self.chat.canary(sample=AFTER + len(self._after))
        return self._after[body]

    def _send(self, body: bytes) -> Exchange:
        """The reply to `body`, sent if it was not yet. Raises `Inconclusive` by law 4."""
        if body not in self._sent:
            if self._lost >= MOST_LOST:
                raise Inconclusive(f"{self._lost} generated requests went unanswered: no more sent")
            self._sent[body] = self.chat.post(body)
            self._lost += self._sent[body].status is None
        return self.chat.note(self._sent[body])

    # -- the search for the simplest ------------------------------------------------------------

    def spend(self, body: bytes, purse: "Purse") -> Exchange | None:
        """The reply to a request of a search; None where it may cost no more."""
        if body in self._sent:
            return self.chat.note(self._sent[body])
        if min(purse.left, self._left) <= 0:
            return None
        before = len(self.chat.client.log)
        try:
            return self._send(body)
        except Inconclusive:
            return None
        finally:
            cost = len(self.chat.client.log) - before
            purse.left -= cost
            self._left -= cost

    def again(self, body: bytes) -> list[Exchange]:
        """`AGAIN` further replies to a request; none where they may cost no more."""
        if self._left < AGAIN:
            return []
        self._left -= AGAIN
        return [self.chat.post(body, sample=AFTER + number) for number in range(AGAIN)]

    def simplest(self, case: Case, sighting: Sighting, look: Look) -> Sighting:
        """The same breach in the simplest request that shows it."""
        best, purse = sighting, Purse(self.amount.examples)

        def shows(value: Any) -> bool:
            nonlocal best
            exchange = self.spend(self.body(case.row, value), purse)
            if exchange is None:
                return False
            same = [s for s in _seen(look, Case(case.hand, value), exchange) if _alike(s, sighting)]
            best = same[0] if same else best
            return bool(same)

        shrunk(case.hand.strategy, case.hand.count, case.hand.seed, shows)
        return best

    def alone(self, part: Part) -> Exchange | None:
        """The reply to a request with this feature only; None where it may cost no more."""
        return self.spend(encode(self.chat.body(**fields_of([part]))), Purse(self.amount.examples))


@dataclass(slots=True)
class Purse:
    """Requests that one search may still cost."""

    left: int


def corpus_of(chat: Chat) -> Corpus:
    """The generated requests of the model; made once."""
    if "corpus" not in chat.memory:
        chat.memory["corpus"] = Corpus(chat)
    corpus: Corpus = chat.memory["corpus"]
    return corpus


def clauses_of(case: Case) -> frozenset[str]:
    """The clauses that a case is about."""
    if isinstance(case.row, Feature):
        return frozenset(BY_NAME[part.feature].clause for part in case.value)
    return frozenset({case.row.clause})


def offers(chat: Chat, feature: Feature) -> bool:
    """Whether the target offers a feature, as far as the standing requests tell.

    Where they do not tell, a feature counts as offered until it is refused by name.
    """
    if not all(chat.has(flag) for flag in feature.needs):
        return False
    if feature.name == "nulls":
        return all_null(chat).status == 200
    for name, value in feature.plain.fields.items():
        if any(name in fields for fields in TOGETHER) and not feature.plain.before:
            return with_value(chat, name, value).status == 200
    return True


# --- looking ------------------------------------------------------------------------------------


NOTHING_DRAWN = "nothing was generated for it: the target does not offer it, or --examples is small"


def look_at(chat: Chat, cases: Iterable[Case], look: Look, *, by_row: bool = True) -> None:
    """Blame the target for what `look` sees in the replies to `cases`, each breach once.

    Two breaches are the same where they lack the same thing, in cases of the same row (`by_row`).
    Raises `Broken`; else, where nothing could be judged, the first reason why.
    """
    corpus = corpus_of(chat)
    found: dict[tuple[str, str], tuple[Case, Sighting]] = {}
    judged, first = 0, None
    for case in cases:
        try:
            seen = list(look(case, corpus.exchange(case)))
        except Broken as broken:
            seen = list(broken.sightings)
        except Unjudged as reason:
            first = first or reason
            continue
        judged += 1
        for sighting in seen:
            key = (case.row.name if by_row else "", sighting.finding.required)
            found.setdefault(key, (case, sighting))
    if found:
        blamed = [corpus.simplest(case, seen, look) for case, seen in found.values()]
        error = Broken(blamed)
        error.repeated = _again(corpus, next(iter(found.values()))[0], blamed[0], look)
        raise error
    if not judged:
        raise first or Unsupported(NOTHING_DRAWN)


def _again(corpus: Corpus, case: Case, sighting: Sighting, look: Look) -> Repeated | None:
    """How steadily the simplest request shows its breach; None where it was repeated already."""
    shown = sighting.exchange
    if shown is None or shown.request.body is None or shown.repeats > 1:
        return None
    again = corpus.again(shown.request.body)
    broken = [any(_alike(s, sighting) for s in _seen(look, case, reply)) for reply in again]
    return Repeated(1 + sum(broken), 1 + len(broken)) if broken else None


def _seen(look: Look, case: Case, exchange: Exchange) -> list[Sighting]:
    """What `look` sees; nothing where it cannot judge."""
    try:
        return list(look(case, exchange))
    except Broken as broken:
        return list(broken.sightings)
    except Unjudged:
        return []


def _alike(one: Sighting, other: Sighting) -> bool:
    """Whether two sightings are of the same breach: the same is lacking, in a like reply."""
    classes = {(s.exchange.status or 0) // 100 for s in (one, other) if s.exchange is not None}
    return one.finding.required == other.finding.required and len(classes) <= 1


# --- valid requests that are refused ------------------------------------------------------------

ANOTHER_MATTER = re.compile(rb"context|maximum.{0,40}token|content.?(filter|policy)|moderat", re.I)
"""What a refusal says that is about the length or the matter of a text."""


def refused_though_valid(chat: Chat, case: Case, exchange: Exchange) -> list[tuple[str, Sighting]]:
    """The clauses that a refusal of a valid request breaks, by law 3."""
    required = "status 200 for a valid request"
    try:
        not_5xx(exchange, required)
    except Broken:
        pass
    else:
        if exchange.status == 200:
            return []
    if (exchange.status or 0) < 500 and ANOTHER_MATTER.search(exchange.body):
        raise Inconclusive(status_line(exchange), exchange)
    parts: Sequence[Part] = case.value
    for part in parts:
        feature = BY_NAME[part.feature]
        by_itself = corpus_of(chat).alone(part) if len(parts) > 1 else exchange
        if by_itself is None:
            raise Inconclusive("no request is left to find out which feature is refused", exchange)
        if by_itself.status == 200:
            continue
        if not (is_refusal(by_itself) or persists(by_itself)):
            raise Inconclusive(status_line(by_itself), by_itself)
        plainest = by_itself if feature.choosy else corpus_of(chat).alone(feature.plain)
        if plainest is None or refuses(plainest, feature.names):
            form = "by name" if feature.choosy else "in its plainest form"
            raise Unsupported(f"{feature.name} is refused {form}", plainest)
        return [(feature.clause, _refusal(f"status 200 for {feature.name}", exchange))]
    names = tuple(name for part in parts for name in BY_NAME[part.feature].names)
    if refuses(exchange, names):
        raise Unsupported(f"the combination is refused: {status_line(exchange)}", exchange)
    together = " and ".join(part.feature for part in parts)
    what = "status 200 for features together that are accepted alone"
    return [(BY_NAME[parts[0].feature].clause, _refusal(what, exchange, together))]


def _refusal(required: str, exchange: Exchange, at: str = "") -> Sighting:
    seen = excerpt(status_line(exchange), LONGEST_SEEN)
    return Sighting(Finding("", required, seen, at), exchange)


def is_streamed(exchange: Exchange) -> bool:
    """Whether the request asked for a stream."""
    sent = sent_json(exchange)
    return isinstance(sent, dict) and sent.get("stream") is True
