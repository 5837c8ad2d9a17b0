"""Faults of tool choice, of calls and results as history, and of the parameters that offer tools
(CC-TOOL from 018 on, CC-REQ-037 to 039 and 042)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from conformance.reference.call import Call, Reply, refusal
from conformance.reference.faults.edits import (
    asked,
    each_message,
    given,
    message,
    messages,
    without,
)
from conformance.reference.faults.registry import fault
from conformance.reference.models import served
from conformance.reference.routes import Site, respond


def _tools(call: Call) -> list[dict[str, Any]]:
    listed = asked(call, "tools")
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def _names(call: Call) -> list[Any]:
    """The names of the functions that are offered."""
    return [tool["function"].get("name") for tool in _tools(call) if "function" in tool]


def _named(call: Call) -> str | None:
    """The offered function that `tool_choice` names."""
    choice = asked(call, "tool_choice")
    name = choice.get("function", {}).get("name") if isinstance(choice, dict) else None
    return name if name in _names(call) else None


# Choice.


@fault(breaks={"CC-TOOL-018"}, seam="request")
def calls_in_spite_of_none(call: Call) -> Call | Reply:
    """Takes tool_choice `none` for `auto`."""
    return without(call, "tool_choice") if asked(call, "tool_choice") == "none" else call


@fault(breaks={"CC-TOOL-018"}, seam="request")
def refuses_none_without_a_word(call: Call) -> Call | Reply:
    """Refuses tool_choice `none` without naming it."""
    return refusal(400, "Invalid request.") if asked(call, "tool_choice") == "none" else call


@fault(breaks={"CC-TOOL-019"}, seam="request")
def takes_required_for_auto(call: Call) -> Call | Reply:
    """Leaves the model its choice where tool_choice is `required`."""
    free = asked(call, "tool_choice") == "required" and _tools(call)
    return without(call, "tool_choice") if free else call


@fault(breaks={"CC-TOOL-020"}, seam="request")
def takes_a_named_choice_for_auto(call: Call) -> Call | Reply:
    """Leaves the model its choice where tool_choice names a function."""
    return without(call, "tool_choice") if _named(call) else call


@fault(breaks={"CC-TOOL-020"}, seam="request")
def calls_the_first_function(call: Call) -> Call | Reply:
    """Calls the first function where tool_choice names another."""
    if not _named(call):
        return call
    return given(call, tools=_tools(call)[:1], tool_choice="required")


@fault(breaks={"CC-TOOL-020"}, seam="reply")
def calls_others_beside_the_named(reply: Reply, call: Call) -> Reply:
    """Calls every function where tool_choice names one."""
    named, names = _named(call), _names(call)

    def more(said: dict[str, Any]) -> None:
        for number, name in enumerate(n for n in names if n != named):
            made = said["tool_calls"][0]
            function = {**made["function"], "name": name}
            said["tool_calls"].append(
                {**made, "id": f"{made['id']}x{number}", "function": function}
            )

    return message(reply, more) if named and len(names) > 1 else reply


@fault(breaks={"CC-TOOL-018", "CC-TOOL-019", "CC-TOOL-020", "CC-REQ-039"}, seam="request")
def does_not_know_tool_choice(call: Call) -> Call | Reply:
    """Ignores tool_choice altogether, as Ollama does."""
    return without(call, "tool_choice") if asked(call, "tool_choice") else call


@fault(breaks={"CC-TOOL-021"}, seam="request")
def calls_in_parallel_all_the_same(call: Call) -> Call | Reply:
    """Ignores `parallel_tool_calls`."""
    return without(call, "parallel_tool_calls") if call.chat else call


@fault(breaks={"CC-TOOL-021"}, seam="request")
def refuses_parallel_tool_calls_without_a_word(call: Call) -> Call | Reply:
    """Refuses `parallel_tool_calls: false` without naming it."""
    unwanted = asked(call, "parallel_tool_calls") is False
    return refusal(400, "Invalid request.") if unwanted else call


@fault(breaks={"CC-TOOL-031"}, seam="request")
def calls_a_tool_whatever_is_asked(call: Call) -> Call | Reply:
    """Calls a tool wherever one is offered, as some chat templates make the model do."""
    free = _tools(call) and asked(call, "tool_choice") is None
    return given(call, tool_choice="required") if free else call


@fault(breaks={"CC-TOOL-031"}, seam="reply")
def has_no_text_beside_tools(reply: Reply, call: Call) -> Reply:
    """Loses the text of an answer without calls where tools were offered."""

    def lose(said: dict[str, Any]) -> None:
        if not said.get("tool_calls"):
            said["content"] = None

    free = _tools(call) and asked(call, "tool_choice") is None
    return message(reply, lose) if free and messages(call)[-1]["role"] == "user" else reply


# History.


def _results(call: Call, edit: Callable[[str], str]) -> Call:
    """The call with the text of every tool's result changed."""

    def change(turn: dict[str, Any]) -> None:
        if turn.get("role") == "tool" and isinstance(turn.get("content"), str):
            turn["content"] = edit(turn["content"])

    return each_message(call, change)


