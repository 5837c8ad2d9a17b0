"""The probes: one call for everything of which some fault makes something else.

A fault that changes none of them is no fault, or lacks its probe: add it to the table that it fits.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from conformance.protocol.parts import audio_part, data_url, file_part, image_part, png
from conformance.reference.call import Call

MODEL = "meta/llama-3.3-70b-instruct"
THINKER = "deepseek-ai/deepseek-r1"
SEEING = "google/gemma-3-27b-it"

HELLO = [{"role": "user", "content": "Say hello."}]
COUNT = [{"role": "user", "content": "Count from 1 to 300, separated by spaces."}]
TOOL: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
WEATHER = [{"role": "user", "content": "What is the weather in Paris?"}]
LOOK_UP = {
    "messages": [{"role": "user", "content": "Use the tool."}],
    "tools": [{"type": "function", "function": {"name": "look_up"}}],
}
TWICE = [{"role": "user", "content": "What is the weather in Paris and in London?"}]
FORCE = {"type": "function", "function": {"name": "get_weather"}}
CLOCK: dict[str, Any] = {
    "type": "function",
    "function": {"name": "get-the-time_at_a_place-by_its_name_or_code"},
}
STRICT = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
            "required": ["city", "days"],
            "additionalProperties": False,
        },
    },
}
CUSTOM = {"type": "custom", "custom": {"name": "take_note"}}
CHOICES: list[dict[str, Any]] = [
    {"tool_choice": "none"},
    {"tool_choice": "required"},
    {"tool_choice": {"type": "function", "function": {"name": CLOCK["function"]["name"]}}},
]
KEEP = [{"role": "user", "content": 'Keep a note that says "Lunch 😀 at noon".'}]
CALLED = {
    "role": "assistant",
    "tool_calls": [
        {"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
    ],
}
EMOJI = [
    {"role": "user", "content": "Repeat the following text exactly, and nothing else:\n\na\n\n😀 ü"}
]
BREAKDOWN = [{"role": "user", "content": "Fail in the middle of the stream."}]
MARKED = [
    {
        "role": "user",
        "content": "Repeat the following text exactly, and nothing else:\n\na >>>>>>> END b",
    }
]
THOUGHT = {"role": "assistant", "content": "Hello.", "reasoning_content": "A greeting."}


def said(*turns: tuple[str, Any]) -> dict[str, Any]:
    return {"messages": [{"role": role, "content": content} for role, content in turns]}


FORM = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "boolean"}}}
FORMS: list[dict[str, Any]] = [
    {"type": "json_schema", "json_schema": {**name, "schema": schema}}
    for name, schema in (
        ({"name": "form"}, FORM),
        ({"name": "Form"}, {**FORM, "title": "Form"}),
        ({"name": "bad name!"}, FORM),
        ({}, FORM),
    )
]

RED, BLUE = (data_url("image/png", png(name, 1)) for name in ("red", "blue"))


def shown(*urls: str, **more: str) -> list[dict[str, Any]]:
    """A question about pictures."""
    images = [{"type": "image_url", "image_url": {"url": url, **more}} for url in urls]
    return [{"role": "user", "content": [{"type": "text", "text": "Which colours?"}, *images]}]


def carried(role: str, part: dict[str, Any]) -> list[dict[str, Any]]:
    """A message of `role` that carries a part, where messages of that role may stand."""
    said = {"role": role, "content": [{"type": "text", "text": "Look."}, part]}
    if role == "tool":
        return [*WEATHER, CALLED, {**said, "tool_call_id": "c1"}]
    return [said] if role == "user" else [said, *HELLO]


PICTURES = [
    *((RED,), (RED, BLUE), ("data:image/png;base64,@@",), ("data:text/plain;base64,aGk=",)),
    ("https://picture.invalid/red.png",),
]
MISPLACED = [("system", image_part("red")), ("tool", file_part("Warm."))]
LONG_WORDS = [f"ZQ{digit * 16}" for digit in "0A"]

BODIES: list[dict[str, Any]] = [
    {},
    {"stream": None},
    {"stop": None, "n": None, "max_tokens": None},
    {"messages": COUNT, "max_tokens": 16},
    {"messages": COUNT, "max_completion_tokens": 16},
    {"messages": COUNT, "stop": " 7"},
    {"messages": EMOJI},
    {"messages": COUNT, "n": 2, "max_tokens": 8},
    {"model": THINKER},
    {"model": THINKER, "messages": COUNT, "max_tokens": 16},
    {"model": THINKER, "temperature": 0},
    {"model": THINKER, "reasoning_effort": "low"},
    {"model": THINKER, "messages": [*HELLO, THOUGHT, *HELLO]},
    {"messages": COUNT, "stop": [" 9", " 7"]},
    {"messages": COUNT, "stop": "32-never"},
    {"messages": MARKED, "stop": ">>>>>>> END"},
    {"messages": COUNT, "max_tokens": 1},
    {"max_tokens": 10**7},
    {"seed": 1},
    {"logit_bias": {"100": 100}},
    {"model": "nobody/nothing"},
    {"model": ""},
    {"model": f" {MODEL} "},
    {"messages": []},
    {"messages": "Say hello."},
    {"messages": None},
    {"messages": BREAKDOWN},
    {"messages": [{"role": "user", "content": "x" * 700_000}]},
    said(("system", "Be kind."), ("user", "a"), ("assistant", "b"), ("user", "c")),
    said(("developer", "Be kind."), ("user", "a")),
    said(("banana", "a")),
    said(("user", None)),
    said(("user", [{"type": "text", "text": "a"}])),
    said(("user", [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}])),
    said(("user", [{"type": "foo"}])),
    said(("user", [{"type": "text"}])),
    said(("system", [{"type": "text", "text": "a"}]), ("user", "b")),
    said(("user", "a"), ("user", "b")),
    said(("user", "a\0b")),
    {
        "messages": [
            {"role": "assistant", "content": "a", "refusal": None, "annotations": []},
            *HELLO,
        ]
    },
    {"messages": [*WEATHER, CALLED, {"role": "tool", "tool_call_id": "c1", "content": "warm"}]},
    {
        "messages": [
            *WEATHER,
            {**CALLED, "content": ""},
            {"role": "tool", "tool_call_id": "c1", "content": "warm"},
        ]
    },
    {"messages": WEATHER, "tools": [TOOL]},
    {"messages": WEATHER, "tools": [TOOL], "max_tokens": 2},
    {"messages": HELLO, "tools": [TOOL]},
    LOOK_UP,
    {"tools": [{"type": "function", "function": {"name": "bad name!"}}]},
    {
        "messages": HELLO,
        "tools": [TOOL],
        "tool_choice": {"type": "function", "function": {"name": "nobody"}},
    },
    {"tools": [{"type": "function", "function": {"name": "get_weather"}}]},
    *({"messages": WEATHER, "tools": [TOOL, CLOCK], **one} for one in CHOICES),
    {"messages": TWICE, "tools": [TOOL]},
    {"messages": TWICE, "tools": [TOOL], "parallel_tool_calls": False},
    {"messages": KEEP, "tools": [TOOL], "tool_choice": "required"},
    {"messages": WEATHER, "tools": [STRICT]},
    {"tool_choice": "required"},
    {"messages": [*WEATHER, {"role": "tool", "tool_call_id": "c1", "content": "warm"}]},
    {"messages": [*WEATHER, CALLED, *HELLO]},
    {"messages": [*WEATHER, {**CALLED, "content": None}, *HELLO]},
    {"tools": [CUSTOM], "tool_choice": {"type": "custom", "custom": {"name": "take_note"}}},
    {"functions": [TOOL["function"]], "function_call": {"name": "get_weather"}},
    *({"temperature": value} for value in (-0.1, 0, 1, 1.5, 2, 2.1, "hot")),
    *({"top_p": value} for value in (0, 1.1)),
    *({"max_tokens": value} for value in (0, "5")),
    *({"n": value} for value in (0, 129)),
    *({"stop": value} for value in (["a", "b", "c", "d", "e"], [1])),
    *({"presence_penalty": value} for value in (-2, 2.1)),
    {"logit_bias": []},
    *({"logit_bias": {"1": bias}} for bias in (200, -100)),
    *({"top_logprobs": value, "logprobs": True} for value in (None, 0, 5, 21, -1)),
    {"logprobs": 1},
    *({"top_logprobs": value} for value in (2, None)),
    {"seed": "1"},
    {"user": "x"},
    {"store": False},
    {"service_tier": "auto"},
    {"verbosity": "low"},
    {"metadata": {str(i): "v" for i in range(17)}},
    {"response_format": {"type": "xml"}},
    {"response_format": {"type": "json_object"}},
    *({"response_format": form} for form in FORMS),
    {"response_format": FORMS[0], "max_tokens": 4},
    {"reasoning_effort": "extreme"},
    {"stream": "true"},
    {"x_unknown": 1},
    {"web_search_options": {}},
    {"messages": HELLO, "modalities": ["text", "audio"], "audio": {"voice": "x", "format": "wav"}},
    *({"model": SEEING, "messages": shown(*urls)} for urls in PICTURES),
    *({"model": SEEING, "messages": shown(RED, detail=detail)} for detail in ("low", "extreme")),
    {"messages": shown(RED)},
    *({"messages": carried(role, part)} for role, part in MISPLACED),
    {"messages": carried("user", audio_part())},
    {"model": SEEING, "messages": carried("user", file_part("Warm."))},
    said(("user", "Say what the filter stops.")),
    *(said(("user", f"The code word is {word}. What is the code word?")) for word in LONG_WORDS),
    said(("user", "What is the code word? Answer with the code word only.")),
    said(("user", "Say hello to number 9.")),
]

STREAMED: list[dict[str, Any]] = [
    {"logprobs": True},
    {"response_format": FORMS[0]},
    {},
    {"stream_options": {"include_usage": True}},
    {"stream_options": {"include_usage": "yes"}},
    {"messages": COUNT},
    {"messages": EMOJI},
    {"messages": COUNT, "n": 2, "max_tokens": 8},
    {"messages": MARKED, "stop": ">>>>>>> END"},
    {"messages": BREAKDOWN},
    {"messages": WEATHER, "tools": [TOOL]},
    {"messages": WEATHER, "tools": [TOOL], "tool_choice": "required"},
    {"messages": WEATHER, "tools": [TOOL], "tool_choice": FORCE},
    {"messages": TWICE, "tools": [TOOL]},
    {"messages": KEEP, "tools": [TOOL], "tool_choice": "required"},
    {"user": "é"},
    LOOK_UP,
    {"model": THINKER},
    {"model": "nobody/nothing"},
    {"model": ""},
    {"n": 0},
    {"x_unknown": 1},
    *(said(("user", f"The code word is {word}. What is the code word?")) for word in LONG_WORDS),
    said(("user", "What is the code word? Answer with the code word only.")),
    {**said(("user", "Count from 1 to 2000.")), "max_tokens": 2048, "stop": " 3"},
    {},
    {**said(("user", "Count from 1 to 300.")), "max_tokens": 512, "stop": " 3"},
    {},
]

KEY = ("authorization", "Bearer sk-reference")
JSON = ("content-type", "application/json")
DEFAULT = {"model": MODEL, "messages": HELLO}


def call(
    content: bytes | dict[str, Any],
    *headers: tuple[str, str],
    method: str = "POST",
    path: str = "/chat/completions",
    key: tuple[str, str] | None = KEY,
) -> Call:
    """A call as the server reads it; a `content-type` among the headers replaces the default."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    kinds = () if any(name == "content-type" for name, _ in headers) else (JSON,)
    sent = (*(() if key is None else (key,)), *kinds, *headers)
    return Call(1, method, f"/v1{path}", "", sent, body, moment=1.8e9, nonce="ab" * 12)


