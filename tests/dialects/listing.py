"""``python -m tests.dialects.listing``: the axes, their ways, how many combinations cover them."""

import sys

from . import test_dialect_pairs
from .axes import AXES
from .covering import pairs


def main() -> int:
    """Prints the axes and the counts."""
    for name, ways in AXES.items():
        print(f"{name:18}{', '.join(one.name for one in ways[1:])}")
    met = len(pairs([len(ways) for ways in AXES.values()]))
    tried = len(test_dialect_pairs.MINE)
    print(f"{len(AXES)} axes, {sum(map(len, AXES.values()))} ways, {met} pairs of ways")
    print(f"{tried} combinations hold all of them")
    return 0


if __name__ == "__main__":
    sys.exit(main())
