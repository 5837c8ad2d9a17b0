"""Runs a job: its steps by the methods of a library, one line of JSON for each.

The laws:

1. It judges nothing. Each step is one line of JSON: what the library returned or raised, and the
   exchanges that it had, as its HTTP client gave them to it. A step that fails ends no other.
2. The key and the headers come from the environment; what is written holds no request header but
   `User-Agent`.

The job is one JSON object: `base_url`, `model`, `timeout` (seconds), and `steps`, each with a
`name`, a `kind` (the name of a method of the library), a `body` (the request's fields), and where
the right key is not to be used a `key`, or `key_env`, the variable that holds it. `wait` and `gap`
are the seconds before the first step and between two calls, at a rate; `retries` how often a call
is made again, where the libraries' own defaults are not to hold. `create_once` repeats nothing.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any

from .langchain import LangChain
from .litellm import LiteLLM
from .openai_python import OpenAIPython
from .recording import EXCHANGES, record
from .telling import raised

LIBRARIES: Mapping[str, Callable[..., Any]] = {
    "openai": OpenAIPython,
    "langchain": LangChain,
    "litellm": LiteLLM,
}


def main(name: str) -> None:
    """Run the steps of the job on stdin, by the library of that name."""
    out, sys.stdout = sys.stdout, sys.stderr  # what a library prints is no step
    job = json.load(sys.stdin)
    key = os.environ.get("CONFORMANCE_CLIENT_KEY", "") or "none"
    headers = json.loads(os.environ.get("CONFORMANCE_CLIENT_HEADERS", "{}"))
    record("httpx")
    record("httpx2")
    library = LIBRARIES[name](job, headers)
    versions = {package: version(package) for package in library.packages}
    print(json.dumps({"name": "start", "versions": versions}), file=out, flush=True)
    time.sleep(job.get("wait", 0))
    for number, step in enumerate(job["steps"]):
        time.sleep(job.get("gap", 0) if number else 0)
        EXCHANGES.clear()
        line: dict[str, Any] = {"name": step["name"]}
        try:
            run = getattr(library, step["kind"])
            given = os.environ.get(step.get("key_env", ""), "") or step.get("key") or key
            line["returned"] = run(given, dict(step["body"]))
        except Exception as error:
            line["raised"] = raised(error)
        print(
            json.dumps({**line, "exchanges": [one.told() for one in EXCHANGES]}),
            file=out,
            flush=True,
        )
