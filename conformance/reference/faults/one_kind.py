"""Faults of one kind of reply alone: whoever looks only at the others sees nothing (many chapters).

Law: each touches one kind of call that a run makes anyway (a form, log probabilities, a model that
is retrieved, a method, a refusal that is streamed), and leaves the plainest of its sort as it is.
"""

from __future__ import annotations

import copy
import gzip
from dataclasses import replace

from conformance.reference.call import DONE, Call, Item, Piece, Reply
from conformance.reference.faults.edits import asked, dropping, quiet, setting
from conformance.reference.faults.registry import fault
from conformance.reference.wire import document

PLAIN_TEXT = ("Content-Type", "text/plain")


def _formed(call: Call) -> bool:
    """Whether a call asks for an answer that fits a schema."""
    form = asked(call, "response_format")
    return isinstance(form, dict) and form.get("type") == "json_schema"


def _rewritten(pieces: list[Piece], old: bytes, new: bytes) -> list[Piece]:
    """Every piece with the first `old` in it as `new`."""
    return [one.replace(old, new, 1) if isinstance(one, bytes) else one for one in pieces]


def _retrieves(call: Call) -> bool:
    return call.method == "GET" and call.path.startswith("/models/")


# Answers.


@fault(breaks={"CC-HTTP-002"}, seam="reply")
def creates_answers_in_a_form(reply: Reply, call: Call) -> Reply:
    """Answers what is to fit a schema with status 201, as frameworks answer a POST."""
    return replace(reply, status=201) if _formed(call) and reply.body and reply.ok else reply


@fault(breaks={"CC-SSE-001"}, seam="reply")
def creates_streams_of_calls(reply: Reply, call: Call) -> Reply:
    """Streams with status 201 where tools are offered."""
    calls = reply.events is not None and asked(call, "tools")
    return replace(reply, status=201) if calls else reply


@fault(breaks={"CC-HTTP-003"}, seam="reply")
def calls_log_probabilities_text(reply: Reply, call: Call) -> Reply:
    """Labels a reply with log probabilities text/plain."""
    odds = asked(call, "logprobs") is True and reply.ok and reply.events is None
    return reply.having(PLAIN_TEXT) if odds else reply


@fault(breaks={"CC-RESP-006"}, seam="reply")
def counts_nothing_beside_a_form(reply: Reply, call: Call) -> Reply:
    """Leaves usage out of answers that fit a schema."""
    if not (_formed(call) and reply.ok and isinstance(reply.body, dict)):
        return reply
    body = copy.deepcopy(reply.body)
    dropping("usage")(body)
    return replace(reply, body=body)


@fault(breaks={"CC-SSE-005"}, seam="events")
def never_says_done_in_a_form(events: list[Item], call: Call) -> list[Item]:
    """Ends a stream that fits a schema without [DONE]."""
    return [item for item in events if item != DONE] if _formed(call) else events


def _calls_twice(one: Item) -> bool:
    """Whether a completion, or a chunk, holds the second call of a choice."""
    choice = one["choices"][0] if isinstance(one, dict) and one.get("choices") else {}
    said = choice.get("message") or choice.get("delta") or {}
    listed = said.get("tool_calls") or []
    return len(listed) > 1 or any(call.get("index") == 1 for call in listed)


@fault(breaks={"CC-FIN-005"}, seam="reply")
def says_stop_beside_two_calls(reply: Reply, call: Call) -> Reply:
    """Says `stop` where the model called more than one tool."""
    if not (isinstance(reply.body, dict) and _calls_twice(reply.body)):
        return reply
    body = copy.deepcopy(reply.body)
    setting(finish_reason="stop")(body["choices"][0])
    return replace(reply, body=body)


@fault(breaks={"CC-TOOL-014"}, seam="events")
def loses_a_fragment_of_the_second_call(events: list[Item], call: Call) -> list[Item]:
    """Loses the last fragment of a second call's arguments."""
    places = [number for number, item in enumerate(events) if _calls_twice(item)]
    return [item for number, item in enumerate(events) if number not in places[-1:]]


@fault(breaks={"CC-TOOL-001"}, seam="reply")
def names_no_id_of_a_demanded_call(reply: Reply, call: Call) -> Reply:
    """Leaves the id out of a call that `tool_choice: "required"` demanded."""
    if asked(call, "tool_choice") != "required" or not (reply.ok and isinstance(reply.body, dict)):
        return reply
    body = copy.deepcopy(reply.body)
    for made in body["choices"][0]["message"].get("tool_calls") or ():
        dropping("id")(made)
    return replace(reply, body=body)


