"""CC-SSE-021 as a decision on plain seconds: output that came as it was made, in a burst, or nobody
can tell."""

import pytest

from conformance.test_stream_framing import arrived_as_made


def spread(first: float, last: float, pieces: int = 20) -> list[float]:
    """So many arrivals, evenly between two of them."""
    return [first + (last - first) * number / (pieces - 1) for number in range(pieces)]


@pytest.mark.parametrize(
    ("times", "ended", "short", "expected"),
    [
        pytest.param(spread(0.1, 1.0), 1.0, 0.2, True, id="as it is made"),
        pytest.param(spread(0.02, 0.05), 0.05, 0.03, True, id="as it is made, in no time"),
        pytest.param(spread(2.0, 3.0), 3.0, 2.1, True, id="after a queue"),
        pytest.param(spread(0.5, 0.57), 0.57, 0.51, None, id="after a queue, in no time"),
        pytest.param(spread(0.5, 0.57), 0.57, 0.06, False, id="held back, a short one is not"),
        pytest.param(spread(0.5, 0.57), 0.57, None, False, id="held back, and nothing to compare"),
        pytest.param([0.9] * 20, 0.9, 0.1, False, id="in a burst at the end"),
        pytest.param([0.1] * 20, 0.9, 0.1, False, id="in a burst at the beginning"),
        pytest.param([0.1] * 20, 0.1, 0.1, None, id="in a burst, in no time"),
        pytest.param([0.9], 0.9, 0.1, False, id="in one piece"),
    ],
)
def test_a_stream_is_told_from_a_burst(
    times: list[float], ended: float, short: float | None, expected: bool | None
) -> None:
    assert arrived_as_made(times, ended, short) is expected
