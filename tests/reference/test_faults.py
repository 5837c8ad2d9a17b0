"""Every fault is real: it changes what at least one probe gets, and it says what it breaks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from conformance.reference.faults import FAULTS, Fault
from conformance.reference.models import served
from conformance.reference.pipeline import Plan, Service, plan
from conformance.reference.routes import LIMIT, Site

from .probes import PROBES, call

SERVICE = Service(Site(served()))


def plans(fault: Fault | None) -> Iterator[Plan]:
    service = replace(SERVICE, fault=fault)
    return (plan(probe, service) for probe in PROBES)


WHOLE = list(plans(None))


@pytest.mark.parametrize("fault", FAULTS.values(), ids=lambda fault: fault.name)
def test_a_fault_changes_what_some_probe_gets(fault: Fault) -> None:
    assert any(whole != broken for whole, broken in zip(WHOLE, plans(fault), strict=True))


@pytest.mark.parametrize("fault", FAULTS.values(), ids=lambda fault: fault.name)
def test_a_fault_says_in_one_line_what_it_breaks(fault: Fault) -> None:
    assert "\n" not in fault.says
    assert fault.says.endswith(".")
    assert fault.breaks
    assert all(re.fullmatch(r"CC-[A-Z]+-\d{3}", id_) for id_ in fault.breaks)


def test_no_two_faults_say_the_same() -> None:
    assert len({fault.says for fault in FAULTS.values()}) == len(FAULTS)


def test_a_plan_is_the_same_every_time() -> None:
    assert list(plans(None)) == WHOLE


def test_a_large_body_is_refused_whole() -> None:
    large = replace(call(b""), too_large=True)
    assert LIMIT == 8 * 1024 * 1024
    assert b" 413 " in bytes_of(plan(large, SERVICE))


def bytes_of(planned: Plan) -> bytes:
    return b"".join(piece for _, piece in planned if isinstance(piece, bytes))
