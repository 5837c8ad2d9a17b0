"""`--plan`: what the selection would cost.

The law: nothing is sent to the target. The selection is rehearsed against the embedded reference
server, and what was sent there is counted: a conformant target is asked exactly these requests.

What costs tokens is what a model answers: a POST with status 200. The rest is refused.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from operator import add
from typing import Any, Self

from conformance.generation import Amount
from conformance.patience import INSISTENCE
from conformance.wire.exchange import Request
from conformance.wire.pace import Limits, duration

BYTES_PER_TOKEN = 4

NO_BOUND = 1_000_000
"""Output tokens from which on a bound bounds nothing (CC-SAMP-006 asks for ten million)."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Requests in all, those `answered` by a model, and of these: the sum of their bounds on
    output tokens, how many set no bound, and the bytes that a model reads of them.

    `repeated`: requests in all that were sent once more (`Client.repeated`).
    `told`: answers whose `usage` tells what they cost, and the tokens that all of them tell of.
    """

    requests: int = 0
    answered: int = 0
    output: int = 0
    unbounded: int = 0
    octets: int = 0
    repeated: int = 0
    told: int = 0
    told_read: int = 0
    told_written: int = 0
    told_total: int = 0

    @property
    def figures(self) -> tuple[int, ...]:
        """The figures in order; `dataclasses.astuple` would copy each."""
        sent = self.requests, self.answered, self.output, self.unbounded, self.octets, self.repeated
        return *sent, self.told, self.told_read, self.told_written, self.told_total

    def __add__(self, other: Self) -> "Cost":
        return Cost(*map(add, self.figures, other.figures))


def cost(log: Iterable[tuple[Request, int | None]]) -> Cost:
    """What the requests of `log` cost, each with the status that answered it."""
    total = Cost()
    for request, status in log:
        if request.method != "POST" or status != 200:
            total += Cost(1)
            continue
        bound = bound_of(request.body or b"")
        total += Cost(1, 1, bound or 0, int(bound is None), prompt_of(request.body or b""))
    return total


LARGE = 8_000_000
"""Bytes of a body of which no copy is made."""


def _fields(body: bytes) -> dict[str, Any] | None:
    """The members of a body; None where it is no JSON object.

    Of a large one the middle is left out: it lies within the one string that makes it large.
    """
    try:
        fields: Any = json.loads(body[:4096] + body[-4096:] if len(body) > LARGE else body)
    except (ValueError, RecursionError):
        return None
    return fields if isinstance(fields, dict) else None


def prompt_of(body: bytes) -> int:
    """Bytes of what a model reads: messages, tools and the form asked for."""
    if len(body) > LARGE:
        return len(body)  # the rest of it is nothing beside that
    fields = _fields(body)
    if fields is None:
        return len(body)
    read = ("messages", "tools", "functions", "response_format")
    given = {name: fields[name] for name in read if name in fields}
    return len(json.dumps(given, ensure_ascii=False).encode("utf-8", "surrogatepass"))


def bound_of(body: bytes) -> int | None:
    """The output tokens that a request allows; None when it sets no bound."""
    fields = _fields(body)
    if fields is None:
        return None
    bounds = [fields.get(name) for name in ("max_tokens", "max_completion_tokens")]
    known = [bound for bound in bounds if isinstance(bound, int) and 0 < bound < NO_BOUND]
    n = fields.get("n")
    return min(known) * (n if isinstance(n, int) and n > 0 else 1) if known else None


def plan_lines(
    spent: Cost,
    models: Iterable[str],
    url: str | None,
    *,
    long_context: int = 0,
    generated: Amount = Amount(),  # noqa: B008 - frozen
    limits: Limits = Limits(),  # noqa: B008 - frozen
) -> list[str]:
    """What the rehearsal counted, in words; `url` None: the embedded server is the target.

    `long_context`: tokens of the prompt that models of a long context are asked to take.
    `generated`: how many requests are generated for each model. `limits`: the budgets and the rate
    of the run that is planned.
    """
    names = list(models)
    where = f"{url} (nothing was sent to it)" if url else "the embedded reference server"
    lines = [
        f"target      {where}",
        "rehearsed   by the embedded reference server: what passed above, passed there",
        f"models      {len(names)}: {', '.join(names)}",
        f"requests    {spent.requests:,} in all, {spent.answered:,} of them answered by a model",
        f"output      at most {spent.output:,} tokens, as the requests bound it",
        f"input       about {spent.octets // BYTES_PER_TOKEN:,} tokens "
        f"({spent.octets:,} bytes of messages and tools that a model reads)",
    ]
    if long_context:
        lines.append(
            f"long prompt about {long_context:,} tokens of input to each model that documents as "
            "many: counted above where the rehearsal takes them"
        )
    if generated.examples:
        lines.append(
            f"generated   from seed {generated.seed}, counted above; where one shows a breach, at "
            f"most {generated.shrinking:,} more for each model to find the simplest that does"
        )
    if spent.unbounded:
        lines.append(
            f"unbounded   {spent.unbounded:,} short answers carry no output bound: "
            "their clauses demand it"
        )
    lines += _within(spent, limits)
    lines += [
        f"not counted repeats after 429, 5xx or a lost connection, at most {INSISTENCE - 1} each;",
        "            the requests of a check that finds its clause broken, at most 3 times",
    ]
    return lines


def _within(spent: Cost, limits: Limits) -> list[str]:
    """What the budgets and the rate mean for it."""
    lines = []
    if limits.rate is not None:
        minutes, seconds = divmod(round(duration(limits.rate, spent.requests)), 60)
        took = f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
        lines.append(f"time        at least {took} at {limits.rate}")
    tokens = spent.output + spent.octets // BYTES_PER_TOKEN
    for noun, budget, needed in (
        ("requests", limits.requests, spent.requests),
        ("tokens", limits.tokens, tokens),
    ):
        if budget is not None:
            short = f"not enough, {needed:,} may be needed: the rest will be INCONCLUSIVE"
            lines.append(
                f"budget      {budget:,} {noun}: {'enough' if needed <= budget else short}"
            )
    return lines
