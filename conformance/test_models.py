"""Models: what is listed can be used, what is not is refused (CC-MODEL).

The list is judged once for the whole target; how a model answers is judged for each.
"""

import re
from typing import Any
from urllib.parse import quote

from .asking.battery import all_streams, plain
from .asking.invalid import INVALID, invalid_by_rule, unknown_model
from .asking.sent import canary_request
from .asking.served import listed_with_slash, retrieved
from .chat import OMIT, Chat
from .expect import each, judge, require, sightings_of
from .guards import answered, body_text, completion, error_object, not_5xx, refused, status_line
from .outcomes import Blocked, Inconclusive, Sighting
from .protocol.errors import read_error
from .protocol.finding import Finding, shorten
from .protocol.jsontext import read_document
from .protocol.models import findings, model_findings
from .requirements import requirement
from .target.capabilities import FIELDS
from .wire.exchange import Exchange

NO_CHAT = re.compile(r"embed|rerank|whisper|tts|clip|moderation|dall-e|diffusion", re.IGNORECASE)
"""What the ids of models that do not chat say: a server of one chat model may list them too."""


def listing(chat: Chat) -> tuple[Exchange, Any]:
    """The reply to GET /models, and its JSON value."""
    exchange = not_5xx(chat.get("/models"), "status 200")
    if exchange.status in (401, 403):
        raise Inconclusive(f"the key may not list models: {status_line(exchange)}", exchange)
    return exchange, read_document(exchange.body).value


@requirement("CC-MODEL-001", scope="target")
def test_the_list_is_a_list_object(chat: Chat) -> None:
    exchange, value = listing(chat)
    require(exchange.status == 200, "status 200", status_line(exchange), on=exchange)
    judge(sightings_of("CC-MODEL-001", findings(value), exchange))


@requirement("CC-MODEL-002", scope="target")
def test_every_model_has_its_four_members(chat: Chat) -> None:
    exchange, value = _sound_list(chat)
    found = sightings_of("CC-MODEL-002", findings(value), exchange)
    reply = retrieved(chat)
    if reply is not None:
        one = read_document(reply.body).value
        found += sightings_of("CC-MODEL-002", model_findings(one), reply)
    judge(found)


@requirement("CC-MODEL-003", scope="target")
def test_model_ids_are_unique(chat: Chat) -> None:
    exchange, value = _sound_list(chat)
    judge(sightings_of("CC-MODEL-003", findings(value), exchange))


def _sound_list(chat: Chat) -> tuple[Exchange, dict[str, Any]]:
    exchange, value = listing(chat)
    if not isinstance(value, dict) or not isinstance(value.get("data"), list):
        raise Blocked("CC-MODEL-001", f"no list: {body_text(exchange)}", exchange)
    return exchange, value


@requirement("CC-MODEL-004", scope="target")
def test_every_documented_model_is_listed(chat: Chat) -> None:
    exchange, _ = _sound_list(chat)
    listed = chat.listed_models()
    require(bool(listed), "at least one model", "an empty list", at="$.data", on=exchange)
    judge(
        Sighting(Finding("", f"{model.id} is listed", "not in the list", "$.data"), exchange)
        for model in chat.profile.models
        if model.id not in listed
    )


@requirement("CC-MODEL-005", scope="target")
def test_a_listed_model_answers_under_its_listed_id(chat: Chat) -> None:
    exchange, _ = _sound_list(chat)
    if not chat.listed_models():
        raise Inconclusive("the list is empty", exchange)
    listed = sorted({name for name in chat.listed_models() if name and not NO_CHAT.search(name)})
    if not listed:
        raise Inconclusive("no listed id reads like a chat model's", exchange)
    own = chat.model if chat.model in listed else listed[0]
    sample = listed if len(listed) <= SAMPLE else [own, listed[-1]]
    undocumented = [name for name in listed if name not in {m.id for m in chat.profile.models}]
    sample += [name for name in undocumented[:1] if name not in sample]

    def look(name: str) -> list[Sighting]:
        exchange = answered(chat.send(canary_request(name)))
        unknown = exchange.status == 404 and _says_unknown(exchange)
        required = f"{name} is not 404, since it is listed"
        return [Sighting(Finding("", required, status_line(exchange)), exchange)] if unknown else []

    judge(each(sample, look))


SAMPLE = 2
"""How many listed ids are asked: a list may name hundreds."""


def _says_unknown(exchange: Exchange) -> bool:
    """Whether a 404 says that there is no such model, rather than that it does not chat."""
    error = read_error(exchange.body)
    if error is None:
        return True
    told = (error.message or "").lower()
    return error.code == "model_not_found" or "not found" in told or "not exist" in told


@requirement("CC-MODEL-006", scope="target")
def test_an_encoded_slash_in_an_id_resolves(chat: Chat) -> None:
    _retrieves(chat, lambda name: quote(name, safe="", errors="surrogatepass"))


