"""Multimodal input: pictures are seen, or refused; nothing is dropped in silence (CC-MM).

The law: seeing is judged by an answer of one word out of four, on pictures of one colour; a model
that takes a picture and names its colour two times of three has seen it. What else is said of
pictures is judged only of a model that has.
"""

from collections.abc import Iterable
from typing import Any

from .asking.battery import with_value
from .asking.pictures import FILE, ROOM, SOUND, Messages, question, which_colour, which_colours
from .asking.probes import SPEECH, spoken
from .asking.prompts import COLOUR, HELLO
from .chat import Chat
from .expect import completions_keep, each, judge, require, trials
from .guards import (
    accepted,
    broken,
    counts,
    error_object,
    is_refusal,
    not_5xx,
    refused,
    refuses,
    status_line,
    text,
    usage,
)
from .outcomes import Blocked, Broken, Inconclusive, Sighting, Unsupported
from .protocol.finding import Finding, shorten
from .protocol.parts import COLOURS, audio_part, data_url, file_part, image_part, png
from .requirements import requirement
from .wire.exchange import Exchange, FailureKind

PART = (
    *("image_url", "image", "images", "picture", "url", "base64", "media", "mime", "format"),
    *("messages", "content"),
)
"""How a refusal names the part with the picture."""

SHOWN: tuple[tuple[str, dict[str, str]], ...] = (
    ("red", {}),
    ("blue", {"detail": "low"}),
    ("green", {"detail": "high"}),
)
"""The pictures of the three trials; `detail` is left out where it is refused (CC-MM-002)."""

PAIRS = (("red", "blue"), ("green", "yellow"), ("blue", "red"))
"""The colours of the three trials with two pictures; no fixed order of names fits them all."""


def look_at(chat: Chat, messages: Messages, sample: int = 0) -> Exchange:
    """A call with a question about pictures."""
    return chat.ask(messages=messages, sample=sample, max_tokens=ROOM)


def named(said: str) -> list[str]:
    """The colours that an answer names, in the order in which they first occur."""
    found = {colour: said.lower().find(colour) for colour in COLOURS}
    return sorted((c for c, at in found.items() if at >= 0), key=lambda colour: found[colour])


def sees(chat: Chat, number: int) -> bool | None:
    """Whether the model names the colour of a picture, and no other."""
    colour, more = SHOWN[number]
    exchange = look_at(chat, which_colour(colour, **more))
    if more and is_refusal(exchange):
        exchange = look_at(chat, which_colour(colour))
    accepted(exchange, what="a picture")
    return named(text(exchange)) == [colour] if counts(exchange) else None


@requirement("CC-MM-001")
def test_a_picture_in_a_data_url_is_seen(chat: Chat) -> None:
    chat.memory["trials"] = trials(
        lambda number: sees(chat, number),
        required="the colour of the picture is named, or pictures are refused",
        seen=lambda: shorten(text(chat.used[-1])),
        on=lambda: chat.used[-1],
    )


def _sighted(chat: Chat) -> None:
    """Raise unless pictures are seen: what is said about unseen ones is CC-MM-001's."""
    try:
        trials(lambda n: sees(chat, n), required="", seen=lambda: "pictures are not seen")
    except Broken as unseen:
        raise Blocked("CC-MM-001", str(unseen), chat.used[-1]) from None


@requirement("CC-MM-002")
def test_detail_is_one_of_three_words(chat: Chat) -> None:
    for colour, detail in (("red", "auto"), ("blue", "low"), ("green", "high")):
        exchange = look_at(chat, which_colour(colour, detail=detail))
        accepted(exchange, optional=("detail",), what=f"detail {detail!r}")
    exchange = look_at(chat, which_colour("red", detail="extreme"))
    refused(exchange, what="detail 'extreme'", statuses=(400, 422))


@requirement("CC-MM-003")
def test_a_picture_as_a_bare_string_gets_some_answer(chat: Chat) -> None:
    url = data_url("image/png", png("red"))
    exchange = look_at(chat, question(COLOUR, {"type": "image_url", "image_url": url}))
    chat.observe(f"image_url as a string: status {exchange.status}")


@requirement("CC-MM-004")
def test_a_model_without_sight_refuses_pictures(chat: Chat) -> None:
    exchange = look_at(chat, which_colour("red"))
    refused(exchange, what="a picture to a model that sees none", statuses=(400, 422))
    try:
        error = error_object(exchange)
    except Blocked:
        broken("the envelope", status_line(exchange), exchange)
    require(isinstance(error.get("message"), str), "a message", error.get("message"), on=exchange)


