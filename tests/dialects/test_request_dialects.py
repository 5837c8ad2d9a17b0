"""Dialects of requests, refusals, keys, models and HTTP: right servers, blamed for nothing.

Those of streams are in ``test_stream_dialects.py``, of replies in ``test_reply_dialects.py``.
"""

from dataclasses import replace
from typing import Any

import pytest

from conformance.reference import text
from conformance.reference.call import Call, Cut, Piece, Reply, refusal
from conformance.reference.faults.edits import (
    asked,
    bad_parameter,
    completion,
    each_item,
    given,
    is_usage,
    messages,
)
from conformance.reference.models import DOCUMENTED, served
from conformance.reference.routes import Site, respond
from conformance.reference.wire import document

from .dialect import (
    MODEL,
    THINKER,
    dialect,
    test_a_right_server_is_blamed_for_nothing,  # noqa: F401 - pytest collects it here
)

pytestmark = pytest.mark.slow

SITE = Site(served())


def says(call: Call, words: str) -> Reply:
    """The reply to `call` of a model that says `words`; everything else as it was asked for."""
    prompt = f"Repeat the following text exactly, and nothing else:\n\n{words}"
    told = respond(given(call, messages=[{"role": "user", "content": prompt}]), SITE)
    if not told.ok:
        return respond(call, SITE)
    counted = text.prompt_tokens(messages(call), asked(call, "tools"))

    def count(body: dict[str, Any]) -> None:
        usage = body["usage"]
        usage.update(prompt_tokens=counted, total_tokens=counted + usage["completion_tokens"])

    if told.events is not None:
        return replace(told, events=tuple(each_item(told.events, count, is_usage)))
    return completion(told, count)


# HTTP.


def _headed(pieces: list[Piece], *changes: tuple[bytes, bytes]) -> list[Piece]:
    """The pieces with the head changed."""
    first, *rest = pieces
    assert isinstance(first, bytes)
    top, end, content = first.partition(b"\r\n\r\n")
    for old, new in changes:
        top = top.replace(old, new)
    return [top + end + content, *rest]


@dialect(seam="bytes", only=("CC-HTTP", "CC-SSE-001"))
def closes_after_every_reply(pieces: list[Piece], call: Call) -> list[Piece]:
    """Lets no connection live on, and says so."""
    return [*_headed(pieces, (b"Connection: keep-alive", b"Connection: close")), Cut.CLOSE]


@dialect(seam="bytes", only=("CC-HTTP", "CC-MODEL", "CC-SSE-018", "CC-SSE-024"))
def speaks_http_1_0(pieces: list[Piece], call: Call) -> list[Piece]:
    """Speaks HTTP/1.0, as mlx-lm does: the end of the connection ends every body."""
    first, *rest = pieces
    assert isinstance(first, bytes)
    top, end, content = first.partition(b"\r\n\r\n")
    lines = [line for line in top.split(b"\r\n") if not line.startswith(b"Content-Length")]
    if b"Transfer-Encoding: chunked" in lines:
        lines.remove(b"Transfer-Encoding: chunked")
        rest = [p.split(b"\r\n", 1)[1][:-2] for p in rest if isinstance(p, bytes) and p[:1] != b"0"]
    lines = [lines[0].replace(b"HTTP/1.1", b"HTTP/1.0"), *lines[1:]]
    lines = [line.replace(b"Connection: keep-alive", b"Connection: close") for line in lines]
    return [b"\r\n".join(lines) + end + content, *rest, Cut.CLOSE]


@dialect(seam="bytes", warns=("CC-HTTP-017",), only=("CC-HTTP", "CC-AUTH", "CC-ERR"))
def has_no_patience(pieces: list[Piece], call: Call) -> list[Piece]:
    """Ends a connection as soon as it is idle, and does not say so, as RFC 9112 §9.5 lets it."""
    return [*pieces, Cut.CLOSE]


