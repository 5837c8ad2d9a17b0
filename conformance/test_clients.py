"""Client SDK interoperability: what people run against the target runs (CC-SDK).

The laws:

1. A client is evidence of interoperability, never the judge of framing: SDKs repair what they read.
   Where one fails, the record says which clause explains it, or that none does.
2. What is not installed is not run, and says so; it is never the target's fault.
3. A client is held against the very bytes that it was given: its driver keeps them.

Two kinds: the examples that the target's own documentation shows, run as they stand, the base URL
and the key put in; and client libraries, driven through a programme of calls (`libraries`).
"""

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec

import pytest

import schemas

from .asking.battery import plain
from .chat import Chat
from .driving import DIRECT, START_UP, Step, driven
from .encounter import (
    blame_once,
    is_must,
    list_of,
    raised_as,
    raised_of,
    require_of,
    returns,
    round_of,
    step_of,
    streams,
    structured_of,
    usage_of,
    valid,
    why,
)
from .expect import each, judge, require, trials
from .guards import completion, counts, status_line
from .libraries import LABELS
from .outcomes import Blocked, Inconclusive, Sighting, Unsupported
from .protocol.finding import shorten
from .protocol.interop import LITELLM_CLASSES, class_of, told, unfilled, untyped
from .protocol.jsontext import read_document
from .protocol.models import listed_ids
from .requirements import requirement
from .target.profile import Example
from .wire.arguments import without
from .wire.exchange import Exchange

pytestmark = pytest.mark.clients

PYTHON = "openai-python"
AI_SDK = "@ai-sdk/openai-compatible"
LANGCHAIN = "langchain-openai"
LITELLM = "litellm"


# -- what the documentation shows -------------------------------------------------------------


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
    environ = without(os.environ, endpoint.secrets)
    environ = {k: v for k, v in environ.items() if not k.upper().startswith("OPENAI_")}
    if example.language == "curl" and endpoint.key is not None:
        text = CURL + text
        environ["CONFORMANCE_CLIENT_KEY"] = key
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
            env={**environ, **DIRECT},
        )
    except subprocess.TimeoutExpired:
        reason = f"the {example.language} example did not end in {patience:g} s"
        raise Inconclusive(reason) from None


CURL = """\
curl() {
    header=
    for word do
        shift
        case $word in
        [Aa]uthorization:*"$CONFORMANCE_CLIENT_KEY"*) header=$word word=@- ;;
        esac
        set -- "$@" "$word"
    done
    if [ -n "$header" ]; then
        printf '%s\\n' "$header" | command curl "$@"
    else
        command curl "$@"
    fi
}
"""
"""Put before the documentation's command: a list of processes shows arguments to everybody, so that
curl gets the header with the key through a pipe (``-H @-``)."""


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
    if chat.clients is None:
        raise Unsupported("no client is run: --no-clients")
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


# -- client libraries -------------------------------------------------------------------------


@requirement("CC-SDK-001", scope="target")
def test_openai_python_returns_what_the_reply_tells(chat: Chat) -> None:
    returns(created := step_of(chat, PYTHON, "create"))
    valid(created, chunk=False)
    if called := round_of(chat, PYTHON):
        valid(called, chunk=False)


@requirement("CC-SDK-002", scope="target")
def test_openai_python_iterates_over_a_stream_to_its_end(chat: Chat) -> None:
    streams(step := step_of(chat, PYTHON, "chunks"))
    valid(step, chunk=True)


@requirement("CC-SDK-003", scope="target")
def test_openai_python_puts_a_stream_together(chat: Chat) -> None:
    step = step_of(chat, PYTHON, "final")
    flat = replace(step, returned=told(step.returned)) if step.raised is None else step
    streams(flat)


@requirement("CC-SDK-004", scope="target")
def test_openai_node_puts_a_stream_together(chat: Chat) -> None:
    step = step_of(chat, "openai-node", "final")
    require_of(step.raised is None, "finalChatCompletion() resolves", step)
    round_of(chat, "openai-node")
    structured_of(chat, "openai-node")
    list_of(chat, "openai-node")
    usage_of(step)


@requirement("CC-SDK-005", scope="target")
def test_the_ai_sdk_generates_and_streams_without_an_error_part(chat: Chat) -> None:
    for name in ("generate", *(["stream"] if chat.has("stream") else [])):
        step = step_of(chat, AI_SDK, name)
        require_of(step.raised is None, f"{name} ends without an exception", step)
        errors, finish = step.returned["errors"], step.returned["finish"] or {}
        require_of(not errors, "no part is an error", step, f"error {shorten(errors)}")
        unified = finish.get("unified")
        required = "the finish reason is one that the AI SDK knows"
        require_of(unified not in ("error", "other", None), required, step, shorten(finish))
    round_of(chat, AI_SDK)
    structured_of(chat, AI_SDK)
    if step.name == "stream":
        usage_of(step, {"input": "prompt_tokens", "output": "completion_tokens"})