BAD: dict[str, str] = {
    "broken Base64": "data:image/png;base64,@@not*base64@@",
    "a media type that is no picture": data_url("text/plain", b"This is no picture."),
    "an unreachable URL": "https://picture.invalid/red.png",  # reserved by RFC 6761
}


@requirement("CC-MM-005")
def test_a_picture_that_cannot_be_read_is_refused_by_name(chat: Chat) -> None:
    def look(row: tuple[str, Exchange]) -> list[Sighting]:
        what, exchange = row
        if exchange.failure and exchange.failure.kind is FailureKind.TIMEOUT and exchange.canary_ok:
            broken(f"a 4xx for {what}, in time", str(exchange.failure), exchange)
        refused(exchange, what=what)
        if refuses(exchange, PART):
            return []
        required = f"the refusal of {what} names the part"
        return [Sighting(Finding("", required, status_line(exchange)), exchange)]

    def asked(url: str) -> Exchange:
        return look_at(chat, question(COLOUR, {"type": "image_url", "image_url": {"url": url}}))

    judge(each([(what, asked(url)) for what, url in BAD.items()], look))


@requirement("CC-MM-006")
def test_several_pictures_are_seen_in_order(chat: Chat) -> None:
    _sighted(chat)

    def trial(number: int) -> bool | None:
        exchange = not_5xx(look_at(chat, which_colours(*PAIRS[number])), "status 200")
        if is_refusal(exchange):
            raise Unsupported(f"several pictures are refused: {status_line(exchange)}", exchange)
        return named(text(accepted(exchange))) == [*PAIRS[number]] if counts(exchange) else None

    chat.memory["trials"] = trials(
        trial,
        needed=1,  # a model may confuse them; a server that drops one fails each time
        required="both colours are named in the order of the pictures",
        seen=lambda: shorten(text(chat.used[-1])),
        on=lambda: chat.used[-1],
    )


@requirement("CC-MM-007")
def test_a_picture_raises_prompt_tokens(chat: Chat) -> None:
    _sighted(chat)
    _costs(chat, look_at(chat, which_colour("red")), question(COLOUR), "a picture")


def _costs(chat: Chat, exchange: Exchange, without: Messages, what: str) -> None:
    """A part that is taken raises prompt_tokens above those of the same call without it."""
    counted = usage(accepted(exchange, what=what))
    bare = look_at(chat, without)
    control = usage(bare) if bare.status == 200 else None
    if counted is None or control is None:
        raise Inconclusive("the replies carry no usage", exchange)
    require(
        counted["prompt_tokens"] > control["prompt_tokens"],
        f"{what} raises prompt_tokens above {control['prompt_tokens']}, or is refused",
        counted["prompt_tokens"],
        at="$.usage.prompt_tokens",
        on=exchange,
    )


@requirement("CC-MM-008")
def test_sound_is_heard_or_refused(chat: Chat) -> None:
    _costs(chat, look_at(chat, SOUND), question(HELLO), "sound")


@requirement("CC-MM-009")
def test_a_file_is_read_or_refused(chat: Chat) -> None:
    _costs(chat, look_at(chat, FILE), question(HELLO), "a file")


def _of(role: str, part: dict[str, Any]) -> Messages:
    """A conversation in which a message of `role` carries `part`."""
    said = {"role": role, "content": [{"type": "text", "text": "Look at this."}, part]}
    asks = {"role": "user", "content": HELLO}
    if role != "tool":
        return [said, asks]
    function = {"name": "get_weather", "arguments": "{}"}
    call = {"id": "call_zq1", "type": "function", "function": function}
    called = {"role": "assistant", "content": None, "tool_calls": [call]}
    return [asks, called, {**said, "tool_call_id": "call_zq1"}]


def _misplaced() -> Iterable[tuple[str, Messages]]:
    """Parts that only a user may send, in messages of others; every kind once."""
    for role, part in (
        ("system", image_part("red")),
        ("assistant", audio_part()),
        ("tool", file_part("Warm.")),
    ):
        yield f"{part['type']} in a message of role {role}", _of(role, part)


@requirement("CC-MM-010")
def test_only_users_send_more_than_text(chat: Chat) -> None:
    def look(row: tuple[str, Messages]) -> list[Sighting]:
        refused(chat.ask(messages=row[1]), what=row[0])
        return []

    judge(each(list(_misplaced()), look))


@requirement("CC-MM-012")
def test_speech_has_its_four_members(chat: Chat) -> None:
    spoke = accepted(chat.ask(**SPEECH), what="audio")
    require(spoken(spoke) is not None, "message.audio, or 400", "neither", on=spoke)
    completions_keep("CC-MM-012", [spoke])
    exchange = with_value(chat, "modalities", ["text"])
    accepted(exchange, optional=("modalities",), what="modalities ['text']")
