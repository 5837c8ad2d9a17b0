"""Generated valid requests: what no standing request asks (any chapter's clause).

The laws:

1. A family of checks looks at the same replies, each check for its own clause. The lists of clauses
   below are literals, so that `checks.py` reads them off this file.
2. These checks run after all others of a model, and not at all with `--examples 0`.

| replies | judged |
|---|---|
| to every valid request | status 200 |
| whole replies | their form, usage that adds up, the bound kept, the stop sequences left out |
| streams | their form, what they fold into, prompts counted as without stream |
"""

from .asking.sent import facts_of, sent_json
from .chat import Chat
from .corpus import Case, corpus_of, is_streamed, look_at, refused_though_valid
from .expect import sightings_of
from .guards import (
    BOUNDS,
    choices_of,
    completion,
    is_refusal,
    success,
    usage,
)
from .outcomes import Inconclusive, Sighting, Unsupported
from .protocol.completion import findings as completion_findings
from .protocol.facts import Facts
from .protocol.finding import Finding, shorten
from .protocol.reasoning import spoken
from .protocol.rules import is_count
from .requirements import REQUIREMENTS, requirement, requirements
from .wire.exchange import Exchange


@requirements(
    "CC-REQ-004",
    "CC-REQ-005",
    "CC-REQ-007",
    "CC-REQ-011",
    "CC-REQ-015",
    "CC-REQ-018",
    "CC-REQ-020",
    "CC-REQ-022",
    "CC-REQ-024",
    "CC-REQ-026",
    "CC-REQ-027",
    "CC-REQ-028",
    "CC-REQ-029",
    "CC-REQ-031",
    "CC-REQ-032",
    "CC-REQ-033",
    "CC-REQ-034",
    "CC-REQ-036",
    "CC-REQ-037",
    "CC-REQ-039",
    "CC-REQ-040",
    "CC-REQ-046",
    "CC-REQ-050",
    "CC-SSE-001",
)
def test_generated_valid_requests_are_accepted(chat: Chat, clause: str) -> None:
    def look(case: Case, exchange: Exchange) -> list[Sighting]:
        blamed = refused_though_valid(chat, case, exchange)
        return [sighting for by, sighting in blamed if by == clause]

    look_at(chat, corpus_of(chat).cases("valid", clause), look, by_row=False)


@requirements(
    "CC-RESP-002",
    "CC-RESP-004",
    "CC-RESP-005",
    "CC-RESP-006",
    "CC-RESP-007",
    "CC-RESP-008",
    "CC-RESP-009",
    "CC-RESP-010",
    "CC-RESP-011",
    "CC-MSG-001",
    "CC-MSG-002",
    "CC-MSG-003",
    "CC-MSG-004",
    "CC-MSG-005",
    "CC-MSG-006",
    "CC-MSG-007",
    "CC-MSG-008",
    "CC-MSG-009",
    "CC-MSG-011",
    "CC-MSG-013",
    "CC-USAGE-001",
    "CC-USAGE-002",
    "CC-USAGE-003",
    "CC-USAGE-006",
    "CC-USAGE-007",
    "CC-USAGE-008",
    "CC-FIN-001",
    "CC-FIN-002",
    "CC-FIN-007",
)
def test_generated_requests_get_whole_replies_in_form(chat: Chat, clause: str) -> None:
    def look(case: Case, exchange: Exchange) -> list[Sighting]:
        facts = facts_of(sent_json(exchange))
        return sightings_of(clause, completion_findings(completion(exchange), facts), exchange)

    look_at(chat, _whole(chat), look, by_row=False)


@requirements(
    "CC-SSE-002",
    "CC-SSE-003",
    "CC-SSE-004",
    "CC-SSE-005",
    "CC-SSE-006",
    "CC-SSE-008",
    "CC-SSE-009",
    "CC-SSE-010",
    "CC-SSE-012",
    "CC-SSE-013",
    "CC-SSE-014",
    "CC-SSE-015",
    "CC-SSE-016",
    "CC-SSE-017",
    "CC-SSE-018",
    "CC-SSE-024",
    "CC-SSE-026",
    "CC-STREAM-001",
    "CC-STREAM-003",
    "CC-STREAM-004",
    "CC-STREAM-005",
    "CC-STREAM-006",
    "CC-STREAM-007",
    "CC-STREAM-008",
    "CC-STREAM-009",
    "CC-STREAM-010",
    "CC-STREAM-011",
    "CC-STREAM-012",
    "CC-STREAM-013",
    "CC-STREAM-015",
    "CC-STREAM-016",
    "CC-STREAM-017",
    "CC-STREAM-018",
    "CC-STREAM-019",
    "CC-STREAM-020",
    "CC-STREAM-021",
    "CC-STREAM-022",
    "CC-STREAM-024",
    "CC-STREAM-025",
    "CC-STREAM-026",
    "CC-STREAM-027",
    "CC-STREAM-029",
    "CC-STREAM-030",
)
def test_generated_requests_get_streams_in_form(chat: Chat, clause: str) -> None:
    def look(case: Case, exchange: Exchange) -> list[Sighting]:
        return sightings_of(clause, chat.reading(success(exchange)).findings, exchange)

    look_at(chat, _streamed(chat), look, by_row=False)


@requirement("CC-SSE-001")
def test_generated_streams_are_labelled_text_event_stream(chat: Chat) -> None:
    def look(case: Case, exchange: Exchange) -> list[Sighting]:
        if success(exchange).media_type == "text/event-stream":
            return []
        seen = exchange.header("content-type") or "no Content-Type"
        return [Sighting(Finding("", "Content-Type: text/event-stream", seen), exchange)]

    look_at(chat, _streamed(chat), look, by_row=False)


