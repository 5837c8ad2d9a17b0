"""A run cut into windows of a few seconds, each with evidence and a verdict of its own: pure.

Laws
----
* Windows begin at whole multiples of their length, in seconds of the epoch: those of several
  workers, and of several lengths, fall together.
* A sample belongs to the window of the stamp that ends it: a TTFT to the first token's, a gap to
  the later read's, an E2E to the last token's; a request's sending to its t_send. What belongs to a
  window is recorded there only; a run's figure is that of all its windows.
* A window is judged by the rules of the run (`validity`), with the run's medians as their scale.
* A long run keeps no more than ``MOST`` windows: they become twice as long where there are more.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

__all__ = ["LENGTH", "MOST", "Window", "cut", "phase_of"]

LENGTH: Final = 5
"""Seconds of a window, at first."""

MOST: Final = 240
"""Windows that are kept of one phase."""

SECOND: Final = 1_000_000_000


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """A window of a phase; ``start`` in seconds of the epoch."""

    start: int
    length: int
    phase: str

    @property
    def key(self) -> str:
        """The name under which a book keeps it.

        >>> Window(10, 5, "steady").key
        'steady@10+5'
        """
        return f"{self.phase}@{self.start}+{self.length}"

    @classmethod
    def of(cls, key: str) -> Window | None:
        """The window of that name; None for a phase as a whole."""
        phase, at, rest = key.partition("@")
        if not at:
            return None
        start, _, length = rest.partition("+")
        return cls(int(start), int(length), phase)

    @classmethod
    def around(cls, second: int, length: int, phase: str) -> Window:
        """The window that holds a second."""
        return cls(second - second % length, length, phase)


def phase_of(key: str) -> str:
    """The phase to which a name of a book belongs, be it of a window or of all."""
    return key.partition("@")[0]


def cut(stamps: Sequence[int], anchor: int) -> Iterator[tuple[int, int, int]]:
    """Stamps by the window that they fall into: a second of it, and the slice's two ends.

    Args:
        stamps: ns, ascending.
        anchor: what makes of them ns of the epoch.

    >>> list(cut([1 * SECOND, 4 * SECOND, 5 * SECOND], 0))
    [(1, 0, 2), (5, 2, 3)]
    """
    low = 0
    while low < len(stamps):
        second = (stamps[low] + anchor) // SECOND
        limit = (second - second % LENGTH + LENGTH) * SECOND - anchor
        high = max(low + 1, bisect_left(stamps, limit, low))
        yield second, low, high
        low = high
