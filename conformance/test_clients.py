"""Client SDK interoperability: what people run against the target runs (CC-SDK).

The laws:

1. A client is evidence of interoperability, never the judge of framing: SDKs repair what they read.
2. What is not installed is not run, and says so; it is never the target's fault.

Judged so far: the examples that the target's own documentation shows, run as they stand, the base
URL and the key put in.
"""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec

from .chat import Chat
from .expect import require
from .outcomes import Inconclusive, Unsupported
from .protocol.finding import shorten
from .requirements import requirement
from .target.profile import Example

START_UP = 30.0
"""Seconds that a client may take at least: importing one on a busy machine is no exchange."""


def documented(chat: Chat, language: str) -> Example:
    """The documentation's example in `language`; raises `Unsupported` when it shows none."""
    for example in chat.profile.examples:
        if example.language == language:
            return example
    raise Unsupported(f"the profile quotes no {language} example")


def run(chat: Chat, command: list[str], example: Example) -> subprocess.CompletedProcess[str]:
    """Run `example`, handed to `command` on standard input, against the target.

    Raises `Inconclusive` when it does not end within the timeout.
    """
    endpoint = chat.client.endpoint
    text = example.text.replace(chat.profile.base_url or "", endpoint.base_url)
    key = endpoint.key or "none"
    environ = {k: v for k, v in os.environ.items() if not k.upper().startswith("OPENAI_")}
    if example.key.startswith("$"):
        environ[example.key[1:]] = key
    elif example.key:
        text = text.replace(example.key, key)
    patience = max(endpoint.timeout, START_UP)
    try:
        return subprocess.run(
            command,
            input=text,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=patience,
            check=False,
            env={**environ, "NO_PROXY": "*"},
        )
    except subprocess.TimeoutExpired:
        reason = f"the {example.language} example did not end in {patience:g} s"
        raise Inconclusive(reason) from None


@requirement("CC-HTTP-001", scope="target")
def test_the_documented_curl_runs_as_it_stands(chat: Chat) -> None:
    example = documented(chat, "curl")
    if shutil.which("curl") is None:
        raise Inconclusive("curl is not installed")
    done = run(chat, ["sh"], example)
    require(
        done.returncode == 0 and '"choices"' in done.stdout,
        "the documentation's curl prints a completion",
        f"exit status {done.returncode}: {shorten(done.stdout or done.stderr, 200)}",
    )


@requirement("CC-SDK-002", scope="target")
def test_the_documented_python_loop_runs_as_it_stands(chat: Chat) -> None:
    example = documented(chat, "python")
    if find_spec("openai") is None:
        raise Unsupported("the openai package is not installed: install the extra [clients]")
    done = run(chat, [sys.executable, "-"], example)
    last = done.stderr.strip().splitlines()[-1:] or [""]
    require(
        done.returncode == 0,
        "the documentation's loop over the stream ends without an exception",
        f"exit status {done.returncode}: {shorten(last[0], 200)}",
    )
    require(bool(done.stdout.strip()), "the loop prints text", "it prints nothing")
