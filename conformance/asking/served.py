"""The models that a target lists, and one of them, retrieved.

Law: a listed id with a slash is taken where there is one, the judged model's own if it is such a
one: how the slash is spelled in a path is what servers differ in.
"""

from urllib.parse import quote

from conformance.chat import Chat
from conformance.outcomes import Inconclusive
from conformance.wire.exchange import Exchange


def listed_with_slash(chat: Chat) -> str:
    """A listed id, one with a slash if there is one, the model's own if it is such a one.

    Raises `Inconclusive` where none is listed.
    """
    listed = chat.listed_models()
    slashed = [one for one in listed if "/" in one] or listed
    if not slashed:
        raise Inconclusive("the list holds no id to retrieve")
    return chat.model if chat.model in slashed else slashed[0]


def retrieved(chat: Chat) -> Exchange | None:
    """The reply that retrieves a listed model, under either spelling; None where there is none."""
    if not chat.has("retrieve"):
        return None
    name = listed_with_slash(chat)
    spellings = dict.fromkeys(quote(name, safe=safe, errors="surrogatepass") for safe in ("", "/"))
    replies = (chat.get(f"/models/{spelled}") for spelled in spellings)
    return next((exchange for exchange in replies if exchange.status == 200), None)


def served(chat: Chat) -> list[Exchange]:
    """The list of models and one of them, where the target and the key have such."""
    if not chat.has("models") or (listed := chat.get("/models")).status != 200:
        return []
    one = retrieved(chat)
    return [listed] if one is None else [listed, one]
