"""With what probability a run finds a fault that strikes one call in so many."""

from tests.inprocess import Judgement


def found_in(replies: int, among: int) -> float:
    """The probability that at least one of so many replies is struck."""
    return 1 - (1 - 1 / among) ** replies


def broken_replies(always: Judgement) -> int:
    """How many broken replies the most attentive check of a run has blamed.

    Other checks may see more of them, and a check that stops at the first sees one: with
    `found_in`, a lower bound of the probability that a fault at odds is found.
    """
    told = (entry["evidence"].get("seen_in") for entry in always.results["requirements"])
    return max((found["broken"] for found in told if found), default=0)
