"""Request validation, per parameter: what is accepted takes effect, what is wrong is refused
(CC-REQ)."""

import json
import re
import uuid
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from . import prompts
from .battery import (
    INVALID,
    NULLABLE,
    TOGETHER,
    USER,
    all_null,
    invalid,
    invalid_by_rule,
    with_value,
)
from .chat import OMIT, Chat, encode
from .expect import each, judge, require, trials
from .guards import (
    accepted,
    answered,
    broken,
    error_object,
    message,
    refused,
    refuses,
    status_line,
    text,
    usage,
)
from .outcomes import Blocked, Inconclusive, Sighting, Unjudged, Unsupported
from .protocol.errors import names, read_error
from .protocol.finding import Finding, shorten
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
    "logprobs": False,
    "seed": 1,
}
"""A parameter in its plain form: refused here too, it is UNSUPPORTED, not un-nullable."""


Named = Literal["", "param", "anywhere"]


def refused_as(rule: str, chat: Chat, what: str, *, named: Named = "") -> None:
    """Every standing request that breaks `rule` is refused with 400 (422: CC-ERR-012).

    `named`: where the clause itself wants the parameter named: as `param`, or `anywhere`.
    """

    def look(row: tuple[str, Exchange]) -> list[Sighting]:
        name, exchange = row
        refused(exchange, what=f"{what} ({name})", statuses=(400, 422))
        words, error = INVALID[name].names, read_error(exchange.body)
        told = (
            names(exchange.body, *words) if named == "anywhere" else error and error.param in words
        )
        if not named or error is None or told:
            return []
        required = f"{'param' if named == 'param' else 'param or message'} names {words[0]}"
        return [Sighting(Finding("", required, status_line(exchange), name), exchange)]

    judge(each(invalid_by_rule(chat, rule).items(), look))


def takes(chat: Chat, parameter: str, values: Iterable[Any]) -> None:
    """Every one of `values` is accepted; a parameter refused with all of them is UNSUPPORTED."""
    exchanges = [(value, with_value(chat, parameter, value)) for value in values]
    good = [e for _, e in exchanges if e.status == 200]
    for value, exchange in exchanges:
        optional = () if good else (parameter,)
        accepted(exchange, optional=optional, what=f"{parameter} {shorten(value)}")


@requirement("CC-REQ-001")
def test_a_body_without_messages_is_refused(chat: Chat) -> None:
    exchange = refused(invalid(chat, "messages left out"), what="a body without messages")
    _is_400(exchange, "a body without messages")


def _is_400(exchange: Exchange, what: str) -> None:
    """400, or 422 which is CC-ERR-012's warning; with an error object."""
    refused(exchange, what=what, statuses=(400, 422))
    error_object(exchange)


@requirement("CC-REQ-002")
def test_empty_messages_are_refused(chat: Chat) -> None:
    refused_as("CC-REQ-002", chat, "empty messages")


@requirement("CC-REQ-003")
def test_messages_of_another_type_are_refused(chat: Chat) -> None:
    refused_as("CC-REQ-003", chat, "messages of another type")


@requirement("CC-REQ-004")
def test_system_user_and_assistant_are_accepted(chat: Chat) -> None:
    history = [
        {"role": "user", "content": "Hi."},
        {"role": "assistant", "content": "Hello."},
        USER,
    ]
    system = {"role": "system", "content": "You are brief."}
    exchange = chat.ask(messages=[system, *history])
    if 400 <= (exchange.status or 0) < 500:
        without = chat.ask(messages=history)
        told = exchange.body.decode("utf-8", "replace")
        if without.status == 200 and re.search(r"role|system", told, re.IGNORECASE):
            raise Unsupported(f"the model has no system role: {status_line(exchange)}", exchange)
    accepted(exchange, what="the roles system, user and assistant")


@requirement("CC-REQ-005")
def test_the_role_developer_is_accepted(chat: Chat) -> None:
    developer = {"role": "developer", "content": "You are brief."}
    accepted(chat.ask(messages=[developer, USER]), what="the role developer")


