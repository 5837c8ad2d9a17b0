"""Faults of how a request may be sent: methods, paths, headers, sizes, spellings (CC-HTTP)."""

from __future__ import annotations

import json
from dataclasses import replace

from conformance.reference.call import Call, Cut, Piece, Reply, refusal
from conformance.reference.faults.edits import completion, messages
from conformance.reference.faults.registry import fault

PAGE = b"<!doctype html><title>Gateway</title><p>Something went wrong.</p>"


def _parses(content: bytes) -> bool:
    try:
        json.loads(content)
    except RecursionError:
        return True  # too deep to be read here, but not malformed
    except ValueError:
        return False
    return True


@fault(breaks={"CC-SSE-001"}, seam="request")
def fails_on_streams_of_two_choices(call: Call) -> Call | Reply:
    """Answers 500 where two choices are streamed, which it sends well in a whole reply."""
    if not call.asks_stream or (call.json or {}).get("n") != 2:
        return call
    return refusal(500, "The server had an error.", kind="server_error")


@fault(breaks={"CC-HTTP-010"}, seam="request")
def refuses_a_charset_parameter(call: Call) -> Call | Reply:
    """Compares the whole Content-Type with application/json."""
    if "charset" in "".join(call.values("content-type")):
        return refusal(415, "Unsupported media type: send application/json.")
    return call


@fault(breaks={"CC-HTTP-011"}, seam="request")
def crashes_on_other_media_types(call: Call) -> Call | Reply:
    """Answers a body of another media type with 500."""
    if "json" in "".join(call.values("content-type")) or not call.chat:
        return call
    return refusal(500, "The server had an error.", kind="server_error")


@fault(breaks={"CC-HTTP-012"}, seam="request")
def answers_malformed_json(call: Call) -> Call | Reply:
    """Repairs malformed JSON into a request of its own."""
    if not call.chat or not call.content or _parses(call.content):
        return call
    body = {"model": "meta/llama-3.3-70b-instruct", "messages": [{"role": "user", "content": "?"}]}
    return call.understood_as(body)


@fault(breaks={"CC-HTTP-013"}, seam="request")
def takes_an_array_for_a_request(call: Call) -> Call | Reply:
    """Answers a body that is an array as if nothing were wrong."""
    if not call.chat or call.content.strip() != b"[]":
        return call
    body = {"model": "meta/llama-3.3-70b-instruct", "messages": [{"role": "user", "content": "?"}]}
    return call.understood_as(body)


@fault(breaks={"CC-ERR-010", "CC-HTTP-013"}, seam="request")
def crashes_on_a_body_of_null(call: Call) -> Call | Reply:
    """Answers a body of `null` with 500."""
    if not call.chat or call.content.strip() != b"null":
        return call
    return refusal(500, "'NoneType' object has no attribute 'get'", kind="server_error")


@fault(breaks={"CC-HTTP-014"}, seam="reply")
def says_405_without_allow(reply: Reply, call: Call) -> Reply:
    """Does not say which methods are allowed."""
    return reply.lacking("Allow") if reply.status == 405 else reply


@fault(breaks={"CC-HTTP-014"}, seam="reply")
def says_detail_to_a_wrong_method(reply: Reply, call: Call) -> Reply:
    """Answers a wrong method as FastAPI does."""
    return replace(reply, body={"detail": "Method Not Allowed"}) if reply.status == 405 else reply


@fault(breaks={"CC-HTTP-015"}, seam="reply")
def answers_an_unknown_path_in_html(reply: Reply, call: Call) -> Reply:
    """Answers an unknown path with a web page."""
    if reply.status != 404 or call.path in ("/chat/completions", "/models"):
        return reply
    if call.path.startswith("/models/"):
        return reply
    return replace(reply.having(("Content-Type", "text/html")), content=PAGE)


@fault(breaks={"CC-HTTP-015"}, seam="request")
def answers_an_unknown_path_with_200(call: Call) -> Call | Reply:
    """Answers whatever it does not know with 200."""
    known = call.path in ("/chat/completions", "/models") or call.path.startswith("/models/")
    return call if known else Reply(200, {"status": "ok"})


@fault(breaks={"CC-HTTP-016"}, seam="request")
def redirects_a_trailing_slash(call: Call) -> Call | Reply:
    """Redirects the path with a slash by 301, which turns POST into GET."""
    if not call.path.endswith("/completions/"):
        return call
    return Reply(301, content=b"", headers=(("Location", call.target.rstrip("/")),))


