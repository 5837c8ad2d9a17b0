"""What a model of the target can do: declared by its profile, or probed once.

The laws:

1. Declared wins: true is then judged by its requirements, false makes them UNSUPPORTED.
2. A probe looks at one reply. A 4xx that names the capability is a clean refusal; every other
   reply means that the capability is there to be judged. A failing probe never hides a clause.
3. The evidence for "absent" is kept.

| flag | probe | absent when |
|---|---|---|
| `auth`   | a plain call without credentials | it is answered 200 |
| `models` | GET /models | 404, 405 or 501 |
| `cache`, `reasoning` | the plainest call | its reply shows nothing of it |
| those of `RESTS_ON` | as the others | the other one is absent, or as the others |
| others   | a plain call with the fields of `FIELDS` | a 4xx names one of the fields |

`conformance.asking.probes` asks, and has those that need more than fields (`retrieve`, pictures,
sound, limits).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

State = Literal["present", "absent"]

FUNCTION: Mapping[str, Any] = {
    "name": "get_weather",
    "description": "Current weather at a place",
    "parameters": {
        "type": "object",
        "properties": {"location": {"type": "string"}},
        "required": ["location"],
    },
}
"""A function in full: that a member may be left out is a clause of its own (CC-REQ-037)."""

CLOSED: Mapping[str, Any] = {**FUNCTION["parameters"], "additionalProperties": False}
"""The same parameters, as strict functions want them."""

LABEL: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "code": {"type": "string", "enum": ["zq-amber-41", "zq-cedar-73"]},
        "sure": {"type": "boolean"},
    },
    "required": ["code", "sure"],
    "additionalProperties": False,
}
"""A form that no answer has by chance: its codes are told by the schema alone (CC-STRUCT-004)."""

NOTE: Mapping[str, str] = {"name": "take_note", "description": "Keeps a note"}

_GREETING = (
    "Give me a short greeting, and the same greeting as JSON, for example "
    '{"greeting": "Good evening!"}.'
)
"""Asks for JSON, and leaves room for words and a Markdown fence where nothing forbids them."""

_REPEAT = "Repeat the following text exactly, and nothing else:\n\nCafé 你好 🙂"
"""Characters of one to four bytes, some of them more than a token (CC-LOGP-006)."""


def _says(text: str) -> Mapping[str, str]:
    return {"role": "user", "content": text}


FIELDS: Mapping[str, Mapping[str, Any]] = {
    "stream": {"stream": True},
    "stream_usage": {"stream": True, "stream_options": {"include_usage": True}},
    "tools": {"tools": [{"type": "function", "function": FUNCTION}], "max_tokens": 512},
    "strict": {
        "tools": [
            {"type": "function", "function": {**FUNCTION, "strict": True, "parameters": CLOSED}}
        ]
    },
    "custom_tools": {
        "tools": [{"type": "custom", "custom": NOTE}],
        "tool_choice": {"type": "custom", "custom": {"name": NOTE["name"]}},
        "max_tokens": 512,
    },
    "functions": {
        "functions": [FUNCTION],
        "function_call": {"name": FUNCTION["name"]},
        "max_tokens": 512,
    },
    "n": {"n": 2},
    "json_mode": {
        "messages": [_says(_GREETING)],
        "response_format": {"type": "json_object"},
        "max_tokens": 512,
    },
    "json_schema": {
        "messages": [_says('Choose a label for the word "hello". Answer in JSON.')],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "label", "schema": LABEL, "strict": True},
        },
        "max_tokens": 512,
    },
    "logprobs": {"messages": [_says(_REPEAT)], "logprobs": True, "max_tokens": 512},
    "logit_bias": {"logit_bias": {}},
    "seed": {"seed": 1},
}
"""What a probe adds to the plainest call."""

NAMES: Mapping[str, tuple[str, ...]] = {
    "stream": ("stream", "streaming", "streamed"),
    "stream_usage": ("stream_options", "include_usage"),
    "tools": ("tools", "tool", "tool_choice", "tool_use", "function", "functions"),
    "strict": ("strict", "tools"),
    "custom_tools": ("custom", "tools", "tool", "tool_choice"),
    "functions": ("functions", "function_call", "function"),
    "n": ("n",),
    "json_mode": ("response_format", "json_object", "json"),
    "json_schema": ("response_format", "json_schema", "schema", "structured outputs", "grammar"),
    "logprobs": ("logprobs",),
    "logit_bias": ("logit_bias",),
    "seed": ("seed",),
}
"""What a clean refusal names."""

RESTS_ON: Mapping[str, str] = {"stream_usage": "stream", "strict": "tools", "custom_tools": "tools"}
"""Capabilities that are absent where another one is."""

NOT_PROBED: Mapping[str, str] = {
    "browser": "calls from browsers (CORS)",
    "burst": "a burst of calls at once",
}
"""Absent unless the profile declares them: no request can find out without harm."""


@dataclass(frozen=True, slots=True)
class Capability:
    """Whether a flag holds, and what says so."""

    flag: str
    state: State
    because: str

    @property
    def present(self) -> bool:
        """Whether the capability is there to be judged."""
        return self.state == "present"


def declared(flag: str, capabilities: Mapping[str, bool]) -> Capability | None:
    """What the profile says of `flag`; None when it says nothing and a probe must."""
    if flag in capabilities:
        state: State = "present" if capabilities[flag] else "absent"
        return Capability(flag, state, f"declared {state} by the profile")
    if flag in NOT_PROBED:
        return Capability(flag, "absent", f"the profile does not declare {NOT_PROBED[flag]}")
    return None
