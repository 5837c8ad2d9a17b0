"""Structured output: what a request says of the answer's form holds of the answer (CC-STRUCT).

The laws:

1. Only an answer that came to its natural end is a trial: a cut one, a refusal and a blank one say
   nothing of the form.
2. The form is one that no answer has by chance (`forms`): ignoring it cannot look like obeying.
3. A refusal that names the format is the clean way to lack it.
"""

from collections.abc import Iterable

from .asking.forms import (
    Answer,
    Call,
    answer,
    as_sdks_send_it,
    formed,
    streamed_formed,
    three_formed,
)
from .asking.parameters import refused_as, taken_or_not
from .chat import Chat
from .expect import require, trials
from .guards import (
    accepted,
    is_refusal,
    not_5xx,
    refuses,
    status_line,
    success,
    within_bound,
)
from .outcomes import Blocked, Broken, Inconclusive, Sighting, Trials, Unjudged, Unsupported
from .protocol.finding import Finding, shorten
from .protocol.jsontext import JsonError, loads
from .requirements import requirement
from .target.capabilities import FIELDS, NAMES
from .wire.exchange import Exchange

TOO_FEW = "too few streams came to their natural end: they were cut, filtered or refused"

FEW = 4
"""An output bound that no answer in the form keeps to: its code alone takes more tokens."""


def taken(exchange: Exchange, flag: str) -> Exchange:
    """`exchange`, which was not refused: by name is UNSUPPORTED, otherwise nobody can be blamed."""
    if refuses(exchange, NAMES[flag]):
        raise Unsupported(f"refused: {status_line(exchange)}", exchange)
    if is_refusal(exchange):
        raise Inconclusive(
            f"refused without a word on the format: {status_line(exchange)}", exchange
        )
    return success(exchange)


@requirement("CC-STRUCT-001")
def test_json_mode_gives_content_that_parses(chat: Chat) -> None:
    looked: list[Answer] = []

    def trial(number: int) -> bool | None:
        said = answer(chat, taken(chat.ask(**FIELDS["json_mode"], sample=number), "json_mode"))
        if not said.counts or not said.text.strip():
            return None
        looked.append(said)
        return _parses(said.text)

    chat.memory["trials"] = trials(
        trial,
        required="the content is JSON",
        seen=lambda: shorten(looked[-1].text),
        on=lambda: looked[-1].exchange,
    )
    for said in filter(lambda one: _parses(one.text), looked):
        required = "the content is a JSON object"
        require(said.text.strip()[0] == "{", required, said.text, on=said.exchange, mild=True)


def _parses(text: str) -> bool:
    try:
        loads(text)
    except JsonError:
        return False
    return True


@requirement("CC-STRUCT-002")
def test_json_mode_without_the_word_json_is_observed(chat: Chat) -> None:
    exchange = not_5xx(
        chat.ask(response_format={"type": "json_object"}),
        "an answer or a refusal for json_object where no message says JSON",
    )
    chat.observe(f"json_object without the word JSON in a message is {taken_or_not(exchange)}")


def fitting(chat: Chat, calls: Iterable[Call]) -> list[Answer]:
    """The answers that count, all of them in the form; keeps the count of trials.

    Raises `Broken` for the first that is not in the form; what cannot be judged hides no other.
    Raises the first reason why not when none counted.
    """
    held: list[Answer] = []
    first: Unjudged | None = None
    for number, call in enumerate(calls, 1):
        try:
            exchange = call()
            said = answer(chat, taken(exchange, "json_schema"))
        except Unjudged as reason:
            first = first or reason
            continue
        if not said.counts:
            continue
        if said.misfit is not None:
            count = Trials(len(held), len(held) + 1, number, number)
            required = "content that validates against the schema, in every reply"
            finding = Finding(
                "", required, f"{count}: {said.misfit}", "$.choices[0].message.content"
            )
            raise Broken([Sighting(finding, exchange)], trials=count)
        held.append(said)
    if not held:
        raise first or Inconclusive("no answer came to its natural end")
    chat.memory["trials"] = Trials(len(held), len(held), len(held), number)
    return held


@requirement("CC-STRUCT-003")
def test_a_strict_schema_is_followed_in_every_answer(chat: Chat) -> None:
    fitting(chat, three_formed(chat))


@requirement("CC-STRUCT-004")
def test_a_schema_is_obeyed_or_refused_not_ignored(chat: Chat) -> None:
    required = "content that validates against the schema, or status 400"
    first = not_5xx(formed(chat), required)
    if is_refusal(first):
        clean = first.status in (400, 422) or refuses(first, NAMES["json_schema"])
        require(clean, required, status_line(first), on=first)
        return
    success(first)
    calls = three_formed(chat)
    looked: list[Answer] = []

    def trial(number: int) -> bool | None:
        try:
            said = answer(chat, calls[number]())
        except Unjudged:
            return None
        if not said.counts:
            return None
        looked.append(said)
        return said.misfit is None

    chat.memory["trials"] = trials(
        trial,
        required=required,
        seen=lambda: str(looked[-1].misfit),
        on=lambda: looked[-1].exchange,
    )


@requirement("CC-STRUCT-005")
def test_a_schema_has_a_name_in_the_right_form(chat: Chat) -> None:
    refused_as("CC-STRUCT-005", chat, "a json_schema without a good name")


@requirement("CC-STRUCT-007")
def test_json_that_the_bound_cut_ends_with_length(chat: Chat) -> None:
    try:
        fitting(chat, [lambda: formed(chat)])
    except Broken as broken:
        raise Blocked("CC-STRUCT-003", str(broken), broken.sightings[0].exchange) from None
    looked: list[Answer] = []

    def trial(number: int) -> bool | None:
        exchange = within_bound(formed(chat, max_tokens=FEW, sample=number))
        looked.append(answer(chat, exchange))
        said = looked[-1]
        if said.reason == "length":
            return True
        return False if said.counts and said.text.strip() and not _parses(said.text) else None

    chat.memory["trials"] = trials(
        trial,
        needed=1,
        of=2,
        required="finish_reason 'length' where the bound cut the JSON",
        seen=lambda: f"finish_reason {looked[-1].reason!r} beside {shorten(looked[-1].text)}",
        on=lambda: looked[-1].exchange,
    )


@requirement("CC-STRUCT-008")
def test_a_stream_joins_to_content_that_fits_the_schema(chat: Chat) -> None:
    calls = streamed_formed(chat)
    looked: list[Answer] = []
    reasons: list[Unjudged] = []

    def trial(number: int) -> bool | None:
        try:
            said = answer(chat, taken(calls[number](), "json_schema"))
        except Unjudged as reason:
            reasons.append(reason)
            return None
        if not said.counts:
            return None
        looked.append(said)
        return said.misfit is None

    try:
        chat.memory["trials"] = trials(
            trial,
            needed=1,
            of=2,
            required="content that validates against the schema, joined from the stream",
            seen=lambda: str(looked[-1].misfit),
            on=lambda: looked[-1].exchange,
        )
    except Inconclusive:
        raise reasons[0] if len(reasons) == 2 else Inconclusive(TOO_FEW) from None


@requirement("CC-STRUCT-010")
def test_what_an_sdk_sends_for_a_model_class_is_accepted(chat: Chat) -> None:
    plainly = formed(chat)
    taken(plainly, "json_schema")
    accepted(as_sdks_send_it(chat), what="the json_schema that an SDK sends")
