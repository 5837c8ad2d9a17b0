"""Faults of authentication (CC-AUTH)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from conformance.reference.call import Call, Reply, refusal
from conformance.reference.faults.edits import STREAM_ERROR, dropping, error, setting
from conformance.reference.faults.registry import fault


def _token(call: Call) -> str | None:
    """The one plausible Bearer token of a call; None where the credentials are malformed."""
    given = call.values("authorization")
    scheme, _, token = (given[0] if len(given) == 1 else "").partition(" ")
    token = token.strip()
    plausible = scheme == "Bearer" and token.isascii() and 0 < len(token) < 200
    return token if plausible else None


def _wrong(reply: Reply, call: Call) -> bool:
    """Whether a well-formed key was refused."""
    return reply.status == 401 and _token(call) is not None


@fault(breaks={"CC-AUTH-001", "CC-MODEL-001"}, seam="request")
def wants_more_than_the_key_for_its_list(call: Call) -> Call | Reply:
    """Wants an organisation beside the key for GET /models."""
    if call.path != "/models" or call.values("openai-organization"):
        return call
    return refusal(400, "The header OpenAI-Organization is missing.")


@fault(breaks={"CC-AUTH-002"}, seam="request")
def asks_no_credentials(call: Call) -> Call | Reply:
    """Serves calls without an Authorization header."""
    return call if call.values("authorization") else replace(call, trusted=True)


@fault(breaks={"CC-AUTH-002"}, seam="reply")
def says_403_to_a_missing_key(reply: Reply, call: Call) -> Reply:
    """Answers a call without credentials with 403."""
    missing = reply.status == 401 and not call.values("authorization")
    return replace(reply, status=403) if missing else reply


@fault(breaks={"CC-AUTH-003"}, seam="reply")
def documents_another_type_for_a_missing_key(reply: Reply, call: Call) -> Reply:
    """Gives a call without credentials another type than the documented one."""
    missing = reply.status == 401 and not call.values("authorization")
    return error(reply, setting(type="authentication_error")) if missing else reply


@fault(breaks={"CC-AUTH-003"}, seam="reply")
def leaves_the_param_of_malformed_credentials_to_chance(reply: Reply, call: Call) -> Reply:
    """Names a parameter where the scheme of the credentials is wrong."""
    basic = "".join(call.values("authorization")).startswith("Basic ")
    return error(reply, setting(param="authorization")) if basic else reply


@fault(breaks={"CC-AUTH-003", "CC-AUTH-004", "CC-AUTH-008"}, seam="request")
def takes_any_key(call: Call) -> Call | Reply:
    """Asks for a key, and serves whoever sends one."""
    return call if _token(call) is None else replace(call, trusted=True)


@fault(breaks={"CC-AUTH-003"}, seam="reply")
def says_403_to_a_wrong_key(reply: Reply, call: Call) -> Reply:
    """Answers an ordinary call with a wrong key with 403."""
    ordinary = call.json is not None and "messages" in call.json and not call.asks_stream
    return replace(reply, status=403) if _wrong(reply, call) and ordinary else reply


@fault(breaks={"CC-AUTH-003", "CC-AUTH-004"}, seam="reply")
def calls_a_wrong_key_unauthorized(reply: Reply, call: Call) -> Reply:
    """Gives a wrong key another code than the documented one."""
    return error(reply, setting(code="unauthorized")) if _wrong(reply, call) else reply


@fault(breaks={"CC-AUTH-003", "CC-ERR-009"}, seam="reply")
def leaves_param_out_of_a_401(reply: Reply, call: Call) -> Reply:
    """Leaves `param` out of the error for a wrong key."""
    return error(reply, dropping("param")) if _wrong(reply, call) else reply


@fault(breaks={"CC-AUTH-005"}, seam="request")
def wants_bearer_capitalised(call: Call) -> Call | Reply:
    """Compares the scheme name letter by letter."""
    scheme = "".join(call.values("authorization")[:1]).partition(" ")[0]
    if scheme.lower() == "bearer" and scheme != "Bearer":
        return refusal(
            401,
            "Invalid API key provided",
            code="invalid_api_key",
            headers=(("WWW-Authenticate", "Bearer"),),
        )
    return call


@fault(breaks={"CC-AUTH-006"}, seam="request")
def crashes_on_basic_credentials(call: Call) -> Call | Reply:
    """Answers `Basic …` with 500."""
    if "".join(call.values("authorization")).startswith("Basic"):
        return refusal(500, "list index out of range", kind="server_error")
    return call


@fault(breaks={"CC-AUTH-006"}, seam="request")
def takes_a_bare_key(call: Call) -> Call | Reply:
    """Accepts anything without a scheme."""
    given = call.values("authorization")
    bare = len(given) == 1 and given[0] and " " not in given[0].strip()
    return replace(call, trusted=True) if bare and given[0].lower() != "bearer" else call


@fault(breaks={"CC-AUTH-007"}, seam="reply")
def sends_no_challenge(reply: Reply, call: Call) -> Reply:
    """Leaves WWW-Authenticate out."""
    return reply.lacking("WWW-Authenticate")


@fault(breaks={"CC-AUTH-008"}, seam="request")
def reads_the_body_before_the_key(call: Call) -> Call | Reply:
    """Refuses an invalid body before it looks at the key."""
    incomplete = call.chat and call.json is not None and "messages" not in call.json
    return replace(call, trusted=True) if incomplete else call


@fault(breaks={"CC-AUTH-009", "CC-ERR-001"}, seam="reply")
def sends_a_401_as_an_event_stream(reply: Reply, call: Call) -> Reply:
    """Labels the 401 of a streamed call text/event-stream."""
    if reply.status != 401 or not call.asks_stream:
        return reply
    return reply.having(("Content-Type", "text/event-stream"))


@fault(breaks={"CC-AUTH-009", "CC-SERR-001"}, seam="reply")
def streams_its_401(reply: Reply, call: Call) -> Reply:
    """Answers a streamed call with a wrong key with 200 and an error event."""
    if reply.status != 401 or not call.asks_stream:
        return reply
    return Reply(
        200,
        events=({"error": STREAM_ERROR},),
        headers=(("Content-Type", "text/event-stream"), ("Cache-Control", "no-cache")),
    )


@fault(breaks={"CC-AUTH-010"}, seam="reply")
def echoes_the_key(reply: Reply, call: Call) -> Reply:
    """Repeats the submitted key in the message."""
    said = f"Incorrect API key provided: {_token(call)}"
    return error(reply, setting(message=said)) if _wrong(reply, call) else reply


@fault(breaks={"CC-AUTH-010"}, seam="reply")
def echoes_a_right_key(reply: Reply, call: Call) -> Reply:
    """Shows the headers that came with a call that it refuses, the right key among them."""

    def tell(told: dict[str, Any]) -> None:
        told["message"] += f" (authorization: Bearer {_token(call)})"

    shown = reply.status == 404 and _token(call) is not None
    return error(reply, tell) if shown else reply
