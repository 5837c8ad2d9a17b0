"""What several share: the turns of models, and a budget. Pure.

Laws: over any stretch the turns are as even as their weights allow; the workers' shares of a budget
add up to it, and none spends more than its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

__all__ = ["Budget", "turns"]


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

    def __init__(self, requests: int, tokens: int, worker: int, workers: int) -> None:
        self.requests = _share(requests, worker, workers)
        self.tokens = _share(tokens, worker, workers)

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


def _share(whole: int, worker: int, workers: int) -> int | None:
    if not whole:
        return None
    return whole // workers + (worker < whole % workers)
