"""A client's step, held against the very bytes that it was given (CC-SDK).

The laws:

1. What a client made of a reply is compared with the reply itself: its driver keeps both.
2. Where a client fails, the verdict says which clause explains it, or that none does. Where only
   breaches explain it that are no more than warnings, it is one too.
3. A client is run once: what it stumbles over is asked again by the checks of that clause.
"""

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from .asking.sent import facts_of, sent_json
from .chat import Chat
from .driving import Step, driven
from .expect import LONGEST_SEEN, each
from .guards import POSTPONED, filtered, refuses, status_line, success
from .libraries import KEYED, ROUND, STRUCTURED, WRONG
from .outcomes import Broken, Inconclusive, Sighting, Trials, Unjudged, Unsupported
from .protocol.completion import findings as completion_findings
from .protocol.errors import findings as error_findings
from .protocol.facts import Facts
from .protocol.finding import Finding, excerpt, shorten
from .protocol.interop import COUNTS, Explanation, differences, explained, invalid, told
from .protocol.jsontext import findings as document_findings
from .protocol.jsontext import read_document
from .protocol.media import findings as media_findings
from .protocol.media import is_event_stream
from .protocol.models import findings as model_findings
from .protocol.models import listed_ids
from .protocol.stream import read_stream
from .requirements import REQUIREMENTS
from .target.capabilities import LABEL, NAMES
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


def _leg(chat: Chat, library: str, name: str, capability: str) -> Step | None:
    """A step beside others of a clause; None where it cannot be judged: it hides none of them."""
    if not chat.has(capability):
        return None
    try:
        return step_of(chat, library, name)
    except Unjudged:
        return None


def round_of(chat: Chat, library: str) -> Step | None:
    """The round trip of a tool call through `library`: None where there is none to judge.

    The calls are those of the reply, their results are taken, and the answer is what that reply
    tells. A model that calls no tool, or with arguments that are no JSON, is not judged.
    """
    step = _leg(chat, library, ROUND, "tools")
    if step is None:
        return None
    sent = told(_value(step.before[0] if step.before else step.exchange))["tool_calls"]
    calls = [_comparable(one) for one in sent] if isinstance(sent, list) else []
    if any(arguments is None for _, _, arguments in calls):
        return None
    require_of(step.raised is None, "a call, its result and the answer end without error", step)
    chat.used += step.before
    given = step.returned if isinstance(step.returned, dict) else {}
    got = [_comparable(one) for one in given.get("calls") or ()]
    require_of(got == calls, f"the calls are {shorten(calls)}", step, f"calls {shorten(got)}")
    answer, last = told(_value(step.exchange))["content"] or "", given.get("last") or {}
    if calls and isinstance(answer, str):  # of another form, libraries make what they will
        text = (last["content"] if "content" in last else told(last)["content"]) or ""
        require_of(text == answer, f"the answer is {shorten(answer)}", step, shorten(text))
    return step


def list_of(chat: Chat, library: str) -> Step | None:
    """The models that `library` lists: None where there is no list to judge.

    What fails here is a warning: openai-python is asked for the list by CC-SDK-009, and that is no
    MUST.
    """
    step = _leg(chat, library, "models", "models")
    if step is None:
        return None
    require_of(step.raised is None, "the list of models is returned", step, mild=True)
    ids = listed_ids(_value(step.exchange))
    require_of(step.returned["ids"] == ids, "the ids are those of the list", step, mild=True)
    return step


def raised_of(chat: Chat, library: str, classes: Callable[[int], str | None]) -> None:
    """Each error that `library` is answered with is raised as the class that `classes` names.

    None of them is demanded: what the library goes by, the status or words, is its own affair.
    """

    def look(step: Step) -> list[Sighting]:
        raised_as(chat, step, classes, mild=True)
        return []

    steps = driven(chat, library)
    with contextlib.suppress(Unjudged):
        blame_once(each((steps[name] for name in REFUSED if name in steps), look))


def raised_as(
    chat: Chat, step: Step, classes: Callable[[int], str | None], *, mild: bool = False
) -> Exchange:
    """The refusal that a step brought, raised as the class that `classes` names for its status."""
    chat.used.append(exchange := error_of(step))
    status = exchange.status or 0
    wanted, raised = classes(status), step.raised or {}
    known = wanted is None or wanted in raised.get("bases", ())
    required = f"status {status} is raised as {wanted or 'an exception'}"
    require_of(bool(raised) and known, required, step, mild=mild)
    return exchange


