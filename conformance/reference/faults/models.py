"""Faults of the models operations (CC-MODEL)."""

from __future__ import annotations

import copy
import gzip
from dataclasses import replace

from conformance.reference.call import Call, Item, Reply, refusal
from conformance.reference.faults.edits import (
    Edit,
    asked,
    completion,
    each_item,
    given,
    is_object,
    setting,
)
from conformance.reference.faults.registry import fault
from conformance.reference.models import DOCUMENTED
from conformance.reference.wire import document

_KNOWN = DOCUMENTED[0].id


def _list(reply: Reply, edit: Edit) -> Reply:
    """The list of models changed by `edit`; any other reply as it was."""
    if not (reply.ok and isinstance(reply.body, dict) and "data" in reply.body):
        return reply
    body = copy.deepcopy(reply.body)
    edit(body)
    return replace(reply, body=body)


def _unknown(call: Call) -> bool:
    """Whether a chat call names a model that reads like an id and is none."""
    model = (call.json or {}).get("model")
    if not call.chat or not isinstance(model, str) or not model or model != model.strip():
        return False
    return model not in {one.id for one in DOCUMENTED}


@fault(breaks={"CC-MODEL-001"}, seam="reply")
def lists_models_without_saying_so(reply: Reply, call: Call) -> Reply:
    """Leaves `object` out of the list."""
    return _list(reply, lambda body: body.pop("object"))


@fault(breaks={"CC-MODEL-001", "CC-SDK-009"}, seam="reply")
def lists_models_as_an_array(reply: Reply, call: Call) -> Reply:
    """Answers with the bare array of models."""
    return replace(reply, body=reply.body["data"]) if call.path == "/models" and reply.ok else reply


@fault(breaks={"CC-MODEL-002"}, seam="reply")
def lists_models_without_created(reply: Reply, call: Call) -> Reply:
    """Leaves `created` out of the models."""
    return _list(reply, lambda body: [model.pop("created") for model in body["data"]])


@fault(breaks={"CC-MODEL-002"}, seam="reply")
def lists_models_in_milliseconds(reply: Reply, call: Call) -> Reply:
    """Gives `created` in milliseconds, which no client that reads 32 bits can read."""
    return _list(
        reply, lambda body: [one.update(created=1000 * one["created"]) for one in body["data"]]
    )


@fault(breaks={"CC-MODEL-002"}, seam="reply")
def retrieves_a_model_by_its_id_alone(reply: Reply, call: Call) -> Reply:
    """Answers a retrieved model with its id and no other member."""
    if not (reply.ok and isinstance(reply.body, dict) and reply.body.get("object") == "model"):
        return reply
    return replace(reply, body={"id": reply.body["id"]})


@fault(breaks={"CC-HTTP-003"}, seam="reply")
def lists_models_as_plain_text(reply: Reply, call: Call) -> Reply:
    """Labels the list of models text/plain, as SGLang's router does."""
    listed = call.path == "/models" and reply.ok
    return reply.having(("Content-Type", "text/plain")) if listed else reply


@fault(breaks={"CC-HTTP-018"}, seam="reply")
def zips_its_list_unasked(reply: Reply, call: Call) -> Reply:
    """Sends the list of models as gzip to whoever asks for it."""
    if call.path != "/models" or not reply.ok:
        return reply
    coded = reply.having(("Content-Type", "application/json"), ("Content-Encoding", "gzip"))
    return replace(coded, content=gzip.compress(document(reply)))


@fault(breaks={"CC-HTTP-006"}, seam="reply")
def ends_its_list_as_a_stream(reply: Reply, call: Call) -> Reply:
    """Ends the list of models with the terminator of streams."""
    if call.path != "/models" or not reply.ok:
        return reply
    labelled = reply.having(("Content-Type", "application/json"))
    return replace(labelled, content=document(reply) + b"\ndata: [DONE]\n\n")


@fault(breaks={"CC-MODEL-002"}, seam="reply")
def lists_models_of_nobody(reply: Reply, call: Call) -> Reply:
    """Gives models no owner: null."""
    return _list(reply, lambda body: [model.update(owned_by=None) for model in body["data"]])


@fault(breaks={"CC-MODEL-003"}, seam="reply")
def lists_a_model_twice(reply: Reply, call: Call) -> Reply:
    """Lists one model twice."""
    return _list(reply, lambda body: body["data"].append(body["data"][0]))


