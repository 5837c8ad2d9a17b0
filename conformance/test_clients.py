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
from collections.abc import Iterable, Sequence
from dataclasses import replace
from importlib.util import find_spec

import pytest

import schemas

from .battery import plain
from .chat import Chat, facts_of, sent_json
from .driving import START_UP, Step, driven
from .expect import LONGEST_SEEN, each, judge, require, trials
from .guards import POSTPONED, completion, counts, filtered, refuses, status_line, success
from .libraries import LABELS, WRONG
from .outcomes import Blocked, Broken, Inconclusive, Sighting, Trials, Unsupported
from .protocol.completion import findings as completion_findings
from .protocol.errors import findings as error_findings
from .protocol.facts import Facts
from .protocol.finding import Finding, excerpt, shorten
from .protocol.interop import (
    Explanation,
    class_of,
    differences,
    explained,
    invalid,
    told,
    unfilled,
    untyped,
)
from .protocol.jsontext import findings as document_findings
from .protocol.jsontext import read_document
from .protocol.media import findings as media_findings
from .protocol.media import is_event_stream
from .protocol.models import findings as model_findings
from .protocol.models import listed_ids
from .protocol.stream import read_stream
from .requirements import REQUIREMENTS, requirement
from .target.capabilities import NAMES
from .target.profile import Example
from .wire.exchange import Exchange, FailureKind

pytestmark = pytest.mark.clients

PYTHON = "openai-python"


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


def _step(chat: Chat, library: str, name: str) -> Step:
    """What `library` made of a step that brought a reply of 200 (its exchange is looked at).

    A library is refused what the plainest call is granted: that breaks the clause at hand. Raises
    `Inconclusive` where it got no answer, `Unsupported` where the capability is refused by name.
    """
    step = driven(chat, library).get(name)
    if step is None:
        raise Inconclusive(f"{library} did not come to its step {name!r}")
    exchange = step.exchange
    if exchange is None or exchange.status is None:
        raise Inconclusive(f"no reply: {step}")
    chat.used.append(exchange)
    failure = exchange.failure
    if failure is not None and failure.kind is FailureKind.TIMEOUT:
        raise Inconclusive(str(failure), exchange)
    if exchange.status in POSTPONED or exchange.status >= 500 or filtered(exchange):
        raise Inconclusive(status_line(exchange), exchange)
    if exchange.status != 200:
        success(chat.canary())
        if refuses(exchange, OPTIONAL):
            raise Unsupported(f"refused: {status_line(exchange)}", exchange)
        _require(False, "the client's request is answered as any other", step)
    return step


OPTIONAL = tuple(name for flag in ("tools", "json_schema", "stream_usage") for name in NAMES[flag])
"""What a target may refuse of the steps."""


def _findings(exchange: Exchange) -> Iterable[Finding]:
    """All that the rules of the protocol say of a reply that a client got."""
    facts = facts_of(sent_json(exchange), complete=False)
    kind = exchange.header("content-type")
    if exchange.failure is not None:
        yield Finding("CC-HTTP-009", "a whole reply", str(exchange.failure))
    if (exchange.status or 0) >= 400:
        yield from error_findings(exchange.status or 0, kind, exchange.body)
    elif exchange.request.method == "GET":
        yield from model_findings(read_document(exchange.body).value)
    elif facts.stream:
        yield from read_stream(exchange.body, facts).findings
        if not is_event_stream(kind):
            yield Finding("CC-SSE-001", "a stream is text/event-stream", shorten(kind))
    else:
        document = read_document(exchange.body)
        yield from document_findings(document)
        yield from media_findings(kind)
        yield from completion_findings(document.value, facts)


def _why(step: Step) -> Explanation:
    """Which clauses the reply breaks that a client failed on."""
    return explained(_findings(step.exchange) if step.exchange else (), _is_must)


def _is_must(clause: str) -> bool:
    return REQUIREMENTS[clause].level == "MUST"


def _require(holds: bool, required: str, step: Step, seen: object = None) -> None:
    """Blame the target for what a client made of its reply, and say which clause explains it.

    A client is run once: what it stumbles over is asked again by the checks of that clause.
    """
    if holds:
        return
    why = _why(step)
    shown = step if seen is None else f"{step.library}: {seen}"
    finding = Finding("", required, excerpt(f"{shown}; {why}", LONGEST_SEEN), mild=why.mild)
    raise Broken([Sighting(finding, step.exchange)], trials=ONCE)


ONCE = Trials(0, 1, 1, 1)


