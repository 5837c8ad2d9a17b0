"""A worker that comes late: its part of the schedule, and of a budget."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from load.gather import Ledger
from load.joining import CEDE, JOIN, KEYS, PLAN, Latecomers
from load.options import OPTIONS
from load.sharing import Budget, Plan
from tests.load.test_gather import settings


class Runner:
    """Notes what is sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, Any]] = []

    def send_message(self, kind: str, data: Any, client_id: str) -> None:
        self.sent.append((kind, client_id, data))

    def kinds(self) -> list[tuple[str, str]]:
        return [(kind, client) for kind, client, _ in self.sent]


def latecomers(**options: Any) -> tuple[Runner, Latecomers]:
    runner, ledger = Runner(), Ledger("run")
    ledger.expect(["a", "b"])
    parsed = SimpleNamespace(**dict.fromkeys(KEYS))
    environment = SimpleNamespace(runner=runner, parsed_options=parsed, host="http://h/v1")
    return runner, Latecomers(environment, ledger, settings(**options), 0, lambda: True)


def test_without_a_budget_it_is_given_its_part_at_once() -> None:
    runner, late = latecomers()
    late.joined("c")
    assert runner.kinds() == [(PLAN, "a"), (PLAN, "b"), (JOIN, "c")]
    plan = Plan(**runner.sent[-1][2]["plan"])
    assert (plan.worker, plan.workers, plan.joined, plan.ceded) == (2, 3, True, None)
    assert set(runner.sent[-1][2]["options"]) == {o.name.replace("-", "_") for o in OPTIONS}
    late.joined("c")
    assert len(runner.sent) == 3


def test_of_a_budget_it_is_given_what_the_others_cede(capsys: pytest.CaptureFixture[str]) -> None:
    runner, late = latecomers(budget_requests=90)
    late.joined("c")
    assert runner.kinds() == [(CEDE, "a"), (CEDE, "b")]
    budgets = {name: Budget(90, 0, Plan("run", n, 2)) for n, name in enumerate("ab")}
    for name, budget in budgets.items():
        assert budget.takes(0)
        requests, tokens = budget.cede(runner.sent[0][2]["parts"])
        data = {"run": "run", "to": "c", "requests": requests, "tokens": tokens}
        late.ceded(name, {**data, "run": "other"})
        late.ceded(name, data)
    assert runner.kinds()[2:] == [(PLAN, "a"), (PLAN, "b"), (JOIN, "c")]
    plan = Plan(**runner.sent[-1][2]["plan"])
    assert plan.ceded == (28, 0)  # a third of 44, twice
    third = Budget(90, 0, plan)
    assert third.tokens is None
    left = sum(b.requests or 0 for b in (*budgets.values(), third))
    assert left == 90 - 2
    assert "a worker joins the run, with 28 requests of the budget" in capsys.readouterr().out


def test_what_is_ceded_too_late_is_nobodys() -> None:
    runner, late = latecomers(budget_tokens=300)
    late.joined("c")
    late.ceded("a", {"run": "run", "to": "c", "requests": 0, "tokens": 50})
    late._enough("c")  # as after PATIENCE: b is silent
    late.ceded("b", {"run": "run", "to": "c", "requests": 0, "tokens": 50})
    assert [Plan(**d["plan"]).ceded for k, _, d in runner.sent if k == JOIN] == [(0, 50)]


@pytest.mark.parametrize(
    ("requests", "tokens", "parts", "ceded", "left"),
    [
        (0, 0, 2, (0, 0), (None, None)),  # no budget: nothing to give, and nothing bounded
        (9, 0, 3, (3, 0), (6, None)),
        (2, 100, 3, (0, 33), (2, 67)),
        (10, 1000, 2, (5, 500), (5, 500)),
    ],
)
def test_a_worker_cedes_one_part_of_what_it_has_left(
    requests: int,
    tokens: int,
    parts: int,
    ceded: tuple[int, int],
    left: tuple[int | None, int | None],
) -> None:
    budget = Budget(requests, tokens, Plan("run"))
    assert budget.cede(parts) == ceded
    assert (budget.requests, budget.tokens) == left