@fault(breaks={"CC-MODEL-004"}, seam="reply")
def hides_a_documented_model(reply: Reply, call: Call) -> Reply:
    """Leaves the last documented model out of the list."""
    return _list(reply, lambda body: body["data"].pop())


@fault(breaks={"CC-MODEL-005"}, seam="reply")
def lists_a_model_it_does_not_serve(reply: Reply, call: Call) -> Reply:
    """Lists a model that chat calls do not find."""
    ghost = {"id": "ghost/model-1b", "object": "model", "created": 1700000000, "owned_by": "ghost"}
    return _list(reply, lambda body: body["data"].append(ghost))


@fault(breaks={"CC-MODEL-006"}, seam="request")
def does_not_decode_model_ids(call: Call) -> Call | Reply:
    """Looks a percent-encoded id up as it stands."""
    if call.path.startswith("/models/") and "%2f" in call.path.lower():
        return refusal(404, "No such model.", param="model", code="model_not_found")
    return call


@fault(breaks={"CC-MODEL-008"}, seam="reply")
def retrieves_any_model(reply: Reply, call: Call) -> Reply:
    """Answers for an id that nobody serves with 200."""
    if reply.status != 404 or not call.path.startswith("/models/"):
        return reply
    id_ = call.path.removeprefix("/models/")
    body = {"id": id_, "object": "model", "created": 1700000000, "owned_by": "system"}
    return replace(reply, status=200, body=body)


@fault(breaks={"CC-MODEL-009"}, seam="request")
def answers_for_an_unknown_model(call: Call) -> Call | Reply:
    """Answers for an unknown model from another one."""
    return given(call, model=_KNOWN) if _unknown(call) else call


@fault(breaks={"CC-MODEL-009", "CC-ERR-010"}, seam="reply")
def says_503_to_an_unknown_model(reply: Reply, call: Call) -> Reply:
    """Answers for an unknown model with 503, as a router without a backend does."""
    if reply.status != 404 or not _unknown(call):
        return reply
    kind = "service_unavailable_error"
    return refusal(503, "No backend for this model.", kind=kind, headers=reply.headers)


@fault(breaks={"CC-MODEL-009"}, seam="reply")
def calls_an_unknown_model_not_found(reply: Reply, call: Call) -> Reply:
    """Gives an unknown model another code than upstream's."""
    if reply.status != 404 or not _unknown(call):
        return reply
    error = {**reply.body["error"], "code": "not_found", "type": "not_found_error"}
    return replace(reply, body={"error": error})


@fault(breaks={"CC-MODEL-010"}, seam="reply")
def says_404_to_a_missing_model(reply: Reply, call: Call) -> Reply:
    """Answers a call without a model with 404."""
    lacking = reply.status == 400 and call.json is not None and "model" not in call.json
    return replace(reply, status=404) if lacking else reply


@fault(breaks={"CC-MODEL-011"}, seam="request")
def takes_an_empty_model_for_its_own(call: Call) -> Call | Reply:
    """Answers for the model "" from a default one."""
    return given(call, model=_KNOWN) if call.chat and (call.json or {}).get("model") == "" else call


@fault(breaks={"CC-MODEL-011"}, seam="request")
def trims_model_ids(call: Call) -> Call | Reply:
    """Serves an id with blanks around it."""
    model = (call.json or {}).get("model")
    return given(call, model=model.strip()) if call.chat and isinstance(model, str) else call


@fault(breaks={"CC-MODEL-012"}, seam="reply")
def answers_as_a_model_of_its_own(reply: Reply, call: Call) -> Reply:
    """Names every model "default"."""
    return completion(reply, setting(model="default"))


@fault(breaks={"CC-MODEL-015"}, seam="request")
def wants_model_ids_encoded(call: Call) -> Call | Reply:
    """Does not find an id with a raw slash."""
    if call.path.startswith("/models/") and "/" in call.path.removeprefix("/models/"):
        return refusal(404, "No such model.", param="model", code="model_not_found")
    return call


@fault(breaks={"CC-MODEL-012"}, seam="events")
def streams_calls_under_another_name(events: list[Item], call: Call) -> list[Item]:
    """Names the model that the engine knows, in streams that offer tools."""
    return (
        each_item(events, setting(model="llama-70b"), is_object) if asked(call, "tools") else events
    )
