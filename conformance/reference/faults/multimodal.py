"""Faults in what is made of pictures, sound and files (CC-MM)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from conformance.reference import text, vision
from conformance.reference.call import Call, Reply, refusal
from conformance.reference.faults.edits import (
    asked,
    completion,
    each_message,
    message,
    messages,
    setting,
    usage,
    without,
)
from conformance.reference.faults.registry import fault
from conformance.reference.models import served
from conformance.reference.routes import Site, respond

Part = dict[str, Any]


def _parts(call: Call, kind: str, role: str = "user") -> list[Part]:
    """The parts of one kind in the messages of a role."""
    return [
        part
        for m in messages(call)
        if m.get("role") == role and isinstance(m.get("content"), list)
        for part in m["content"]
        if isinstance(part, dict) and part.get("type") == kind
    ]


def _url(part: Part) -> str:
    image = part.get("image_url")
    return str(image.get("url")) if isinstance(image, dict) else ""


def _dropping(
    call: Call, kind: str, role: str = "user", where: Callable[[Part], bool] = lambda part: True
) -> Call:
    """The call without the parts of one kind that `where` picks in the messages of a role."""

    def drop(m: dict[str, Any]) -> None:
        if m.get("role") == role and isinstance(m.get("content"), list):
            m["content"] = [p for p in m["content"] if p.get("type") != kind or not where(p)]

    return each_message(call, drop) if _parts(call, kind, role) else call


@fault(breaks={"CC-MM-001", "CC-MM-002", "CC-MM-005"}, seam="request")
def drops_pictures(call: Call) -> Call | Reply:
    """Takes pictures of any kind, and shows none to the model."""
    return _dropping(call, "image_url")


@fault(breaks={"CC-MM-001"}, seam="reply")
def sees_only_noise(reply: Reply, call: Call) -> Reply:
    """Decodes a picture into something else, so that the model guesses."""
    seen = _parts(call, "image_url")
    return message(reply, setting(content="Yellow.")) if seen else reply


@fault(breaks={"CC-MM-002"}, seam="request")
def takes_any_detail(call: Call) -> Call | Reply:
    """Ignores a `detail` that does not exist."""

    def forget(m: dict[str, Any]) -> None:
        for part in m["content"] if isinstance(m.get("content"), list) else ():
            if isinstance(part.get("image_url"), dict):
                part["image_url"].pop("detail", None)

    return each_message(call, forget) if _parts(call, "image_url") else call


@fault(breaks={"CC-MM-002"}, seam="request")
def knows_no_low_detail(call: Call) -> Call | Reply:
    """Refuses pictures with `detail: low` in vague words."""
    images = [part["image_url"] for part in _parts(call, "image_url")]
    low = any(isinstance(one, dict) and one.get("detail") == "low" for one in images)
    return refusal(400, "Extra inputs are not permitted.") if low else call


@fault(breaks={"CC-MM-004"}, seam="request")
def refuses_pictures_in_plain_text(call: Call) -> Call | Reply:
    """Refuses a picture without the envelope."""
    if not _parts(call, "image_url"):
        return call
    return Reply(400, content=b"Bad Request", headers=(("Content-Type", "text/plain"),))


@fault(breaks={"CC-MM-004"}, seam="request")
def says_500_to_a_picture(call: Call) -> Call | Reply:
    """Says by 500 that it sees no pictures, as llama.cpp does without a projector."""
    seen = _parts(call, "image_url")
    words = "image input is not supported - hint: if this is unexpected, provide the mmproj"
    return refusal(500, words, kind="server_error") if seen else call


@fault(breaks={"CC-MM-004"}, seam="request")
def says_404_to_a_picture(call: Call) -> Call | Reply:
    """Finds no endpoint that supports image input."""
    seen = _parts(call, "image_url")
    return refusal(404, "No endpoints found that support image input") if seen else call


@fault(breaks={"CC-MM-005"}, seam="request")
def skips_pictures_that_it_cannot_decode(call: Call) -> Call | Reply:
    """Leaves a picture whose Base64 is broken out."""
    return _dropping(call, "image_url", where=lambda part: "@@" in _url(part))


@fault(breaks={"CC-MM-005"}, seam="request")
def crashes_on_a_picture_that_it_cannot_fetch(call: Call) -> Call | Reply:
    """Answers 500 where the URL of a picture cannot be reached."""
    remote = any(_url(part).startswith("http") for part in _parts(call, "image_url"))
    return refusal(500, "Internal server error", kind="server_error") if remote else call


@fault(breaks={"CC-MM-005"}, seam="request")
def refuses_a_picture_in_vague_words(call: Call) -> Call | Reply:
    """Refuses what is no picture without a word about it."""
    other = any(_url(part).startswith("data:text") for part in _parts(call, "image_url"))
    return refusal(400, "Invalid request.") if other else call


@fault(breaks={"CC-MM-006"}, seam="request")
def shows_only_the_first_picture(call: Call) -> Call | Reply:
    """Shows the model one picture of several."""
    seen = _parts(call, "image_url")
    return _dropping(call, "image_url", where=lambda part: part != seen[0])


@fault(breaks={"CC-MM-006"}, seam="request")
def shows_pictures_backwards(call: Call) -> Call | Reply:
    """Hands several pictures on in reverse order."""

    def reverse(m: dict[str, Any]) -> None:
        if isinstance(m.get("content"), list):
            m["content"].sort(key=lambda part: part.get("type") == "image_url")
            said = [p for p in m["content"] if p.get("type") != "image_url"]
            m["content"] = said + m["content"][len(said) :][::-1]

    return each_message(call, reverse) if len(_parts(call, "image_url")) > 1 else call


@fault(breaks={"CC-MM-007"}, seam="reply")
def counts_no_tokens_for_pictures(reply: Reply, call: Call) -> Reply:
    """Counts the text of the prompt alone."""
    free = vision.TOKENS * len(_parts(call, "image_url"))

    def count(counts: dict[str, Any]) -> None:
        counts["prompt_tokens"] -= free
        counts["total_tokens"] -= free

    return usage(reply, count)


@fault(breaks={"CC-MM-008"}, seam="request")
def drops_sound(call: Call) -> Call | Reply:
    """Accepts sound, and does not hear it."""
    return _dropping(call, "input_audio")


@fault(breaks={"CC-MM-008"}, seam="request")
def crashes_on_sound(call: Call) -> Call | Reply:
    """Answers 500 to sound."""
    heard = _parts(call, "input_audio")
    return refusal(500, "'input_audio'", kind="server_error") if heard else call


@fault(breaks={"CC-MM-009"}, seam="request")
def drops_files(call: Call) -> Call | Reply:
    """Accepts a file, and does not read it."""
    return _dropping(call, "file")


@fault(breaks={"CC-MM-010"}, seam="request")
def takes_pictures_from_the_system(call: Call) -> Call | Reply:
    """Accepts pictures in system messages, and does not show them."""
    return _dropping(call, "image_url", "system")


@fault(breaks={"CC-MM-010"}, seam="request")
def takes_files_from_tools(call: Call) -> Call | Reply:
    """Accepts files in the results of tools, and does not read them."""
    return _dropping(call, "file", "tool")


def _spoken(call: Call, **audio: Any) -> Call | Reply:
    """A spoken answer with these members of `audio`, where one was asked for."""
    if not asked(call, "audio"):
        return call
    plainly = respond(without(call, "audio", "modalities"), Site(served()))
    whole = {"id": "audio_1", "expires_at": 1_900_000_000, "data": "AAAA", "transcript": "Hi"}
    said = {name: value for name, value in {**whole, **audio}.items() if value is not None}
    return message(plainly, setting(content=None, audio=said)) if plainly.ok else plainly


@fault(breaks={"CC-MM-012"}, seam="request")
def speaks_without_a_transcript(call: Call) -> Call | Reply:
    """Answers in speech that has no transcript."""
    return _spoken(call, transcript=None)


@fault(breaks={"CC-MM-012"}, seam="request")
def dates_its_speech_in_words(call: Call) -> Call | Reply:
    """Writes `expires_at` of a spoken answer as a text."""
    return _spoken(call, expires_at="2030-03-17T17:46:40Z")


@fault(breaks={"CC-FIN-009"}, seam="reply")
def says_stop_when_filtered(reply: Reply, call: Call) -> Reply:
    """Calls an answer that the filter cut off a natural end."""
    filtered = bool(messages(call)) and text.last_user_text(messages(call)) == text.FILTERED
    if not filtered:
        return reply
    return completion(reply, lambda body: [c.update(finish_reason="stop") for c in body["choices"]])


@fault(breaks={"CC-REQ-035"}, seam="request")
def crashes_on_web_search(call: Call) -> Call | Reply:
    """Answers 500 to `web_search_options`."""
    if asked(call, "web_search_options") is None:
        return call
    return refusal(500, "'NoneType' object is not iterable", kind="server_error")
