"""The tools of `peers`: how each is started against the emitter, and what it says of each request.

Laws: each tool gets the same prompts, each with a nonce, by which a request is found again in the
emitter's log; what a tool reports is read from its own files; nothing is downloaded but packages.

Theory
------
==========  ===================================================================================
tool        TTFT of a request, as it reports it
==========  ===================================================================================
ours        first token-bearing read, by the kernel's stamp, less t_send (``--load-raw``)
iter_lines  first line with content that Locust's ``FastHttpUser.iter_lines`` yields, less its call
guidellm    ``time_to_first_token_ms`` of ``requests.successful``
aiperf      ``time_to_first_token`` of ``profile_export.jsonl``
==========  ===================================================================================

guidellm and aiperf count tokens with a tokenizer, for which both would ask a hub: they are given
one of a few words, written to disk here. Token counts are taken from ``usage``, or not at all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

__all__ = ["TOOLS", "Tool", "prepare"]

PROMPTS: Final = 20_000
"""Prompts that are written for a tool that takes them from a file."""

NONCE: Final = re.compile(r"rq-[0-9a-f]{8}-[0-9a-f]+-[0-9a-f]+")

Command = Callable[[str, int, int, Path], list[str]]
Reader = Callable[[Path], dict[str, float]]


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool.

    Attributes:
        package: what pip installs into a venv of its own; None: it runs in ours.
        program: within the venv's ``bin``.
        arguments: from base URL, streams, seconds and folder.
        reported: from the folder, TTFT in ms by the nonce of a request that succeeded.
        environ: further environment variables.
    """

    package: str | None
    program: str
    arguments: Command
    reported: Reader
    environ: Mapping[str, str]


def prepare(folder: Path) -> None:
    """Write what tools read: prompts in two spellings, and a tokenizer of three words."""
    texts = [f"[rq-00000000-00-{number:x}] Count." for number in range(PROMPTS)]
    rows = {"prompt.jsonl": "prompt", "text.jsonl": "text"}
    for name, key in rows.items():
        lines = "".join(json.dumps({key: text}) + "\n" for text in texts)
        (folder / name).write_text(lines, encoding="utf-8")
    tokenizer = folder / "tokenizer"
    tokenizer.mkdir()
    vocabulary = {"[UNK]": 0, "Count": 1, "word": 2}
    whole = {
        "version": "1.0",
        "added_tokens": [],
        "pre_tokenizer": {"type": "Whitespace"},
        "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "[UNK]"},
    }
    nothing = dict.fromkeys(("truncation", "padding", "normalizer", "post_processor", "decoder"))
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": "[UNK]"}
    (tokenizer / "tokenizer.json").write_text(json.dumps(whole | nothing), encoding="utf-8")
    (tokenizer / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")


def _locust(url: str, streams: int, seconds: int, file: str) -> list[str]:
    options = ["-m", "locust", "-f", file, "--headless", "--host", url, "--only-summary"]
    return [*options, "-u", str(streams), "-r", str(max(1, streams // 2)), "-t", f"{seconds}s"]


def _ours(url: str, streams: int, seconds: int, folder: Path) -> list[str]:
    options = ["--model", "emitter", "--max-tokens", "100", "--check", "none", "--no-page"]
    options += ["--load-raw", str(folder / "raw"), "--load-results", str(folder / "load.json")]
    return [*_locust(url, streams, seconds, "load/chat.py"), *options]


def _iter_lines(url: str, streams: int, seconds: int, _: Path) -> list[str]:
    return _locust(url, streams, seconds, "benchmarks/iter_lines_user.py")


def _guidellm(url: str, streams: int, seconds: int, folder: Path) -> list[str]:
    return [
        "run",
        *("--backend", f"kind=openai_http,target={url.removesuffix('/v1')},model=emitter"),
        *("--profile", f"kind=concurrent,streams={streams}"),
        *("--constraint", f"kind=max_duration,seconds={seconds}"),
        *("--data", f"kind=json_file,path={folder / 'prompt.jsonl'}"),
        *("--tokenizer", f"kind=hf_auto,model={folder / 'tokenizer'}"),
        *("--output", f"kind=json,path={folder / 'guidellm.json'}", "--disable-console"),
    ]


def _aiperf(url: str, streams: int, seconds: int, folder: Path) -> list[str]:
    return [
        *("profile", "--model", "emitter", "--url", url.removesuffix("/v1")),
        *("--endpoint-type", "chat", "--streaming", "--concurrency", str(streams)),
        *("--benchmark-duration", str(seconds), "--input-file", str(folder / "text.jsonl")),
        *("--custom-dataset-type", "single_turn", "--tokenizer", str(folder / "tokenizer")),
        *("--use-server-token-count", "--ui", "none", "--no-gpu-telemetry", "--no-server-metrics"),
        *("--artifact-dir", str(folder / "aiperf")),
    ]


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def _read_ours(folder: Path) -> dict[str, float]:
    return {
        row["nonce"]: (row["arrivals"][0][0] - row["send"]) / 1e6
        for row in _lines(folder / "raw")
        if not row["failure"] and row["arrivals"]
    }


def _read_iter_lines(folder: Path) -> dict[str, float]:
    rows: Sequence[Mapping[str, Any]] = _lines(folder / "raw")[:-1]
    return {row["nonce"]: (row["first"] - row["send"]) / 1e6 for row in rows if row["first"]}


def _read_guidellm(folder: Path) -> dict[str, float]:
    whole = json.loads((folder / "guidellm.json").read_text("utf-8"))
    found = {}
    for row in whole["benchmarks"][0]["requests"]["successful"]:
        nonce = NONCE.search(row["request_args"])
        if nonce is not None and row["time_to_first_token_ms"] is not None:
            found[nonce[0]] = row["time_to_first_token_ms"]
    return found


def _read_aiperf(folder: Path) -> dict[str, float]:
    inputs = json.loads((folder / "aiperf" / "inputs.json").read_text("utf-8"))["data"]
    nonces = {row["session_id"]: NONCE.search(json.dumps(row["payloads"])) for row in inputs}
    found = {}
    for row in _lines(folder / "aiperf" / "profile_export.jsonl"):
        nonce = nonces.get(row["metadata"]["conversation_id"])
        ttft = row["metrics"].get("time_to_first_token")
        if nonce is not None and ttft is not None:
            found[nonce[0]] = ttft["value"]
    return found


OFFLINE: Final = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}

TOOLS: Final = {
    "ours": Tool(None, "python", _ours, _read_ours, {}),
    "iter_lines": Tool(None, "python", _iter_lines, _read_iter_lines, {}),
    "guidellm": Tool("guidellm==0.8.1", "guidellm", _guidellm, _read_guidellm, OFFLINE),
    # aiperf reads a tokenizer from disk; with the hub's offline switch it looks in a cache only.
    "aiperf": Tool("aiperf==0.13.0", "aiperf", _aiperf, _read_aiperf, {}),
}
"""By name, in the order in which they run."""
