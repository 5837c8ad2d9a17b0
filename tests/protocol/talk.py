"""What both sides of a conversation say: well-formed replies to start from, and short spellings."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from conformance.protocol.finding import Finding
from conformance.protocol.stream import Facts, StreamReading, read_stream

DONE = "[DONE]"
Json = dict[str, Any]

USAGE: Json = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}
ERROR: Json = {"message": "boom", "type": "server_error", "param": None, "code": None}
CALL: Json = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "f", "arguments": "{}"},
}


def choice(delta: object, finish: object = None, index: object = 0) -> Json:
    """One choice of a chunk."""
    return {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}


def chunk(*choices: object, **members: object) -> Json:
    """One chunk; ``members`` replace or add top-level members."""
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000}
    return {**head, "model": "m", "choices": list(choices), **members}


def role(index: int = 0) -> Json:
    return chunk(choice({"role": "assistant", "content": ""}, index=index))


def text(content: object, index: int = 0) -> Json:
    return chunk(choice({"content": content}, index=index))


def finish(reason: object = "stop", index: int = 0) -> Json:
    return chunk(choice({}, reason, index=index))


def usage(value: object = None) -> Json:
    return chunk(usage=USAGE if value is None else value)


def hello() -> list[Json | str]:
    """A whole, well-formed stream: "Hello"."""
    return [role(), text("Hel"), text("lo"), finish(), DONE]


def sse(values: Iterable[object], end: str = "\n\n") -> bytes:
    """The values as an event stream; a string is sent as it is."""
    lines = (value if isinstance(value, str) else json.dumps(value) for value in values)
    return "".join(f"data: {line}{end}" for line in lines).encode("utf-8", "surrogatepass")


def hear(*values: object, facts: Facts | None = None) -> StreamReading:
    """The reading of a stream of these values."""
    return read_stream(sse(values), facts)


def ids(findings: Iterable[Finding]) -> list[str]:
    """The clauses, each once, sorted; a mild finding has a tilde."""
    return sorted({finding.id + "~" * finding.mild for finding in findings})


def heard(*values: object, facts: Facts | None = None) -> list[str]:
    """The clauses that a stream of these values breaks."""
    return ids(hear(*values, facts=facts).findings)


def completion(**members: object) -> Json:
    """A well-formed completion; ``members`` replace or add top-level members."""
    answer = {"role": "assistant", "content": "Hello", "refusal": None}
    one = {"index": 0, "message": answer, "logprobs": None, "finish_reason": "stop"}
    head = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1_700_000_000, "model": "m"}
    return {**head, "choices": [one], "usage": dict(USAGE), **members}


def answer(*drop: str, **members: object) -> Json:
    """A completion whose message lacks the keys in ``drop`` and has ``members`` instead."""
    whole = completion()
    message = {**whole["choices"][0]["message"], **members}
    whole["choices"][0]["message"] = {key: message[key] for key in message if key not in drop}
    return whole


def picked(*drop: str, **members: object) -> Json:
    """A completion whose choice lacks the keys in ``drop`` and has ``members`` instead."""
    whole = completion()
    one = {**whole["choices"][0], **members}
    whole["choices"] = [{key: one[key] for key in one if key not in drop}]
    return whole
