"""Faults that only client libraries show (CC-SDK): what is sent is right, a client is kept out."""

from __future__ import annotations

from conformance.reference.call import Call, Reply, refusal
from conformance.reference.faults.registry import fault


def _agent(call: Call) -> str:
    return (call.values("user-agent") or [""])[0]


@fault(
    breaks={f"CC-SDK-{number:03}" for number in (1, 2, 3, 6, 7, 9, 10, 13)},
    seam="request",
)
def keeps_openai_python_out(call: Call) -> Call | Reply:
    """Refuses the `User-Agent` of openai-python with 403, as a firewall before the API does."""
    known = _agent(call).startswith(("OpenAI/Python", "AsyncOpenAI/Python"))
    return refusal(403, "Your request was blocked.") if known else call


@fault(breaks={"CC-SDK-004"}, seam="request")
def keeps_openai_node_out(call: Call) -> Call | Reply:
    """Refuses the `User-Agent` of openai-node with 403."""
    known = _agent(call).startswith("OpenAI/JS")
    return refusal(403, "Your request was blocked.") if known else call
