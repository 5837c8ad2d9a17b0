"""`--plan`: what the selection would cost.

The law: nothing is sent to the target. The selection is rehearsed against the embedded reference
server, and what was sent there is counted: a conformant target is asked exactly these requests.
"""

from .chat import sent_json
from .session import TargetSession
from .settings import Settings
from .wire.exchange import Exchange

BYTES_PER_TOKEN = 4


def _bound(exchange: Exchange) -> int | None:
    """The output tokens that a request allows; None when it sets no bound."""
    body = sent_json(exchange)
    if not isinstance(body, dict):
        return 0
    bounds = [body.get("max_tokens"), body.get("max_completion_tokens")]
    known = [b for b in bounds if isinstance(b, int) and b > 0]
    n = body.get("n")
    return min(known) * (n if isinstance(n, int) and n > 0 else 1) if known else None


def plan_lines(target: TargetSession, settings: Settings) -> list[str]:
    """What the rehearsal counted, in words."""
    exchanges = target.exchanges()
    answered = [e for e in exchanges if e.status == 200 and e.request.method == "POST"]
    bounds = [_bound(exchange) for exchange in answered]
    output = sum(bound for bound in bounds if bound is not None)
    unbounded = bounds.count(None)
    octets = sum(len(exchange.request.body or b"") for exchange in exchanges)
    models = len(target.models)
    where = settings.target_url or "the embedded reference server"
    lines = [
        f"target      {where} (nothing was sent to it)"
        if settings.target_url
        else f"target      {where}",
        f"models      {models}: {', '.join(target.models)}",
        f"requests    {target.client.sent} in all, {len(answered)} of them answered by a model",
        f"output      at most {output} tokens, as the requests bound it",
        f"input       {octets} bytes of requests, about {octets // BYTES_PER_TOKEN} tokens",
    ]
    if unbounded:
        lines.append(
            f"unbounded   {unbounded} short answers carry no output bound: their clauses demand it"
        )
    lines.append("not counted repeats after a 429, a 5xx or a lost connection, at most 2 each")
    return lines
