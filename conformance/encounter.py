"""A client's step, held against the very bytes that it was given (CC-SDK).

The laws:

1. What a client made of a reply is compared with the reply itself: its driver keeps both.
2. Where a client fails, the verdict says which clause explains it, or that none does. Where only
   breaches explain it that are no more than warnings, it is one too.
3. A client is run once: what it stumbles over is asked again by the checks of that clause.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from .chat import Chat, facts_of, sent_json
from .driving import Step, driven
from .expect import LONGEST_SEEN
from .guards import POSTPONED, filtered, refuses, status_line, success
from .outcomes import Broken, Inconclusive, Sighting, Trials, Unsupported
from .protocol.completion import findings as completion_findings
from .protocol.errors import findings as error_findings
from .protocol.facts import Facts
from .protocol.finding import Finding, excerpt, shorten
from .protocol.interop import Explanation, differences, explained, invalid
from .protocol.jsontext import findings as document_findings
from .protocol.jsontext import read_document
from .protocol.media import findings as media_findings
from .protocol.media import is_event_stream
from .protocol.models import findings as model_findings
from .protocol.stream import read_stream
from .requirements import REQUIREMENTS
from .target.capabilities import NAMES
from .wire.exchange import Exchange, FailureKind


def step_of(chat: Chat, library: str, name: str) -> Step:
    """What `library` made of a step that brought a reply of 200, which is looked at.

    A library that is refused what the plainest call is granted breaks the clause at hand. Raises
    `Inconclusive` where there is no answer, or one that was cut; `Unsupported` where the capability
    is refused by name.
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
        require_of(False, "the client's request is answered as any other", step)
    if step.raised is not None and step.raised["class"] in CUT:
        raise Inconclusive(f"the answer was cut: {step}", exchange)
    return step


CUT = ("LengthFinishReasonError", "ContentFilterFinishReasonError")
"""What openai-python raises of a reply that is right, where it puts an answer together."""


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


def why(step: Step) -> Explanation:
    """Which clauses the reply breaks that a client failed on."""
    return explained(_findings(step.exchange) if step.exchange else (), is_must)


def is_must(clause: str) -> bool:
    return REQUIREMENTS[clause].level == "MUST"


def require_of(holds: bool, required: str, step: Step, seen: object = None) -> None:
    """Blame the target for what a client made of its reply, and say which clause explains it.

    A client is run once: what it stumbles over is asked again by the checks of that clause.
    """
    if holds:
        return
    because = why(step)
    shown = step if seen is None else f"{step.library}: {seen}"
    finding = Finding("", required, excerpt(f"{shown}; {because}", LONGEST_SEEN), mild=because.mild)
    raise Broken([Sighting(finding, step.exchange)], trials=ONCE)


ONCE = Trials(0, 1, 1, 1)


def blame_once(found: Sequence[Sighting]) -> None:
    """Blame the target for what several libraries made of it."""
    if found:
        raise Broken(found, trials=ONCE)


def returns(step: Step, members: Sequence[str] = ()) -> None:
    """The client returned what the raw reply tells, without an exception."""
    exchange = step.exchange
    require_of(step.raised is None and exchange is not None, "the client returns", step)
    raw = read_document(exchange.body if exchange else b"").value
    for name, got in differences(raw, step.returned, members):
        require_of(False, f"{name} is what the reply tells", step, f"{name} is {shorten(got)}")


def streams(step: Step) -> None:
    """The client read a stream to its end, and its text is the stream's."""
    require_of(step.raised is None, "the client reads the stream to its end", step)
    exchange = step.exchange
    whole = read_stream(exchange.body if exchange else b"", Facts(complete=False))
    given = step.returned if isinstance(step.returned, dict) else {}
    for name, sent in (("content", whole.text()), ("finish_reason", whole.finish_reason())):
        got = given.get(name)
        required = f"{name} is what the stream tells"
        require_of((got or "") == (sent or ""), required, step, f"{name} is {shorten(got)}")


def valid(step: Step, *, chunk: bool) -> None:
    """The client's own types, asked to validate, take the reply."""
    complaints = step.returned.get("invalid", []) if isinstance(step.returned, dict) else []
    found = invalid(complaints, chunk=chunk)
    if found:
        told_why = [replace(one, seen=f"{one.seen}; {why(step)}") for one in found]
        raise Broken([Sighting(one, step.exchange) for one in told_why], trials=ONCE)
