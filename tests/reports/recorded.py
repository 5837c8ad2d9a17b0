"""Exchanges as a run records them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from typing import Any

from . import sample


def stream(seed: str, marks: Collection[int] = ()) -> dict[str, Any]:
    """An exchange as a run records it: ids and words of its own, the offending line whole."""
    words = [hashlib.sha256(f"{seed} {number}".encode()).hexdigest() for number in range(14)]
    lines = [
        {
            "at_ms": 3.0 * number,
            "arrival": number,
            "offset": 400 * number,
            "text": f'data: {{"id":"chatcmpl-{seed}","object":"chat.completion.chunk",'
            f'"created":1795662777,"choices":[{{"index":0,"delta":{{"content":"{word}"}},"finish_reason":null}}]}}',
            "mark": number in marks,
        }
        for number, word in enumerate(words)
    ]
    body = json.dumps({"model": seed, "messages": [{"role": "user", "content": words[0] * 4}]})
    url = f"{sample.URL}/chat/completions"
    return {
        "reply": words[1][:16],
        "request": {"method": "POST", "url": url, "headers": [["A", words[2]]] * 3, "body": body},
        "status": 200,
        "headers": [[f"x-{number}", words[number]] for number in range(12)],
        "transcript": lines,
        "curl": f"curl -sS -i -N {url} --data-raw '{body}'",
        "error": None,
    }
