"""Generated faults of the client: one rule broken, or a body below JSON (any chapter's clause).

The laws are those of `test_generated`.

| replies | judged |
|---|---|
| to a request that breaks one rule | a 4xx, with stream too; the culprit named |
| to a malformed body | refused or survived; the plainest call right after it works |
| to both | one form of error that shows nothing of the inside; never 5xx |
"""

from collections.abc import Iterable

from .asking.sent import encode, sent_json
from .chat import Chat
from .corpus import Case, corpus_of, is_streamed, look_at
from .expect import sightings_of
from .generation.malformed import Malformed
from .generation.mistakes import Wrong
from .generation.parts import Part
from .generation.valid import BY_NAME
from .guards import (
    answered,
    error_object,
    is_refusal,
    not_5xx,
    refused,
    status_line,
)
from .outcomes import Blocked, Sighting
from .protocol.errors import findings as error_findings
from .protocol.errors import names, read_error
from .protocol.finding import Finding
from .requirements import requirement, requirements
from .wire.exchange import Exchange


@requirements(
    "CC-REQ-001",
    "CC-REQ-002",
    "CC-REQ-003",
    "CC-REQ-006",
    "CC-REQ-010",
    "CC-REQ-012",
    "CC-REQ-019",
    "CC-REQ-021",
    "CC-REQ-022",
    "CC-REQ-023",
    "CC-REQ-026",
    "CC-REQ-027",
    "CC-REQ-028",
    "CC-REQ-029",
    "CC-REQ-030",
    "CC-REQ-031",
    "CC-REQ-032",
    "CC-REQ-036",
    "CC-REQ-037",
    "CC-REQ-039",
    "CC-REQ-040",
    "CC-REQ-041",
    "CC-MODEL-011",
)
def test_generated_mistakes_are_refused(chat: Chat, clause: str) -> None:
    def look(case: Case, exchange: Exchange) -> list[Sighting]:
        if exchange.status == 200 and is_streamed(exchange) and chat.reading(exchange).error_events:
            raise Blocked("CC-REQ-043", status_line(exchange), exchange)
        refused(exchange, what=case.row.name)
        return []

    cases = corpus_of(chat).cases("invalid", clause)
    look_at(chat, [case for case in cases if _rule(case).demanded], look)


@requirement("CC-REQ-045")
def test_generated_mistakes_are_named(chat: Chat) -> None:
    def look(case: Case, exchange: Exchange) -> list[Sighting]:
        answered(exchange)
        words = _rule(case).names
        beside = [name for part in case.value.parts for name in BY_NAME[part.feature].names]
        if names(exchange.body, *beside):
            return []  # a valid feature is refused: another clause's business
        unreadable = read_error(exchange.body) is None
        if not is_refusal(exchange) or unreadable or names(exchange.body, *words):
            return []
        if not all(_is_taken(chat, part) for part in case.value.parts):
            return []  # as above, in words of the target's own
        required = f"param or message names {' or '.join(words)}"
        return [Sighting(Finding("", required, status_line(exchange), case.row.name), exchange)]

    look_at(chat, corpus_of(chat).cases("invalid"), look)


def _is_taken(chat: Chat, part: Part) -> bool:
    """Whether a valid feature is accepted alone; False where nobody knows."""
    alone = corpus_of(chat).alone(part)
    return alone is not None and alone.status == 200


@requirement("CC-REQ-043")
def test_generated_mistakes_are_refused_with_stream_too(chat: Chat) -> None:
    def look(case: Case, exchange: Exchange) -> list[Sighting]:
        if is_refusal(answered(exchange)):
            return []
        body = {k: v for k, v in sent_json(exchange).items() if not k.startswith("stream")}
        if not is_refusal(chat.post(encode(body))):
            return []  # refused in neither mode: its own clause's business, a 5xx CC-ERR-010's
        required = "the 4xx that the same request gets without stream"
        not_5xx(exchange, required)
        return [Sighting(Finding("", required, status_line(exchange), case.row.name), exchange)]

    def replayed(case: Case) -> bool:
        about_streams = any(name.startswith("stream") for name in _rule(case).touches)
        return not about_streams and is_streamed(corpus_of(chat).exchange(case))

    look_at(chat, filter(replayed, corpus_of(chat).cases("invalid")), look)


@requirement("CC-ERR-010")
def test_generated_faults_are_4xx_that_clients_do_not_retry(chat: Chat) -> None:
    def look(case: Case, exchange: Exchange) -> list[Sighting]:
        required = f"a 4xx other than 408 and 409 for {case.row.name}"
        status = not_5xx(exchange, required).status
        if status not in (408, 409):
            return []
        return [Sighting(Finding("", required, status_line(exchange)), exchange)]

    look_at(chat, _faulty(chat), look)


@requirements(
    "CC-ERR-001",
    "CC-ERR-002",
    "CC-ERR-003",
    "CC-ERR-004",
    "CC-ERR-005",
    "CC-ERR-006",
    "CC-ERR-007",
    "CC-ERR-008",
    "CC-ERR-009",
    "CC-ERR-011",
    "CC-ERR-012",
    "CC-ERR-018",
)
def test_generated_faults_get_one_form_of_error(chat: Chat, clause: str) -> None:
    def look(case: Case, exchange: Exchange) -> list[Sighting]:
        if not is_refusal(answered(exchange)):
            return []
        label = exchange.header("content-type")
        found = error_findings(exchange.status or 0, label, exchange.body)
        return sightings_of(clause, found, exchange)

    look_at(chat, _faulty(chat), look, by_row=False)


def _faulty(chat: Chat) -> list[Case]:
    """Every case that the client got wrong."""
    return [*corpus_of(chat).cases("invalid"), *corpus_of(chat).cases("malformed")]


def _rule(case: Case) -> Wrong:
    """The rule that an invalid request breaks."""
    if not isinstance(case.row, Wrong):
        raise TypeError(f"{case.row.name} is no rule")
    return case.row


# --- bodies below JSON --------------------------------------------------------------------------


@requirements("CC-HTTP-012", "CC-HTTP-013", "CC-HTTP-023", "CC-REQ-044", harms=True)
def test_generated_bodies_below_json_are_refused_or_survived(chat: Chat, clause: str) -> None:
    def look(case: Case, exchange: Exchange) -> Iterable[Sighting]:
        row = case.row
        if not isinstance(row, Malformed):
            raise TypeError(f"{row.name} is no malformed body")
        required = f"status 200 or 4xx for {row.name}"
        if not_5xx(exchange, required).status == 200 and row.refused:
            required = f"a 4xx for {row.name}"
            return [Sighting(Finding("", required, "status 200", mild=row.mild), exchange)]
        if clause == "CC-HTTP-012" and is_refusal(exchange):
            error_object(exchange)
        return []

    look_at(chat, corpus_of(chat).cases("malformed", clause), look)


@requirement("CC-HTTP-017", harms=True)
def test_the_plainest_call_works_after_a_malformed_body(chat: Chat) -> None:
    def look(case: Case, exchange: Exchange) -> list[Sighting]:
        after = answered(corpus_of(chat).after(case))
        required = f"status 200 for the plainest call after {case.row.name}"
        return (
            []
            if after.status == 200
            else [Sighting(Finding("", required, status_line(after)), after)]
        )

    look_at(chat, corpus_of(chat).cases("malformed"), look)