def error_of(step: Step) -> Exchange:
    """The refusal that a step brought; raises `Inconclusive` where it brought none."""
    exchange = step.exchange
    status = exchange.status if exchange is not None else None
    if exchange is None or status is None or status < 400 or step.name not in REFUSED:
        raise Inconclusive(f"no error is answered: {step}")
    if (status in POSTPONED and step.name not in KEYED) or exchange.failure is not None:
        raise Inconclusive(status_line(exchange), exchange)
    return exchange


AS_SENT = {name: name for name in COUNTS}
"""The counts of usage, by what most libraries call them."""


def usage_of(step: Step, names: Mapping[str, str] = AS_SENT, *, mild: bool = True) -> None:
    """The counts that a library returned are those of its reply, where that tells any.

    `names`: what the library calls them, and what the reply does.
    """
    value = _value(step.exchange)
    sent = value.get("usage") if isinstance(value, dict) else None
    if not isinstance(sent, dict):
        return
    told_of = step.returned.get("usage") if isinstance(step.returned, dict) else None
    given = told_of if isinstance(told_of, dict) else {}
    got = {theirs: given.get(ours) for ours, theirs in names.items()}
    same = all(got[name] == sent[name] for name in got if isinstance(sent.get(name), int))
    require_of(same, f"usage is {shorten(sent)}", step, f"usage is {shorten(got)}", mild=mild)


def structured_of(chat: Chat, library: str) -> Step | None:
    """An answer by a schema through `library`: None where there is none to judge.

    An answer that does not follow the schema is not judged: CC-STRUCT-003 does that.
    """
    step = _leg(chat, library, STRUCTURED, "json_schema")
    if step is None:
        return None
    value = _read(told(_value(step.exchange))["content"])
    if not isinstance(value, dict) or value.keys() != LABEL["properties"].keys():
        return None
    require_of(step.raised is None, "an answer by a schema is returned", step)
    given = step.returned if isinstance(step.returned, dict) else {}
    got = given["parsed"] if "parsed" in given else _read(given.get("content"))
    require_of(got == value, f"the answer is {shorten(value)}", step, shorten(got))
    return step


def _value(exchange: Exchange | None) -> object:
    """A reply's JSON; that of a stream put together."""
    if exchange is None:
        return None
    if exchange.request.method != "GET" and facts_of(sent_json(exchange)).stream:
        return read_stream(exchange.body, Facts(complete=False)).fold()
    return read_document(exchange.body).value


def _read(text: object) -> object:
    """The JSON value of a text; None where it is none."""
    return read_document(text.encode()).value if isinstance(text, str) else None


def _comparable(call: Mapping[str, Any]) -> tuple[object, object, object]:
    """Id, name and arguments of a call, these read: a client may write them anew."""
    return call.get("id"), call.get("name"), _read(call.get("arguments"))


CUT = ("LengthFinishReasonError", "ContentFilterFinishReasonError")
"""What openai-python raises of a reply that is right, where it puts an answer together."""


REFUSED = (*WRONG, *KEYED)
"""The steps that are to bring an error."""

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
        yield from _off_the_schema(exchange, document.value)


def _off_the_schema(exchange: Exchange, value: object) -> Iterable[Finding]:
    """An answer that does not even look like the schema that the request asks for."""
    sent = sent_json(exchange)
    form = sent.get("response_format") if isinstance(sent, dict) else None
    if isinstance(form, dict) and form.get("type") == "json_schema":
        content = told(value)["content"]
        answer = _read(content)
        if not isinstance(answer, dict) or answer.keys() != LABEL["properties"].keys():
            yield Finding("CC-STRUCT-003", "content by the schema", shorten(content))


def why(step: Step) -> Explanation:
    """Which clauses the reply breaks that a client failed on."""
    return explained(_findings(step.exchange) if step.exchange else (), is_must)


def is_must(clause: str) -> bool:
    return REQUIREMENTS[clause].level == "MUST"


def require_of(
    holds: bool, required: str, step: Step, seen: object = None, *, mild: bool = False
) -> None:
    """Blame the target for what a client made of its reply, and say which clause explains it.

    A client is run once: what it stumbles over is asked again by the checks of that clause. `mild`
    makes it a warning whatever the level.
    """
    if holds:
        return
    because = why(step)
    shown = step if seen is None else f"{step.library}: {seen}"
    told_why = excerpt(f"{shown}; {because}", LONGEST_SEEN)
    finding = Finding("", required, told_why, mild=mild or because.mild)
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
    usage_of(step)


def valid(step: Step, *, chunk: bool) -> None:
    """The client's own types, asked to validate, take the reply."""
    complaints = step.returned.get("invalid", []) if isinstance(step.returned, dict) else []
    found = invalid(complaints, chunk=chunk)
    if found:
        told_why = [replace(one, seen=f"{one.seen}; {why(step)}") for one in found]
        raise Broken([Sighting(one, step.exchange) for one in told_why], trials=ONCE)