@fault(breaks={"CC-ERR-010", "CC-HTTP-012"}, seam="bytes")
def crashes_on_broken_json_and_hangs_up(pieces: list[Piece], call: Call) -> list[Piece]:
    """Answers JSON that breaks off with 500 and closes unannounced, as Starlette does."""
    first = pieces[0]
    begun = call.chat and call.content.startswith(b"{") and not call.too_large
    if not begun or _parses(call.content) or not isinstance(first, bytes):
        return pieces
    _, _, rest = first.partition(b"\r\n")
    return [b"HTTP/1.1 500 Internal Server Error\r\n" + rest, *pieces[1:], Cut.CLOSE]


@fault(breaks={"CC-HTTP-019"}, seam="request")
def refuses_unknown_headers(call: Call) -> Call | Reply:
    """Refuses a request with an x-stainless header."""
    if any(name.startswith("x-stainless") for name, _ in call.headers):
        return refusal(400, "Unknown header.")
    return call


@fault(breaks={"CC-HTTP-020"}, seam="bytes")
def resets_on_a_large_body(pieces: list[Piece], call: Call) -> list[Piece]:
    """Resets the connection where the body is too large."""
    return [Cut.RESET] if call.too_large else pieces


@fault(breaks={"CC-HTTP-021"}, seam="request")
def does_not_know_chunked_requests(call: Call) -> Call | Reply:
    """Asks for a Content-Length where the body came in chunks."""
    if call.values("transfer-encoding"):
        return refusal(411, "Send a Content-Length.")
    return call


@fault(breaks={"CC-HTTP-021"}, seam="request")
def crashes_on_chunked_requests(call: Call) -> Call | Reply:
    """Answers a body that came in chunks with 500."""
    if call.values("transfer-encoding"):
        return refusal(500, "The server had an error.", kind="server_error")
    return call


@fault(breaks={"CC-HTTP-021"}, seam="request")
def fails_on_expect(call: Call) -> Call | Reply:
    """Refuses a request with `Expect: 100-continue`."""
    return refusal(400, "Unexpected header 'expect'.") if call.values("expect") else call


@fault(breaks={"CC-HTTP-022"}, seam="reply")
def counts_escapes_as_characters(reply: Reply, call: Call) -> Reply:
    """Counts the tokens of the spelling of a prompt, escapes included."""
    escapes = call.content.count(b"\\u")

    def count(body: dict[str, dict[str, int]]) -> None:
        body["usage"]["prompt_tokens"] += 3 * escapes
        body["usage"]["total_tokens"] += 3 * escapes

    return completion(reply, count) if escapes else reply


@fault(breaks={"CC-ERR-010", "CC-HTTP-023"}, seam="request")
def crashes_on_a_lone_surrogate(call: Call) -> Call | Reply:
    """Answers a lone surrogate with 500."""
    try:
        json.dumps(call.json, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return refusal(500, "surrogates not allowed", kind="server_error")
    return call


@fault(breaks={"CC-ERR-010", "CC-HTTP-023"}, seam="request")
def crashes_on_nul(call: Call) -> Call | Reply:
    """Answers a text with U+0000 with 500, as a C string would have it."""
    if any("\0" in str(one.get("content")) for one in messages(call)):
        return refusal(500, "embedded null byte", kind="server_error")
    return call


@fault(breaks={"CC-HTTP-024"}, seam="reply")
def forgets_browsers_on_errors(reply: Reply, call: Call) -> Reply:
    """Leaves the CORS headers out of errors."""
    return reply if reply.ok else reply.lacking("Access-Control-Allow-Origin")


@fault(breaks={"CC-HTTP-024"}, seam="reply")
def allows_browsers_no_credentials(reply: Reply, call: Call) -> Reply:
    """Answers a preflight without allowing the Authorization header."""
    return reply.lacking("Access-Control-Allow-Headers")


@fault(breaks={"CC-HTTP-024"}, seam="reply")
def allows_its_own_pages_alone(reply: Reply, call: Call) -> Reply:
    """Allows one origin, whichever asks."""
    own = ("Access-Control-Allow-Origin", "https://chat.example.com")
    return reply.having(own) if call.values("origin") else reply
