"""How many examples each row of a table gets, so that a small number is spread well.

The law: whatever the number, no clause gets its second example before every clause has its first.
"""

import random
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def deal(
    rows: Sequence[T], count: int, seed: int, group: Callable[[T], str]
) -> list[tuple[T, int]]:
    """`count` examples dealt to the rows, in the order of the table; rows without one left out.

    `group` names what comes round in turn (the clause of a row); inside a group its rows do, in an
    order that `seed` decides, as it decides which groups come first.
    """
    turns = random.Random(seed)
    groups: dict[str, list[int]] = {}
    for at, row in enumerate(rows):
        groups.setdefault(group(row), []).append(at)
    hands = list(groups.values())
    turns.shuffle(hands)
    for hand in hands:
        turns.shuffle(hand)
    dealt = [0] * len(rows)
    for number in range(count if rows else 0):
        round_, turn = divmod(number, len(hands))
        hand = hands[turn]
        dealt[hand[round_ % len(hand)]] += 1
    return [(row, dealt[at]) for at, row in enumerate(rows) if dealt[at]]
