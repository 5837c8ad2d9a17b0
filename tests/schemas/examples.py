"""Values that fit a schema, and values that do not, with the place and the clause refused."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

COMPLETION: dict[str, Any] = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1_700_000_000,
    "model": "meta/llama-3.3-70b-instruct",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hello.", "refusal": None},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11},
}
CALL: dict[str, Any] = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "f", "arguments": "{}"},
}
CHUNK: dict[str, Any] = {
    "id": "chatcmpl-1",
    "object": "chat.completion.chunk",
    "created": 1_700_000_000,
    "model": "m",
    "choices": [
        {"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None},
    ],
}
REQUEST: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "Say hello."}]}
MODEL: dict[str, Any] = {"id": "m", "object": "model", "created": 0, "owned_by": "me"}
ERROR: dict[str, Any] = {
    "error": {
        "message": "Incorrect API key provided.",
        "type": "invalid_request_error",
        "param": None,
        "code": "invalid_api_key",
    }
}
RESULTS: dict[str, Any] = {
    "format": 1,
    "suite": {"name": "chat-conformance", "version": "0.1.0", "python": "3.11.4", "packages": {}},
    "target": {"url": "http://127.0.0.1:8080/v1", "profile": "ainul", "models": ["m"]},
    "verdict": "not conformant",
    "strict": False,
    "interrupted": False,
    "started": "2026-08-21T09:30:00.250+00:00",
    "finished": "2026-08-21T09:31:00Z",
    "duration_s": 59.75,
    "requests": 120,
    "repeated": 0,
    "counts": {
        "PASS": 0,
        "FAIL": 1,
        "WARN": 0,
        "UNSUPPORTED": 0,
        "INCONCLUSIVE": 0,
        "BLOCKED": 0,
        "ERROR": 0,
        "OBSERVED": 0,
    },
    "catalogue": {
        "entries": 326,
        "judged": {"MUST": 87, "SHOULD": 40, "MAY": 5, "INFO": 0},
        "total": {"MUST": 118, "SHOULD": 173, "MAY": 25, "INFO": 10},
        "unjudgeable": [{"id": "CC-HTTP-008", "level": "MAY", "reason": "it is a permission"}],
    },
    "requirements": [
        {
            "id": "CC-SSE-005",
            "model": "m",
            "level": "MUST",
            "kind": "protocol",
            "verdict": "FAIL",
            "evidence": {
                "summary": "the last data value is a chunk",
                "findings": [
                    {"required": "[DONE]", "seen": "{…}", "at": "line 7", "mild": False},
                ],
                "exchanges": [
                    {
                        "request": {
                            "method": "POST",
                            "url": "http://127.0.0.1:8080/v1/chat/completions",
                            "headers": [["content-type", "application/json"]],
                            "body": "{}",
                        },
                        "status": 200,
                        "headers": [["content-type", "text/event-stream"]],
                        "transcript": [
                            {"at_ms": 3.1, "arrival": 0, "offset": 0, "text": "…", "mark": True},
                            {"at_ms": None, "offset": 9, "text": "… 4 lines …", "mark": False},
                        ],
                        "curl": "curl -N …",
                        "error": None,
                    }
                ],
                "reproduce": "pytest --requirement CC-SSE-005",
                "reason": None,
                "trials": {"passed": 2, "counted": 3, "of": 3},
                "duration_s": 0.4,
            },
        }
    ],
    "deviations": [
        {
            "id": "CC-SSE-005",
            "model": None,
            "reason": "gateway 1.2 drops it",
            "expires": "2026-12-31",
            "state": "known",
        }
    ],
}
MODEL_LIST: dict[str, Any] = {"object": "list", "data": [MODEL]}

EXAMPLES: dict[str, dict[str, Any]] = {
    "chat_request": REQUEST,
    "chat_completion": COMPLETION,
    "chat_completion_chunk": CHUNK,
    "model": MODEL,
    "model_list": MODEL_LIST,
    "error": ERROR,
    "results": RESULTS,
}

GONE = object()


def changed(example: Mapping[str, Any], *steps: Any) -> dict[str, Any]:
    """Return a copy in which what the path (all steps but the last) leads to is the last step."""
    *path, last, value = steps
    whole = copy.deepcopy(dict(example))
    here: Any = whole
    for step in path:
        here = here[step]
    if value is GONE:
        del here[last]
    else:
        here[last] = value
    return whole


MESSAGE = ("choices", 0, "message")
DELTA = ("choices", 0, "delta")

GOOD: list[tuple[str, dict[str, Any]]] = [
    *EXAMPLES.items(),
    ("chat_completion", changed(COMPLETION, "usage", None)),
    ("chat_completion", changed(COMPLETION, "usage", GONE)),
    ("chat_completion", changed(COMPLETION, "vendor", {"x": 1})),
    ("chat_completion", changed(COMPLETION, "service_tier", "default")),
    ("chat_completion", changed(COMPLETION, "system_fingerprint", None)),
    ("chat_completion", changed(COMPLETION, "choices", 0, "logprobs", GONE)),
    ("chat_completion", changed(COMPLETION, *MESSAGE, "content", None)),
    ("chat_completion", changed(COMPLETION, *MESSAGE, "content", GONE)),
    ("chat_completion", changed(COMPLETION, *MESSAGE, "refusal", GONE)),
    ("chat_completion", changed(COMPLETION, *MESSAGE, "tool_calls", None)),
    ("chat_completion", changed(COMPLETION, *MESSAGE, "tool_calls", [])),
    ("chat_completion", changed(COMPLETION, *MESSAGE, "tool_calls", [CALL])),
    ("chat_completion", changed(COMPLETION, *MESSAGE, "annotations", None)),
    ("chat_completion", changed(COMPLETION, *MESSAGE, "reasoning_content", "Hm.")),
    ("chat_completion", changed(COMPLETION, "usage", "prompt_tokens_details", None)),
    ("chat_completion_chunk", changed(CHUNK, "choices", [])),
    ("chat_completion_chunk", changed(CHUNK, "usage", None)),
    ("chat_completion_chunk", changed(CHUNK, "usage", COMPLETION["usage"])),
    ("chat_completion_chunk", changed(CHUNK, "choices", 0, "delta", {})),
    ("chat_completion_chunk", changed(CHUNK, "choices", 0, "finish_reason", "length")),
    ("chat_completion_chunk", changed(CHUNK, *DELTA, "role", None)),
    (
        "chat_completion_chunk",
        changed(CHUNK, *DELTA, "tool_calls", [{"index": 0, "function": {"arguments": "{"}}]),
    ),
    ("error", changed(ERROR, "error", "param", GONE)),
    ("error", changed(ERROR, "error", "code", None)),
    ("error", changed(ERROR, "detail", "beside the envelope")),
    ("model_list", changed(MODEL_LIST, "data", [])),
    ("chat_request", changed(REQUEST, "stop", ["a", "b"])),
    ("chat_request", changed(REQUEST, "temperature", 0)),
    ("chat_request", changed(REQUEST, "temperature", None)),
    ("chat_request", changed(REQUEST, "x_unknown", 1)),
    (
        "chat_request",
        changed(REQUEST, "messages", 0, "content", [{"type": "text", "text": "hi"}]),
    ),
    (
        "chat_request",
        changed(
            REQUEST, "messages", [{"role": "assistant", "content": None, "tool_calls": [CALL]}]
        ),
    ),
    ("chat_request", changed(REQUEST, "messages", [{"role": "assistant", "refusal": "No."}])),
    ("results", changed(RESULTS, "requirements", 0, "evidence", {"summary": "ok"})),
    ("results", changed(RESULTS, "requirements", 0, "model", None)),
    ("results", changed(RESULTS, "requirements", 0, "evidence", "trials", None)),
]

Bad = tuple[str, dict[str, Any], str, str]
"""Schema, value, the path that is refused, the clause that is named."""

BAD: list[Bad] = [
    ("chat_completion", changed(COMPLETION, "id", ""), "$.id", "CC-RESP-001"),
    ("chat_completion", changed(COMPLETION, "object", "x"), "$.object", "CC-RESP-002"),
    ("chat_completion", changed(COMPLETION, "created", 1.7e9), "$.created", "CC-RESP-003"),
    ("chat_completion", changed(COMPLETION, "created", "17"), "$.created", "CC-RESP-003"),
    (
        "chat_completion",
        changed(COMPLETION, "created", 1_700_000_000_000),
        "$.created",
        "CC-RESP-003",
    ),
    ("chat_completion", changed(COMPLETION, "choices", []), "$.choices", "CC-RESP-004"),
    ("chat_completion", changed(COMPLETION, "choices", None), "$.choices", "CC-RESP-004"),
    ("chat_completion", changed(COMPLETION, "model", GONE), "$", "CC-RESP-005"),
    ("chat_completion", changed(COMPLETION, "usage", "many"), "$.usage", "CC-RESP-006"),
    ("chat_completion", changed(COMPLETION, "usage", {}), "$.usage", "CC-USAGE-001"),
    (
        "chat_completion",
        changed(COMPLETION, "usage", "total_tokens", True),
        "$.usage.total_tokens",
        "CC-USAGE-001",
    ),
    ("chat_completion", changed(COMPLETION, "service_tier", "x"), "$.service_tier", "CC-RESP-008"),
    (
        "chat_completion",
        changed(COMPLETION, "choices", 0, "index", GONE),
        "$.choices[0]",
        "CC-MSG-001",
    ),
    (
        "chat_completion",
        changed(COMPLETION, *MESSAGE, "role", "user"),
        "$.choices[0].message.role",
        "CC-MSG-002",
    ),
    (
        "chat_completion",
        changed(COMPLETION, *MESSAGE, "content", ["a"]),
        "$.choices[0].message.content",
        "CC-MSG-003",
    ),
    (
        "chat_completion",
        changed(COMPLETION, "choices", 0, "finish_reason", "eos"),
        "$.choices[0].finish_reason",
        "CC-FIN-001",
    ),
    (
        "chat_completion",
        changed(COMPLETION, "choices", 0, "finish_reason", None),
        "$.choices[0].finish_reason",
        "CC-FIN-001",
    ),
    (
        "chat_completion",
        changed(COMPLETION, *MESSAGE, "tool_calls", [changed(CALL, "function", "arguments", {})]),
        "$.choices[0].message.tool_calls[0].function.arguments",
        "CC-TOOL-002",
    ),
    (
        "chat_completion",
        changed(COMPLETION, *MESSAGE, "tool_calls", [changed(CALL, "type", GONE)]),
        "$.choices[0].message.tool_calls[0]",
        "CC-TOOL-001",
    ),
    ("chat_completion_chunk", changed(CHUNK, "object", ""), "$.object", "CC-STREAM-001"),
    ("chat_completion_chunk", changed(CHUNK, "choices", None), "$.choices", "CC-STREAM-005"),
    ("chat_completion_chunk", changed(CHUNK, "choices", GONE), "$", "CC-STREAM-005"),
    (
        "chat_completion_chunk",
        changed(CHUNK, "choices", 0, "index", None),
        "$.choices[0].index",
        "CC-STREAM-006",
    ),
    (
        "chat_completion_chunk",
        changed(CHUNK, "choices", 0, "delta", None),
        "$.choices[0].delta",
        "CC-STREAM-007",
    ),
    (
        "chat_completion_chunk",
        changed(CHUNK, *DELTA, "role", ""),
        "$.choices[0].delta.role",
        "CC-STREAM-010",
    ),
    (
        "chat_completion_chunk",
        changed(CHUNK, "choices", 0, "finish_reason", ""),
        "$.choices[0].finish_reason",
        "CC-STREAM-011",
    ),
    (
        "chat_completion_chunk",
        changed(CHUNK, "choices", 0, "finish_reason", GONE),
        "$.choices[0]",
        "CC-STREAM-011",
    ),
    (
        "chat_completion_chunk",
        changed(CHUNK, *DELTA, "content", []),
        "$.choices[0].delta.content",
        "CC-STREAM-015",
    ),
    ("chat_completion_chunk", changed(CHUNK, "usage", {}), "$.usage", "CC-STREAM-022"),
    (
        "chat_completion_chunk",
        changed(CHUNK, *DELTA, "tool_calls", [{"function": {}}]),
        "$.choices[0].delta.tool_calls[0]",
        "CC-TOOL-008",
    ),
    ("error", {"detail": "Not Found"}, "$", "CC-ERR-001"),
    ("error", {"object": "error", "message": "m", "code": 404}, "$", "CC-ERR-001"),
    ("error", {"error": "Unauthorized"}, "$.error", "CC-ERR-002"),
    ("error", changed(ERROR, "error", "message", None), "$.error.message", "CC-ERR-006"),
    ("error", changed(ERROR, "error", "type", None), "$.error.type", "CC-ERR-007"),
    ("error", changed(ERROR, "error", "code", 401), "$.error.code", "CC-ERR-008"),
    ("error", changed(ERROR, "error", "param", []), "$.error.param", "CC-ERR-009"),
    ("model", changed(MODEL, "created", "now"), "$.created", "CC-MODEL-002"),
    ("model_list", {"data": [MODEL]}, "$", "CC-MODEL-001"),
    ("model_list", changed(MODEL_LIST, "data", 0, "id", ""), "$.data[0].id", "CC-MODEL-002"),
    ("chat_request", changed(REQUEST, "messages", []), "$.messages", "CC-REQ-003"),
    ("chat_request", changed(REQUEST, "messages", 0, "role", "x"), "$.messages[0]", "CC-REQ-006"),
    ("chat_request", changed(REQUEST, "temperature", 2.1), "$.temperature", "CC-REQ-021"),
    ("chat_request", changed(REQUEST, "temperature", True), "$.temperature", "CC-REQ-021"),
    ("chat_request", changed(REQUEST, "top_p", -0.1), "$.top_p", "CC-REQ-022"),
    ("chat_request", changed(REQUEST, "max_tokens", 0), "$.max_tokens", "CC-REQ-023"),
    ("chat_request", changed(REQUEST, "n", 129), "$.n", "CC-REQ-026"),
    ("chat_request", changed(REQUEST, "stop", list("abcde")), "$.stop", "CC-REQ-027"),
    ("chat_request", changed(REQUEST, "stream", "true"), "$.stream", "CC-REQ-019"),
    (
        "chat_request",
        changed(REQUEST, "response_format", {"type": "xml"}),
        "$.response_format",
        "CC-REQ-036",
    ),
    (
        "chat_request",
        changed(REQUEST, "messages", 0, "content", [{"type": "text"}]),
        "$.messages[0].content[0]",
        "CC-REQ-010",
    ),
    (
        "chat_request",
        changed(REQUEST, "messages", 0, {"role": "assistant", "content": None}),
        "$.messages[0]",
        "CC-REQ-012",
    ),
    ("results", changed(RESULTS, "format", 2), "$.format", ""),
    ("results", changed(RESULTS, "counts", "SKIP", 1), "$.counts", ""),
    ("results", changed(RESULTS, "verdict", "fine"), "$.verdict", ""),
    ("results", changed(RESULTS, "started", "yesterday"), "$.started", ""),
    (
        "results",
        changed(RESULTS, "requirements", 0, "verdict", "OK"),
        "$.requirements[0].verdict",
        "",
    ),
    (
        "results",
        changed(RESULTS, "requirements", 0, "evidence", {}),
        "$.requirements[0].evidence",
        "",
    ),
]
