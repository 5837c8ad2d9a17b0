"""Request validation, per parameter: what is accepted takes effect, what is wrong is refused
(CC-REQ)."""

import json
from collections.abc import Mapping
from typing import Any

from .asking import prompts
from .asking.battery import NULLABLE, TIGHT, TOGETHER, all_null, with_value
from .asking.invalid import INVALID, invalid, no_numbers, replayed, unknown_parameter
from .asking.parameters import refused_as, takes
from .chat import OMIT, ROOMY, Chat
from .expect import each, judge, require
from .guards import (
    BOUNDS,
    UNFINISHED,
    accepted,
    answered,
    body_text,
    broken,
    finish_reason,
    is_refusal,
    not_5xx,
    refused,
    refuses,
    status_line,
    text,
    usage,
)
from .outcomes import Blocked, Inconclusive, Sighting, Unsupported
from .protocol.errors import names, read_error
from .protocol.finding import Finding
from .protocol.jsontext import read_document
from .requirements import requirement
from .wire.exchange import Exchange

NEUTRAL = {name: value for name, value in TOGETHER[1].items() if name != "temperature"}
"""CC-REQ-018: values that ask for nothing."""

PLAIN_VALUES: Mapping[str, Any] = {
    "temperature": 1,
    "top_p": 1,
    "n": 1,
    "stop": "\u2603",
    "stream": False,
    "max_tokens": 16,
    "max_completion_tokens": 16,
    "presence_penalty": 0,
    "frequency_penalty": 0,
    "logprobs": True,
    "top_logprobs": 1,
    "stream_options": {"include_usage": True},
    "seed": 1,
}
"""A parameter in its plain form: refused here too, it is UNSUPPORTED, not un-nullable."""

COMPANIONS: Mapping[str, Mapping[str, Any]] = {
    "top_logprobs": {"logprobs": True},
    "stream_options": {"stream": True},
}
"""Parameters that others have no meaning without."""


@requirement("CC-REQ-015")
def test_null_equals_omission(chat: Chat) -> None:
    everything = all_null(chat)
    if everything.status == 200:
        return
    not_5xx(everything, "status 200 for all nullable parameters as null")
    absent: list[Exchange] = []

    def look(name: str) -> list[Sighting]:
        exchange = chat.ask(**{name: None})
        names = (name, *COMPANIONS.get(name, {}))
        if is_refusal(exchange) and refuses(plainly(chat, name), names):
            absent.append(exchange)
            return []
        accepted(exchange, what=f"{name}: null")
        return []

    judge(each(NULLABLE, look))
    if absent:
        raise Unsupported(f"refused in their plain form too: {status_line(absent[0])}", absent[0])
    broken("status 200 for all nullable parameters as null", status_line(everything), everything)


def plainly(chat: Chat, name: str) -> Exchange:
    """A call with `name` in its plain form, so that a model without it refuses it."""
    unbounded = {"max_tokens": OMIT} if name in BOUNDS else {}
    body = chat.body(**unbounded, **COMPANIONS.get(name, {}))
    return chat.post({**body, name: PLAIN_VALUES[name]})


@requirement("CC-REQ-017")
def test_an_unknown_parameter_is_treated_alike_in_both_modes(chat: Chat) -> None:
    required = "status 200 or 400 for an unknown parameter"
    plain = not_5xx(unknown_parameter(chat), required)
    require(plain.status in (200, 400, 422), required, status_line(plain), on=plain)
    if chat.has("stream"):
        required = f"status {plain.status}, as without stream"
        streamed = not_5xx(unknown_parameter(chat, stream=True), required)
        require(streamed.status == plain.status, required, status_line(streamed), on=streamed)


@requirement("CC-REQ-018")
def test_neutral_values_never_fail_a_request(chat: Chat) -> None:
    def look(row: tuple[str, Any]) -> list[Sighting]:
        accepted(with_value(chat, *row), what=f"{row[0]}: {json.dumps(row[1])}")
        return []

    judge(each(NEUTRAL.items(), look))


