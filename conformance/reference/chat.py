"""Request -> completion, or the chunks of a stream: pure, and both from one generation.

Laws: a stream and a plain reply tell the same generation; the output bound counts every token that
leaves the model (thought, text, arguments) and is never passed; usage is that count.

Theory. `generate` decides per choice what is said and why it ends: thought first, then calls or
text. The text ends before the earliest stop sequence, or at the bound. `completion` and `chunks`
only spell the result.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from conformance.reference import text
from conformance.reference.call import DONE, Item
from conformance.reference.instance import instance
from conformance.reference.models import Model
from conformance.reference.tools import ToolCall, calls

LONGEST = 16_384
"""Output bound in tokens where the request gives none, and the most that it may ask for."""

FINGERPRINT = "fp_reference01"


@dataclass(frozen=True, slots=True)
class Choice:
    """One generated choice, as tokens, and why it ended."""

    thought: list[str]
    spoken: list[str]
    calls: list[ToolCall]
    finish: str

    @property
    def cost(self) -> int:
        """Output tokens."""
        arguments = sum(len(text.tokens(call.arguments)) for call in self.calls)
        return len(self.thought) + len(self.spoken) + arguments


@dataclass(frozen=True, slots=True)
class Answer:
    """Everything a reply is spelled from. `created` is in Unix seconds."""

    body: dict[str, Any]
    choices: list[Choice]
    id: str
    created: int

    @property
    def prompt_tokens(self) -> int:
        """Tokens of the prompt."""
        return text.prompt_tokens(self.body["messages"], self.body.get("tools"))

    @property
    def cost(self) -> int:
        """Output tokens of all choices."""
        return sum(choice.cost for choice in self.choices)

    def head(self, kind: str) -> dict[str, Any]:
        """The members that a completion and a chunk have in common."""
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.body["model"],
            "service_tier": "default",
            "system_fingerprint": FINGERPRINT,
        }

    def usage(self) -> dict[str, Any]:
        """The usage object."""
        prompt, output = self.prompt_tokens, self.cost
        return {
            "prompt_tokens": prompt,
            "completion_tokens": output,
            "total_tokens": prompt + output,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": sum(len(choice.thought) for choice in self.choices),
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        }


def answer(body: dict[str, Any], model: Model, nonce: str, created: int) -> Answer:
    """Generates every choice of a valid request."""
    count = body.get("n") or 1
    choices = [generate(body, model, f"{nonce}{i:02x}", i) for i in range(count)]
    return Answer(body, choices, f"chatcmpl-{nonce}", created)


def generate(body: dict[str, Any], model: Model, nonce: str, index: int = 0) -> Choice:
    """One choice of a valid request."""
    bound = min(body.get("max_completion_tokens") or body.get("max_tokens") or LONGEST, LONGEST)
    thinks = model.reasoning and body.get("reasoning_effort") != "none"
    thought = text.tokens(text.thought(body["messages"])) if thinks else []
    if len(thought) >= bound:
        return Choice(thought[:bound], [], [], "length")
    left = bound - len(thought)
    if text.last_user_text(body["messages"]) == text.FILTERED:
        return Choice(thought, text.tokens("I would")[:left], [], "content_filter")
    if wanted := calls(body, nonce):
        made, whole = _within(wanted, left)
        return Choice(thought, [], made, "tool_calls" if whole else "length")
    said = text.biased(text.tokens(_said(body, index)), body.get("logit_bias") or {}, left)
    kept = "".join(said[:left])
    ended = _before_stop(kept, body.get("stop"))
    if ended is not None:
        return Choice(thought, text.tokens(ended), [], "stop")
    return Choice(thought, said[:left], [], "length" if len(said) > left else "stop")


def _said(body: dict[str, Any], index: int) -> str:
    form = body.get("response_format") or {"type": "text"}
    if form["type"] == "text":
        return text.answer(body["messages"], index)
    if form["type"] == "json_schema" and form["json_schema"].get("schema") is not None:
        value = instance(form["json_schema"]["schema"])
    else:
        value = {"answer": text.answer(body["messages"], index)}
    return json.dumps(value, ensure_ascii=False)


def _before_stop(said: str, stop: str | list[str] | None) -> str | None:
    """What precedes the earliest stop sequence; None where none occurs."""
    sequences = [stop] if isinstance(stop, str) else stop or []
    places = [said.find(one) for one in sequences if one]
    found = [place for place in places if place >= 0]
    return said[: min(found)] if found else None


def _within(wanted: list[ToolCall], bound: int) -> tuple[list[ToolCall], bool]:
    """The calls, or as much of them as the bound allows, and whether that is all."""
    made: list[ToolCall] = []
    for call in wanted:
        pieces = text.tokens(call.arguments)
        if len(pieces) > bound:
            if bound:
                made.append(ToolCall(call.id, call.name, "".join(pieces[:bound])))
            return made, False
        made.append(call)
        bound -= len(pieces)
    return made, True


def _logprobs(body: dict[str, Any], tokens: list[str]) -> dict[str, Any] | None:
    if not body.get("logprobs"):
        return None
    most = body.get("top_logprobs") or 0
    return {"content": [_entry(token, most) for token in tokens], "refusal": None}


def _entry(token: str, most: int) -> dict[str, Any]:
    top = -(1 + text.digest(token) % 50) / 100
    ranked = [(token, top)] + [(f"{token}{i}", top - i) for i in range(1, most)]
    spelled = [
        {"token": one, "logprob": round(value, 4), "bytes": list(one.encode())}
        for one, value in ranked
    ]
    return {**spelled[0], "top_logprobs": spelled[:most]}


def completion(given: Answer) -> dict[str, Any]:
    """The `chat.completion` object."""
    choices = []
    for index, choice in enumerate(given.choices):
        message: dict[str, Any] = {
            "role": "assistant",
            "content": None if choice.calls else "".join(choice.spoken),
            "refusal": None,
            "annotations": [],
        }
        if choice.thought:
            message["reasoning_content"] = "".join(choice.thought)
        if choice.calls:
            message["tool_calls"] = [call.public() for call in choice.calls]
        choices.append(
            {
                "index": index,
                "message": message,
                "logprobs": None if choice.calls else _logprobs(given.body, choice.spoken),
                "finish_reason": choice.finish,
            }
        )
    return {**given.head("chat.completion"), "choices": choices, "usage": given.usage()}


def _deltas(body: dict[str, Any], choice: Choice) -> Iterator[tuple[dict[str, Any], Any]]:
    """The deltas of one choice between role and finish, each with its logprobs."""
    for token in choice.thought:
        yield {"reasoning_content": token}, None
    for token in choice.spoken:
        yield {"content": token}, _logprobs(body, [token])
    for index, call in enumerate(choice.calls):
        opening = {"id": call.id, "type": "function", "function": call.function("")}
        yield {"tool_calls": [{"index": index, **opening}]}, None
        for token in text.tokens(call.arguments):
            yield {"tool_calls": [{"index": index, "function": {"arguments": token}}]}, None


def chunks(given: Answer) -> list[dict[str, Any]]:
    """The `chat.completion.chunk` objects in order: roles, deltas interleaved, finishes, usage."""
    head = given.head("chat.completion.chunk")
    counted = bool((given.body.get("stream_options") or {}).get("include_usage"))
    blank: dict[str, Any] = {"usage": None} if counted else {}

    def chunk(index: int, delta: dict[str, Any], finish: str | None, logprobs: Any) -> Any:
        choice = {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish}
        return {**head, "choices": [choice], **blank}

    result: list[dict[str, Any]] = []
    for index, choice in enumerate(given.choices):
        opening = {
            "role": "assistant",
            "content": None if choice.calls else "",
            "refusal": None,
        }
        result.append(chunk(index, opening, None, None))
    for row in zip_longest(*(_deltas(given.body, choice) for choice in given.choices)):
        for index, step in enumerate(row):
            if step is not None:
                result.append(chunk(index, step[0], None, step[1]))
    for index, choice in enumerate(given.choices):
        result.append(chunk(index, {}, choice.finish, None))
    if counted:
        result.append({**head, "choices": [], "usage": given.usage()})
    return result


def events(given: Answer) -> tuple[Item, ...]:
    """The whole stream: the chunks and the terminator; a breakdown ends half-way in an error."""
    told: list[Item] = list(chunks(given))
    if breaks_down(given.body):
        return (*told[: max(2, len(told) // 2)], {"error": BREAKDOWN_ERROR})
    return (*told, DONE)


BREAKDOWN_ERROR = {
    "message": "The server had an error while processing your request.",
    "type": "server_error",
    "param": None,
    "code": None,
}


def breaks_down(body: dict[str, Any]) -> bool:
    """Whether the request asks for a failure half-way."""
    return text.last_user_text(body["messages"]).startswith(text.BREAKDOWN)