@fault(breaks={"CC-HTTP-018"}, seam="reply")
def compresses_calls(reply: Reply, call: Call) -> Reply:
    """Compresses an answer where tools are offered, whatever the client accepts."""
    if not (asked(call, "tools") and reply.ok and reply.events is None):
        return reply
    labelled = reply.having(("Content-Type", "application/json"), ("Content-Encoding", "gzip"))
    return replace(labelled, content=gzip.compress(document(reply), mtime=0))


@fault(breaks={"CC-HTTP-009"}, seam="bytes")
def gives_streams_of_calls_a_length_too(pieces: list[Piece], call: Call) -> list[Piece]:
    """Declares a length beside the chunks of a stream where tools are offered."""
    if not (call.asks_stream and asked(call, "tools")):
        return pieces
    coding = b"\r\nTransfer-Encoding:"
    return _rewritten(pieces, coding, b"\r\nContent-Length: 9" + coding)


# The list of models, and one of them.


@fault(breaks={"CC-HTTP-003"}, seam="reply")
def calls_a_model_text(reply: Reply, call: Call) -> Reply:
    """Labels a retrieved model text/plain."""
    return reply.having(PLAIN_TEXT) if _retrieves(call) and reply.ok else reply


@fault(breaks={"CC-MODEL-006", "CC-MODEL-015"}, seam="reply")
def retrieves_with_status_203(reply: Reply, call: Call) -> Reply:
    """Answers the retrieval of a model with status 203, as a proxy that changed something."""
    return replace(reply, status=203) if _retrieves(call) and reply.ok else reply


@fault(breaks={"CC-HTTP-009"}, seam="bytes")
def writes_a_head_that_is_none_for_its_list(pieces: list[Piece], call: Call) -> list[Piece]:
    """Writes a line without a colon into the head of the list of models."""
    if call.path != "/models":
        return pieces
    return _rewritten(pieces, b"\r\n\r\n", b"\r\ncached\r\n\r\n")


# What is no valid call.


@fault(breaks={"CC-HTTP-014"}, seam="request")
def takes_a_patch_for_a_post(call: Call) -> Call | Reply:
    """Answers a PATCH of the chat path like a POST."""
    return replace(call, method="POST") if call.method == "PATCH" else call


@fault(breaks={"CC-HTTP-013"}, seam="request")
def takes_a_number_for_a_request(call: Call) -> Call | Reply:
    """Answers a body that is a number as if nothing were wrong."""
    if not call.chat or call.content.strip() != b"1":
        return call
    said = [{"role": "user", "content": "?"}]
    return call.understood_as({"model": "meta/llama-3.3-70b-instruct", "messages": said})


@fault(breaks={"CC-ERR-008"}, seam="reply")
def writes_the_status_as_code_where_json_lacks_a_number(reply: Reply, call: Call) -> Reply:
    """Gives a number as the code of an error about NaN."""
    if reply.status != 400 or b"NaN" not in call.content:
        return reply
    error = dict(reply.body["error"])
    setting(code=400)(error)
    return replace(reply, body={"error": error})


@fault(breaks={"CC-HTTP-007"}, seam="reply")
def writes_latin_1_into_errors(reply: Reply, call: Call) -> Reply:
    """Spells the message of an error about a few parameters in ISO 8859-1."""
    if not quiet(reply):
        return reply
    labelled = reply.having(("Content-Type", "application/json"))
    return replace(labelled, content=document(reply).replace(b"Invalid", b"Inval\xefd"))


@fault(breaks={"CC-ERR-009"}, seam="reply")
def leaves_the_code_out_for_a_restricted_key(reply: Reply, call: Call) -> Reply:
    """Gives no code where a key lacks permission."""
    if reply.status != 403:
        return reply
    error = dict(reply.body["error"])
    dropping("code")(error)
    return replace(reply, body={"error": error})


@fault(breaks={"CC-ERR-001", "CC-ERR-003"}, seam="reply")
def refuses_streams_with_detail(reply: Reply, call: Call) -> Reply:
    """Refuses an invalid streamed request as FastAPI does: `{"detail": …}`."""
    if reply.status != 400 or asked(call, "stream") is not True:
        return reply
    return replace(reply, body={"detail": reply.body["error"]["message"]})


@fault(breaks={"CC-HTTP-024"}, seam="reply")
def forgets_browsers_on_streams(reply: Reply, call: Call) -> Reply:
    """Leaves the CORS headers out of streams."""
    return reply if reply.events is None else reply.lacking("Access-Control-Allow-Origin")
