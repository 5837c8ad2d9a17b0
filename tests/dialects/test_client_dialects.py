"""Dialects that client libraries meet: right servers, blamed for nothing (CC-SDK)."""

import gzip
import json
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

import pytest

from conformance.reference.call import Call, Item, Reply
from conformance.reference.faults.edits import each_choice
from tests.inprocess import Judgement

from .dialect import DIALECTS, check, dialect, spoken_by

pytestmark = pytest.mark.slow


@dialect(seam="events", only=("CC-SDK-003",), undecided=("CC-SDK-003",))
def comes_to_its_bound(events: list[Item], call: Call) -> list[Item]:
    """Is talkative, so that the bound ends the answer; openai-python's helper raises of it."""

    def cut(one: dict[str, Any]) -> None:
        if one.get("finish_reason"):
            one["finish_reason"] = "length"

    return each_choice(events, cut)


@dialect(seam="reply", only=("CC-SDK-001", "CC-SDK-010"))
def compresses_where_it_may(reply: Reply, call: Call) -> Reply:
    """Sends gzip to a client that accepts it, as LiteLLM's proxy does."""
    accepted = any("gzip" in value for value in call.values("accept-encoding"))
    if not accepted or reply.events is not None or reply.content is not None:
        return reply
    packed = gzip.compress(json.dumps(reply.body).encode(), mtime=0)
    headers = (("Content-Type", "application/json"), ("Content-Encoding", "gzip"))
    return replace(reply, content=packed).having(*headers)


@pytest.mark.parametrize("name", [one.name for one in spoken_by(__name__)])
def test_a_right_server_is_blamed_for_nothing(
    spoken: Mapping[str, Future[Judgement]], name: str
) -> None:
    check(DIALECTS[name], spoken[name].result())