@requirement("CC-REQ-006")
def test_a_missing_or_unknown_role_is_refused(chat: Chat) -> None:
    refused_as("CC-REQ-006", chat, "a message without a known role")


@requirement("CC-REQ-007")
def test_content_may_be_a_string_or_text_parts(chat: Chat) -> None:
    plain = accepted(chat.ask(), what="content as a string")
    parts = [{"role": "user", "content": [{"type": "text", "text": prompts.HELLO}]}]
    exchange = accepted(chat.ask(messages=parts), what="content as an array of text parts")
    one, other = usage(plain), usage(exchange)
    if one is None or other is None:
        return
    apart = abs(one["prompt_tokens"] - other["prompt_tokens"])
    require(
        apart <= 8,
        "prompt_tokens of both spellings differ by at most 8",
        f"{one['prompt_tokens']} and {other['prompt_tokens']}",
        at="$.usage.prompt_tokens",
        on=exchange,
    )


@requirement("CC-REQ-008")
def test_text_parts_reach_the_model_in_every_role(chat: Chat) -> None:
    first, second = nonce(), nonce()
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": [{"type": "text", "text": prompts.say_word(first)}]},
        USER,
        {"role": "assistant", "content": [{"type": "text", "text": prompts.say_word(second)}]},
        {"role": "user", "content": prompts.ASK_TWO_WORDS},
    ]
    _both_return(chat, messages, (first, second), "the text parts of system and assistant messages")