@dialect(seam="bytes", only=("CC-HTTP", "CC-RESP", "CC-ERR-001"))
def chunks_everything(pieces: list[Piece], call: Call) -> list[Piece]:
    """Sends an early hint, then every body in chunks, with extensions and a trailer."""
    first, *rest = pieces
    assert isinstance(first, bytes)
    hint = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"
    top, end, content = first.partition(b"\r\n\r\n")
    lines = [line for line in top.split(b"\r\n") if not line.startswith(b"Content-Length")]
    if len(lines) == len(top.split(b"\r\n")):
        return [hint + first, *rest]
    half = len(content) // 2
    body = b"".join(
        b"%X;part=%d\r\n%b\r\n" % (len(part), number, part)
        for number, part in enumerate((content[:half], content[half:]))
        if part
    )
    framed = b"\r\n".join([*lines, b"Transfer-Encoding: chunked"]) + end + body
    return [hint + framed + b"0\r\nX-Checksum: 1\r\n\r\n", *rest]


@dialect(seam="reply", only=("CC-HTTP", "CC-AUTH", "CC-MODEL", "CC-RESP", "CC-ERR"))
def stands_behind_a_gateway(reply: Reply, call: Call) -> Reply:
    """Pads its documents to keep the connection warm, and carries a gateway's headers."""
    marked = reply.having(
        ("Server", "nginx"), ("Via", "1.1 gateway"), ("Strict-Transport-Security", "max-age=1")
    )
    if reply.events is not None or reply.content is not None:
        return marked
    typed = marked.having(("Content-Type", "application/json; charset=UTF-8"))
    return replace(typed, content=b" \n" * 20 + document(reply) + b"\n")


_SEEN: set[tuple[str, bytes]] = set()


def _is_new(call: Call, name: str) -> bool:
    """Whether a call was not heard before by the dialect `name`; one that is cut off never is."""
    if call.too_large:
        return False
    key = (name, call.target.encode() + repr(call.headers).encode() + call.content)
    new = key not in _SEEN
    _SEEN.add(key)
    return new


@dialect(seam="request", warns=("CC-HDR-005",))
def has_no_time_at_first(call: Call) -> Call | Reply:
    """Answers every new call with 429, whatever it asks, and with what is right the second time."""
    if not _is_new(call, "has_no_time_at_first"):
        return call
    soon = (("Retry-After", "0"),)
    why, code = "Rate limit reached.", "rate_limit_exceeded"
    return refusal(429, why, kind="requests", code=code, headers=soon)


@dialect(seam="request")
def stumbles_at_first(call: Call) -> Call | Reply:
    """Answers every new call with 503 once: a worker that is just being started."""
    if not _is_new(call, "stumbles_at_first"):
        return call
    return refusal(503, "The server is overloaded.", kind="service_unavailable_error")


@dialect(seam="clock", only=("CC-HTTP-025",), undecided=("CC-HTTP-025",))
def is_quick_after_its_first_token(pauses: list[float], call: Call) -> list[float]:
    """Waits for its first token before it sends anything, and is at the end soon after."""
    return [2.0, *(0.0 for _ in pauses[1:])] if len(pauses) > 2 else pauses


# Keys and models.


@dialect(
    seam="request",
    only=("CC-HTTP", "CC-AUTH", "CC-MODEL", "CC-REQ", "CC-ERR"),
    warns=("CC-MODEL-009", "CC-MODEL-011"),
)
def serves_one_model_to_anybody(call: Call) -> Call | Reply:
    """Has no keys and one chat model beside an embedder, and answers from it whatever is named."""
    call = replace(call, trusted=True)
    if call.path == "/models":
        embedder = {**DOCUMENTED[1].public(), "id": "nomic-embed-text"}
        return Reply(200, {"object": "list", "data": [DOCUMENTED[0].public(), embedder]})
    if asked(call, "model") == "nomic-embed-text":
        return refusal(404, "No chat model of this name was found: not found.")
    return given(call, model=MODEL) if call.chat and call.json is not None else call


