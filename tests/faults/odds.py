"""With what probability a run finds a fault that strikes one call in so many."""

from tests.inprocess import Judgement


def found_with(always: Judgement, among: int) -> float:
    """The probability that some check finds it: at least 1 - (1 - 1/among)^m.

    `always` is a run against the server that is always broken; m is the number of broken replies
    that the most attentive of its checks has seen. Others may see more of them: a lower bound.
    """
    return 1 - (1 - 1 / among) ** broken_replies(always)


def broken_replies(always: Judgement) -> int:
    """How many broken replies the most attentive check of a run has seen."""
    told = (entry["evidence"].get("seen_in") for entry in always.results["requirements"])
    return max((found["broken"] for found in told if found), default=0)
