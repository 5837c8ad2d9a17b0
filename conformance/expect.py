"""The closed vocabulary in which checks blame: require, verify, trials.

The law: a failure is fields (required, seen, at), written in one place; no check composes prose.
"""

import contextlib
import time
from collections.abc import Callable, Iterable
from typing import TypeVar

from .asking.sent import facts_of, sent_json
from .chat import Chat
from .guards import choices_of, completion
from .outcomes import Blocked, Broken, Inconclusive, Sighting, Trials, Unjudged
from .protocol.calls import ToolCall
from .protocol.completion import findings as completion_findings
from .protocol.finding import Finding, excerpt, shorten
from .protocol.headers import unix_seconds
from .protocol.stream import StreamReading
from .requirements import REQUIREMENTS
from .wire.exchange import Exchange


def require(
    holds: bool,
    required: str,
    seen: object,
    *,
    at: str = "",
    on: Exchange | None = None,
    mild: bool = False,
) -> None:
    """Raise `Broken` unless `holds`; `mild` makes it a warning whatever the level.

    A text in `seen` is kept as it reads, but on one line: it may hold what the target sent.
    """
    if not holds:
        shown = excerpt(seen, LONGEST_SEEN) if isinstance(seen, str) else shorten(seen)
        raise Broken([Sighting(Finding("", required, shown, at, None, mild), on)])


LONGEST_SEEN = 400
"""Characters of a sentence about what was seen."""


def judge(sightings: Iterable[Sighting]) -> None:
    """Raise `Broken` if there is any sighting; all of them are reported."""
    found = list(sightings)
    if found:
        raise Broken(found)


def sightings_of(
    requirement: str, findings: Iterable[Finding], exchange: Exchange
) -> list[Sighting]:
    """The findings that speak of `requirement`, tied to their exchange."""
    return [Sighting(f, exchange) for f in findings if f.id == requirement]


T = TypeVar("T")


def each(exchanges: Iterable[T], look: Callable[[T], Iterable[Sighting]]) -> list[Sighting]:
    """`look` at every exchange that can be judged; one that cannot hides none of the others.

    A `Broken` that `look` raises counts as its sightings. Raises the first reason why not when
    none could be judged.
    """
    found: list[Sighting] = []
    judged = 0
    first: Unjudged | None = None
    for exchange in exchanges:
        try:
            found += look(exchange)
            judged += 1
        except Broken as broken:
            found += broken.sightings
        except Unjudged as reason:
            first = first or reason
    if not found and first is not None and not judged:
        raise first
    return found


def completions_keep(requirement: str, exchanges: Iterable[Exchange]) -> None:
    """Every reply's JSON object keeps `requirement`, by the rules of `protocol.completion`."""

    def look(exchange: Exchange) -> list[Sighting]:
        value = completion(exchange)
        facts = facts_of(sent_json(exchange))
        return sightings_of(requirement, completion_findings(value, facts), exchange)

    judge(each(exchanges, look))


def streams_keep(requirement: str, chat: Chat, exchanges: Iterable[Exchange]) -> None:
    """Every stream keeps `requirement`, by the rules of `protocol.stream`."""
    judge(
        each(exchanges, lambda e: sightings_of(requirement, chat.reading(e).findings, e)),
    )


def readings(chat: Chat, exchanges: Iterable[Exchange]) -> list[tuple[Exchange, StreamReading]]:
    """Those of `exchanges` that can be read as streams, and their readings.

    Raises the first reason why not when none can.
    """
    found: list[tuple[Exchange, StreamReading]] = []

    def look(exchange: Exchange) -> list[Sighting]:
        found.append((exchange, chat.reading(exchange)))
        return []

    each(exchanges, look)
    return found


def answered_at(exchange: Exchange) -> int:
    """The reply's `Date` in Unix seconds, else the local clock."""
    told = unix_seconds(exchange.header("date"))
    return int(time.time()) if told is None else told


def folds_keep(requirement: str, chat: Chat, exchanges: Iterable[Exchange]) -> None:
    """What each stream's chunks make keeps `requirement`, by the rules of `protocol.completion`."""

    def look(exchange: Exchange) -> list[Sighting]:
        facts = facts_of(sent_json(exchange))
        found = completion_findings(chat.reading(exchange).fold(), facts)
        return sightings_of(requirement, found, exchange)

    judge(each(exchanges, look))