@dialect(seam="request", only=("CC-AUTH", "CC-MODEL", "CC-REQ-024"))
def has_no_list_of_models(call: Call) -> Call | Reply:
    """Does not offer GET /models."""
    if not call.path.startswith("/models"):
        return call
    return refusal(404, f"Invalid URL (GET /v1{call.path})", code="unknown_url")


@dialect(
    seam="request",
    only=("CC-AUTH", "CC-MODEL"),
    undecided=(
        *("CC-AUTH-001", "CC-MODEL-001", "CC-MODEL-002", "CC-MODEL-003", "CC-MODEL-004"),
        "CC-MODEL-005",
    ),
)
def keeps_its_list_from_this_key(call: Call) -> Call | Reply:
    """Lets the key chat, and not list models."""
    if not call.path.startswith("/models"):
        return call
    return refusal(403, "You have insufficient permissions for this operation.")


# Parameters.


@dialect(seam="reply", warns=("CC-ERR-012",), only=("CC-HTTP", "CC-MODEL", "CC-REQ", "CC-ERR"))
def says_422(reply: Reply, call: Call) -> Reply:
    """Answers what it cannot validate with 422, in the envelope."""
    return replace(reply, status=422) if reply.status == 400 else reply


_FIXED = ("top_p", "presence_penalty", "frequency_penalty")
_LACKS = ("max_tokens", "logprobs", "top_logprobs", "stop", "logit_bias", "seed")


@dialect(seam="request", warns=("CC-REQ-018",))
def chooses_for_itself(call: Call) -> Call | Reply:
    """Takes max_completion_tokens alone, fixes its sampling, and has no stop and no logprobs, not
    even as null."""
    body = call.json if call.chat and call.json else {}
    if missing := next((name for name in _LACKS if name in body), None):
        return bad_parameter(missing)
    if body.get("temperature") not in (None, 1):
        return bad_parameter("temperature", "does not support this value; only 1 is supported")
    fixed = next((n for n in _FIXED if body.get(n) not in (None, 0, 1)), None)
    return bad_parameter(fixed) if fixed else call


@dialect(
    seam="request",
    only=("CC-HTTP", "CC-AUTH", "CC-REQ", "CC-FIN", "CC-EQUIV", "CC-SERR", "CC-STREAM-018"),
)
def offers_text_alone(call: Call) -> Call | Reply:
    """Refuses tools, several choices, and streams, in sentences that begin with a capital."""
    if asked(call, "tools") or any(m.get("role") == "tool" for m in messages(call)):
        return refusal(400, "Tools are not supported with this model.")
    if asked(call, "stream") is True:
        return refusal(400, "Streaming is not supported with this model.")
    n = asked(call, "n")
    return refusal(400, "N must be 1.") if n not in (None, 1) else call


@dialect(seam="request", warns=("CC-REQ-005",), only=("CC-REQ", "CC-MSG"))
def has_no_system_role(call: Call) -> Call | Reply:
    """Has a chat template without a system role, as Gemma's."""
    above = any(m.get("role") in ("system", "developer") for m in messages(call))
    return refusal(400, "System role not supported") if above else call


@dialect(seam="request", warns=("CC-REQ-050",), only=("CC-REQ", "CC-FIN"))
def minds_its_calls(call: Call) -> Call | Reply:
    """Wants ids of calls as Mistral does, and temperatures up to 1."""
    ids = [c["id"] for m in messages(call) for c in m.get("tool_calls") or () if "id" in c]
    given_ids = [one for one in ids if not one.startswith("call_")]  # what it made up itself
    if any(len(one) != 9 or not one.isalnum() for one in given_ids):
        return refusal(400, "Tool call id must be a-z, A-Z, 0-9, with a length of 9.")
    value = asked(call, "temperature")
    hot = isinstance(value, int | float) and 1 < value <= 2
    return bad_parameter("temperature", "must be at most 1") if hot else call


