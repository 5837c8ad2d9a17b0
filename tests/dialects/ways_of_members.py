"""Ways of filling in: members that are there, null or absent, names, and a vendor's own members.

The law: what the request asked for is told the same; only what it did not ask for differs.
"""

from __future__ import annotations

import copy
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from conformance.reference.call import Call, Reply
from conformance.reference.faults.edits import (
    asked,
    dropping,
    error,
    is_finish,
    is_object,
    is_usage,
    setting,
)

from .axes import way
from .ways_of_sequence import Object, _dict, objects, said, stream

# Members of a message or delta that say nothing.


@way("refusal", warns=("CC-MSG-005", "CC-SDK-014"))
def has_no_refusal(reply: Reply, call: Call) -> Reply:
    """Knows no `refusal` and no `annotations`."""
    return said(reply, dropping("refusal", "annotations"))


@way("logprobs", warns=("CC-MSG-009", "CC-SDK-014"))
def has_no_logprobs_unasked(reply: Reply, call: Call) -> Reply:
    """Leaves `logprobs` out where none were asked for."""
    if asked(call, "logprobs"):
        return reply

    def drop(item: Object) -> None:
        for choice in item["choices"]:
            choice.pop("logprobs", None)

    return objects(reply, drop)


_SILENT = ("tool_calls", "function_call", "audio", "reasoning_content")


@way("silence", warns=("CC-TOOL-017",))
def spells_silence_as_null(reply: Reply, call: Call) -> Reply:
    """Sends every member that it knows, null where it says nothing."""

    def fill(told: Object) -> None:
        for name in (*_SILENT, *(["content"] if reply.events is not None else [])):
            told.setdefault(name, None)

    return said(reply, fill)


@way("silence", warns=("CC-MSG-006", "CC-MSG-008", "CC-TOOL-017"))
def spells_silence_as_vllm(reply: Reply, call: Call) -> Reply:
    """Sends `tool_calls: []` and null for the rest, annotations included, as vLLM does."""

    def fill(told: Object) -> None:
        told.setdefault("tool_calls", [])
        told.setdefault("reasoning_content", None)
        if reply.events is None:
            told.update(annotations=None)
            told.setdefault("audio", None)
            told.setdefault("function_call", None)

    return said(reply, fill)


@way("silence")
def thinks_an_empty_thought(reply: Reply, call: Call) -> Reply:
    """Sends an empty `reasoning_content` with everything that is no thought."""

    def fill(told: Object) -> None:
        if not told.get("reasoning"):
            told.setdefault("reasoning_content", "")

    return said(reply, fill)


# Usage, envelope, names.

_DETAILS = ("prompt_tokens_details", "completion_tokens_details")


def _usage(reply: Reply, edit: Any) -> Reply:
    def change(item: Object) -> None:
        if item.get("usage"):
            edit(item["usage"])

    return objects(reply, change, is_usage)


@way("details")
def has_no_details(reply: Reply, call: Call) -> Reply:
    """Sends the three counts alone."""
    return _usage(reply, dropping(*_DETAILS))


@way("details", warns=("CC-USAGE-006",))
def has_null_details(reply: Reply, call: Call) -> Reply:
    """Sends null for the details, as vLLM does."""
    return _usage(reply, setting(**dict.fromkeys(_DETAILS)))


@way("details")
def counts_the_end_token(reply: Reply, call: Call) -> Reply:
    """Counts the token that ends the answer too, and finds part of the prompt in its cache."""
    if any(is_cut(item) for item in [reply.body, *(reply.events or ())]):
        return reply

    def edit(usage: Object) -> None:
        for name in ("completion_tokens", "total_tokens"):
            usage[name] += 1
        usage["prompt_tokens_details"]["cached_tokens"] = usage["prompt_tokens"] // 2

    return _usage(reply, edit)


def is_cut(item: Any) -> bool:
    """Whether a completion or chunk holds a choice that its bound has cut."""
    listed = item.get("choices", ()) if isinstance(item, dict) else ()
    return any(one.get("finish_reason") == "length" for one in listed)


@way("details")
def has_details_of_its_own(reply: Reply, call: Call) -> Reply:
    """Counts cache hits its own way, and prices and times the call, as DeepSeek and Groq do."""

    def edit(usage: Object) -> None:
        usage.pop("prompt_tokens_details", None)
        usage.update(prompt_cache_hit_tokens=0, prompt_cache_miss_tokens=usage["prompt_tokens"])
        usage.update(queue_time=0.01, total_time=0.2, cost=0.0002, is_byok=False)

    return _usage(reply, edit)