@requirement("CC-REQ-019")
def test_stream_of_a_wrong_type_is_refused(chat: Chat) -> None:
    refused_as("CC-REQ-019", chat, "stream as a string")


@requirement("CC-REQ-020")
def test_temperature_from_0_to_1_is_accepted(chat: Chat) -> None:
    for value, exchange in _temperatures(chat).items():
        fixed = ("temperature",) if _is_fixed(chat) else ()
        accepted(exchange, optional=fixed, what=f"temperature {value}")


def _temperatures(chat: Chat) -> dict[float, Exchange]:
    return {value: with_value(chat, "temperature", value) for value in (0, 0.7, 1)}


def _is_fixed(chat: Chat) -> bool:
    """Whether the model fixes the temperature: it accepts at most one of the values."""
    return sum(exchange.status == 200 for exchange in _temperatures(chat).values()) <= 1


@requirement("CC-REQ-021")
def test_a_temperature_out_of_range_is_refused(chat: Chat) -> None:
    refused_as("CC-REQ-021", chat, "a temperature out of range or of a wrong type", named="param")


@requirement("CC-REQ-022")
def test_top_p_lies_between_0_and_1(chat: Chat) -> None:
    takes(chat, "top_p", (0, 1), other=0.5)
    refused_as("CC-REQ-022", chat, "top_p above 1", named="param")


@requirement("CC-REQ-023")
def test_max_tokens_is_an_integer_from_1(chat: Chat) -> None:
    refused_as("CC-REQ-023", chat, "max_tokens that is no integer from 1")


@requirement("CC-REQ-024")
def test_both_output_bounds_are_obeyed(chat: Chat) -> None:
    unsupported: list[Exchange] = []
    short: list[Exchange] = []
    for name in BOUNDS:
        bound = TIGHT
        exchange = _bounded(chat, name, bound)
        if name == "max_tokens" and refuses(exchange, (name,)):
            unsupported.append(exchange)
            continue
        if UNFINISHED in exchange.body:
            bound = ROOMY  # TIGHT leaves the model no room to think
            exchange = _bounded(chat, name, bound)
        accepted(exchange, what=f"{name}: {bound}")
        if not _stays_within(chat, exchange, name, bound):
            short.append(exchange)
    if unsupported:
        raise Unsupported("max_tokens is refused by name", unsupported[0])
    if short:
        raise Inconclusive("the answer is too short to reach the bound", short[0])


def _bounded(chat: Chat, name: str, bound: int) -> Exchange:
    """A call for a long answer under the bound `name` as it is spelled."""
    return chat.post({**chat.body(prompts.COUNT, max_tokens=OMIT), name: bound})


def _stays_within(chat: Chat, exchange: Exchange, name: str, bound: int) -> bool:
    """False where the answer is so short that no bound could show; a longer one keeps to it."""
    counted = usage(exchange)
    if counted is not None:
        require(
            counted["completion_tokens"] <= bound + 1,
            f"at most {bound} completion_tokens (one more for the stop token) under {name}",
            counted["completion_tokens"],
            at="$.usage.completion_tokens",
            on=exchange,
        )
        return counted["completion_tokens"] >= bound - 1 or finish_reason(exchange) == "length"
    control, said = text(chat.ask(prompts.COUNT, max_tokens=10 * bound)), text(exchange)
    if len(control) < 10 * bound:  # not even a character for each token of its own bound
        return False
    require(
        len(said) < len(control) / 2,
        f"a text clearly shorter than without {name}",
        f"{len(said)} of {len(control)} characters",
        on=exchange,
    )
    return True


@requirement("CC-REQ-026")
def test_n_below_1_is_refused(chat: Chat) -> None:
    refused_as("CC-REQ-026", chat, "n below 1")


@requirement("CC-REQ-027")
def test_stop_holds_one_to_four_strings(chat: Chat) -> None:
    takes(chat, "stop", (TOGETHER[0]["stop"], TOGETHER[3]["stop"]))
    refused_as("CC-REQ-027", chat, "five stop sequences")


