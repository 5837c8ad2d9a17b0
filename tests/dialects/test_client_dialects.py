"""Right servers that client libraries meet: what they tolerate is no failure of theirs (CC-SDK).

The libraries that are installed run, each against every dialect here: few, and each of many ways.
"""

import gzip
import json
from dataclasses import replace

import pytest

from conformance.reference.call import DONE, Call, Item, Reply, refusal
from conformance.reference.faults.edits import asked, each_item, is_object
from conformance.reference.wire import spelled

from .dialect import (
    dialect,
    test_a_right_server_is_blamed_for_nothing,  # noqa: F401 - pytest collects it here
)
from .ways_of_sequence import Object, objects, said

pytestmark = pytest.mark.slow

CLIENTS = ("CC-SDK",)


@dialect(seam="events", only=CLIENTS)
def streams_with_crlf_comments_and_without_blanks(events: list[Item], call: Call) -> list[Item]:
    """Ends lines with CRLF, writes `data:{…}` and keeps alive by comments."""
    told: list[Item] = []
    for item in events:
        bare = b"data:" + spelled(item).removeprefix(b"data: ")
        told += [b": keep-alive\r\n\r\n", bare.replace(b"\n", b"\r\n")]
    return told


@dialect(seam="reply", only=CLIENTS, warns=("CC-SDK-014",))
def tells_as_little_as_it_may(reply: Reply, call: Call) -> Reply:
    """Knows no usage, fingerprint or tier, no `logprobs`, no `refusal`, as small servers do."""

    def strip(item: Object) -> None:
        for name in ("usage", "system_fingerprint", "service_tier"):
            item.pop(name, None)
        for choice in item["choices"]:
            choice.pop("logprobs", None)

    def silence(message: Object) -> None:
        for name in ("refusal", "annotations"):
            message.pop(name, None)

    return said(objects(reply, strip), silence)


@dialect(seam="events", only=CLIENTS)
def thinks_aloud_and_adds_members(events: list[Item], call: Call) -> list[Item]:
    """Streams thoughts beside the content, and members of its own, as OpenRouter does."""

    def add(item: Item) -> None:
        assert isinstance(item, dict)
        item.update(provider="Provider", x_request={"id": "r1"})
        for choice in item["choices"]:
            choice["native_finish_reason"] = choice["finish_reason"]
            choice["delta"]["reasoning"] = None

    return each_item(events, add, is_object)


@dialect(seam="events", only=CLIENTS)
def comments_behind_done(events: list[Item], call: Call) -> list[Item]:
    """Ends a stream with a comment behind [DONE]."""
    return [*events, b": bye\n\n"] if events and events[-1] == DONE else events


@dialect(seam="reply", only=CLIENTS)
def compresses_what_may_be(reply: Reply, call: Call) -> Reply:
    """Compresses plain replies where the client offers gzip, as proxies do."""
    offered = "gzip" in "".join(call.values("accept-encoding"))
    if not offered or not isinstance(reply.body, dict) or reply.events is not None:
        return reply
    kind = ("Content-Type", "application/json")
    content = gzip.compress(json.dumps(reply.body).encode())
    return replace(reply.having(kind, ("Content-Encoding", "gzip")), content=content)


@dialect(seam="request", only=CLIENTS)
def knows_no_tools_no_forms_and_no_usage_in_streams(call: Call) -> Call | Reply:
    """Refuses tools, forms and `stream_options` by name."""
    for name in ("tools", "response_format", "stream_options"):
        if asked(call, name):
            return refusal(400, f"{name} is not supported.", param=name)
    return call


@dialect(seam="reply", only=CLIENTS, undecided=("CC-SDK-003", "CC-SDK-010"))
def cuts_every_answer(reply: Reply, call: Call) -> Reply:
    """Comes to the bound each time: openai-python raises what it cannot put together."""

    def cut(item: Object) -> None:
        for choice in item["choices"]:
            if choice["finish_reason"] == "stop":
                choice["finish_reason"] = "length"

    return objects(reply, cut)