@requirements("CC-SERR-002", "CC-SERR-003", "CC-SERR-004", "CC-SERR-007")
def test_generated_streams_that_fail_say_so_in_form(chat: Chat, clause: str) -> None:
    def look(case: Case, exchange: Exchange) -> list[Sighting]:
        reading = chat.reading(success(exchange))
        found = sightings_of(clause, reading.findings, exchange)
        if not found and not reading.error_events:
            raise Unsupported("no generated request made a stream fail")
        return found

    look_at(chat, _streamed(chat), look, by_row=False)


@requirement("CC-EQUIV-001")
def test_generated_streams_fold_into_valid_replies(chat: Chat) -> None:
    musts = [
        name
        for name, entry in REQUIREMENTS.items()
        if entry.level == "MUST" and name.rpartition("-")[0] in ("CC-RESP", "CC-MSG", "CC-FIN")
    ]

    def look(case: Case, exchange: Exchange) -> list[Sighting]:
        reading = chat.reading(success(exchange))
        if reading.error_events:
            return []
        found = completion_findings(reading.fold(), facts_of(sent_json(exchange)))
        return [one for name in musts for one in sightings_of(name, found, exchange)]

    look_at(chat, _streamed(chat), look, by_row=False)


@requirement("CC-EQUIV-002")
def test_generated_prompts_count_alike_in_both_modes(chat: Chat) -> None:
    def look(case: Case, exchange: Exchange) -> list[Sighting]:
        counted = chat.reading(success(exchange)).usage
        streamed = counted.get("prompt_tokens") if isinstance(counted, dict) else None
        body = sent_json(exchange)
        plainly = usage(chat.post({k: v for k, v in body.items() if not k.startswith("stream")}))
        if plainly is None or not is_count(streamed):
            raise Inconclusive("one of the two replies carries no usage", exchange)
        required = "the prompt_tokens that the same request has without stream"
        seen = f"{shorten(streamed)}, and {plainly['prompt_tokens']} without"
        same = streamed == plainly["prompt_tokens"]
        return [] if same else [Sighting(Finding("", required, seen, "$.usage"), exchange)]

    counted = [case for case in _streamed(chat) if facts(chat, case).include_usage]
    look_at(chat, counted[:MOST_TWINS], look, by_row=False)


MOST_TWINS = 2
"""Streams that are asked for once more as whole replies."""


@requirement("CC-SAMP-001")
def test_generated_requests_get_as_many_choices_as_asked(chat: Chat) -> None:
    def look(case: Case, exchange: Exchange) -> list[Sighting]:
        asked, got = facts(chat, case).n, len(_choices(chat, exchange))
        required = f"{asked} choices"
        return [] if asked == got else [Sighting(Finding("", required, str(got)), exchange)]

    cases = [case for case in _taken(chat) if facts(chat, case).n > 1]
    look_at(chat, cases, look, by_row=False)


@requirement("CC-SAMP-002")
def test_generated_stop_sequences_are_not_in_the_text(chat: Chat) -> None:
    def look(case: Case, exchange: Exchange) -> list[Sighting]:
        stop = sent_json(exchange).get("stop") or []
        required = "a text without its stop sequence"
        said = [_content(choice) for choice in _choices(chat, exchange)]
        found = [
            s for s in ([stop] if isinstance(stop, str) else stop) if any(s in t for t in said)
        ]
        return [
            Sighting(Finding("", required, f"{shorten(s)} in the text"), exchange) for s in found
        ]

    cases = _taken(chat, "CC-REQ-027")
    look_at(chat, cases, look, by_row=False)


@requirement("CC-USAGE-005")
def test_generated_bounds_hold_for_every_answer(chat: Chat) -> None:
    def look(case: Case, exchange: Exchange) -> list[Sighting]:
        counted = usage(exchange)
        if counted is None:
            raise Inconclusive("the reply carries no usage", exchange)
        body = sent_json(exchange)
        bound = min(body[name] for name in BOUNDS if body.get(name))
        most = facts(chat, case).n * (bound + 1)
        required = "completion_tokens at most the bound, and one more for the stop token"
        seen = f"{counted['completion_tokens']} under a bound of {bound}"
        kept = counted["completion_tokens"] <= most
        return [] if kept else [Sighting(Finding("", required, seen, "$.usage"), exchange)]

    look_at(chat, _whole(chat), look, by_row=False)


def facts(chat: Chat, case: Case) -> Facts:
    """What a case asks for."""
    return facts_of(sent_json(corpus_of(chat).exchange(case)))


def _taken(chat: Chat, clause: str = "") -> list[Case]:
    """The valid cases that were not refused: whether one may be is judged by itself, above."""
    cases = corpus_of(chat).cases("valid", clause)
    return [case for case in cases if not is_refusal(corpus_of(chat).exchange(case))]


def _whole(chat: Chat) -> list[Case]:
    """Those of them that ask for no stream."""
    return [case for case in _taken(chat) if not is_streamed(corpus_of(chat).exchange(case))]


def _streamed(chat: Chat) -> list[Case]:
    """Those of them that ask for a stream."""
    return [case for case in _taken(chat) if is_streamed(corpus_of(chat).exchange(case))]


def _choices(chat: Chat, exchange: Exchange) -> list[dict[str, object]]:
    """The choices of a reply, streamed or not."""
    if not is_streamed(exchange):
        return choices_of(completion(exchange))
    return choices_of(chat.reading(success(exchange)).fold())


def _content(choice: dict[str, object]) -> str:
    message = choice.get("message")
    content = message.get("content") if isinstance(message, dict) else None
    return spoken(content) if isinstance(content, str) else ""