def _once(found: Sequence[Sighting]) -> None:
    """Blame the target for what several libraries made of it."""
    if found:
        raise Broken(found, trials=ONCE)


def _returns(step: Step, members: Sequence[str] = ()) -> None:
    """The client returned what the raw reply tells, without an exception."""
    exchange = step.exchange
    _require(step.raised is None and exchange is not None, "the client returns", step)
    raw = read_document(exchange.body if exchange else b"").value
    for name, got in differences(raw, step.returned, members):
        _require(False, f"{name} is what the reply tells", step, f"{name} is {shorten(got)}")


def _streams(step: Step) -> None:
    """The client read a stream to its end, and its text is the stream's."""
    _require(step.raised is None, "the client reads the stream to its end", step)
    exchange = step.exchange
    whole = read_stream(exchange.body if exchange else b"", Facts(complete=False))
    given = step.returned if isinstance(step.returned, dict) else {}
    for name, sent in (("content", whole.text()), ("finish_reason", whole.finish_reason())):
        got = given.get(name)
        required = f"{name} is what the stream tells"
        _require((got or "") == (sent or ""), required, step, f"{name} is {shorten(got)}")


def _valid(step: Step, *, chunk: bool) -> None:
    """The client's own types, asked to validate, take the reply."""
    complaints = step.returned.get("invalid", []) if isinstance(step.returned, dict) else []
    found = invalid(complaints, chunk=chunk)
    if found:
        told_why = [replace(one, seen=f"{one.seen}; {_why(step)}") for one in found]
        raise Broken([Sighting(one, step.exchange) for one in told_why], trials=ONCE)


@requirement("CC-SDK-001", scope="target")
def test_openai_python_returns_what_the_reply_tells(chat: Chat) -> None:
    _returns(created := _step(chat, PYTHON, "create"))
    _valid(created, chunk=False)
    if chat.has("tools"):
        _returns(called := _step(chat, PYTHON, "call"))
        _valid(called, chunk=False)


@requirement("CC-SDK-002", scope="target")
def test_openai_python_iterates_over_a_stream_to_its_end(chat: Chat) -> None:
    _streams(step := _step(chat, PYTHON, "chunks"))
    _valid(step, chunk=True)


@requirement("CC-SDK-003", scope="target")
def test_openai_python_puts_a_stream_together(chat: Chat) -> None:
    step = _step(chat, PYTHON, "final")
    if step.raised is not None and step.raised["class"] in UNFINISHED:
        raise Inconclusive(f"the answer was cut, and says so: {step}", step.exchange)
    flat = replace(step, returned=told(step.returned)) if step.raised is None else step
    _streams(flat)


UNFINISHED = ("LengthFinishReasonError", "ContentFilterFinishReasonError")
"""How openai-python's helpers tell of an answer that the bound or a filter cut; both are right."""


@requirement("CC-SDK-004", scope="target")
def test_openai_node_puts_a_stream_together(chat: Chat) -> None:
    step = _step(chat, "openai-node", "final")
    _require(step.raised is None, "finalChatCompletion() resolves", step)


@requirement("CC-SDK-005", scope="target")
def test_the_ai_sdk_generates_and_streams_without_an_error_part(chat: Chat) -> None:
    for name in ("generate", *(["stream"] if chat.has("stream") else [])):
        step = _step(chat, "@ai-sdk/openai-compatible", name)
        _require(step.raised is None, f"{name} ends without an exception", step)
        errors, finish = step.returned["errors"], step.returned["finish"] or {}
        _require(not errors, "no part is an error", step, f"error {shorten(errors)}")
        unified = finish.get("unified")
        required = "the finish reason is one that the AI SDK knows"
        _require(unified not in ("error", "other", None), required, step, shorten(finish))


@requirement("CC-SDK-006", scope="target")
def test_langchain_invokes_and_streams_with_the_usage_of_the_server(chat: Chat) -> None:
    for name in ("invoke", *(["stream"] if chat.has("stream") else [])):
        step = _step(chat, "langchain-openai", name)
        _require(step.raised is None, f"{name} succeeds", step)
        body = step.exchange.body if step.exchange else b""
        streamed = name == "stream"
        value = read_stream(body, Facts()).fold() if streamed else read_document(body).value
        sent = value.get("usage") if isinstance(value, dict) else None
        if isinstance(sent, dict):
            given = step.returned["usage"] or {}
            got = {theirs: given.get(ours) for ours, theirs in LANGCHAIN.items()}
            same = all(got[count] == sent.get(count) for count in got)
            _require(same, f"usage is {shorten(sent)}", step, f"usage is {shorten(got)}")


