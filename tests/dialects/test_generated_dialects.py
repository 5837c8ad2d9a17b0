"""Right servers that generated requests might blame: what they combine, read and refuse."""

from __future__ import annotations

import json
from dataclasses import replace

from conformance.reference.call import Call, Reply, refusal
from conformance.reference.faults.edits import asked, bad_parameter, is_number, messages, without
from conformance.reference.parameters import OPTIONAL, REQUIRED

from .dialect import (
    dialect,
    test_a_right_server_is_blamed_for_nothing,  # noqa: F401 - pytest collects it here
)

ONLY = ("CC-REQ", "CC-ERR", "CC-HTTP-012", "CC-HTTP-013", "CC-HTTP-017", "CC-HTTP-023", "CC-USAGE")
MANY = ("--examples", "60")


@dialect(seam="request", only=ONLY, arguments=MANY)
def wants_one_choice_from_greedy_sampling(call: Call) -> Call | Reply:
    """Refuses `n` above 1 at temperature 0, by name, as vLLM does."""
    greedy = asked(call, "temperature") == 0 and (asked(call, "n") or 1) != 1
    return bad_parameter("n", "must be 1 when using greedy sampling") if greedy else call


@dialect(seam="request", only=ONLY, arguments=MANY)
def wants_all_of_top_p_from_greedy_sampling(call: Call) -> Call | Reply:
    """Refuses another `top_p` than 1 at temperature 0, by name, as Mistral does."""
    greedy = asked(call, "temperature") == 0 and asked(call, "top_p") not in (None, 1)
    return bad_parameter("top_p", "must be 1 when using greedy sampling") if greedy else call


@dialect(seam="request", only=ONLY, arguments=MANY)
def wants_metadata_stored(call: Call) -> Call | Reply:
    """Refuses `metadata` unless the completion is stored, as upstream does."""
    loose = asked(call, "metadata") is not None and asked(call, "store") is not True
    return bad_parameter("metadata", "is only allowed when 'store' is enabled") if loose else call


@dialect(seam="request", only=ONLY, arguments=MANY)
def offers_neither_penalties_nor_seed(call: Call) -> Call | Reply:
    """Refuses the penalties and the seed by name."""
    for name in ("seed", "presence_penalty", "frequency_penalty"):
        if asked(call, name) not in (None, 0):
            return bad_parameter(name)
    return call


@dialect(
    seam="request",
    only=("CC-REQ-045", "CC-REQ-046"),
    arguments=("--examples", "20", "--seed", "1"),  # one of the mistakes stands beside such turns
    warns=("CC-REQ-046",),
)
def wants_turns_before_anything_else(call: Call) -> Call | Reply:
    """Wants users and assistants to take turns, and says so before it looks at parameters."""
    told = [one.get("role") for one in messages(call) if isinstance(one, dict)]
    turns = [role for role in told if role in ("user", "assistant")]
    if len(turns) < len(told) or turns == ["user", "assistant", "user"][: len(turns)]:
        return call
    return refusal(400, "Conversation roles must alternate.", param="messages")


@dialect(
    seam="request",
    only=("CC-SAMP-001",),
    arguments=("--examples", "15", "--seed", "16"),  # who asks for two choices has such a role
)
def has_no_role_above_the_user(call: Call) -> Call | Reply:
    """Has no system role, and says so."""
    above = any(one.get("role") in ("system", "developer") for one in messages(call))
    return refusal(400, "System role not supported.", param="messages") if above else call


@dialect(seam="request", only=ONLY, arguments=MANY, warns=("CC-HTTP-012",))
def reads_json_as_go_does(call: Call) -> Call | Reply:
    """Ignores what follows the document, and reads U+FFFD for bytes that are no UTF-8."""
    if not call.chat or call.json is not None:
        return call
    text = call.content.decode("utf-8", "replace").lstrip()
    try:
        body, _ = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return call
    return call.understood_as(body) if isinstance(body, dict) else call


@dialect(seam="request", only=ONLY, arguments=MANY)
def refuses_a_member_twice(call: Call) -> Call | Reply:
    """Refuses an object with two members of one name."""

    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        if len(dict(pairs)) < len(pairs):
            raise KeyError("a member twice")
        return dict(pairs)

    try:
        json.loads(call.content or b"0", object_pairs_hook=unique)
    except KeyError:
        return refusal(400, "The body names a member twice.")
    except (ValueError, RecursionError):
        pass
    return call


@dialect(seam="reply", only=ONLY, arguments=MANY)
def hangs_up_after_a_refusal(reply: Reply, call: Call) -> Reply:
    """Closes the connection after every refusal, and says so."""
    return reply if reply.ok else reply.having(("Connection", "close"))


@dialect(seam="request", only=ONLY, arguments=MANY)
def filters_markup(call: Call) -> Call | Reply:
    """Refuses a text with markup by its content filter, as Azure does."""
    said = json.dumps(messages(call))
    if "<b>" not in said and "${x}" not in said:
        return call
    message = "The response was filtered due to the prompt triggering our content filter."
    return refusal(400, message, param="prompt", code="content_filter")


@dialect(seam="request", only=ONLY, arguments=MANY)
def ignores_what_it_does_not_know(call: Call) -> Call | Reply:
    """Ignores parameters outside the specification, and metadata as a whole."""
    body = call.json or {}
    unknown = [name for name in body if name not in REQUIRED and name not in OPTIONAL]
    return without(call, "metadata", *unknown) if call.chat and call.json else call


@dialect(seam="request", only=ONLY, arguments=MANY)
def stands_thirty_levels(call: Call) -> Call | Reply:
    """Refuses a body nested deeper than thirty levels before it reads it."""
    depth = deepest = 0
    for byte in call.content:
        depth += (byte in b"[{") - (byte in b"]}")
        deepest = max(deepest, depth)
    return refusal(400, "The body is nested too deeply.") if deepest > 30 else call


@dialect(seam="request", only=ONLY, arguments=MANY, undecided=("CC-USAGE-009",))
def wants_a_bound_of_sixteen(call: Call) -> Call | Reply:
    """Refuses an output bound below 16 by name, as a reasoning service does."""
    for name in ("max_tokens", "max_completion_tokens"):
        value = asked(call, name)
        if is_number(value) and isinstance(value, int) and 0 < value < 16:
            return bad_parameter(name, "must be at least 16")
    return call


@dialect(seam="reply", only=ONLY, arguments=MANY)
def tells_no_stack_but_the_value(reply: Reply, call: Call) -> Reply:
    """Shows in a refusal the value that it was sent."""
    if reply.ok or not isinstance(reply.body, dict):
        return reply
    error = dict(reply.body["error"])
    error["message"] += f" You sent: {call.content[:200].decode('utf-8', 'replace')}"
    return replace(reply, body={"error": error})