@way("envelope")
def has_null_fingerprint(reply: Reply, call: Call) -> Reply:
    """Sends null for fingerprint and tier."""
    return objects(reply, setting(system_fingerprint=None, service_tier=None), is_object)


@way("envelope")
def has_no_fingerprint(reply: Reply, call: Call) -> Reply:
    """Knows neither fingerprint nor tier."""
    return objects(reply, dropping("system_fingerprint", "service_tier"), is_object)


@way("names")
def dates_its_model(reply: Reply, call: Call) -> Reply:
    """Names the snapshot that answers, and has bare UUIDs as ids."""

    def edit(item: Object) -> None:
        item.update(model=f"{item['model']}-2024-12-06")
        item.update(id=str(uuid.uuid5(uuid.NAMESPACE_URL, item["id"])))

    return objects(reply, edit, is_object)


@way("names")
def has_short_ids(reply: Reply, call: Call) -> Reply:
    """Has ids of nine characters for calls, as Mistral, and `gen-…` for replies."""

    def shorten(told: Object) -> None:
        for one in told.get("tool_calls") or ():
            if "id" in one:
                one["id"] = uuid.uuid5(uuid.NAMESPACE_URL, one["id"]).hex[:9]

    def edit(item: Object) -> None:
        item.update(id=f"gen-{item['created']}-{item['id'][-24:]}")

    return objects(said(reply, shorten), edit, is_object)


# Log probabilities that were asked for.


def _rated(reply: Reply, edit: Callable[[list[Object]], list[Object]]) -> Reply:
    """The reply with the entries of every choice that has some changed by `edit`."""

    def change(item: Object) -> None:
        for one in item["choices"]:
            if one.get("logprobs"):
                one["logprobs"]["content"] = edit(one["logprobs"]["content"] or [])

    return objects(reply, change)


@way("ratings", warns=("CC-LOGP-010",))
def rates_without_bytes(reply: Reply, call: Call) -> Reply:
    """Leaves the bytes of tokens out, as TGI does."""

    def edit(entries: list[Object]) -> list[Object]:
        for one in entries:
            for told in (one, *one["top_logprobs"]):
                told.pop("bytes")
        return entries

    return _rated(reply, edit)


@way("ratings")
def rates_parts_of_characters(reply: Reply, call: Call) -> Reply:
    """Has byte-level tokens: a character is several of them, and no text by itself."""

    def parts(entry: Object) -> list[Object]:
        octets = entry["token"].encode()
        if entry["token"].isascii():
            return [entry]
        return [{**entry, "token": f"bytes:\\x{one:02x}", "bytes": [one]} for one in octets]

    return _rated(reply, lambda entries: [part for entry in entries for part in parts(entry)])


@way("ratings")
def rates_the_end_too(reply: Reply, call: Call) -> Reply:
    """Tells of the token that ended the answer, and null for bytes."""
    end = {"token": "<|eot_id|>", "logprob": -0.01, "bytes": None, "top_logprobs": []}
    asked_for = asked(call, "logprobs") is True

    def change(item: Object) -> None:
        for one in item["choices"]:
            if asked_for and one.get("finish_reason") == "stop":
                told = one.get("logprobs") or {"content": None, "refusal": None}
                one["logprobs"] = {**told, "content": [*(told["content"] or []), dict(end)]}

    return objects(reply, change)


# A vendor's own members.


def _each(reply: Reply, *, top: Object, choice: Object) -> Reply:
    def add(item: Object) -> None:
        item.update(copy.deepcopy(top))
        for one in item["choices"]:
            one.update(copy.deepcopy(choice))

    return objects(reply, add, is_object)


def _models(reply: Reply, call: Call, **members: Any) -> Reply:
    """The list of models, or the one retrieved, with members added to each."""
    if not call.path.startswith("/models") or not reply.ok or not isinstance(reply.body, dict):
        return reply
    body = copy.deepcopy(reply.body)
    for one in body.get("data", [body]):
        one.update(members)
    return replace(reply, body=body)


@way("vendor")
def is_vllm(reply: Reply, call: Call) -> Reply:
    """Adds what vLLM adds."""
    permission = [{"id": "modelperm-1", "object": "model_permission", "is_blocking": False}]
    listed = _models(
        reply, call, root="/m", parent=None, max_model_len=131072, permission=permission
    )
    top = {"prompt_logprobs": None, "prompt_token_ids": None, "kv_transfer_params": None}
    return _each(listed, top=top, choice={"stop_reason": None, "token_ids": None})


