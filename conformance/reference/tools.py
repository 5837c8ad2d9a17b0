"""Which tools the "model" calls, and with what arguments.

Laws: no call without tools; `none` is never, a forcing choice is always obeyed; the arguments are
an instance of the tool's schema.

Theory. Left to itself the model calls a tool when the last message is the user's and speaks of the
weather, of a tool, or of one of the tools by name. A prompt that names several places ("in Paris
and in London") gets one call each, unless parallel calls are switched off. Strings in the arguments
come from the prompt: what it quotes, else the place it names.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from conformance.reference.instance import instance
from conformance.reference.text import last_user_text

_INVITES = re.compile(r"\b(weather|tools?|functions?)\b", re.IGNORECASE)
_QUOTED = re.compile(r"[\"“«]([^\"”»]+)[\"”»]")
_PLACE = re.compile(r"\b(?:in|for|and)\s+([A-Z][\w-]+)")


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call: its id, the function's name, and the arguments as a JSON string."""

    id: str
    name: str
    arguments: str

    def public(self) -> dict[str, Any]:
        """The call as a finished message carries it."""
        return {"id": self.id, "type": "function", "function": self.function(self.arguments)}

    def function(self, arguments: str) -> dict[str, str]:
        """The function member, with these arguments."""
        return {"name": self.name, "arguments": arguments}


def calls(body: dict[str, Any], nonce: str) -> list[ToolCall]:
    """The calls that answer a request; empty where the answer is text."""
    prompt = last_user_text(body["messages"])
    chosen = _chosen(body, prompt)
    if chosen is None:
        return []
    hints = _QUOTED.findall(prompt) or _PLACE.findall(prompt) or ["text"]
    if body.get("parallel_tool_calls") is False:
        hints = hints[:1]
    schema = chosen.get("parameters")
    return [
        ToolCall(
            id=f"call_{nonce}{i:02d}",
            name=chosen["name"],
            arguments=json.dumps(instance(schema, hint) if schema else {}, ensure_ascii=False),
        )
        for i, hint in enumerate(dict.fromkeys(hints))
    ]


def _chosen(body: dict[str, Any], prompt: str) -> dict[str, Any] | None:
    functions: list[dict[str, Any]] = [tool["function"] for tool in body.get("tools") or ()]
    choice = body.get("tool_choice") or "auto"
    forced = choice == "required"
    if isinstance(choice, dict) and choice["type"] == "function":
        wanted = {choice["function"]["name"]}
        functions, forced = [f for f in functions if f["name"] in wanted], True
    elif isinstance(choice, dict):
        allowed = choice["allowed_tools"]
        wanted = {tool.get("function", {}).get("name") for tool in allowed["tools"]}
        functions = [f for f in functions if f["name"] in wanted]
        forced = allowed["mode"] == "required"
    if not functions or choice == "none":
        return None
    named = next((f for f in functions if f["name"] in prompt), None)
    if forced:
        return named or functions[0]
    if body["messages"][-1]["role"] != "user":
        return None
    return named or (functions[0] if _INVITES.search(prompt) else None)
