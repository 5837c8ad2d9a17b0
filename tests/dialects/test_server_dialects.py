"""Servers that differ from the reference in what they do, not in how they spell it.

The whole suite judges each: a strict one, one that never says the same thing twice, one that thinks
within its content, one that filters what it is asked, and more, all seen among real servers.
"""

import copy
import hashlib

import pytest

from conformance.reference import text
from conformance.reference.call import Call, Item, Reply, refusal
from conformance.reference.faults.edits import (
    asked,
    bad_parameter,
    messages,
    prompted,
)

from .dialect import (
    THINKER,
    dialect,
    test_a_right_server_is_blamed_for_nothing,  # noqa: F401 - pytest collects it here
)
from .ways_of_members import is_cut
from .ways_of_sequence import Object, choice_of, objects, said, stream, with_choice

pytestmark = pytest.mark.slow


# What is taken.


KNOWN = frozenset(
    {"model", "messages", "stream", "max_tokens", "max_completion_tokens", "temperature", "tools"}
)


@dialect(seam="request", warns=("CC-REQ-018", "CC-REQ-033"))
def knows_few_parameters(call: Call) -> Call | Reply:
    """Refuses every parameter but seven by name, as Mistral and strict gateways do."""
    body = call.json if call.chat and call.json else {}
    unknown = next((name for name in body if name not in KNOWN), None)
    return bad_parameter(unknown, "is not permitted here") if unknown else call


@dialect(seam="request", warns=("CC-REQ-005", "CC-REQ-046"))
def wants_roles_to_alternate(call: Call) -> Call | Reply:
    """Has a chat template that wants users and assistants to take turns after the system's."""
    roles = [one.get("role") for one in messages(call)]
    told = [role for role in roles if role != "tool"]
    above = [i for i, role in enumerate(told) if role in ("system", "developer")]
    turns = told[len(above) :]
    alternate = turns[::2] == ["user"] * len(turns[::2]) and "user" not in turns[1::2]
    if "developer" in roles:
        return refusal(400, "Unexpected role 'developer' in messages.", param="messages")
    if above == list(range(len(above)))[:1] and (alternate or "tool" in roles):
        return call
    known = all(role in ("system", "user", "assistant") for role in roles)
    message = "Conversation roles must alternate user/assistant/user/assistant/..."
    return refusal(400, message, param="messages") if roles and known else call


@dialect(seam="request")
def samples_to_have_several(call: Call) -> Call | Reply:
    """Refuses several choices at temperature 0, as vLLM does, and JSON that no message asks for."""
    several = (asked(call, "n") or 1) not in (1, None) if call.chat else False
    if several and asked(call, "temperature") == 0:
        return bad_parameter("n", "must be 1 when using greedy sampling")
    form = asked(call, "response_format")
    wants_json = isinstance(form, dict) and form.get("type") == "json_object"
    if wants_json and not any("json" in str(m.get("content")).lower() for m in messages(call)):
        message = "'messages' must contain the word 'json' in some form."
        return refusal(400, message, param="messages")
    return call


@dialect(seam="request")
def forces_no_call(call: Call) -> Call | Reply:
    """Offers tools and lets nobody force one, as reasoning models often do."""
    choice = asked(call, "tool_choice")
    if choice in (None, "auto", "none"):
        return call
    return bad_parameter("tool_choice", "supports only 'auto' and 'none' with this model")


@dialect(
    seam="request",
    undecided=(
        *("CC-HTTP-022", "CC-REQ-007", "CC-REQ-008", "CC-REQ-009", "CC-REQ-049", "CC-MSG-012"),
        *("CC-SSE-020", "CC-EQUIV-008", "CC-TOOL-023", "CC-LOGP-001", "CC-SAMP-003"),
        *("CC-CONC-001", "CC-CONC-005"),
    ),
)
def filters_what_it_is_asked(call: Call) -> Call | Reply:
    """Takes a prompt that wants something repeated for an attack, and filters it, as Azure does."""
    if not (prompted(call, "Repeat") or "code word" in str(messages(call)[-1:])):
        return call
    message = (
        "The response was filtered due to the prompt triggering the content management policy."
    )
    return refusal(400, message, param="prompt", code="content_filter")


# What is said.