@way("vendor")
def is_llama_cpp(reply: Reply, call: Call) -> Reply:
    """Adds what llama.cpp's server adds: timings at the end, a second list of models."""
    meta = {"vocab_type": 2, "n_vocab": 128256, "size": 4_920_000_000}
    listed = _models(reply, call, meta=meta)
    if isinstance(listed.body, dict) and "data" in listed.body:
        names = [one["id"] for one in listed.body["data"]]
        models = [{"name": name, "capabilities": ["completion"]} for name in names]
        listed = replace(listed, body={**listed.body, "models": models})
    timings = {"prompt_n": 12, "prompt_ms": 3.25, "predicted_n": 9, "predicted_per_second": 88.5}
    end = is_finish if reply.events is not None else is_object
    return objects(listed, setting(timings=timings), end)


@way("vendor")
def is_groq(reply: Reply, call: Call) -> Reply:
    """Adds `x_groq` to a document, and to the first chunk, as Groq does."""
    mark = {"x_groq": {"id": "req_01jbd6g2qdfw2adyrt2az8hz4w"}}
    if reply.events is None:
        return _each(reply, top={**mark, "usage_breakdown": None}, choice={})
    return stream(reply, lambda events: [{**_dict(events[0]), **mark}, *events[1:]])


@way("vendor")
def is_openrouter(reply: Reply, call: Call) -> Reply:
    """Adds the provider, its own reason, and details of the reasoning, as OpenRouter does."""

    def add(told: Object) -> None:
        thought = told.get("reasoning") or told.get("reasoning_content")
        if thought:
            told["reasoning_details"] = [{"type": "reasoning.text", "text": thought, "index": 0}]

    def mirror(item: Object) -> None:
        for one in item["choices"]:
            one["native_finish_reason"] = one.get("finish_reason")

    return objects(_each(said(reply, add), top={"provider": "Azure"}, choice={}), mirror)


@way("vendor")
def is_upstream(reply: Reply, call: Call) -> Reply:
    """Hides the length of tokens by `obfuscation`, unless told not to, as upstream does."""
    options = asked(call, "stream_options") or {}
    if reply.events is None or options.get("include_obfuscation") is False:
        return reply
    return objects(reply, setting(obfuscation="aB3x9"), is_object)


@way("vendor", warns=("CC-STREAM-017",))
def is_azure(reply: Reply, call: Call) -> Reply:
    """Adds the results of filters, and begins a stream with those of the prompt, as Azure does."""
    safe = {"hate": {"filtered": False, "severity": "safe"}}
    found = [{"prompt_index": 0, "content_filter_results": safe}]
    marked = _each(reply, top={}, choice={"content_filter_results": safe})
    if reply.events is None:
        return objects(marked, setting(prompt_filter_results=found))
    blank = {"id": "", "object": "", "created": 0, "model": "", "choices": []}
    return stream(marked, lambda events: [{**blank, "prompt_filter_results": found}, *events])


# Errors.


@way("errors", warns=("CC-ERR-009", "CC-REQ-006", "CC-REQ-021", "CC-REQ-022"))
def has_short_errors(reply: Reply, call: Call) -> Reply:
    """Leaves `param` out, and `code` where there is none, as Groq does."""

    def edit(told: Object) -> None:
        told.pop("param")
        if told["code"] is None:
            told.pop("code")

    return error(reply, edit)


_TYPES = {400: "BadRequestError", 401: "AuthenticationError", 404: "NotFoundError"}


@way("errors", warns=("CC-ERR-011", "CC-MODEL-009", "CC-AUTH-004"))
def has_types_of_its_own(reply: Reply, call: Call) -> Reply:
    """Names its errors after classes, with the request's id beside the envelope."""
    named = error(reply, lambda told: told.update(type=_TYPES.get(reply.status, told["type"])))
    if named is reply or not isinstance(named.body, dict):
        return reply
    return replace(named, body={**named.body, "request_id": "req_1", "user_id": None})


@way("errors", warns=("CC-ERR-012",))
def refuses_with_422(reply: Reply, call: Call) -> Reply:
    """Answers what it cannot validate with 422, in the envelope, FastAPI's detail beside it."""
    if reply.status != 400 or not isinstance(reply.body, dict):
        return reply
    return replace(reply, status=422, body={**reply.body, "detail": [{"loc": ["body"]}]})