@fault(breaks={"CC-TOOL-023"}, seam="request")
def drops_results(call: Call) -> Call | Reply:
    """Accepts the results of tools, and does not show them to the model."""
    return _results(call, lambda text: "")


@fault(breaks={"CC-TOOL-023"}, seam="request")
def cuts_results_short(call: Call) -> Call | Reply:
    """Shows the model the first words of a result only."""
    return _results(call, lambda text: text[:40])


@fault(breaks={"CC-TOOL-023"}, seam="request")
def knows_no_role_of_tools(call: Call) -> Call | Reply:
    """Refuses messages with the role tool."""
    roles = [one.get("role") for one in messages(call)]
    if "tool" not in roles:
        return call
    at = f"messages[{roles.index('tool')}].role"
    return refusal(400, f"Invalid value for '{at}': unknown role tool.", param=at)


@fault(breaks={"CC-REQ-011"}, seam="request")
def wants_no_null_beside_tool_calls(call: Call) -> Call | Reply:
    """Refuses an assistant message with tool calls and null for content."""
    for number, one in enumerate(messages(call)):
        if one.get("tool_calls") and one.get("content", "") is None:
            at = f"messages[{number}].content"
            return refusal(400, f"Invalid type for '{at}': expected a string.", param=at)
    return call


def _called(call: Call) -> set[str]:
    """The ids of every call in the history."""
    return {one["id"] for said in messages(call) for one in said.get("tool_calls") or ()}


def _orphans(call: Call) -> bool:
    """Whether there is a result without a call."""
    known = _called(call)
    return any(m.get("role") == "tool" and m["tool_call_id"] not in known for m in messages(call))


@fault(breaks={"CC-TOOL-024"}, seam="request")
def takes_a_result_without_its_call(call: Call) -> Call | Reply:
    """Reads a result without a call as the user's words."""
    known = _called(call)

    def adopt(turn: dict[str, Any]) -> None:
        if turn.get("role") == "tool" and turn["tool_call_id"] not in known:
            turn.update(role="user")

    return each_message(call, adopt)


@fault(breaks={"CC-TOOL-024", "CC-ERR-010"}, seam="request")
def crashes_on_a_result_without_its_call(call: Call) -> Call | Reply:
    """Answers a result without a call with 500, as a chat template does that raises."""
    if not _orphans(call):
        return call
    return refusal(500, "list object has no element 0", kind="server_error")


@fault(breaks={"CC-TOOL-025"}, seam="request")
def takes_a_call_without_its_result(call: Call) -> Call | Reply:
    """Forgets calls that no result answers."""
    answered = {one["tool_call_id"] for one in messages(call) if one.get("role") == "tool"}

    def forget(turn: dict[str, Any]) -> None:
        made = turn.get("tool_calls")
        kept = [one for one in made or () if one["id"] in answered]
        if made and kept != made:
            turn.update(tool_calls=kept, content=turn.get("content") or "")

    return each_message(call, forget)


# Arguments.


def _functions(reply: Reply, edit: Callable[[dict[str, Any]], Any]) -> Reply:
    """A completion with the function of every call changed by `edit`."""

    def change(said: dict[str, Any]) -> None:
        for one in said.get("tool_calls") or ():
            edit(one["function"])

    return message(reply, change)


@fault(breaks={"CC-TOOL-027"}, seam="reply")
def shortens_long_names(reply: Reply, call: Call) -> Reply:
    """Cuts the names of functions at 40 characters, as a gateway's database column does."""
    return _functions(reply, lambda one: one.update(name=one["name"][:40]))


@fault(breaks={"CC-TOOL-027"}, seam="reply")
def has_no_hyphens_in_names(reply: Reply, call: Call) -> Reply:
    """Writes an underscore for every hyphen in a function's name."""
    return _functions(reply, lambda one: one.update(name=one["name"].replace("-", "_")))


@fault(breaks={"CC-TOOL-027"}, seam="reply")
def asks_where_arguments_are_not_ascii(reply: Reply, call: Call) -> Reply:
    """Writes a question mark for everything in arguments that is not ASCII."""
    return _functions(
        reply,
        lambda one: one.update(arguments=one["arguments"].encode("ascii", "replace").decode()),
    )