def whole_stream(chat: Chat, exchange: Exchange) -> StreamReading:
    """The stream, which breaks no MUST that loses something: the loss is that clause's business."""
    reading = chat.reading(exchange)
    for finding in reading.findings:
        if finding.id in LOSING_NOTHING or finding.mild:
            continue
        if REQUIREMENTS[finding.id].level == "MUST":
            raise Blocked(finding.id, finding.seen, exchange)
    return reading


def streamed_calls(chat: Chat, exchange: Exchange) -> list[ToolCall] | None:
    """The calls of a stream that loses nothing; None where it does not count, or has none.

    A call without any arguments has the empty string.
    """
    reading = whole_stream(chat, exchange)
    if reading.error_events or reading.finish_reason() in ("length", "content_filter"):
        return None
    said = (choices_of(reading.fold()) or [{}])[0].get("message") or {}
    return [
        ToolCall(str(call.get("id")), str(function.get("name")), function.get("arguments") or "")
        for call in said.get("tool_calls") or ()
        if isinstance(function := call.get("function"), dict)
    ]


LOSING_NOTHING = frozenset(
    {"CC-STREAM-001", "CC-STREAM-002", "CC-STREAM-011", "CC-REAS-004", "CC-TOOL-009"}
)
"""Breaches that leave text, calls and the last finish_reason as they were: members of the envelope,
ids, a missing `finish_reason: null`, thoughts of another type, calls that are counted otherwise."""

QUICK = 0.25
"""Seconds below which the reader's own delays may hide when a stream's parts were sent."""


WAITS = 5
"""Short answers that tell how long a queue may be. Where waits are as uneven as a queue's, three
long answers wait half as long again as each of these in one run of 180 (exponential waits)."""


def longest(shorts: Iterable[Exchange]) -> float | None:
    """The seconds that the slowest of these took to be answered; None where none was."""
    return max((one.ended_at for one in shorts if one.status == 200), default=None)


def told_apart(exchange: Exchange) -> bool | None:
    """False (broken) for a stream slow enough to be seen as it comes; None for a quick one.

    On a busy machine a quick stream is read in one piece, however it was sent.
    """
    return None if exchange.ended_at < QUICK else False


def trials(
    trial: Callable[[int], bool | None],
    *,
    needed: int = 2,
    of: int = 3,
    required: str,
    seen: Callable[[], str],
    on: Callable[[], Exchange | None] = lambda: None,
) -> Trials:
    """Run up to `of` trials and stop as soon as `needed` held, or cannot hold any more.

    A trial returns True (held), False (did not) or None (does not count).
    Raises `Broken` with the count when too many did not hold, `Inconclusive` when those that do
    not count leave it open.
    """
    passed = failed = 0
    for number in range(of):
        outcome = trial(number)
        passed += outcome is True
        failed += outcome is False
        if passed >= needed or failed > of - needed:
            break
    count = Trials(passed, passed + failed, needed, of)
    if passed >= needed:
        return count
    if failed <= of - needed:
        held = f"{passed or 'none'} of them held; " if count.counted else ""
        raise Inconclusive(
            f"only {count.counted} of {of} trials counted; {held}{needed} must hold "
            "(one counts where the answer came whole, and is of the kind that was asked for)"
        )
    text = f"{count}: {seen()}"
    finding = Finding("", f"{required}, in {needed} of {of} trials", text)
    raise Broken([Sighting(finding, on())], trials=count)


def second_look(
    trial: Callable[[int], bool | None],
    *,
    of: int = 2,
    required: str,
    seen: Callable[[], str],
    on: Callable[[], Exchange | None],
) -> None:
    """Judge in another mode what has been judged already: only a breach, 2 of 2 times (or `of`),
    counts."""

    def attempt(number: int) -> bool | None:
        try:
            return trial(number)
        except Unjudged:
            return None

    with contextlib.suppress(Unjudged):
        trials(attempt, needed=1, of=of, required=required, seen=seen, on=on)
