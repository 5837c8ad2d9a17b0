"""Faults that only client libraries show (CC-SDK): what is sent is right, and a client is
kept out, or goes by words of it."""

from __future__ import annotations

from conformance.reference.call import Call, Reply, refusal
from conformance.reference.faults.edits import asked, error
from conformance.reference.faults.registry import fault


def _agent(call: Call) -> str:
    return (call.values("user-agent") or [""])[0]


def _blocked() -> Reply:
    return refusal(403, "Your request was blocked.")


@fault(
    breaks={f"CC-SDK-{number:03}" for number in (1, 2, 3, 6, 7, 9, 10, 13)},
    seam="request",
)
def keeps_openai_python_out(call: Call) -> Call | Reply:
    """Refuses the `User-Agent` of openai-python with 403, as a firewall before the API does."""
    known = _agent(call).startswith(("OpenAI/Python", "AsyncOpenAI/Python"))
    return _blocked() if known else call


@fault(breaks={"CC-SDK-004"}, seam="request")
def keeps_openai_node_out(call: Call) -> Call | Reply:
    """Refuses the `User-Agent` of openai-node with 403."""
    known = _agent(call).startswith("OpenAI/JS")
    return _blocked() if known else call


SDKS = ("OpenAI/Python", "AsyncOpenAI/Python", "OpenAI/JS", "ai-sdk/", "litellm/")
"""How the `User-Agent` of a client library begins."""


@fault(breaks={f"CC-SDK-{number:03}" for number in (4, 5, 6, 7, 10)}, seam="request")
def keeps_forms_of_sdks_out(call: Call) -> Call | Reply:
    """Refuses a `response_format` from a client library with 403, as a firewall does."""
    formed = asked(call, "response_format") is not None
    return _blocked() if formed and _agent(call).startswith(SDKS) else call


@fault(breaks={"CC-SDK-004", "CC-SDK-007", "CC-SDK-009"}, seam="request")
def lists_models_to_no_sdk(call: Call) -> Call | Reply:
    """Refuses the list of models to client libraries with 403."""
    return _blocked() if call.path == "/models" and _agent(call).startswith(SDKS) else call


@fault(breaks={"CC-SDK-006", "CC-SDK-007"}, seam="reply")
def tells_its_limits_in_every_refusal(reply: Reply, call: Call) -> Reply:
    """Adds a sentence on its limits to each error, by whose words LangChain and LiteLLM go."""

    def add(one: dict[str, object]) -> None:
        one["message"] = f"{one['message']} {LIMITS}"

    return error(reply, add)


LIMITS = "See our rate limits, or whether the prompt exceeds the context window."