# Models with manners of their own.


@dialect(
    seam="request",
    undecided=(
        *("CC-EQUIV-008", "CC-FIN-003", "CC-MSG-012", "CC-REQ-024", "CC-SAMP-003", "CC-SAMP-004"),
        "CC-SSE-021",
    ),
)
def answers_in_sentences(call: Call) -> Call | Reply:
    """Wraps code words in Markdown and courtesy, and will neither repeat nor count."""
    prompt = text.last_user_text(messages(call)) if call.chat and messages(call) else ""
    if "code word" in prompt and call.json:
        said = text.answer(call.json["messages"])
        found = ", then ".join(f"**{word}**" for word in said.split() if word.startswith("ZQ"))
        return says(call, f"Of course! You told me {found or 'none'}.\n\nIs there more?")
    if prompt.startswith("Repeat"):
        return says(call, "I'm sorry, but I can't repeat that.")
    if prompt.startswith("Count"):
        return says(call, "1, 2, 3 … 300. There!")
    return call


@dialect(
    seam="request",
    only=("CC-HTTP", "CC-REQ"),
    undecided=("CC-HTTP-025", "CC-REQ-024"),
)
def refuses_what_it_cannot_finish(call: Call) -> Call | Reply:
    """Thinks first, and answers 400 where a bound below 200 is spent on that, as upstream has."""
    bound = asked(call, "max_tokens") or asked(call, "max_completion_tokens")
    if not isinstance(bound, int) or not 0 < bound < THOUGHT or not respond(call, SITE).ok:
        return call
    why = "max_tokens or model output limit was reached. Please try again with higher max_tokens."
    return refusal(400, f"Could not finish the message because {why}")


THOUGHT = 200
"""Tokens of thought before the first one of the answer."""


@dialect(seam="reply", model=THINKER)
def thinks_at_length(reply: Reply, call: Call) -> Reply:
    """Thinks for 200 tokens before it says anything, and spends a small bound on that."""
    body = call.json or {}
    bound = body.get("max_tokens") or body.get("max_completion_tokens")
    if not reply.ok or not call.chat or (body.get("n") or 1) > 1:
        return reply
    if bound is None or bound > THOUGHT:
        return reply
    thought = " hmm" * bound

    def spent(usage: dict[str, Any]) -> None:
        usage.update(completion_tokens=bound, total_tokens=usage["prompt_tokens"] + bound)
        usage["completion_tokens_details"]["reasoning_tokens"] = bound

    def think(answer: dict[str, Any]) -> None:
        for choice in answer["choices"]:
            said = {**choice["message"], "content": None, "reasoning_content": thought}
            choice.update(message=said, finish_reason="length")
        spent(answer["usage"])

    if reply.events is None:
        return completion(reply, think)
    first = next(item for item in reply.events if isinstance(item, dict))
    head = {key: value for key, value in first.items() if key != "choices"}

    def chunk(delta: dict[str, Any], finish: str | None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return {**head, "choices": [choice]}

    counted = each_item(reply.events, lambda item: spent(item["usage"]), is_usage)
    tail = [item for item in counted if isinstance(item, str) or is_usage(item)]
    told = [chunk({"reasoning_content": " hmm"}, None) for _ in range(bound)]
    return replace(reply, events=(first, *told, chunk({}, "length"), *tail))


@dialect(
    seam="request",
    only=("CC-HTTP", "CC-REQ", "CC-RESP", "CC-USAGE", "CC-FIN", "CC-STREAM"),
    warns=("CC-RESP-006",),
    undecided=("CC-HTTP-022", "CC-USAGE-004", "CC-USAGE-005", "CC-USAGE-009"),
)
def counts_nothing(call: Call) -> Call | Reply:
    """Sends no usage, and refuses to be asked for it."""
    if asked(call, "stream_options"):
        return bad_parameter("stream_options")
    return completion(respond(call, SITE), lambda body: body.pop("usage"))
