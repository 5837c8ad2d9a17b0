"""Pages to look at: of real runs, and of made-up results.

Laws
----
* A real page is what the command line wrote, by pytest-html, of a target that was really asked.
* It costs seconds: one model, the chapters that show every kind of verdict, no generated request.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from conformance.requirements import CHAPTERS, REQUIREMENTS
from reports.compliance.page import render
from reports.templates import document
from tests.plugin import bench
from tests.wire import tiny

__all__ = ["BROKEN", "NASTY", "broken_run", "hostile_run", "made_up"]

FAULT: Final = "streams_null_deltas"
BROKEN: Final = "CC-STREAM-007"
"""The clause that this fault breaks; others cannot be judged beside it."""

CHEAP: Final = ("--no-clients", "--examples", "0")

SCRIPT: Final = "<script>alert('run')</script>"
NASTY: Final = (
    SCRIPT,
    "</script></style></title></textarea>-->]]><img src=x onerror=alert('image')>",
    "javascript:alert('link') [a](javascript:alert('link')) https://e.com/\"onclick=\"alert(1)",
    "right \u202eto left\u2066 and \u200f on",
    "nul \x00 bell \x07 escape \x1b[31m red \x85 end",
)
"""What a hostile target says wherever it says anything, for each of its replies."""

LONG: Final = 1_000_000
"""Characters of its longest line."""


def broken_run(folder: Path) -> bench.Ran:
    """Judge the reference server with one fault; the page is in ``reports/out`` of the folder."""
    chapters = ("CC-STREAM", "CC-FIN", "CC-AUTH")
    wanted = [word for chapter in chapters for word in ("--requirement", chapter)]
    with bench.reference() as address:
        url = f"{address}/fault/{FAULT}/v1"
        return bench.run(folder, "--target-url", url, "--model", bench.MODEL, *CHEAP, *wanted)


def hostile_run(folder: Path) -> bench.Ran:
    """Judge a server that attacks whoever shows what it said; ``folder`` as in ``broken_run``."""
    clauses = ("CC-RESP", "CC-MSG-003", "CC-SSE-002", "CC-SSE-012", "CC-ERR-001", "CC-ERR-007")
    wanted = [word for clause in clauses for word in ("--requirement", clause)]
    with tiny.serve(_attack) as server:
        return bench.run(
            folder, "--target-url", server.url, "--model", f"m{SCRIPT}", *CHEAP, *wanted
        )


def made_up(results: Mapping[str, Any], path: Path) -> Path:
    """Write the page of made-up results."""
    path.write_text(document(render(results, REQUIREMENTS, CHAPTERS)), "utf-8")
    return path


def _attack(server: tiny.Tiny, sock: socket.socket) -> None:
    while octets := server.read_request(sock):
        nasty = NASTY[len(server.received) % len(NASTY)]
        sock.sendall(_reply(octets, nasty))


def _reply(asked: bytes, nasty: str) -> bytes:
    """One attack in the form that was asked for: a list of models, a stream, a refusal, a reply."""
    field = _header(nasty)
    others = (f"X-Request-Id: {field}", f"X-{'A' * 40}: {field}")
    kind, status = "application/json", "200 OK"
    if asked.startswith(b"GET"):
        body = _json(object="list", data=[{"id": nasty, "object": nasty}])
    elif b'"stream":true' in asked.replace(b" ", b""):
        kind = "text/event-stream"
        events = [
            _json(id=nasty, choices=[{"index": 0, "delta": nasty}]),
            nasty.encode() + b"\xff\xfe",
            b"L" * LONG,
            b"\n\n" + nasty.encode(),
        ]
        body = b"".join(b"data: %b\n\n" % event for event in events)
    elif b'"messages"' in asked:
        choice = {"message": {"role": nasty, "content": {nasty: nasty}}}
        body = _json(id=nasty, object=nasty, model=nasty, choices=[choice])
    else:
        kind, status = field, f"400 {field}"
        body = _json(error={"message": nasty, "type": [nasty], "param": nasty, "code": nasty})
    return tiny.answer(status, (f"Content-Type: {kind}", *others), body)


def _json(**members: object) -> bytes:
    return json.dumps(members, ensure_ascii=False).encode()


def _header(text: str) -> str:
    """The text as far as it is legal in a header field."""
    return "".join(c for c in text if c.isprintable() and c.isascii())
