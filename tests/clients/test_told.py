"""What a client library makes of a reply is held against it, and where they disagree it is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conformance.chat import Chat
from conformance.driving import driven
from conformance.encounter import list_of, raised_of, streams, usage_of
from conformance.libraries import WRONG
from conformance.outcomes import Broken
from conformance.protocol.interop import class_of
from tests.clients.scripted import NOWHERE, coded, line, reply_of, scripted
from tests.plugin.bench import MODEL, reference, run

Says = Callable[..., None]


@pytest.fixture
def says(empty: Path, monkeypatch: pytest.MonkeyPatch) -> Says:
    """Has litellm driven by a script that says so of some steps."""

    def script(*steps: dict[str, Any]) -> None:
        told = [line(name="start"), *(line(**step) for step in steps)]
        scripted(empty, monkeypatch, "\n".join(told))

    return script


def shown(broken: pytest.ExceptionInfo[Broken]) -> tuple[str, bool]:
    """What was required, and whether it is no more than a warning."""
    [sighting] = broken.value.sightings
    return sighting.finding.required, sighting.finding.mild


# -- models -----------------------------------------------------------------------------------

LIST = {"object": "list", "data": [{"id": "a"}, {"id": "b"}]}


def listed(ids: list[str] | None, status: int = 200) -> dict[str, Any]:
    got = reply_of(
        method="GET", url=f"{NOWHERE}/models", status=status, body=coded(json.dumps(LIST))
    )
    failed = {"class": "APIError", "bases": [], "message": "no"}
    told = {"returned": {"ids": ids}} if ids is not None else {"raised": failed}
    return {"name": "models", **told, "exchanges": [got]}


def test_a_list_of_models_is_the_one_that_was_sent(chat: Chat, says: Says) -> None:
    says(listed(["a", "b"]))

    assert list_of(chat, "litellm") is not None
    assert len(chat.used) == 1


@pytest.mark.parametrize(
    ("ids", "required"),
    [
        ([], "the ids are those of the list"),
        (["a"], "the ids are those of the list"),
        (None, "the list of models is returned"),
    ],
)
def test_a_list_that_a_library_loses_is_a_warning(
    chat: Chat, says: Says, ids: list[str] | None, required: str
) -> None:
    says(listed(ids))

    with pytest.raises(Broken) as broken:
        list_of(chat, "litellm")
    assert shown(broken) == (required, True)


def test_a_list_that_is_not_answered_is_not_judged(chat: Chat, says: Says) -> None:
    says(listed([], status=503))

    assert list_of(chat, "litellm") is None


# -- usage ------------------------------------------------------------------------------------

COUNTS = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


def step(chat: Chat, says: Says, usage: object, *, sent: object = COUNTS) -> Any:
    """What a library made of a stream that tells `sent`."""
    chunk = {"choices": [{"index": 0, "delta": {"content": "Hi."}, "finish_reason": "stop"}]}
    counted = {"choices": [], "usage": sent}
    body = "".join(f"data: {json.dumps(one)}\n\n" for one in (chunk, counted)) + "data: [DONE]\n\n"
    got = reply_of(sent=coded('{"model": "m", "stream": true}'), body=coded(body))
    made = {"content": "Hi.", "finish_reason": "stop", "usage": usage}
    says({"name": "s", "returned": made, "exchanges": [got]})
    return driven(chat, "litellm")["s"]


@pytest.mark.parametrize("usage", [COUNTS, {**COUNTS, "more": 1}])
def test_a_stream_with_its_usage_is_kept(chat: Chat, says: Says, usage: object) -> None:
    streams(step(chat, says, usage))


@pytest.mark.parametrize("usage", [None, "5", {}, {**COUNTS, "completion_tokens": 4}])
def test_a_usage_that_a_library_loses_is_a_warning(chat: Chat, says: Says, usage: object) -> None:
    with pytest.raises(Broken) as broken:
        streams(step(chat, says, usage))
    assert shown(broken)[0].startswith('usage is {"prompt_tokens":')
    assert shown(broken)[1]


def test_a_usage_is_judged_where_a_reply_tells_one(chat: Chat, says: Says) -> None:
    usage_of(step(chat, says, None, sent=None))


def test_counts_are_read_by_the_names_of_a_library(chat: Chat, says: Says) -> None:
    told = step(chat, says, {"in": 3, "out": 9})

    usage_of(told, {"in": "prompt_tokens"})
    with pytest.raises(Broken, match="completion_tokens"):
        usage_of(told, {"out": "completion_tokens"}, mild=False)


# -- exceptions -------------------------------------------------------------------------------


def refused(name: str, status: int, *bases: str) -> dict[str, Any]:
    raised = {"class": (*bases, "")[0], "bases": list(bases), "message": "no"}
    told = {"raised": raised} if bases else {"returned": {}}
    return {"name": name, **told, "exchanges": [reply_of(status=status)]}


def test_an_error_is_raised_as_the_class_of_its_status_or_below_it(chat: Chat, says: Says) -> None:
    first, second, third = WRONG
    says(
        refused(first, 400, "BadRequestError", "APIError"),
        refused(second, 404, "ModelNotFound", "NotFoundError", "APIError"),
        refused(third, 405, "APIError"),
    )

    raised_of(chat, "litellm", class_of)
    assert [exchange.status for exchange in chat.used] == [400, 404, 405]


@pytest.mark.parametrize(
    ("bases", "seen"),
    [(("RateLimitError", "APIError"), "raises RateLimitError"), ((), "returns {}")],
)
def test_another_class_is_a_warning(
    chat: Chat, says: Says, bases: tuple[str, ...], seen: str
) -> None:
    says(refused(WRONG[0], 400, "BadRequestError"), refused(WRONG[1], 404, *bases))

    with pytest.raises(Broken, match=f"litellm {seen}") as broken:
        raised_of(chat, "litellm", class_of)
    assert shown(broken) == ("status 404 is raised as NotFoundError", True)


@pytest.mark.parametrize("status", [200, 402, 429])
def test_what_is_no_refusal_is_not_judged(chat: Chat, says: Says, status: int) -> None:
    says(refused(WRONG[0], status, "APIError"))

    raised_of(chat, "litellm", class_of)
    assert chat.used == []


# -- where the protocol and a client disagree -------------------------------------------------

RIGHT = {
    "id": "c",
    "object": "chat.completion",
    "created": 1_790_000_000,
    "model": MODEL,
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hi.", "refusal": None},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
}


def failed(name: str, kind: str, body: str, *, stream: bool) -> dict[str, Any]:
    sent = coded(json.dumps({"model": MODEL, "stream": stream}))
    got = reply_of(sent=sent, headers=[["content-type", kind]], body=coded(body))
    raised = {"class": "TypeError", "bases": ["TypeError"], "message": "it fails"}
    return {"name": name, "raised": raised, "exchanges": [got]}


def test_a_report_says_which_clause_explains_a_failure_or_that_none_does(
    says: Says, tmp_path: Path
) -> None:
    """A whole run, of a library that fails on a reply that is right, and on one that is not."""
    says(
        failed("openai", "application/json", json.dumps(RIGHT), stream=False),
        failed("openai_stream", "text/event-stream", "data: [1]\n\n", stream=True),
    )
    with reference() as address:
        ran = run(
            *(tmp_path, "--target-url", f"{address}/v1", "--model", MODEL),
            *("--requirement", "CC-SDK-007"),
        )

    page = " ".join((tmp_path / "reports/out/compliance.html").read_text("utf-8").split())
    for told in (" ".join(ran.out.split()), page):
        assert "no other clause explains it: the protocol is kept, and the client fails" in told
    assert "explained by CC-SSE-003" in page
    assert ran.verdicts()["CC-SDK-007", None] == "WARN"
