"""Whether a parameter is taken, and refused where it is wrong: what the checks of requests share.

The laws:

1. What must be refused is a standing request of `invalid.INVALID`; all that break one rule are
   looked at, and none hides another.
2. A valid value that is refused is blamed only where the parameter itself is offered: refused in
   all its values by name, it is UNSUPPORTED.
"""

from collections.abc import Iterable
from typing import Any, Literal

from conformance.chat import Chat
from conformance.expect import each, judge
from conformance.guards import BOUNDS, accepted, is_refusal, refused, refuses, status_line, success
from conformance.outcomes import Inconclusive, Sighting
from conformance.protocol.errors import names, read_error
from conformance.protocol.finding import Finding, shorten
from conformance.target.capabilities import FIELDS
from conformance.wire.exchange import Exchange

from .battery import with_value
from .invalid import INVALID, invalid_by_rule

Named = Literal["", "param", "message", "anywhere"]


def refused_as(rule: str, chat: Chat, what: str, *, named: Named = "") -> None:
    """Every standing request that breaks `rule` is refused with 400 (422: CC-ERR-012).

    `named`: where the clause itself wants the culprit named: as `param`, by a `param` that points
    at the `message`, or `anywhere`.
    """

    def look(row: tuple[str, Exchange]) -> list[Sighting]:
        name, exchange = row
        refused(exchange, what=f"{what} ({name})", statuses=(400, 422))
        words, error = INVALID[name].names, read_error(exchange.body)
        if not named or error is None:
            return []
        required, told = {
            "param": (f"param is {words[0]!r}", error.param in words),
            "message": ("param contains 'messages'", "messages" in (error.param or "")),
            "anywhere": (f"param or message names {words[0]}", names(exchange.body, *words)),
        }[named]
        return (
            [] if told else [Sighting(Finding("", required, status_line(exchange), name), exchange)]
        )

    judge(each(invalid_by_rule(chat, rule).items(), look))


def takes(chat: Chat, parameter: str, values: Iterable[Any], *, other: Any = None) -> None:
    """Every one of `values` is accepted; a parameter refused with all of them is UNSUPPORTED.

    So is one that the model fixes: it takes one of them, and refuses the `other` value too.
    """
    exchanges = [(value, with_value(chat, parameter, value)) for value in values]
    good = [e for _, e in exchanges if e.status == 200]
    optional = () if good else (parameter,)
    if len(good) == 1 and len(exchanges) > 1 and other is not None:
        optional = (parameter,) if refuses(with_value(chat, parameter, other), (parameter,)) else ()
    for value, exchange in exchanges:
        accepted(exchange, optional=optional, what=f"{parameter} {shorten(value)}")


def offered(chat: Chat, exchange: Exchange, *names: str, what: str) -> Exchange:
    """`exchange`, a valid call with tools, which answers 200 as the clause demands.

    Parameters in `names` may be refused by name (UNSUPPORTED). A target that refuses every call
    with tools, without a word on them, is blamed for none of what it was asked beside them.
    """
    if refuses(exchange, BOUNDS):
        return success(exchange)  # raises: the bound is another clause's business
    if is_refusal(exchange) and not refuses(exchange, names):
        plainly = chat.ask(**FIELDS["tools"])
        if is_refusal(plainly):
            raise Inconclusive(f"every call with tools is refused: {status_line(plainly)}", plainly)
    return accepted(exchange, optional=names, what=what)


def taken_or_not(exchange: Exchange) -> str:
    """What becomes of a request that may be answered either way, in a few words."""
    if exchange.status == 200:
        return "accepted"
    error = read_error(exchange.body)
    code = "no error object" if error is None else f"code {error.code or 'null'}"
    return f"refused with status {exchange.status}, {code}"
