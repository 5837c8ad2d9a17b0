"""Dialects of tool choice, of calls as history and of arguments: right servers, and right models
that are free to do otherwise, blamed for nothing."""

import json
from typing import Any

import pytest

from conformance.reference import text
from conformance.reference.call import Call, Reply, refusal
from conformance.reference.faults.edits import (
    asked,
    bad_parameter,
    choice,
    completion,
    given,
    message,
    messages,
    prompted,
    setting,
    without,
)
from conformance.reference.models import served
from conformance.reference.routes import Site, respond

from .dialect import (
    THINKER,
    dialect,
    test_a_right_server_is_blamed_for_nothing,  # noqa: F401 - pytest collects it here
)

pytestmark = pytest.mark.slow

SITE = Site(served())

CHOICE = ("CC-TOOL-018", "CC-TOOL-019", "CC-TOOL-020", "CC-TOOL-021", "CC-TOOL-031")
HISTORY = ("CC-TOOL-023", "CC-TOOL-024", "CC-TOOL-025", "CC-TOOL-026")
ARGUMENTS = ("CC-TOOL-027", "CC-TOOL-028", "CC-TOOL-029")
OFFERS = ("CC-REQ-037", "CC-REQ-038", "CC-REQ-039", "CC-REQ-042", "CC-REQ-045")
ALL = (*CHOICE, *HISTORY, *ARGUMENTS, *OFFERS, "CC-FIN-007")

Object = dict[str, Any]


def says(call: Call, words: str) -> Reply:
    """The reply of a model that answers `call` in words, and calls nothing."""
    prompt = f"Repeat the following text exactly, and nothing else:\n\n{words}"
    bare = without(call, "tools", "tool_choice", "parallel_tool_calls")
    told = respond(given(bare, messages=[{"role": "user", "content": prompt}]), SITE)
    counted = text.prompt_tokens(messages(call), asked(call, "tools"))

    def count(body: Object) -> None:
        usage = body["usage"]
        usage.update(prompt_tokens=counted, total_tokens=counted + usage["completion_tokens"])

    return completion(told, count)


def _forces(call: Call) -> bool:
    return asked(call, "tool_choice") not in (None, "auto", "none") and bool(asked(call, "tools"))


def _answers_a_result(call: Call) -> bool:
    """Whether a valid call ends with a tool's result."""
    ends = [one.get("role") for one in messages(call)[-1:]] == ["tool"]
    return ends and respond(call, SITE).ok


# Choice.


@dialect(seam="reply", only=ALL)
def ends_with_stop_where_it_was_forced(reply: Reply, call: Call) -> Reply:
    """Ends a forced call with `stop`, as upstream has."""
    return choice(reply, setting(finish_reason="stop")) if _forces(call) else reply


@dialect(seam="request", only=ALL)
def refuses_every_choice_by_name(call: Call) -> Call | Reply:
    """Lets the model choose, and says so where somebody else would."""
    return bad_parameter("tool_choice") if asked(call, "tool_choice") else call


@dialect(seam="request", only=ALL)
def refuses_every_choice_in_words(call: Call) -> Call | Reply:
    """Lets the model choose alone, and says so in a sentence, with no `param`."""
    forced = asked(call, "tool_choice")
    return refusal(400, "Tool choice is up to the model here.") if forced else call


@dialect(seam="request", only=ALL)
def calls_as_often_as_it_likes(call: Call) -> Call | Reply:
    """Refuses `parallel_tool_calls` by name."""
    given_one = asked(call, "parallel_tool_calls") is not None
    return bad_parameter("parallel_tool_calls") if given_one else call


@dialect(
    seam="request",
    only=ALL,
    undecided=("CC-TOOL-019", "CC-TOOL-020", "CC-TOOL-021", "CC-TOOL-027", "CC-TOOL-028"),
)
def thinks_too_long_to_call(call: Call) -> Call | Reply:
    """Spends every bound on thought before it calls anything."""
    if not asked(call, "tools") or asked(call, "tool_choice") == "none":
        return call
    reply = respond(call, SITE)

    def think(one: Object) -> None:
        if one["message"].pop("tool_calls", None):
            one.update(finish_reason="length")

    return choice(reply, think) if reply.events is None else call


@dialect(seam="reply", only=ALL)
def mentions_calls_that_it_does_not_make(reply: Reply, call: Call) -> Reply:
    """Writes `tool_calls: null` and `function_call: null` into every message without calls."""

    def mention(said: Object) -> None:
        said.setdefault("tool_calls", None)
        said["function_call"] = None

    return message(reply, mention)


@dialect(seam="reply", only=ALL)
def chats_beside_its_calls(reply: Reply, call: Call) -> Reply:
    """Says what it does beside every call."""
    made = asked(call, "tools")
    return (
        message(reply, lambda m: m.update(content=m["content"] or "One moment.")) if made else reply
    )


@dialect(seam="request", only=ALL, model=THINKER)
def thinks_before_it_chooses(call: Call) -> Call | Reply:
    """Thinks before every call and every answer."""
    return call


@dialect(
    seam="request",
    only=(*CHOICE, "CC-TOOL-023", *ARGUMENTS, "CC-REQ-037"),
    undecided=(*CHOICE, "CC-TOOL-023", "CC-TOOL-027", "CC-TOOL-028", "CC-REQ-037"),
)
def has_no_word_for_tools(call: Call) -> Call | Reply:
    """Refuses every call with tools, without naming them (CC-REQ-045's business)."""
    return refusal(400, "Invalid request.") if asked(call, "tools") else call


