"""Two judges of the same objects agree: the JSON Schemas and the rules of `protocol`.

The schemas are held against the vendor's own types, the rules against the catalogue. What a schema
finds in a reply of the reference server, whatever fault is on, a rule must find too, under the same
requirement: a rule that is laxer than the contract shows here.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import schemas
from conformance.checks import judged as judged_ids
from conformance.protocol import completion, errors, models
from conformance.protocol.facts import Facts
from conformance.protocol.http1 import read_responses
from conformance.protocol.jsontext import read_document
from conformance.protocol.stream import read_stream
from conformance.reference.call import Call
from conformance.reference.faults import FAULTS, Fault
from conformance.reference.models import served
from conformance.reference.pipeline import Service, plan
from conformance.reference.routes import DEFAULT_KEY, Site

SERVICE = Service(Site(served()))
HELLO = {
    "model": "meta/llama-3.3-70b-instruct",
    "messages": [{"role": "user", "content": "Say hello."}],
}
STREAM = {**HELLO, "stream": True, "stream_options": {"include_usage": True}}


def reply(fault: Fault | None, body: dict[str, Any] | None, path: str) -> tuple[int, str, bytes]:
    """Status, Content-Type and body of a reply, without a socket."""
    call = Call(
        number=1,
        moment=1.8e9,
        nonce="ab" * 12,
        method="GET" if body is None else "POST",
        target=f"/v1{path}",
        path="",
        headers=(
            ("authorization", f"Bearer {DEFAULT_KEY}"),
            ("content-type", "application/json"),
        ),
        content=b"" if body is None else json.dumps(body).encode(),
    )
    raw = b"".join(p for _, p in plan(call, replace(SERVICE, fault=fault)) if isinstance(p, bytes))
    for response in read_responses(raw, True, [call.method]):
        return response.status, response.header("content-type") or "", response.body
    return 0, "", b""


def clauses(name: str, value: object) -> set[str]:
    """The requirements that a schema says are broken."""
    return {violation.clause for violation in schemas.violations(name, value)}


def judged(fault: Fault | None) -> Iterator[tuple[str, set[str], set[str]]]:
    """What both judges say of a reply, a stream, an error and the list of models."""
    status, _, body = reply(fault, HELLO, "/chat/completions")
    value = read_document(body).value
    if status == 200 and isinstance(value, dict):
        found = {f.id for f in completion.findings(value, Facts(stream=False))}
        yield "reply", clauses("chat_completion", value), found
    status, _, body = reply(fault, STREAM, "/chat/completions")
    if status == 200:
        facts = Facts(include_usage=True)
        reading = read_stream(body, facts)
        chunks = [c for c in reading.chunks if not c.preamble]
        broken = {i for c in chunks for i in clauses("chat_completion_chunk", dict(c.value))}
        folded = completion.findings(reading.fold(), facts)  # what tells of the stream as a whole
        yield "stream", broken, {f.id for f in (*reading.findings, *folded)}
    status, kind, body = reply(fault, {**HELLO, "n": 0}, "/chat/completions")
    value = read_document(body).value
    if 400 <= status < 500 and isinstance(value, dict):
        yield "error", clauses("error", value), {f.id for f in errors.findings(status, kind, body)}
    status, _, body = reply(fault, None, "/models")
    value = read_document(body).value
    if status == 200:
        yield "list", clauses("model_list", value), {f.id for f in models.findings(value)}


def test_what_a_schema_finds_a_rule_finds() -> None:
    seen: Counter[str] = Counter()
    caught: Counter[str] = Counter()
    laxer = []
    for name, fault in [("none", None), *FAULTS.items()]:
        for what, by_schema, by_rule in judged(fault):
            seen[what] += 1
            caught[what] += bool(by_schema)
            if missed := (by_schema - by_rule) & judged_ids().keys():
                laxer.append((name, what, sorted(missed)))

    assert laxer == []
    assert min(seen.values()) > 200
    assert min(caught.values()) > 2, caught
