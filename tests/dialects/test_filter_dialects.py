"""What ends an answer, or puts a call off, without being a breach: filters, limits in a coding that
was asked for, thoughts that take the room of the answer."""

import gzip
import hashlib
import json
from dataclasses import replace

import pytest

from conformance.reference import text
from conformance.reference.call import Call, Item, Reply, refusal
from conformance.reference.faults.edits import asked, choice, each_choice, given, prompted, setting

from .dialect import (
    THINKER,
    dialect,
    test_a_right_server_is_blamed_for_nothing,  # noqa: F401 - pytest collects it here
)
from .ways_of_members import is_cut
from .ways_of_sequence import Object, choice_of, objects, said, stream

pytestmark = pytest.mark.slow

CODED = ("CC-HTTP-018", "CC-SSE-022", "CC-ERR-013")

_HEARD: set[bytes] = set()


def _asks_gzip(call: Call) -> bool:
    return call.chat and "gzip" in ",".join(call.values("accept-encoding"))


def _in_gzip(reply: Reply) -> Reply:
    content = gzip.compress(json.dumps(reply.body).encode())
    headers = (("Content-Type", "application/json"), ("Content-Encoding", "gzip"))
    return replace(reply.having(*headers), content=content)


@dialect(seam="request", only=CODED)
def limits_the_rate_in_gzip(call: Call) -> Call | Reply:
    """Answers a call that asks for gzip with 429, in gzip; with what is right the second time."""
    if not _asks_gzip(call) or call.content in _HEARD:
        return call
    _HEARD.add(call.content)
    why, code, soon = "Rate limit reached.", "rate_limit_exceeded", (("Retry-After", "1"),)
    return _in_gzip(refusal(429, why, kind="requests", code=code, headers=soon))


@dialect(seam="request", only=CODED, undecided=("CC-HTTP-018", "CC-SSE-022"))
def filters_in_gzip(call: Call) -> Call | Reply:
    """Has a filter that refuses what asks for gzip, and says so in gzip."""
    why = "The response was filtered by the content management policy."
    return _in_gzip(refusal(400, why, code="content_filter")) if _asks_gzip(call) else call


@dialect(seam="request", only=("CC-REQ-024", "CC-TOOL-021"), undecided=("CC-TOOL-021",))
def filters_by_422(call: Call) -> Call | Reply:
    """Has a filter that refuses a prompt with 422, as FastAPI refuses everything."""
    why = "The response was filtered by the content management policy."
    tools = asked(call, "parallel_tool_calls") is not None
    return refusal(422, why, code="content_filter") if tools else call


@dialect(seam="reply", only=("CC-SAMP-005",), undecided=("CC-SAMP-005",))
def filters_the_first_token(reply: Reply, call: Call) -> Reply:
    """Ends an answer of one token by its filter."""
    filtered = reply.ok and asked(call, "max_tokens") == 1
    return choice(reply, setting(finish_reason="content_filter")) if filtered else reply


@dialect(
    seam="reply",
    only=("CC-FIN-005", "CC-EQUIV-005"),
    undecided=("CC-FIN-005", "CC-EQUIV-005"),
)
def filters_its_calls(reply: Reply, call: Call) -> Reply:
    """Ends calls that are not streamed, and those left to the model, by its filter."""

    def end(item: Object) -> None:
        if item.get("finish_reason") == "tool_calls":
            item["finish_reason"] = "content_filter"

    if reply.events is not None and not asked(call, "tool_choice"):
        return replace(reply, events=tuple(each_choice(list(reply.events), end)))
    return choice(reply, end) if reply.ok else reply


STOPPED = ("CC-SAMP-002", "CC-SAMP-004", "CC-FIN-004")


@dialect(seam="reply", only=STOPPED, model=THINKER)
def thinks_longer_beside_a_stop_sequence(reply: Reply, call: Call) -> Reply:
    """Thinks longer where a stop sequence is set, so that its bound cuts the answer sooner."""
    if not asked(call, "stop") or not prompted(call, "Count"):
        return reply

    def shorten(told: Object) -> None:
        if isinstance(told.get("content"), str):
            told["content"] = told["content"][: len(told["content"]) // 2]

    def halve(events: list[Item]) -> list[Item]:
        texts = [item for item in events if choice_of(item).get("delta", {}).get("content")]
        lost = texts[len(texts) // 2 :]
        return [item for item in events if not any(item is one for one in lost)]

    cut = any(is_cut(item) for item in (reply.body, *(reply.events or ())))
    return (stream(reply, halve) if reply.events else said(reply, shorten)) if cut else reply


@dialect(seam="request", only=STOPPED, undecided=STOPPED)
def thinks_aloud_without_end(call: Call) -> Call | Reply:
    """Spends every bound on a thought within its content, to which stop sequences do not apply."""
    if not prompted(call, "Count"):
        return call
    words = hashlib.sha256(b"thought").hexdigest() * 64
    thought = " ".join(words[at : at + 5] for at in range(0, len(words), 5))
    prompt = f"Repeat the following text exactly, and nothing else:\n\n<think>\n{thought}"
    told = given(call, messages=[{"role": "user", "content": prompt}], stop=None)
    return told if len(text.tokens(thought)) > (asked(call, "max_tokens") or 0) else call


def _refuses(reply: Reply) -> Reply:
    """The reply of a model that would rather not, and says so in `refusal`."""

    def deny(told: Object) -> None:
        if told.get("content"):
            told.update(content=None, refusal="No.")

    def mute(item: Object) -> None:
        for one in item["choices"]:
            one["logprobs"] = None

    return objects(said(reply, deny), mute)


@dialect(seam="reply", only=("CC-SAMP-004",))
def would_rather_not_stop(reply: Reply, call: Call) -> Reply:
    """Refuses to answer where one stop sequence is set that never occurs."""
    return _refuses(reply) if "-never" in str(asked(call, "stop")) else reply


@dialect(seam="reply", only=("CC-LOGP-004",))
def would_rather_not_rate(reply: Reply, call: Call) -> Reply:
    """Refuses to answer where a stream is to tell log probabilities without alternatives."""
    return _refuses(reply) if asked(call, "top_logprobs") == 0 and reply.events else reply
