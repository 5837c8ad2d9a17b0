"""Response object: what a reply without `stream` holds at its top level (CC-RESP)."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from .asking.battery import all_streams, plain
from .asking.sent import sent_json
from .chat import Chat
from .expect import (
    answered_at,
    completions_keep,
    each,
    folds_keep,
    judge,
    sightings_of,
    streams_keep,
)
from .guards import completion
from .outcomes import Sighting, Unjudged
from .protocol.completion import findings
from .protocol.facts import Facts
from .protocol.finding import Finding
from .requirements import requirement
from .wire.exchange import Exchange


@requirement("CC-RESP-001")
def test_every_reply_has_an_id_of_its_own(chat: Chat) -> None:
    exchanges = plain(chat)
    first: dict[object, Exchange] = {}

    def look(exchange: Exchange) -> list[Sighting]:
        value = completion(exchange)
        found = sightings_of("CC-RESP-001", findings(value, Facts(stream=False)), exchange)
        name = value.get("id")
        if not found and first.setdefault(name, exchange) is not exchange:
            required = "replies to different requests have different ids"
            found.append(Sighting(Finding("", required, f"{name!r} twice", "$.id"), exchange))
        return found

    found = each(exchanges, look)
    judge([*found, *_in_both_modes(chat, first), *_replayed(chat)])


def _in_both_modes(chat: Chat, plainly: Mapping[object, Exchange]) -> list[Sighting]:
    """No stream has the id of a plain reply; a cache may replay the same call in the other mode."""
    if not chat.has("stream"):
        return []

    def look(exchange: Exchange) -> list[Sighting]:
        name = chat.reading(exchange).fold().get("id")
        twin = plainly.get(name) if isinstance(name, str) else None
        if twin is None:
            return []
        required = "a plain reply and a stream have different ids"
        mild = _but_for_stream(exchange) == _but_for_stream(twin)
        return [Sighting(Finding("", required, f"{name!r} twice", "$.id", mild=mild), exchange)]

    with suppress(Unjudged):  # no stream can be read: the plain ones are judged
        return each(all_streams(chat), look)
    return []


def _but_for_stream(exchange: Exchange) -> Any:
    """What a request asks for, in whichever mode."""
    body = sent_json(exchange)
    given = body if isinstance(body, dict) else {}
    return {name: value for name, value in given.items() if not name.startswith("stream")}


def _replayed(chat: Chat) -> list[Sighting]:
    """The same request, sent twice, is answered under two ids; a cache is a warning only."""
    pair = [chat.ask(), chat.ask(sample=1)]
    try:
        one, other = (completion(exchange).get("id") for exchange in pair)
    except Unjudged:
        return []
    if one != other or not isinstance(one, str) or not one:
        return []
    required = "the same request, sent again, gets an id of its own"
    return [Sighting(Finding("", required, f"{one!r} twice", "$.id", mild=True), pair[1])]


@requirement("CC-RESP-002")
def test_object_is_chat_completion(chat: Chat) -> None:
    completions_keep("CC-RESP-002", plain(chat))


@requirement("CC-RESP-003")
def test_created_is_an_integer_of_unix_seconds(chat: Chat) -> None:
    def look(exchange: Exchange) -> list[Sighting]:
        value = completion(exchange)
        found = findings(value, Facts(stream=False), date=answered_at(exchange))
        return sightings_of("CC-RESP-003", found, exchange)

    judge(each(plain(chat), look))


@requirement("CC-RESP-004")
def test_choices_holds_one_choice(chat: Chat) -> None:
    completions_keep("CC-RESP-004", plain(chat))


@requirement("CC-RESP-005")
def test_model_is_a_string(chat: Chat) -> None:
    completions_keep("CC-RESP-005", plain(chat))


@requirement("CC-RESP-006")
def test_usage_is_an_object(chat: Chat) -> None:
    completions_keep("CC-RESP-006", plain(chat))


@requirement("CC-RESP-007")
def test_system_fingerprint_is_absent_null_or_a_string(chat: Chat) -> None:
    completions_keep("CC-RESP-007", plain(chat))
    if chat.has("stream"):
        folds_keep("CC-RESP-007", chat, all_streams(chat))


@requirement("CC-RESP-008")
def test_service_tier_is_one_of_the_documented(chat: Chat) -> None:
    completions_keep("CC-RESP-008", plain(chat))
    if chat.has("stream"):
        folds_keep("CC-RESP-008", chat, all_streams(chat))


@requirement("CC-RESP-009")
def test_a_success_carries_no_error(chat: Chat) -> None:
    completions_keep("CC-RESP-009", plain(chat))


@requirement("CC-RESP-010")
def test_vendor_members_reuse_no_name_of_the_specification(chat: Chat) -> None:
    completions_keep("CC-RESP-010", plain(chat))


@requirement("CC-RESP-011")
def test_a_choice_has_a_message_and_no_delta(chat: Chat) -> None:
    completions_keep("CC-RESP-011", plain(chat))
    if chat.has("stream"):
        streams_keep("CC-RESP-011", chat, all_streams(chat))