@requirement("CC-MODEL-015", scope="target")
def test_a_raw_slash_in_an_id_resolves(chat: Chat) -> None:
    _retrieves(chat, lambda name: quote(name, safe="/", errors="surrogatepass"))


def _retrieves(chat: Chat, spelled: Any) -> None:
    """A listed id, one with a slash if there is one, is retrieved under its spelling."""
    name = listed_with_slash(chat)
    exchange = not_5xx(chat.get(f"/models/{spelled(name)}"), "status 200")
    value = read_document(exchange.body).value
    found = value.get("id") if isinstance(value, dict) else None
    require(
        exchange.status == 200 and found == name,
        f"status 200 and id {name!r}",
        f"{status_line(exchange)}",
        on=exchange,
    )


@requirement("CC-MODEL-008", scope="target")
def test_retrieving_an_unknown_id_is_404(chat: Chat) -> None:
    exchange = chat.get(f"/models/{unknown_model()}")
    refused(exchange, what="an unknown id", statuses=(404,))
    code = error_object(exchange).get("code")
    require(
        code in (None, "model_not_found"),
        "code 'model_not_found' or null",
        code,
        at="$.error.code",
        on=exchange,
    )


@requirement("CC-MODEL-009")
def test_an_unknown_model_is_refused(chat: Chat) -> None:
    exchange = answered(chat.post(INVALID["model unknown"].body(chat)))
    status = exchange.status or 0
    if status == 200:
        listed = chat.listed_models() if chat.has("models") else []
        chatting = {name for name in listed if not NO_CHAT.search(name)}
        several = len(chat.profile.models) > 1 or len(chatting) > 1
        require(
            False,
            "404, 400 or 403 for a model that nobody serves",
            f"status 200, answered by {completion(exchange).get('model')!r}",
            on=exchange,
            mild=not several,
        )
    # 422 for 400 is CC-ERR-012's, here as everywhere
    refused(exchange, what="a model that nobody serves", statuses=(404, 400, 403, 422))
    error = error_object(exchange)
    judge(
        Sighting(
            Finding(
                "", f"{name} is {wanted!r}", shorten(error.get(name)), f"$.error.{name}", mild=True
            ),
            exchange,
        )
        for name, wanted in (("type", "invalid_request_error"), ("code", "model_not_found"))
        if error.get(name) != wanted
    )


@requirement("CC-MODEL-010")
def test_a_call_without_model_is_refused_or_says_which(chat: Chat) -> None:
    exchange = answered(chat.post(chat.body(model=OMIT)))
    if exchange.status == 200:
        model = completion(exchange).get("model")
        require(
            isinstance(model, str) and bool(model),
            "the reply names the model that answered",
            model,
            at="$.model",
            on=exchange,
        )
        return
    refused(exchange, what="a call without model", statuses=(400, 422))
    param = error_object(exchange).get("param")
    require(
        param in (None, "model"), "param null or 'model'", param, at="$.error.param", on=exchange
    )


@requirement("CC-MODEL-011")
def test_a_model_of_a_wrong_form_is_refused(chat: Chat) -> None:
    faulty = invalid_by_rule(chat, "CC-MODEL-011")
    judge(each(faulty.values(), lambda e: _refused(e, "a model of a wrong form")))


def _refused(exchange: Exchange, what: str) -> list[Sighting]:
    refused(exchange, what=what)
    error_object(exchange)
    return []


@requirement("CC-MODEL-012")
def test_the_reply_names_the_model_that_answered(chat: Chat) -> None:
    def names(value: Any, exchange: Exchange, at: str) -> list[Sighting]:
        model = value.get("model")
        if isinstance(model, str) and model.startswith(chat.model):
            return []
        required = f"{chat.model!r}, or a dated snapshot of it"
        return [Sighting(Finding("", required, shorten(model), at), exchange)]

    judge(each(plain(chat), lambda e: names(completion(e), e, "$.model")))
    if chat.has("stream"):
        judge(
            each(
                all_streams(chat),
                lambda e: [
                    s
                    for chunk in chat.reading(e).chunks
                    if not chunk.preamble
                    for s in names(chunk.value, e, f"{chunk.where} $.model")
                ][:3],
            )
        )


@requirement("CC-MODEL-014", scope="target")
def test_capabilities_are_probed_and_not_listed(chat: Chat) -> None:
    _, value = _sound_list(chat)
    own = {"id", "object", "created", "owned_by"}
    more = {name for model in value["data"] if isinstance(model, dict) for name in model} - own
    probed = {flag: chat.has(flag) for flag in FIELDS}
    present = ", ".join(flag for flag, there in probed.items() if there) or "none"
    beside = (
        f"the list tells {', '.join(sorted(more))[:120]} too" if more else "the list tells none"
    )
    chat.observe(f"{beside}; probed of {chat.model}: {present}")
