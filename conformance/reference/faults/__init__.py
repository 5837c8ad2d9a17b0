"""Every fault, by name: ``FAULTS``. One module per chapter; ``registry`` says what a fault is."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from conformance.reference.faults import (  # noqa: F401 - importing a chapter registers its faults
    auth,
    counting,
    equivalence,
    errors,
    history,
    http,
    models,
    request,
    response,
    sse,
    stream,
)
from conformance.reference.faults.registry import REGISTERED, Fault

FAULTS: Mapping[str, Fault] = MappingProxyType(REGISTERED)

__all__ = ["FAULTS", "Fault"]
