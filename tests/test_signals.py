"""A signal ends the run, also one whose exception Python has swallowed."""

from __future__ import annotations

import contextlib
import signal

import pytest

from conformance import signals


def test_a_signal_that_was_swallowed_is_heeded_later() -> None:
    put_back = signals.catch(worker=False)
    try:
        signals.heed()
        with contextlib.suppress(signals.Stopped):  # as a callback of the garbage collector does
            signal.raise_signal(signal.SIGTERM)
        with pytest.raises(signals.Stopped, match="by SIGTERM"):
            signals.heed()
        signals.catch(worker=False)  # another run has heard of none
        signals.heed()
    finally:
        put_back()
