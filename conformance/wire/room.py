"""What a reply may take of memory, as counters that run down.

Bytes are not all: what reads a stream holds an object for each line, and every read is recorded
with its time. A body that passes a limit is cut off and said to be so.
"""

from dataclasses import dataclass

from .exchange import Failure, FailureKind

MOST_LINES = 40_000
"""Line ends of a body: what reads a stream holds an object of each line."""

MOST_PIECES = 100_000
"""Reads that bring a body."""

KEPT = 64 * 1024
"""Bytes that are kept of a body that is cut off for its size."""


@dataclass(slots=True)
class Room:
    """What a body may take: bytes, ends of lines, pieces."""

    most: int
    octets: int
    lines: int = MOST_LINES
    pieces: int = MOST_PIECES

    def passed_by(self, piece: bytes) -> Failure | None:
        """Take `piece`; what is passed by it, if anything is."""
        self.octets -= len(piece)
        self.lines -= piece.count(b"\n") + piece.count(b"\r")
        self.pieces -= 1
        rows = (
            (self.octets, f"over {self.most} bytes"),
            (self.lines, f"over {MOST_LINES} ends of lines"),
            (self.pieces, f"in over {MOST_PIECES} pieces"),
        )
        return next((Failure(FailureKind.TOO_LARGE, why) for left, why in rows if left < 0), None)
