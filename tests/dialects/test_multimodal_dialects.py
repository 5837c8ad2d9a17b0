"""Dialects of pictures, sound, files and optional parameters: right servers, blamed for nothing."""

from typing import Any

import pytest

from conformance.reference.call import Call, Reply, refusal
from conformance.reference.faults.edits import (
    asked,
    bad_parameter,
    completion,
    each_message,
    message,
    messages,
    setting,
    without,
)
from conformance.reference.models import served
from conformance.reference.routes import Site, respond
from tests.faults.trial import SEEING

from .dialect import (
    dialect,
    test_a_right_server_is_blamed_for_nothing,  # noqa: F401 - pytest collects it here
)

pytestmark = pytest.mark.slow

OPTIONAL = ("CC-REQ-016", "CC-REQ-034", "CC-REQ-035")


def _parts(call: Call, kind: str) -> list[dict[str, Any]]:
    return [
        part
        for m in messages(call)
        if isinstance(m.get("content"), list)
        for part in m["content"]
        if isinstance(part, dict) and part.get("type") == kind
    ]


# Pictures.


@dialect(seam="request", model=SEEING, only=("CC-MM",))
def sees_one_picture_at_a_time(call: Call) -> Call | Reply:
    """Refuses a second picture, as vLLM does by default."""
    if len(_parts(call, "image_url")) < 2:
        return call
    return refusal(400, "At most 1 image(s) may be provided in one request.")


@dialect(seam="reply", model=SEEING, only=("CC-MM",))
def speaks_of_pictures_at_length(reply: Reply, call: Call) -> Reply:
    """Names the colour in Markdown, in a sentence about the picture."""

    def embellish(said: dict[str, Any]) -> None:
        named = str(said["content"]).rstrip(".").split(", ")
        words = " and then ".join(f"**{name.upper()}**" for name in named)
        said["content"] = f"Sure! What you sent is a plain square, and it is {words}, I would say."

    return message(reply, embellish) if _parts(call, "image_url") else reply


@dialect(seam="reply", model=SEEING, only=("CC-MM",))
def names_pictures_by_the_alphabet(reply: Reply, call: Call) -> Reply:
    """Is a model that sees every picture and keeps no order."""

    def sort(said: dict[str, Any]) -> None:
        said["content"] = ", ".join(sorted(str(said["content"]).lower().rstrip(".").split(", ")))

    return message(reply, sort) if _parts(call, "image_url") else reply


@dialect(seam="request", model=SEEING, only=("CC-MM",))
def knows_no_detail(call: Call) -> Call | Reply:
    """Refuses `detail` by name."""
    images = [part["image_url"] for part in _parts(call, "image_url")]
    told = any(isinstance(one, dict) and "detail" in one for one in images)
    return bad_parameter("messages[0].content[1].image_url.detail") if told else call


@dialect(seam="reply", model=SEEING, only=("CC-MM",), undecided=("CC-MM-007",))
def sees_and_counts_nothing(reply: Reply, call: Call) -> Reply:
    """Sends no usage."""
    return completion(reply, lambda body: body.pop("usage"))


@dialect(seam="request", model=SEEING, only=("CC-MM",))
def takes_a_bare_url(call: Call) -> Call | Reply:
    """Takes `image_url` as a string too."""

    def mend(m: dict[str, Any]) -> None:
        for part in m["content"] if isinstance(m.get("content"), list) else ():
            if isinstance(part.get("image_url"), str):
                part["image_url"] = {"url": part["image_url"]}

    return each_message(call, mend) if _parts(call, "image_url") else call


@dialect(seam="request", only=("CC-MM",))
def reads_strings_alone(call: Call) -> Call | Reply:
    """Takes content as a string and in no other form, and says only that."""
    if any(isinstance(m.get("content"), list) for m in messages(call)):
        return refusal(400, "Value error, 'content' must be a string.")
    return call