# History.


@dialect(seam="request", only=ALL)
def forgets_what_the_tool_said(call: Call) -> Call | Reply:
    """Answers every result in words of its own."""
    return says(call, "I found it.") if _answers_a_result(call) else call


@dialect(seam="request", only=HISTORY, undecided=("CC-TOOL-023",))
def forgets_it_and_counts_nothing(call: Call) -> Call | Reply:
    """Answers every result in words of its own, and sends no usage."""
    reply = says(call, "I found it.") if _answers_a_result(call) else respond(call, SITE)
    return completion(reply, lambda body: body.pop("usage"))


@dialect(seam="request", only=HISTORY)
def calls_again_after_every_result(call: Call) -> Call | Reply:
    """Calls the tool again, whatever it has answered."""
    return given(call, tool_choice="required") if _answers_a_result(call) else call


@dialect(seam="request", only=ALL)
def takes_no_empty_lists(call: Call) -> Call | Reply:
    """Refuses `tools: []`, and `tool_calls: []` in history, as upstream does."""
    lists = {f"messages[{i}].tool_calls": m.get("tool_calls") for i, m in enumerate(messages(call))}
    lists["tools"] = asked(call, "tools")
    for at, value in lists.items():
        if value == []:
            why = f"Invalid '{at}': empty array. Expected at least 1 item(s)."
            return refusal(400, why, param=at, code="empty_array")
    return call


# Arguments.


@dialect(seam="reply", only=ALL)
def escapes_its_arguments(reply: Reply, call: Call) -> Reply:
    """Spells arguments in ASCII, with escapes for all else, and indents them."""

    def spell(said: Object) -> None:
        for one in said.get("tool_calls") or ():
            try:
                value = json.loads(one["function"]["arguments"])
            except ValueError:
                continue  # cut by the bound
            one["function"]["arguments"] = json.dumps(value, indent=1)

    return message(reply, spell)


@dialect(seam="reply", only=ARGUMENTS, undecided=("CC-TOOL-027",))
def notes_in_its_own_words(reply: Reply, call: Call) -> Reply:
    """Keeps a note of what was meant, not of what was said."""

    def note(said: Object) -> None:
        for one in said.get("tool_calls") or ():
            one["function"]["arguments"] = '{"note": "Mittagessen um zwölf"}'

    return message(reply, note) if prompted(call, "Keep a note") else reply


@dialect(seam="reply", only=ARGUMENTS, undecided=("CC-TOOL-027",))
def has_no_emoji(reply: Reply, call: Call) -> Reply:
    """Knows no emoji: it leaves them out, in text and in arguments."""

    def plain(said: Object) -> None:
        said["content"] = _bmp(said["content"]) if said["content"] else said["content"]
        for one in said.get("tool_calls") or ():
            one["function"]["arguments"] = _bmp(one["function"]["arguments"])

    return message(reply, plain)


def _bmp(words: str) -> str:
    return "".join(c for c in words if ord(c) < 0x10000)


@dialect(seam="request", only=ALL)
def knows_nothing_strict(call: Call) -> Call | Reply:
    """Refuses `strict` by name."""
    listed = asked(call, "tools") or []
    strict = any("strict" in tool.get("function", {}) for tool in listed)
    return bad_parameter("tools[0].function.strict") if strict else call


@dialect(seam="request", only=ARGUMENTS, undecided=("CC-TOOL-028",))
def calls_nothing_of_its_own(call: Call) -> Call | Reply:
    """Calls a tool only where it is forced."""
    if not asked(call, "tools") or _forces(call):
        return call
    return given(call, tool_choice="none")


# Custom tools, and functions as they were before tools.


@dialect(seam="request", only=ALL)
def offers_custom_tools(call: Call) -> Call | Reply:
    """Calls a custom tool with an input."""
    custom = [one["custom"] for one in asked(call, "tools") or () if "custom" in one]
    if not custom:
        return call

    def spell(said: Object) -> None:
        made = {"name": custom[0]["name"], "input": "Hello."}
        said.update(tool_calls=[{"id": "call_1", "type": "custom", "custom": made}], content=None)

    reply = message(says(call, "Hello."), spell)
    return choice(reply, setting(finish_reason="tool_calls"))


@dialect(seam="request", only=ALL)
def still_calls_functions(call: Call) -> Call | Reply:
    """Honours `functions` and `function_call`, as they were before tools."""
    functions = asked(call, "functions")
    if not functions:
        return call
    made = {"name": functions[0]["name"], "arguments": '{"location": "Paris"}'}
    bare = without(call, "functions", "function_call")
    return message(says(bare, "Hello."), setting(function_call=made, content=None))


@dialect(seam="request", only=ALL, warns=("CC-REQ-042",))
def has_forgotten_functions(call: Call) -> Call | Reply:
    """Ignores `functions`, as it ignores everything that it does not know."""
    return without(call, "functions", "function_call") if asked(call, "functions") else call


@dialect(seam="request", only=ALL)
def refuses_what_is_custom_in_its_own_words(call: Call) -> Call | Reply:
    """Refuses custom tools and functions as one that knows neither, without naming them."""
    custom = any("custom" in one for one in asked(call, "tools") or ())
    strange = custom or asked(call, "functions")
    return refusal(400, "Some of this is not known here.") if strange else call
