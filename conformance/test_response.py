"""Response object: what a reply without `stream` holds at its top level (CC-RESP)."""

import time
from email.utils import parsedate_to_datetime

from .battery import plain, streams
from .chat import Chat
from .expect import completions_keep, each, judge, sightings_of
from .guards import completion
from .outcomes import Sighting
from .protocol.completion import findings
from .protocol.facts import Facts
from .protocol.finding import Finding
from .requirements import requirement
from .wire.exchange import Exchange


@requirement("CC-RESP-001")
def test_every_reply_has_an_id_of_its_own(chat: Chat) -> None:
    exchanges = plain(chat)
    completions_keep("CC-RESP-001", exchanges)
    first: dict[str, Exchange] = {}
    twice: list[Sighting] = []
    for exchange in exchanges:
        name = str(completion(exchange).get("id"))
        if name in first:
            required = "replies to different requests have different ids"
            twice.append(Sighting(Finding("", required, f"{name!r} twice", "$.id"), exchange))
        first[name] = exchange
    judge(twice)


@requirement("CC-RESP-002")
def test_object_is_chat_completion(chat: Chat) -> None:
    completions_keep("CC-RESP-002", plain(chat))


@requirement("CC-RESP-003")
def test_created_is_an_integer_of_unix_seconds(chat: Chat) -> None:
    def look(exchange: Exchange) -> list[Sighting]:
        value = completion(exchange)
        return sightings_of(
            "CC-RESP-003", findings(value, Facts(stream=False), date=_date(exchange)), exchange
        )

    judge(each(plain(chat), look))


def _date(exchange: Exchange) -> int:
    """The reply's `Date` in Unix seconds, else the local clock."""
    try:
        return int(parsedate_to_datetime(exchange.header("date") or "").timestamp())
    except ValueError:
        return int(time.time())


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


@requirement("CC-RESP-008")
def test_service_tier_is_one_of_the_documented(chat: Chat) -> None:
    completions_keep("CC-RESP-008", plain(chat))


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
        judge(each(streams(chat), lambda e: _messages_in_chunks(chat, e)))


def _messages_in_chunks(chat: Chat, exchange: Exchange) -> list[Sighting]:
    required = "a chunk's choice has delta and no message"
    return [
        Sighting(
            Finding("", required, "message", f"{chunk.where} $.choices[{at}]", chunk.span), exchange
        )
        for chunk in chat.reading(exchange).chunks
        for at, choice in chunk.choices()
        if "message" in choice
    ]