@requirement("CC-SDK-006", scope="target")
def test_langchain_invokes_and_streams_with_the_usage_of_the_server(chat: Chat) -> None:
    for name in ("invoke", *(["stream"] if chat.has("stream") else [])):
        step = step_of(chat, LANGCHAIN, name)
        require_of(step.raised is None, f"{name} succeeds", step)
        usage_of(step, LANGCHAIN_COUNTS, mild=False)
    round_of(chat, LANGCHAIN)
    structured_of(chat, LANGCHAIN)
    raised_of(chat, LANGCHAIN, class_of)


LANGCHAIN_COUNTS = {
    "input_tokens": "prompt_tokens",
    "output_tokens": "completion_tokens",
    "total_tokens": "total_tokens",
}


@requirement("CC-SDK-007", scope="target")
def test_litellm_succeeds_on_both_routes_in_both_modes(chat: Chat) -> None:
    routes = ("openai", "hosted_vllm")
    streamed = [f"{route}_stream" for route in routes] if chat.has("stream") else []

    def look(name: str) -> list[Sighting]:
        step = step_of(chat, LITELLM, name)
        require_of(step.raised is None, f"the route {name} succeeds", step)
        usage_of(step)
        return []

    blame_once(each([*routes, *streamed], look))
    round_of(chat, LITELLM)
    structured_of(chat, LITELLM)
    list_of(chat, LITELLM)
    raised_of(chat, LITELLM, LITELLM_CLASSES.get)


@requirement("CC-SDK-008", scope="target")
def test_errors_are_raised_as_the_class_of_their_status(chat: Chat) -> None:
    def look(name: str) -> list[Sighting]:
        return each(driven(chat, name).values(), lambda step: _raised(chat, step))

    blame_once(each((PYTHON, "openai-node", AI_SDK), look))


def _raised(chat: Chat, step: Step) -> list[Sighting]:
    """An error status is raised, as the right class, and carries what the body tells."""
    classes = (lambda _: "APICallError") if step.library == AI_SDK else class_of
    exchange = raised_as(chat, step, classes)
    if (exchange.status or 0) < 500:
        for required, seen in unfilled(exchange.body, step.raised or {}):
            require_of(False, required, step, seen)
    return []


@requirement("CC-SDK-009", scope="target")
def test_openai_python_lists_and_retrieves_models(chat: Chat) -> None:
    def look(library: str) -> list[Sighting]:
        step = step_of(chat, library, "models")
        require_of(step.raised is None, "models.list() iterates", step)
        raw = read_document(step.exchange.body if step.exchange else b"").value
        same = step.returned["ids"] == listed_ids(raw)
        require_of(same, "the ids are those of the list", step)
        if chat.has("retrieve"):
            _retrieves(chat, library)
        return []

    blame_once(each((PYTHON, "openai-python 1.x"), look))


def _retrieves(chat: Chat, library: str) -> None:
    step = driven(chat, library).get("retrieve")
    if step is None or step.exchange is None:
        raise Inconclusive(f"{library} did not come to retrieve a model")
    if step.exchange.status != 200:
        by = "CC-MODEL-006" if "%2F" in step.exchange.request.path else "CC-MODEL-015"
        raise Blocked(by, status_line(step.exchange), step.exchange)
    chat.used.append(step.exchange)
    require_of(step.raised is None, "models.retrieve() returns", step)
    got = step.returned.get("id")
    require_of(got == chat.model, "the model has the id that was asked for", step)


@requirement("CC-SDK-010", scope="target")
def test_openai_python_parses_an_answer_into_a_type(chat: Chat) -> None:
    looked: list[Step] = []

    def attempt(number: int) -> bool | None:
        try:
            step = step_of(chat, PYTHON, LABELS[number])
        except Inconclusive:
            return None
        looked.append(step)
        if step.exchange is None or not counts(step.exchange):
            return None
        return step.raised is None and bool(step.returned.get("parsed"))

    chat.memory["trials"] = trials(
        attempt,
        required=".parsed holds what the schema asks for",
        seen=lambda: f"{looked[-1]}; {why(looked[-1])}",
        on=lambda: looked[-1].exchange,
    )


@requirement("CC-SDK-013", scope="target")
def test_the_asynchronous_client_does_what_the_other_does(chat: Chat) -> None:
    returns(step_of(chat, PYTHON, "async_create"))
    streams(step_of(chat, PYTHON, "async_chunks"))


# -- typed clients ----------------------------------------------------------------------------


@requirement("CC-SDK-014")
def test_replies_hold_every_member_that_typed_clients_demand(chat: Chat) -> None:
    def look(exchange: Exchange) -> list[Sighting]:
        value = completion(exchange)
        for one in schemas.violations("chat_completion", value):
            if one.schema_path.endswith("required") and is_must(one.clause):
                raise Blocked(one.clause, one.message, exchange)
        return [Sighting(one, exchange) for one in untyped(value)]

    judge(each(plain(chat), look))
