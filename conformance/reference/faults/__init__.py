"""Every fault, by name: ``FAULTS``. One module per chapter; ``registry`` says what a fault is.

``named`` also finds those that come and go (``odds``).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from conformance.reference.faults import (  # noqa: F401 - importing a chapter registers its faults
    auth,
    clients,
    counting,
    equivalence,
    errors,
    generated,
    headers,
    history,
    http,
    http_requests,
    isolation,
    logprobs,
    losses,
    models,
    multimodal,
    one_kind,
    reasoning,
    request,
    response,
    sampling,
    sse,
    stream,
    stream_usage,
    structured,
    tool_choice,
    tool_streams,
    tools,
)
from conformance.reference.faults.odds import SIGN, read_odds, sometimes
from conformance.reference.faults.registry import REGISTERED, Fault

FAULTS: Mapping[str, Fault] = MappingProxyType(REGISTERED)

__all__ = ["FAULTS", "Fault", "named"]


def named(name: str) -> Fault | None:
    """The fault of that name, at the odds that it ends with (``NAME~3``); None where none is so
    called."""
    plain, sign, text = name.partition(SIGN)
    fault, odds = FAULTS.get(plain), read_odds(text)
    if fault is None or not sign:
        return fault
    return None if odds is None else sometimes(fault, *odds)