@fault(breaks={"CC-TOOL-027"}, seam="reply")
def escapes_arguments_twice(reply: Reply, call: Call) -> Reply:
    """Escapes what is not ASCII in arguments, and then the escapes."""

    def escape(one: dict[str, Any]) -> None:
        spelled = (c if c.isascii() else json.dumps(c)[1:-1] for c in one["arguments"])
        one["arguments"] = "".join(c.replace("\\u", "\\\\u") for c in spelled)

    return _functions(reply, escape)


def _strict(call: Call) -> bool:
    return any(tool.get("function", {}).get("strict") is True for tool in _tools(call))


@fault(breaks={"CC-TOOL-028"}, seam="reply")
def leaves_strict_arguments_out(reply: Reply, call: Call) -> Reply:
    """Accepts `strict`, and leaves out what the prompt does not say."""
    kept = ("location", "city")

    def lose(one: dict[str, Any]) -> None:
        told = json.loads(one["arguments"])
        one["arguments"] = json.dumps({name: told[name] for name in told if name in kept})

    return _functions(reply, lose) if _strict(call) else reply


@fault(breaks={"CC-TOOL-028"}, seam="reply")
def adds_to_strict_arguments(reply: Reply, call: Call) -> Reply:
    """Accepts `strict`, and adds a member of its own to the arguments."""

    def add(one: dict[str, Any]) -> None:
        one["arguments"] = json.dumps({**json.loads(one["arguments"]), "reason": "asked"})

    return _functions(reply, add) if _strict(call) else reply


# Custom tools, and functions as they were before tools.


def _as_function(call: Call) -> Call | None:
    """The call with its custom tool as a function that takes an input; None without one."""
    custom = next((tool["custom"] for tool in _tools(call) if tool.get("type") == "custom"), None)
    if custom is None:
        return None
    parameters = {"type": "object", "properties": {"input": {"type": "string"}}}
    function = {"name": custom["name"], "parameters": parameters}
    choice = {"type": "function", "function": {"name": custom["name"]}}
    return given(call, tools=[{"type": "function", "function": function}], tool_choice=choice)


@fault(breaks={"CC-TOOL-029"}, seam="request")
def calls_custom_tools_as_functions(call: Call) -> Call | Reply:
    """Makes functions of custom tools, and answers so."""
    return _as_function(call) or call


@fault(breaks={"CC-TOOL-029"}, seam="request")
def ignores_custom_tools(call: Call) -> Call | Reply:
    """Skips tools of a type that it does not know, and the choice of them."""
    return call if _as_function(call) is None else without(call, "tools", "tool_choice")


@fault(breaks={"CC-TOOL-029"}, seam="request")
def calls_custom_tools_with_arguments(call: Call) -> Call | Reply:
    """Gives a custom call `arguments` where it has an input."""
    understood = _as_function(call)
    if understood is None:
        return call

    def spell(said: dict[str, Any]) -> None:
        said["tool_calls"] = [
            {"id": one["id"], "type": "custom", "custom": one["function"]}
            for one in said["tool_calls"]
        ]

    return message(respond(understood, Site(served())), spell)


@fault(breaks={"CC-REQ-042"}, seam="request")
def ignores_functions(call: Call) -> Call | Reply:
    """Ignores `functions` and `function_call`."""
    return without(call, "functions", "function_call") if asked(call, "functions") else call


@fault(breaks={"CC-REQ-042"}, seam="request")
def answers_functions_with_tool_calls(call: Call) -> Call | Reply:
    """Takes `functions` for tools, and answers with `tool_calls`."""
    functions, choice = asked(call, "functions"), asked(call, "function_call")
    if not functions:
        return call
    tools = [{"type": "function", "function": one} for one in functions]
    forced = {"type": "function", "function": choice} if isinstance(choice, dict) else choice
    return given(without(call, "functions", "function_call"), tools=tools, tool_choice=forced)


# What may be offered.


@fault(breaks={"CC-REQ-037"}, seam="request")
def wants_parameters_of_every_function(call: Call) -> Call | Reply:
    """Refuses a function without `parameters`, as Mistral does."""
    for number, tool in enumerate(_tools(call)):
        if "parameters" not in tool.get("function", {"parameters": None}):
            at = f"tools[{number}].function.parameters"
            return refusal(400, f"Missing required parameter: '{at}'.", param=at)
    return call


@fault(breaks={"CC-REQ-039"}, seam="request")
def requires_a_call_of_nothing(call: Call) -> Call | Reply:
    """Ignores tool_choice `required` where no tools are offered."""
    lost = asked(call, "tool_choice") == "required" and not _tools(call)
    return without(call, "tool_choice") if lost else call