@dialect(seam="request", only=("CC-MM",), warns=("CC-MM-004",))
def finds_no_endpoint(call: Call) -> Call | Reply:
    """Answers a picture to a model that sees none with 404, as a router does."""
    if not _parts(call, "image_url"):
        return call
    return refusal(404, "No endpoints found that support image input", code="404")


@dialect(seam="request", only=("CC-MM",))
def refuses_media_with_403(call: Call) -> Call | Reply:
    """Answers sound and files with 403, and pictures with 422."""
    if _parts(call, "input_audio") or _parts(call, "file"):
        return refusal(403, "You are not allowed to send media to this model.")
    seen = _parts(call, "image_url")
    return refusal(422, "This model does not support image input.") if seen else call


# Sound and files.


@dialect(seam="request", model=SEEING, only=("CC-MM",))
def hears_and_reads(call: Call) -> Call | Reply:
    """Takes sound and files from users, and counts them."""

    def transcribe(m: dict[str, Any]) -> None:
        if m.get("role") == "user" and isinstance(m.get("content"), list):
            heard = [p for p in m["content"] if p.get("type") in ("input_audio", "file")]
            kept = [p for p in m["content"] if p not in heard]
            m["content"] = kept + [{"type": "text", "text": "(half a second)"} for _ in heard]

    taken = _parts(call, "input_audio") + _parts(call, "file")
    return each_message(call, transcribe) if taken else call


@dialect(seam="request", only=("CC-MM", *OPTIONAL))
def speaks_when_asked(call: Call) -> Call | Reply:
    """Answers in speech where that is asked for."""
    if not asked(call, "audio"):
        return call
    plainly = respond(without(call, "audio", "modalities"), Site(served()))
    said = {"id": "audio_1", "expires_at": 1_900_000_000, "data": "AAAA", "transcript": "Hi"}
    return message(plainly, setting(content=None, audio=said))


# Optional parameters.


@dialect(seam="request", only=("CC-MM-012", *OPTIONAL))
def knows_no_optional_parameter(call: Call) -> Call | Reply:
    """Ignores every parameter but a few, those for speech and metadata among them."""
    body = call.json if call.chat else None
    ignored = ("metadata", "audio", "modalities", "x_unknown", "moderation", "verbosity")
    return without(call, *ignored) if body else call


@dialect(seam="request", only=OPTIONAL)
def takes_no_null(call: Call) -> Call | Reply:
    """Refuses null for what the specification does not let be null."""
    strict = ("tools", "tool_choice", "response_format", "functions", "web_search_options")
    body = call.json if call.chat and call.json else {}
    wrong = next((name for name in strict if name in body and body[name] is None), None)
    return bad_parameter(wrong, "must not be null") if wrong else call


@dialect(seam="request", only=OPTIONAL)
def stores_nothing(call: Call) -> Call | Reply:
    """Refuses `metadata`, as upstream does where the answer is not stored."""
    if not asked(call, "metadata"):
        return call
    return refusal(
        400, "The 'metadata' parameter is only allowed when 'store' is enabled.", param="metadata"
    )


@dialect(seam="request", only=OPTIONAL)
def lists_what_is_forbidden(call: Call) -> Call | Reply:
    """Refuses what it does not offer by 422 and names it in the message alone."""
    body = call.json if call.chat and call.json else {}
    offered = ("prediction", "verbosity", "modalities", "moderation", "audio", "store")
    extra = next((name for name in offered if body.get(name) is not None), None)
    return refusal(422, f"body.{extra}: Extra inputs are not permitted") if extra else call


@dialect(seam="request", only=("CC-FIN-009",), profile='triggers = { filter = "Say hello." }\n')
def refuses_a_filtered_prompt(call: Call) -> Call | Reply:
    """Refuses a prompt that its filter stops, as Azure does."""
    if not messages(call) or asked(call, "max_tokens") is None:
        return call
    return refusal(400, "The prompt triggered the content filter.", code="content_filter")
