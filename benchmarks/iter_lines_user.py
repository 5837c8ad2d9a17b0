"""What a plain Locust user of today does: ``FastHttpUser`` with its ``iter_lines``.

For `peers`: writes one JSON line per request to the file in ``PEER_LOG``. Nothing of ours is in it.
"""

import itertools
import json
import os
import time
from pathlib import Path
from typing import Any

from locust import FastHttpUser, constant, events, task

_numbers = itertools.count()
_rows: list[dict[str, object]] = []


class Plain(FastHttpUser):
    """Asks the emitter, and stamps the first and the last line with content."""

    wait_time = constant(0)

    @task
    def chat(self) -> None:
        """One stream."""
        nonce = f"rq-{os.getpid():08x}-00-{next(_numbers):x}"
        body = {
            "model": "emitter",
            "messages": [{"role": "user", "content": f"[{nonce}] Count."}],
            "stream": True,
            "max_tokens": 100,
            "stream_options": {"include_usage": True},
        }
        sent = time.monotonic_ns()
        first = last = None
        tokens = 0
        for line in self.client.iter_lines("/chat/completions", "POST", json=body):
            if '"content":"' in line and '"content":""' not in line:
                last = time.monotonic_ns()
                first = first or last
                tokens += 1
        _rows.append({"nonce": nonce, "send": sent, "first": first, "last": last, "n": tokens})


def _write(**_: object) -> None:
    cpu = time.process_time()
    with Path(os.environ["PEER_LOG"]).open("w", encoding="utf-8") as log:
        for row in _rows:
            log.write(json.dumps(row) + "\n")
        log.write(json.dumps({"cpu_s": cpu}) + "\n")


_events: Any = events
_events.quit.add_listener(_write)