LANGCHAIN = {
    "input_tokens": "prompt_tokens",
    "output_tokens": "completion_tokens",
    "total_tokens": "total_tokens",
}


@requirement("CC-SDK-007", scope="target")
def test_litellm_succeeds_on_both_routes_in_both_modes(chat: Chat) -> None:
    routes = ("openai", "hosted_vllm")
    streamed = [f"{route}_stream" for route in routes] if chat.has("stream") else []

    def look(name: str) -> list[Sighting]:
        step = _step(chat, "litellm", name)
        _require(step.raised is None, f"the route {name} succeeds", step)
        return []

    _once(each([*routes, *streamed], look))


@requirement("CC-SDK-008", scope="target")
def test_errors_are_raised_as_the_class_of_their_status(chat: Chat) -> None:
    def look(name: str) -> list[Sighting]:
        return each(driven(chat, name).values(), lambda step: _raised(chat, step))

    _once(each((PYTHON, "openai-node", "@ai-sdk/openai-compatible"), look))


def _raised(chat: Chat, step: Step) -> list[Sighting]:
    """An error status is raised, as the right class, and carries what the body tells."""
    exchange = step.exchange
    status = exchange.status if exchange is not None else None
    if exchange is None or status is None or status < 400 or step.name not in WRONG:
        raise Inconclusive(f"no error is answered: {step}")
    if status in POSTPONED or exchange.failure is not None:
        raise Inconclusive(status_line(exchange), exchange)
    chat.used.append(exchange)
    wanted = "APICallError" if step.library.startswith("@ai-sdk") else class_of(status)
    raised = step.raised or {}
    known = wanted is None or wanted in raised.get("bases", ())
    _require(bool(raised) and known, f"status {status} is raised as {wanted}", step)
    if status < 500:
        for required, seen in unfilled(exchange.body, raised):
            _require(False, required, step, seen)
    return []


@requirement("CC-SDK-009", scope="target")
def test_openai_python_lists_and_retrieves_models(chat: Chat) -> None:
    def look(library: str) -> list[Sighting]:
        step = _step(chat, library, "models")
        _require(step.raised is None, "models.list() iterates", step)
        raw = read_document(step.exchange.body if step.exchange else b"").value
        same = step.returned["ids"] == listed_ids(raw)
        _require(same, "the ids are those of the list", step)
        if chat.has("retrieve"):
            _retrieves(chat, library)
        return []

    _once(each((PYTHON, "openai-python 1.x"), look))


def _retrieves(chat: Chat, library: str) -> None:
    step = driven(chat, library).get("retrieve")
    if step is None or step.exchange is None:
        raise Inconclusive(f"{library} did not come to retrieve a model")
    if step.exchange.status != 200:
        by = "CC-MODEL-006" if "%2F" in step.exchange.request.path else "CC-MODEL-015"
        raise Blocked(by, status_line(step.exchange), step.exchange)
    chat.used.append(step.exchange)
    _require(step.raised is None, "models.retrieve() returns", step)
    got = step.returned.get("id")
    _require(got == chat.model, "the model has the id that was asked for", step)


@requirement("CC-SDK-010", scope="target")
def test_openai_python_parses_an_answer_into_a_type(chat: Chat) -> None:
    looked: list[Step] = []

    def attempt(number: int) -> bool | None:
        step = _step(chat, PYTHON, LABELS[number])
        looked.append(step)
        if step.exchange is None or not counts(step.exchange):
            return None
        return step.raised is None and bool(step.returned.get("parsed"))

    chat.memory["trials"] = trials(
        attempt,
        required=".parsed holds what the schema asks for",
        seen=lambda: f"{looked[-1]}; {_why(looked[-1])}",
        on=lambda: looked[-1].exchange,
    )


@requirement("CC-SDK-013", scope="target")
def test_the_asynchronous_client_does_what_the_other_does(chat: Chat) -> None:
    _returns(_step(chat, PYTHON, "async_create"))
    _streams(_step(chat, PYTHON, "async_chunks"))


# -- typed clients ----------------------------------------------------------------------------


@requirement("CC-SDK-014")
def test_replies_hold_every_member_that_typed_clients_demand(chat: Chat) -> None:
    def look(exchange: Exchange) -> list[Sighting]:
        value = completion(exchange)
        for one in schemas.violations("chat_completion", value):
            if one.schema_path.endswith("required") and _is_must(one.clause):
                raise Blocked(one.clause, one.message, exchange)
        return [Sighting(one, exchange) for one in untyped(value)]

    judge(each(plain(chat), look))