def _prefixed(reply: Reply, call: Call, words: str) -> Reply:
    """The reply with `words` before every text that is free in its form and was not cut."""
    cut = any(is_cut(item) for item in [reply.body, *(reply.events or ())])
    cost = len(text.tokens(words)) * (asked(call, "n") or 1)
    if cut or not _is_free(reply, call, cost):
        return reply

    def change(told: Object) -> None:
        if told.get("content"):
            told["content"] = words + told["content"]

    def tell(events: list[Item]) -> list[Item]:
        told: list[Item] = []
        begun: set[int] = set()
        for item in events:
            delta = choice_of(item).get("delta") or {}
            index = choice_of(item).get("index", 0)
            if delta.get("content") and index not in begun:
                begun.add(index)
                told += [with_choice(item, delta={"content": one}) for one in text.tokens(words)]
            told.append(item)
        return told

    def count(item: Object) -> None:
        used = item.get("usage") or {}
        for name in ("completion_tokens", "total_tokens"):
            used[name] = used.get(name, 0) + cost

    counted = objects(reply, count, lambda item: isinstance(item, dict) and bool(item.get("usage")))
    return said(counted, change) if reply.events is None else stream(counted, tell)


def _is_free(reply: Reply, call: Call, more: int = 0) -> bool:
    """Whether an answer is the model's own: no schema, no ratings, and room for `more` tokens."""
    if not call.chat or not reply.ok or asked(call, "logprobs"):
        return False
    bound = asked(call, "max_completion_tokens") or asked(call, "max_tokens")
    form = asked(call, "response_format") or {"type": "text"}
    return form["type"] == "text" and (bound is None or reply.cost + more <= bound)


@dialect(seam="reply")
def never_says_the_same(reply: Reply, call: Call) -> Reply:
    """Begins an answer that is not forced with other words each time, but at temperature 0."""
    if any(word in str(messages(call)[-1:]) for word in ("Repeat", "code word", "Count")):
        return reply
    cool = asked(call, "temperature") == 0
    digest = hashlib.sha256(call.content if cool else call.nonce.encode()).digest()
    words = ("Well", "Sure", "Right", "Indeed", "Hm")
    chosen = " ".join(words[byte % 5] for byte in digest[: 1 + digest[0] % 7])
    return _prefixed(reply, call, f"{chosen}. ")


THOUGHT = "<think>\nThe user wants an answer. I give one.\n</think>\n\n"


@dialect(seam="reply", model=THINKER, undecided=("CC-EQUIV-008",))
def thinks_within_its_content(reply: Reply, call: Call) -> Reply:
    """Tells its thoughts between tags in the content, as a server without a parser does."""
    if not _is_free(reply, call):
        return reply

    def hide(told: Object) -> None:
        told.pop("reasoning_content", None)

    def speaks(item: Item) -> bool:
        choice = choice_of(item)
        return choice.get("delta") != {} or choice.get("finish_reason") is not None

    hidden = stream(said(reply, hide), lambda events: [one for one in events if speaks(one)])
    return _prefixed(hidden, call, THOUGHT)


@dialect(seam="reply", model=THINKER)
def leaves_blank_lines_after_its_thoughts(reply: Reply, call: Call) -> Reply:
    """Begins its content with the blank lines that stood after the thoughts."""
    return _prefixed(reply, call, "\n\n")


@dialect(seam="reply")
def calls_twice(reply: Reply, call: Call) -> Reply:
    """Calls a tool twice where once would do, unless told not to."""
    if asked(call, "parallel_tool_calls") is False or reply.events is not None:
        return reply

    def double(told: Object) -> None:
        listed = told.get("tool_calls") or []
        if len(listed) == 1:
            told["tool_calls"] = [
                *listed,
                {**copy.deepcopy(listed[0]), "id": listed[0]["id"] + "b"},
            ]

    return said(reply, double)


# How the paths are served.


@dialect(seam="request")
def serves_with_a_slash_elsewhere(call: Call) -> Call | Reply:
    """Redirects a path with a slash at its end by 307, as FastAPI does."""
    if not call.path.endswith("/"):
        return call
    return Reply(307, content=b"", headers=(("Location", call.target.rstrip("/")),))


@dialect(seam="request")
def has_a_small_mouth(call: Call) -> Call | Reply:
    """Takes bodies of up to half a megabyte."""
    large = call.too_large or len(call.content) > 500_000
    return refusal(413, "The body is too large.") if large else call