def bearer(value: str) -> tuple[str, str]:
    return ("authorization", value)


PLAIN = DEFAULT
STREAM = {**DEFAULT, "stream": True}
BARE = {"messages": HELLO}
NAN = json.dumps({**PLAIN, "temperature": float("nan")}).encode()

ODD: list[dict[str, Any]] = [
    {"temperature": 10**400},
    {"max_tokens": True},
    *({"frequency_penalty": value} for value in (-3, "x")),
    {"messages": [{"role": [], "content": "a"}]},
    {"messages": [*HELLO, "a"]},
    {"user": "é"},
    {"seed": -5},
    {"stop": " a"},
    {"tools": "a"},
    {"tools": [{"type": "function", "function": {"name": "a", "description": "é"}}]},
    {"n": 2, "logprobs": True, "top_logprobs": 2},
    {"n": 2, "tools": [TOOL]},
]
"""What only a generator of requests thinks of."""

WHOLE_BODY = json.dumps(PLAIN).encode()
BELOW_JSON: list[bytes] = [
    WHOLE_BODY[: WHOLE_BODY.index(b"}]") + 1],
    WHOLE_BODY + b"x",
    WHOLE_BODY.replace(b"Say", b"\xff"),
    b'{"x": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    b'{"x": ' + b"9" * 5_000 + b"}",
]

PROBES: list[Call] = [
    *(call({**DEFAULT, **body}) for body in ODD),
    *map(call, BELOW_JSON),
    *(call({**DEFAULT, **body}) for body in BODIES),
    *(call({**DEFAULT, "stream": True, **body}) for body in STREAMED),
    *(call(content) for content in (b'{"model":', b"", b"[]", b"null", b"1", NAN)),
    call(BARE),
    call({"model": MODEL}),
    call(json.dumps({**DEFAULT, "messages": EMOJI}).encode()),
    call(b'{"model":"%b","messages":[{"role":"user","content":"\\ud800"}]}' % MODEL.encode()),
    replace(call(b""), too_large=True),
    *(call(PLAIN, ("user-agent", f"OpenAI/{language} 6.0.0")) for language in ("Python", "JS")),
    call({**PLAIN, "response_format": FORMS[0]}, ("user-agent", "OpenAI/Python 6.0.0")),
    call(b"", ("user-agent", "OpenAI/Python 6.0.0"), method="GET", path="/models"),
    call(PLAIN, ("accept", "text/event-stream")),
    call(STREAM, ("accept", "application/json")),
    call(PLAIN, ("accept-encoding", "gzip")),
    call(STREAM, ("accept-encoding", "gzip")),
    call(PLAIN, ("content-type", "application/json; charset=utf-8")),
    call(PLAIN, ("content-type", "text/plain")),
    call(PLAIN, ("x-stainless-lang", "python")),
    call(PLAIN, ("transfer-encoding", "chunked")),
    call(PLAIN, ("expect", "100-continue")),
    call({**PLAIN, "n": 0}, ("origin", "https://example.com")),
    call(PLAIN, path="/chat/completions/"),
    call(PLAIN, path="/chat/completionz"),
    call(b"", method="PUT"),
    call(PLAIN, method="PATCH"),
    call(STREAM, ("origin", "https://example.com")),
    call(b"", ("origin", "https://example.com"), method="OPTIONS"),
    call(PLAIN, key=None),
    *(
        call(body, key=bearer(value))
        for body in (PLAIN, STREAM, {"model": "nope"})
        for value in ("Bearer wrong", "bearer sk-reference", "Basic abc", "sk-reference")
    ),
    *(
        call(PLAIN, key=bearer(f"Bearer sk-reference-{purpose}"))
        for purpose in ("limited", "exhausted", "restricted")
    ),
    *(
        call(b"", method="GET", path=path)
        for path in (
            "/models",
            f"/models/{MODEL}",
            f"/models/{MODEL.replace('/', '%2F')}",
            "/models/no-such-model",
        )
    ),
]
