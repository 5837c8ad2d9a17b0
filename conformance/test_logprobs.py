"""Log probabilities: one entry for each token, and nothing where none were asked for (CC-LOGP).

The laws:

1. No check looks at what a number says of the model: only at its form, its order, and at the text
   that the tokens join to.
2. A reply without entries is CC-LOGP-001's business (a stream's CC-LOGP-009's): the other clauses
   say nothing of it.
3. A bare NaN makes the document no JSON: that is CC-LOGP-003's, and the rest is read all the same.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from .asking.battery import all_streams, plain
from .asking.forms import BARE, RANKED, with_odds
from .asking.sent import facts_of, sent_json
from .chat import Chat
from .expect import completions_keep, each, judge, require, sightings_of, streams_keep, trials
from .guards import choices_of, completion, refuses, status_line, success
from .outcomes import Blocked, Inconclusive, Sighting, Unjudged, Unsupported
from .protocol.completion import findings
from .protocol.finding import Finding, shorten
from .protocol.jsontext import loads_leniently, read_document
from .protocol.logprobs import entries_of, holds_nan
from .requirements import requirement
from .target.capabilities import FIELDS
from .wire.exchange import Exchange


def simple(chat: Chat, sample: int = 0) -> Exchange:
    """A call for log probabilities and no more."""
    return chat.ask(**FIELDS["logprobs"], sample=sample)


def taken(exchange: Exchange) -> Exchange:
    """`exchange`, which does not refuse log probabilities by name; else `Unsupported`."""
    if refuses(exchange, ("logprobs", "top_logprobs")):
        raise Unsupported(f"refused: {status_line(exchange)}", exchange)
    return exchange


def told(exchange: Exchange) -> dict[str, Any]:
    """The completion, bare NaN and all (law 3)."""
    success(taken(exchange))
    if not read_document(exchange.body).is_object:
        value = loads_leniently(exchange.body.decode("utf-8", "replace"))
        if isinstance(value, dict) and holds_nan(choices_of(value)):
            return value
    return completion(exchange)


def has_entries(value: dict[str, Any]) -> bool:
    """Whether any choice of a completion tells of a token."""
    return any(entries_of(choice.get("logprobs")) for choice in choices_of(value))


def has_text(value: dict[str, Any]) -> bool:
    """Whether the first choice says anything; thoughts and calls need no log probabilities."""
    said = (choices_of(value) or [{}])[0].get("message")
    return isinstance(said, dict) and bool(said.get("content"))


def with_entries(by: str, value: dict[str, Any], exchange: Exchange) -> None:
    """Raise for a reply without entries: `Blocked` by that clause, unless it has no text either."""
    if has_entries(value):
        return
    if not has_text(value):
        raise Inconclusive("the reply has no text that could have log probabilities", exchange)
    raise Blocked(by, "the reply carries no log probabilities", exchange)


def found(chat: Chat, exchange: Exchange) -> Sequence[Finding]:
    """What the rules find in a reply with entries."""
    facts = facts_of(sent_json(exchange))
    if facts.stream:
        reading = chat.reading(taken(exchange))
        with_entries("CC-LOGP-009", reading.fold(), exchange)
        return reading.findings
    value = told(exchange)
    with_entries("CC-LOGP-001", value, exchange)
    return findings(value, facts)


def kept(chat: Chat, requirement_id: str) -> None:
    """Every reply with log probabilities keeps the rule: two plain ones and a stream."""
    asked = [simple(chat), with_odds(chat, RANKED)]
    if chat.has("stream"):
        asked.append(with_odds(chat, BARE))

    def look(exchange: Exchange) -> list[Sighting]:
        return sightings_of(requirement_id, found(chat, exchange), exchange)

    judge(each(asked, look))


@requirement("CC-LOGP-001")
def test_each_choice_tells_of_its_tokens_when_asked(chat: Chat) -> None:
    looked: list[tuple[Exchange, object]] = []

    def trial(number: int) -> bool | None:
        exchange = simple(chat, number)
        value = told(exchange)
        if not has_text(value):
            return None
        looked.append((exchange, choices_of(value)[0].get("logprobs")))
        return has_entries(value)

    chat.memory["trials"] = trials(
        trial,
        needed=1,
        required="logprobs.content, a list of entries",
        seen=lambda: f"logprobs {shorten(looked[-1][1])}",
        on=lambda: looked[-1][0],
    )


@requirement("CC-LOGP-002")
def test_every_entry_of_a_token_is_complete(chat: Chat) -> None:
    kept(chat, "CC-LOGP-002")


@requirement("CC-LOGP-003")
def test_every_log_probability_is_a_json_number(chat: Chat) -> None:
    kept(chat, "CC-LOGP-003")


@requirement("CC-LOGP-004")
def test_there_are_as_many_alternatives_as_asked_for(chat: Chat) -> None:
    kept(chat, "CC-LOGP-004")
    if chat.has("stream"):
        with suppress(Unjudged):  # a stream that cannot be read is another clause's business
            bare, ranked = with_odds(chat, BARE), streamed(chat)
            require(
                bare is ranked or not chat.reading(bare).text(),
                "[] as top_logprobs of each entry where 0 are asked for",
                "no entries at all, which there are with alternatives",
                on=bare,
            )


def streamed(chat: Chat) -> Exchange:
    """A stream with log probabilities: without alternatives, or with them where it takes them to
    be told any (`top_logprobs: 0` is CC-LOGP-004's business)."""
    bare = taken(with_odds(chat, BARE))
    if tells(chat, bare):
        return bare
    ranked = with_odds(chat, {**RANKED, "stream": True})
    return ranked if tells(chat, ranked) else bare


def tells(chat: Chat, exchange: Exchange) -> bool:
    """Whether a stream holds any log probabilities."""
    return exchange.status == 200 and has_entries(chat.reading(exchange).fold())


@requirement("CC-LOGP-005")
def test_the_most_likely_alternative_comes_first(chat: Chat) -> None:
    kept(chat, "CC-LOGP-005")


@requirement("CC-LOGP-006")
def test_the_tokens_join_to_the_content(chat: Chat) -> None:
    kept(chat, "CC-LOGP-006")


@requirement("CC-LOGP-007")
def test_logprobs_has_the_key_refusal(chat: Chat) -> None:
    kept(chat, "CC-LOGP-007")


@requirement("CC-LOGP-008")
def test_there_are_no_logprobs_without_the_request(chat: Chat) -> None:
    completions_keep("CC-LOGP-008", plain(chat))
    if chat.has("stream"):
        streams_keep("CC-LOGP-008", chat, all_streams(chat))


@requirement("CC-LOGP-009")
def test_streamed_logprobs_come_with_their_delta(chat: Chat) -> None:
    exchange = streamed(chat)
    reading = chat.reading(exchange)
    if not reading.text():
        raise Inconclusive("the stream has no text that could have log probabilities", exchange)
    if not has_entries(reading.fold()):
        plainly = [told(simple(chat, number)) for number in range(3)]
        if not any(map(has_entries, plainly)):
            raise Blocked(
                "CC-LOGP-001", "plain replies carry no log probabilities either", exchange
            )
    streams_keep("CC-LOGP-009", chat, [exchange])


@requirement("CC-LOGP-010")
def test_every_entry_has_the_key_bytes(chat: Chat) -> None:
    kept(chat, "CC-LOGP-010")
