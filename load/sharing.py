"""What several share: the turns of models, a run's plan, and a budget. Pure.

Laws: over any stretch the turns are as even as their weights allow; the workers' shares of a budget
add up to it, and none spends more than its own, less what it has ceded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Budget", "Plan", "most_tokens", "turns"]


@dataclass(frozen=True, slots=True)
class Plan:
    """A worker's part of a run, as the master tells it. ``run`` is eight hexadecimal digits.

    Attributes:
        since: the moment of the schedule, ns from its start, from which this part holds.
        elapsed: how much of the run was over when the plan was made, in ns.
        joined: this worker came when the run was under way.
        ceded: of a budget, the requests and tokens that others have ceded to it.
    """

    run: str
    worker: int = 0
    workers: int = 1
    since: int = 0
    elapsed: int = 0
    joined: bool = False
    ceded: tuple[int, int] | None = None

    def plain(self) -> dict[str, Any]:
        """As plain data, for a message: the arguments of ``Plan``."""
        return asdict(self)


def turns(weights: Sequence[tuple[str, float]]) -> Iterator[str]:
    """Names in smooth turns by their weights, for ever (nginx's weighted round robin).

    >>> from itertools import islice
    >>> "".join(islice(turns([("a", 2), ("b", 1)]), 6))
    'abaaba'
    """
    total = sum(weight for _, weight in weights)
    current = dict.fromkeys((name for name, _ in weights), 0.0)
    while True:
        for name, weight in weights:
            current[name] += weight
        best = max(current, key=lambda name: current[name])
        current[best] -= total
        yield best


class Budget:
    """This worker's share of a budget; 0 is no bound."""

    def __init__(self, requests: int, tokens: int, plan: Plan) -> None:
        if plan.ceded is None:
            self.requests, self.tokens = _share(requests, plan), _share(tokens, plan)
        else:
            ceded = plan.ceded
            self.requests = ceded[0] if requests else None
            self.tokens = ceded[1] if tokens else None

    def takes(self, reserve: int) -> bool:
        """Take one request, and ``reserve`` tokens; False where that would pass the bound."""
        if self.requests == 0 or (self.tokens is not None and self.tokens < reserve):
            return False
        if self.requests is not None:
            self.requests -= 1
        if self.tokens is not None:
            self.tokens -= reserve
        return True

    def settle(self, reserve: int, used: int) -> None:
        """Give back what was reserved and not used."""
        if self.tokens is not None:
            self.tokens += reserve - used

    def cede(self, parts: int) -> tuple[int, int]:
        """Give up one of ``parts`` of what is left, for another worker: requests and tokens."""
        requests, tokens = (max(0, left or 0) // parts for left in (self.requests, self.tokens))
        if self.requests is not None:
            self.requests -= requests
        if self.tokens is not None:
            self.tokens -= tokens
        return requests, tokens


def most_tokens(body: Mapping[str, Any]) -> int:
    """The most output tokens that a request may bring, by its body; 0 where it has no bound.

    >>> most_tokens({"max_tokens": 256, "max_completion_tokens": 300, "n": 2})
    600
    """
    bounds = [body.get(name) for name in ("max_tokens", "max_completion_tokens")]
    n = body.get("n")
    most = max((bound for bound in bounds if isinstance(bound, int)), default=0)
    return most * (n if isinstance(n, int) and n > 1 else 1)


def _share(whole: int, plan: Plan) -> int | None:
    if not whole:
        return None
    return whole // plan.workers + (plan.worker < whole % plan.workers)