def _as_strings(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same messages, text parts joined to strings."""

    def joined(content: Any) -> Any:
        return content if isinstance(content, str) else "".join(p["text"] for p in content)

    return [{**turn, "content": joined(turn["content"])} for turn in messages]


def _both_return(
    chat: Chat, messages: list[dict[str, Any]], words: tuple[str, str], where: str
) -> None:
    """Both code words come back, in order, in 2 of 3 trials."""
    if not control_returns(chat):
        raise Inconclusive("the model does not return a code word from the last message either")
    looked: list[Exchange] = []

    def trial(number: int) -> bool | None:
        exchange = chat.ask(messages=messages, sample=number)
        if exchange.status != 200 and chat.ask(messages=_as_strings(messages)).status != 200:
            raise Blocked("CC-REQ-004", status_line(exchange), exchange)
        looked.append(accepted(exchange, what=where))
        said = text(exchange)
        return all(word in said for word in words) and said.index(words[0]) < said.index(words[1])

    chat.memory["trials"] = trials(
        trial,
        required=f"the code words in {where} come back in order",
        seen=lambda: shorten(text(looked[-1])),
        on=lambda: looked[-1],
    )


def nonce() -> str:
    """A word that no model says by itself."""
    return f"ZQ{uuid.uuid4().hex[:6].upper()}"


def control_returns(chat: Chat) -> bool:
    """Whether the model returns a code word that the last message gives it, 3 of 3 times."""
    if "control" not in chat.memory:
        word = nonce()
        asked = f"{prompts.say_word(word)} {prompts.ASK_WORD}"
        found = []
        for number in range(3):
            exchange = chat.ask(asked, sample=number)
            found.append(exchange.status == 200 and word in _text_or_empty(exchange))
            if not found[-1]:
                break
        chat.memory["control"] = all(found)
        chat.memory["control exchange"] = exchange
    return bool(chat.memory["control"])


def _text_or_empty(exchange: Exchange) -> str:
    try:
        return text(exchange)
    except Unjudged:
        return ""


@requirement("CC-REQ-009")
def test_several_text_parts_are_used_in_order(chat: Chat) -> None:
    first, second = nonce(), nonce()
    content = [
        {"type": "text", "text": f"{prompts.say_word(first)} "},
        {"type": "text", "text": f"{prompts.say_word(second)} {prompts.ASK_TWO_WORDS}"},
    ]
    messages = [{"role": "user", "content": content}]
    _both_return(chat, messages, (first, second), "two text parts of one message")


@requirement("CC-REQ-010")
def test_a_part_of_unknown_type_is_refused(chat: Chat) -> None:
    refused_as("CC-REQ-010", chat, "a content part of unknown type")


@requirement("CC-REQ-011")
def test_a_message_with_tool_calls_may_lack_content(chat: Chat) -> None:
    call = {
        "id": "call_1",
        "type": "function",
        "function": {"name": "get_weather", "arguments": '{"location": "Paris"}'},
    }
    result = {"role": "tool", "tool_call_id": "call_1", "content": "18 °C, sunny"}
    spellings: Mapping[str, Any] = {"null": None, "empty": "", "left out": OMIT}
    turns: dict[str, list[dict[str, Any]]] = {}
    for name, content in spellings.items():
        said = {"role": "assistant", "content": content, "tool_calls": [call]}
        turn = {key: value for key, value in said.items() if value is not OMIT}
        turns[name] = [USER, turn, result]
    tools = [prompts.WEATHER_TOOL]
    together = chat.ask(messages=[m for turn in turns.values() for m in turn], tools=tools)
    if together.status == 200:
        return
    for name, turn_of in turns.items():
        exchange = chat.ask(messages=turn_of, tools=tools)
        accepted(exchange, what=f"an assistant message with tool_calls and content {name}")
    accepted(together, what="assistant messages with tool_calls and no content")


@requirement("CC-REQ-012")
def test_null_content_of_a_user_message_is_refused(chat: Chat) -> None:
    refused_as("CC-REQ-012", chat, "a user message with content null")


@requirement("CC-REQ-014")
def test_the_servers_own_message_is_accepted_as_history(chat: Chat) -> None:
    said = message(chat.ask())
    again = {"role": "user", "content": prompts.HELLO}
    exchange = answered(chat.ask(messages=[USER, said, again]))
    specified = {
        key: value
        for key, value in said.items()
        if key
        in ("role", "content", "refusal", "annotations", "audio", "function_call", "tool_calls")
    }
    if exchange.status != 200 and specified != said:
        exchange = chat.ask(messages=[USER, specified, again])
    accepted(exchange, what="the message that the server itself returned")


@requirement("CC-REQ-015")
def test_null_equals_omission(chat: Chat) -> None:
    everything = all_null(chat)
    if everything.status == 200:
        return
    answered(everything)

    def look(exchange: Exchange) -> list[Sighting]:
        name = next(iter(set(_sent(exchange)) - {"model", "messages", chat.bound_name} or {""}))
        plain = chat.ask(**{name: PLAIN_VALUES[name]}) if name in PLAIN_VALUES else None
        if plain is not None and refuses(plain, (name,)):
            return []
        accepted(exchange, what=f"{name}: null")
        return []

    culprits = [name for name in NULLABLE if name not in ("max_tokens", "max_completion_tokens")]
    singles = [chat.ask(**{name: None}) for name in culprits]
    bounds = [chat.ask(**{name: None}) for name in ("max_tokens", "max_completion_tokens")]
    judge(each(singles, look))
    for exchange in bounds:
        accepted(exchange, what="an output bound of null")
    broken("status 200 for all nullable parameters as null", status_line(everything), everything)


def _sent(exchange: Exchange) -> dict[str, Any]:
    value = json.loads(exchange.request.body or b"{}")
    return value if isinstance(value, dict) else {}


@requirement("CC-REQ-017")
def test_an_unknown_parameter_is_treated_alike_in_both_modes(chat: Chat) -> None:
    plain = answered(chat.ask(x_unknown=1))
    require(
        plain.status in (200, 400),
        "status 200 or 400 for an unknown parameter",
        status_line(plain),
        on=plain,
    )
    if chat.has("stream"):
        streamed = answered(chat.stream(x_unknown=1))
        require(
            streamed.status == plain.status,
            f"status {plain.status}, as without stream",
            status_line(streamed),
            on=streamed,
        )


@requirement("CC-REQ-018")
def test_neutral_values_never_fail_a_request(chat: Chat) -> None:
    for name, value in NEUTRAL.items():
        exchange = with_value(chat, name, value)
        accepted(exchange, what=f"{name}: {json.dumps(value)}")


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
    takes(chat, "top_p", (0, 1))
    refused_as("CC-REQ-022", chat, "top_p above 1", named="param")


@requirement("CC-REQ-023")
def test_max_tokens_is_an_integer_from_1(chat: Chat) -> None:
    refused_as("CC-REQ-023", chat, "max_tokens that is no integer from 1")


@requirement("CC-REQ-024")
def test_both_output_bounds_are_obeyed(chat: Chat) -> None:
    unsupported: list[Exchange] = []
    for name in ("max_tokens", "max_completion_tokens"):
        exchange = answered(chat.ask(prompts.COUNT, **{"max_tokens": OMIT, name: 16}))
        if name == "max_tokens" and refuses(exchange, (name,)):
            unsupported.append(exchange)
            continue
        if b"Could not finish the message" in exchange.body:
            raise Inconclusive("the model needs more than 16 tokens to think", exchange)
        accepted(exchange, what=f"{name}: 16")
        counted = usage(exchange)
        if counted is not None:
            require(
                counted["completion_tokens"] <= 17,
                f"at most 16 completion_tokens (one more for the stop token) under {name}",
                counted["completion_tokens"],
                at="$.usage.completion_tokens",
                on=exchange,
            )
        else:
            control = text(chat.ask(prompts.COUNT, max_tokens=160))
            require(
                len(text(exchange)) < len(control) / 2,
                f"a text clearly shorter than without {name}",
                f"{len(text(exchange))} of {len(control)} characters",
                on=exchange,
            )
    if unsupported:
        raise Unsupported("max_tokens is refused by name", unsupported[0])


@requirement("CC-REQ-026")
def test_n_below_1_is_refused(chat: Chat) -> None:
    refused_as("CC-REQ-026", chat, "n below 1")


@requirement("CC-REQ-027")
def test_stop_holds_one_to_four_strings(chat: Chat) -> None:
    takes(chat, "stop", (TOGETHER[0]["stop"], TOGETHER[3]["stop"]))
    refused_as("CC-REQ-027", chat, "five stop sequences")


@requirement("CC-REQ-028")
def test_penalties_lie_between_minus_2_and_2(chat: Chat) -> None:
    takes(chat, "presence_penalty", (-2, 0, 2))
    takes(chat, "frequency_penalty", (-2, 0, 2))
    refused_as("CC-REQ-028", chat, "a presence_penalty above 2", named="anywhere")


@requirement("CC-REQ-030")
def test_logprobs_of_a_wrong_type_is_refused(chat: Chat) -> None:
    refused_as("CC-REQ-030", chat, "logprobs as a string")


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
    if chat.stream().status != 200:
        raise Blocked("CC-SSE-001", status_line(chat.stream()), chat.stream())
    accepted(
        chat.stream(stream_options={"include_usage": True}),
        optional=("stream_options",),
        what="stream_options with stream: true",
    )
    exchange = chat.stream(stream_options={"include_usage": "yes"})
    refused(exchange, what="include_usage as a string")


@requirement("CC-REQ-043")
def test_an_invalid_request_is_refused_with_stream_too(chat: Chat) -> None:
    cases: list[tuple[Exchange, Exchange]] = []
    for name, row in INVALID.items():
        if not row.replayed:
            continue
        plain = invalid(chat, name)
        if 400 <= (plain.status or 0) < 500:
            body = {**json.loads(row.body(chat)), "stream": True}
            cases.append((plain, chat.post(encode(body))))
    if not cases:
        raise Inconclusive("no invalid request is refused without stream")

    def look(exchange: Exchange) -> list[Sighting]:
        answered(exchange)
        status = exchange.status or 0
        if not 400 <= status < 500:
            required = "the 4xx that the same request gets without stream"
            return [Sighting(Finding("", required, status_line(exchange)), exchange)]
        plain = next(p for p, e in cases if e is exchange)
        if read_error(plain.body) is not None and not read_document(exchange.body).is_object:
            return [Sighting(Finding("", "a JSON body", shorten(exchange.body)), exchange)]
        if status != plain.status:
            required = f"status {plain.status}, as without stream"
            return [Sighting(Finding("", required, status_line(exchange), mild=True), exchange)]
        return []

    judge(each([exchange for _, exchange in cases], look))


@requirement("CC-REQ-044")
def test_numbers_that_json_lacks_are_refused(chat: Chat) -> None:
    for literal in (b"NaN", b"1e999"):
        body = encode(chat.body(temperature=0.125)).replace(b"0.125", literal)
        refused(chat.post(body), what=f"temperature {literal.decode()}")


@requirement("CC-REQ-045")
def test_a_refusal_names_the_culprit(chat: Chat) -> None:
    found: list[Sighting] = []
    refusals = 0
    for what, row in INVALID.items():
        exchange = invalid(chat, what)
        if not 400 <= (exchange.status or 0) < 500:
            continue
        refusals += 1
        if read_error(exchange.body) is not None and not names(exchange.body, *row.names):
            required = f"param or message names {' or '.join(row.names)}"
            found.append(Sighting(Finding("", required, status_line(exchange), what), exchange))
    if not refusals:
        raise Inconclusive("no invalid request is refused")
    judge(found)


@requirement("CC-REQ-046")
def test_roles_may_come_in_any_order(chat: Chat) -> None:
    said = {"role": "assistant", "content": "Hello."}
    system = {"role": "system", "content": "You are brief."}
    histories = {
        "an assistant message first, then two user messages in a row": [said, USER, USER],
        "two assistant messages in a row, a system message in the middle": [
            system,
            USER,
            said,
            said,
            system,
            USER,
        ],
    }
    for what, messages in histories.items():
        accepted(chat.ask(messages=messages), what=what)


@requirement("CC-REQ-049")
def test_all_messages_reach_the_model(chat: Chat) -> None:
    if not control_returns(chat):
        raise Inconclusive(
            "the model does not return a code word from the last message 3 of 3 times",
            chat.memory.get("control exchange"),
        )
    ask = {"role": "user", "content": prompts.ASK_WORD}
    alone = usage(accepted(chat.ask(messages=[ask])))
    doubtful: list[str] = []
    for place in ("user", "assistant", "system"):
        word = nonce()
        told = f"{prompts.FILLER} {prompts.say_word(word)}"
        history = _history(place, told, ask)
        exchange = chat.ask(messages=history)
        if place == "system" and refuses(exchange, ("role", "system")):
            continue  # CC-REQ-004 says so
        said = [word in text(accepted(exchange, what=f"a history with the word in {place}"))]
        said += [word in text(accepted(chat.ask(messages=history, sample=1)))]
        if not all(said):
            said += [word in text(accepted(chat.ask(messages=history, sample=2)))]
        if sum(said) >= 2:
            continue
        counted = usage(exchange)
        grew = (
            None
            if alone is None or counted is None
            else counted["prompt_tokens"] - alone["prompt_tokens"]
        )
        if not any(said) and (grew is None or grew < 30):
            grown = "usage is absent" if grew is None else f"prompt_tokens rose by {grew}"
            broken(
                f"the {place} message reaches the model",
                f"its code word came back in 0 of 3 trials, and {grown}",
                exchange,
            )
        doubtful.append(f"{place}: {sum(said)} of {len(said)}")
    if doubtful:
        raise Inconclusive(f"code words came back too rarely to judge: {', '.join(doubtful)}")


def _history(place: str, told: str, ask: dict[str, Any]) -> list[dict[str, Any]]:
    """A conversation in which only the turn at `place` holds `told`."""
    said = {"role": "assistant", "content": "Hello."}
    match place:
        case "user":
            return [{"role": "user", "content": told}, said, ask]
        case "assistant":
            return [USER, {"role": "assistant", "content": told}, ask]
        case _:
            return [{"role": "system", "content": told}, ask]


@requirement("CC-REQ-050")
def test_temperature_up_to_2_is_accepted(chat: Chat) -> None:
    fixed = ("temperature",) if _is_fixed(chat) else ()
    highest = with_value(chat, "temperature", 2)
    if highest.status != 200:
        accepted(chat.ask(temperature=1.5), optional=fixed, what="temperature 1.5")
    accepted(highest, optional=fixed, what="temperature 2")
