"""Made-up runs to render: no target was asked, and the same call gives the same run.

``records()`` is a realistic full run over ten models with two root causes, ``hostile()`` one in
which the target answered with whatever may break a page or a terminal.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from conformance.requirements import CHAPTERS, REQUIREMENTS, Requirement
from reports import results

URL: Final = "https://api.example.com/v1"
MODELS: Final = (
    "meta/llama-3.3-70b-instruct",
    "meta/llama-3.1-405b-instruct",
    "nvidia/nemotron-4-340b-instruct",
    "deepseek-ai/deepseek-r1",
    "qwen/qwen3-235b-a22b",
    "mistralai/mistral-large-2-instruct",
    "google/gemma-3-27b-it",
    "microsoft/phi-4-reasoning-plus",
    "zhipuai/glm-4-9b-chat",
    "minimax/minimax-text-01",
)
# The chapters that the made-up suite judges.
JUDGED: Final = re.compile("CC-(HTTP|AUTH|MODEL|REQ|RESP|MSG|USAGE|FIN|SSE|STREAM|EQUIV|ERR|SERR)")
STARTED: Final = dt.datetime(2026, 11, 22, 14, 2, 11, tzinfo=dt.UTC)
SUITE: Final = {
    "name": "chat-conformance",
    "version": "0.1.0",
    "python": "3.11.4",
    "packages": {"httpx": "0.28.1", "hypothesis": "6.170.17", "pytest": "9.2.0"},
}
DEVIATIONS: Final = (
    {
        "id": "CC-USAGE-002",
        "models": ["zhipuai/glm-4-9b-chat"],
        "reason": "total_tokens counts cached tokens twice; ticket OPS-4411",
        "expires": "2027-01-31",
    },
    {
        "id": "CC-ERR-009",
        "models": [],
        "reason": "the gateway drops `param`; fixed in its next release",
        "expires": "2026-10-01",
    },
)
CONFIGURATION: Final[dict[str, Any]] = {
    "command": f"pytest --pyargs conformance --target-url {URL} --profile example --seed 7",
    "requirements": [],
    "keyword": "",
    "markers": "",
    "processes": 1,
    "examples": 20,
    "seed": 7,
    "timeout_s": 60.0,
    "long_context": 0,
    "clients": True,
    "key": "TARGET_API_KEY",
    "headers": ["X-Gateway-Token"],
    "limits": {"held_open_s": 5.0, "silence_s": 30.0},
    "capabilities": [
        {
            "flag": "tools",
            "state": "present",
            "because": "probed: status 200",
            "models": list(MODELS[:9]),
        },
        {
            "flag": "tools",
            "state": "absent",
            "because": "probed: status 400",
            "models": [MODELS[9]],
        },
        {
            "flag": "cache",
            "state": "absent",
            "because": "declared absent by the profile",
            "models": list(MODELS),
        },
    ],
}
TOKENS: Final = {
    "answered": 981,
    "input_about": 41_200,
    "output_at_most": 63_400,
    "unbounded": 12,
    "told": {"answers": 970, "input": 38_011, "output": 20_100, "total": 58_111},
}
REASONING: Final = ("deepseek-ai/deepseek-r1", "microsoft/phi-4-reasoning-plus")


def checked() -> frozenset[str]:
    """Ids of the clauses for which the made-up suite has a check."""
    return frozenset(
        entry.id
        for chapter in CHAPTERS
        if JUDGED.fullmatch(chapter.prefix)
        for entry in chapter.requirements
        if entry.level in {"MUST", "SHOULD"}
    )


def run(**changes: Any) -> dict[str, Any]:
    """Results of the realistic run; ``changes`` go to ``results.build``."""
    given: dict[str, Any] = {
        "records": records(),
        "suite": SUITE,
        "target": {"url": URL, "profile": "example", "models": list(MODELS)},
        "started": STARTED,
        "finished": STARTED + dt.timedelta(seconds=74.2),
        "requests": 1214,
        "profile_deviations": DEVIATIONS,
        "judged": checked(),
        "configuration": CONFIGURATION,
        "tokens": TOKENS,
    } | changes
    return results.build(given.pop("records"), **given)


def records() -> Iterator[dict[str, Any]]:
    """One record per clause and model (one for the target as a whole in AUTH)."""
    for clause in sorted(checked()):
        requirement = REQUIREMENTS[clause]
        for model in (None,) if clause.startswith("CC-AUTH") else MODELS:
            yield _record(requirement, model)


def record(
    clause: str, verdict: str, model: str | None = MODELS[0], **evidence: Any
) -> dict[str, Any]:
    """One record; ``evidence`` adds to what a record of that verdict always has."""
    requirement = REQUIREMENTS[clause]
    name = clause.lower().replace("-", "_")
    which = f" --model {model}" if model else ""
    return {
        "id": clause,
        "model": model,
        "level": requirement.level,
        "kind": requirement.kind,
        "verdict": verdict,
        "chapter": clause.rpartition("-")[0],
        "nodeid": f"conformance/test_sample.py::test_{name}",
        "title": requirement.title or requirement.sentence[:70],
        "strict": False,
        "evidence": {
            "summary": "held" if verdict == "PASS" else verdict.lower(),
            "findings": [],
            "exchanges": [],
            "reproduce": f"pytest --target-url {URL} --requirement {clause}{which}",
            "reason": None,
            "trials": None,
            "duration_s": 0.41,
            "by": None,
        }
        | evidence,
    }


_RATE: Final = "429 three times, the last after 20 s: rate limit of the target"
_UNDONE: Final = {"by": "CC-SSE-005", "reason": "the stream has no terminator"}
_SUM: Final = {"required": "total_tokens is 25 + 17 = 42", "seen": "67", "at": "$.usage"}
_ASKED: Final = {"required": "WWW-Authenticate: Bearer", "seen": "no such header", "at": "headers"}
_ABSENT: Final = frozenset({"reasoning", "cache", "filter", "quota", "ratelimit"})


def _record(requirement: Requirement, model: str | None) -> dict[str, Any]:
    clause = requirement.id
    verdict, evidence = "PASS", {}
    match clause, model:
        case "CC-SSE-005", _ if model in REASONING:
            verdict, evidence = "FAIL", _without_done(model)
        case "CC-SSE-018", _ if model in REASONING:
            verdict, evidence = "BLOCKED", _UNDONE
        case "CC-ERR-007", _:
            verdict, evidence = "FAIL", _untyped_error(model)
        case "CC-ERR-009", _:
            verdict, evidence = "WARN", _untyped_error(model, param=True)
        case "CC-STREAM-002", "qwen/qwen3-235b-a22b":
            verdict, evidence = "FAIL", _many_ids(model)
        case "CC-USAGE-002", "zhipuai/glm-4-9b-chat":
            verdict, evidence = "WARN", {"summary": "67 is not 42", "findings": [_SUM]}
        case "CC-FIN-003", "nvidia/nemotron-4-340b-instruct":
            verdict, evidence = "INCONCLUSIVE", {"reason": _RATE, "summary": _RATE}
        case "CC-AUTH-007", _:
            verdict, evidence = "WARN", {"summary": "no WWW-Authenticate", "findings": [_ASKED]}
        case _ if absent := _ABSENT & set(requirement.needs):
            why = f"capability `{min(absent)}` is declared absent in the profile"
            verdict, evidence = "UNSUPPORTED", {"reason": why, "summary": why}
    return record(clause, verdict, model, **evidence)


# --- evidence -----------------------------------------------------------------------------------


def _exchange(
    body: Mapping[str, Any], status: int, kind: str, transcript: list[dict[str, Any]]
) -> dict[str, Any]:
    text = json.dumps(body)
    return {
        "request": {
            "method": "POST",
            "url": f"{URL}/chat/completions",
            "headers": [["Content-Type", "application/json"], ["Authorization", "[redacted]****"]],
            "body": text,
        },
        "status": status,
        "headers": [["content-type", kind], ["x-request-id", "req_7c1e"]],
        "transcript": transcript,
        "curl": f"curl -sS -i -N {URL}/chat/completions -H 'Content-Type: application/json' "
        f"-H \"Authorization: Bearer $TARGET_API_KEY\" --data-raw '{text}'",
        "error": None,
    }


def _lines(texts: list[str], marks: set[int], start: float = 212.4) -> list[dict[str, Any]]:
    rows, offset = [], 0
    for index, text in enumerate(texts):
        left_out = text.startswith("…")
        rows.append(
            {
                "at_ms": None if left_out else round(start + 20.7 * (index // 4), 1),
                "arrival": None if left_out else index // 4,
                "offset": offset,
                "text": text,
                "mark": index in marks,
            }
        )
        offset += len(text) + 1
    return rows


def _chunk(identity: str, delta: dict[str, str], finish: str | None = None) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    chunk = {"id": identity, "object": "chat.completion.chunk", "choices": [choice]}
    return f"data: {json.dumps(chunk, separators=(',', ':'))}"


def _ask(model: str | None, **more: Any) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": "Say hello."}], **more}


def _without_done(model: str | None) -> dict[str, Any]:
    texts = [
        _chunk("chatcmpl-81f", {"role": "assistant", "content": ""}),
        "",
        _chunk("chatcmpl-81f", {"content": "Hello"}),
        "",
        "… 82 lines …",
        _chunk("chatcmpl-81f", {"content": "!"}),
        "",
        _chunk("chatcmpl-81f", {}, "stop"),
        "",
    ]
    seen = "the body ends after the chunk with finish_reason 'stop'"
    finding = {"required": "an event whose data is exactly [DONE]", "seen": seen, "at": "the end"}
    exchange = _exchange(_ask(model, stream=True), 200, "text/event-stream", _lines(texts, {7}))
    return {"summary": seen, "findings": [finding], "exchanges": [exchange]}


def _many_ids(model: str | None) -> dict[str, Any]:
    texts = [_chunk(f"chatcmpl-{n}", {"content": f"word{n} "}) for n in range(1, 10)]
    texts = [line for text in texts for line in (text, "")]
    findings = [
        {
            "required": "'chatcmpl-1', as in the first chunk",
            "seen": f"'chatcmpl-{n}'",
            "at": f"chunk {n} $.id",
        }
        for n in range(2, 10)
    ]
    exchange = _exchange(_ask(model, stream=True), 200, "text/event-stream", _lines(texts, {2, 4}))
    return {"summary": "9 ids in one stream", "findings": findings, "exchanges": [exchange]}


def _untyped_error(model: str | None, *, param: bool = False) -> dict[str, Any]:
    body = '{"error":{"message":"temperature must be between 0 and 2","code":"invalid_value"}}'
    finding = {
        "required": "param is a string or null" if param else "type is a string",
        "seen": "absent",
        "at": "$.error.param" if param else "$.error.type",
    }
    exchange = _exchange(
        _ask(model, temperature=9), 400, "application/json", _lines([body], {0}, 8.2)
    )
    return {"summary": "an error without type", "findings": [finding], "exchanges": [exchange]}


NASTY: Final = (
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(1)>",
    "<!-- ]]> --><svg onload=alert(1)>",
    "\u202eesrever\u202c",
    "W" * 4000,
    "{{ 7 * 7 }} {% include 'x' %}",
    "\" onmouseover='alert(1)' `$(id)`",
    "lone \ud800 surrogate",
    "nul \x00 escape \x1b[31m bell \x07 mark \u200f",
    '[click](javascript:alert(1)) [a](https://example.com/"onclick=alert(1))',
)


def hostile() -> dict[str, Any]:
    """Results of a target whose every string is an attack."""
    model = "<img src=x onerror=alert(1)>"
    rows = []
    for index, text in enumerate(NASTY):
        exchange = _exchange(_ask(text), 200, text, _lines([text], {0}))
        exchange["error"] = text
        rows.append(
            record(
                f"CC-STREAM-{index + 1:03}",
                ("FAIL", "WARN", "INCONCLUSIVE")[index % 3],
                model,
                summary=text,
                findings=[{"required": text, "seen": text, "at": text, "mild": False}],
                exchanges=[exchange],
                reproduce=f"pytest {text}",
                reason=text,
            )
        )
    target = {"url": f"https://{NASTY[1]}/", "profile": NASTY[0], "models": [model]}
    return run(records=rows, target=target, profile_deviations=())