@requirement("CC-REQ-028")
def test_penalties_lie_between_minus_2_and_2(chat: Chat) -> None:
    takes(chat, "presence_penalty", (-2, 0, 2), other=0.5)
    takes(chat, "frequency_penalty", (-2, 0, 2), other=0.5)
    refused_as("CC-REQ-028", chat, "a presence_penalty above 2", named="anywhere")


@requirement("CC-REQ-030")
def test_logprobs_of_a_wrong_type_is_refused(chat: Chat) -> None:
    refused_as("CC-REQ-030", chat, "logprobs that is no boolean")


@requirement("CC-REQ-032")
def test_seed_is_an_integer(chat: Chat) -> None:
    takes(chat, "seed", (-1, 2**53 - 1))
    refused_as("CC-REQ-032", chat, "a seed that is no integer")


@requirement("CC-REQ-033")
def test_user_and_its_successors_are_accepted(chat: Chat) -> None:
    accepted(with_value(chat, "user", "x"), what="user")
    for name in ("safety_identifier", "prompt_cache_key"):
        exchange = with_value(chat, name, "x")
        if not refuses(exchange, (name,)):
            accepted(exchange, what=name)


@requirement("CC-REQ-036")
def test_an_unknown_response_format_is_refused(chat: Chat) -> None:
    takes(chat, "response_format", ({"type": "text"},))
    refused_as("CC-REQ-036", chat, "response_format of unknown type")


@requirement("CC-REQ-040")
def test_stream_options_are_accepted_with_stream(chat: Chat) -> None:
    plain = answered(chat.stream())
    if plain.status != 200:
        raise Blocked("CC-SSE-001", status_line(plain), plain)
    accepted(
        chat.stream(stream_options={"include_usage": True}),
        optional=("stream_options", "include_usage"),
        what="stream_options with stream: true",
    )
    exchange = chat.stream(stream_options={"include_usage": "yes"})
    refused(exchange, what="include_usage as a string")


@requirement("CC-REQ-043")
def test_an_invalid_request_is_refused_with_stream_too(chat: Chat) -> None:
    if not chat.has("stream"):
        raise Unsupported(f"stream: {chat.capability('stream').because}")
    cases = replayed(chat)
    if not cases:
        raise Inconclusive("no invalid request is refused without stream")

    def look(case: tuple[Exchange, Exchange]) -> list[Sighting]:
        plain, exchange = case
        required = "the 4xx that the same request gets without stream"
        status = not_5xx(exchange, required).status or 0
        if not 400 <= status < 500:
            return [Sighting(Finding("", required, status_line(exchange)), exchange)]
        if read_error(plain.body) is not None and not read_document(exchange.body).is_object:
            return [Sighting(Finding("", "a JSON body", body_text(exchange)), exchange)]
        if status != plain.status:
            required = f"status {plain.status}, as without stream"
            return [Sighting(Finding("", required, status_line(exchange), mild=True), exchange)]
        return []

    judge(each(cases, look))


@requirement("CC-REQ-044")
def test_numbers_that_json_lacks_are_refused(chat: Chat) -> None:
    for literal, exchange in no_numbers(chat).items():
        refused(exchange, what=f"temperature {literal}")


@requirement("CC-REQ-045")
def test_a_refusal_names_the_culprit(chat: Chat) -> None:
    found: list[Sighting] = []
    refusals = 0
    for what, row in INVALID.items():
        exchange = invalid(chat, what)
        if not is_refusal(exchange):
            continue
        refusals += 1
        if read_error(exchange.body) is not None and not names(exchange.body, *row.names):
            required = f"param or message names {' or '.join(row.names)}"
            found.append(Sighting(Finding("", required, status_line(exchange), what), exchange))
    if not refusals:
        raise Inconclusive("no invalid request is refused")
    judge(found)


@requirement("CC-REQ-050")
def test_temperature_up_to_2_is_accepted(chat: Chat) -> None:
    fixed = ("temperature",) if _is_fixed(chat) else ()
    highest = with_value(chat, "temperature", 2)
    if highest.status != 200:
        accepted(chat.ask(temperature=1.5), optional=fixed, what="temperature 1.5")
    accepted(highest, optional=fixed, what="temperature 2")
