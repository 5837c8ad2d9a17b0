"""Budgets and rates: what went over the wire is never more than was allowed."""

from pathlib import Path

import pytest

from tests.plugin.bench import COMPLETION, LIST, MODEL, run
from tests.plugin.relay import relay
from tests.plugin.test_resume import FAULT, OTHER
from tests.wire.tiny import Tiny, answer, serve

CHAPTERS = ("--requirement", "CC-RESP", "--requirement", "CC-CONC-001", "--examples", "0")


def test_no_more_requests_go_out_than_the_budget(address: str, tmp_path: Path) -> None:
    both = ("--model", MODEL, "--model", OTHER, "-n", "2")
    with relay(f"{address}/v1") as passing:
        chosen = (*CHAPTERS, "--requirement", "CC-AUTH")  # some of it by few requests
        arguments = ("--target-url", passing.url, *both, *chosen, "--budget-requests", "20")
        ran = run(tmp_path, *arguments)
        assert ran.status == 6
        assert ran.results()["requests"] == passing.calls == 20
    entries = ran.results()["requirements"]
    verdicts = {entry["verdict"] for entry in entries}
    assert verdicts - {"UNSUPPORTED"} == {"PASS", "INCONCLUSIVE"}
    reasons = {e["evidence"]["reason"] for e in entries if e["verdict"] == "INCONCLUSIVE"}
    assert all(reason.startswith("the budget of 20 requests is spent") for reason in reasons)
    assert ran.out.count("\nthe budget of 20 requests is spent\n") == 1
    assert "go on with --resume" in ran.out


def test_no_more_tokens_are_spent_than_the_budget(address: str, tmp_path: Path) -> None:
    with relay(f"{address}/fault/{FAULT}/v1") as passing:
        arguments = ("--target-url", passing.url, "--model", MODEL, *CHAPTERS)
        ran = run(tmp_path, *arguments, "--budget-tokens", "2500")
        assert 0 < passing.tokens <= 2500
        told = ran.results()["tokens"]["told"]
        assert 0 < told["total"] == told["input"] + told["output"] <= passing.tokens
    found = ran.verdicts()
    assert ran.status == 1  # what was broken before the budget was spent is broken
    assert found["CC-RESP-002", MODEL] == "FAIL"
    assert found["CC-CONC-001", MODEL] == "INCONCLUSIVE"  # ten calls at once cost too much
    assert "the budget of 2,500 tokens is spent" in ran.out


def test_calls_keep_their_distance_at_a_rate(address: str, tmp_path: Path) -> None:
    with relay(f"{address}/v1") as passing:
        few = ("--requirement", "CC-RESP-001", "--requirement", "CC-CONC-001", "--rate", "8/s")
        ran = run(tmp_path, "--target-url", passing.url, "--model", MODEL, *few)
    found = ran.results()
    assert found["duration_s"] >= (passing.calls - 1) / 8
    assert ran.verdicts()["CC-RESP-001", MODEL] == "PASS"
    reason = next(e["evidence"] for e in found["requirements"] if e["id"] == "CC-CONC-001")
    assert reason["reason"] == "10 calls at once do not fit a rate of 8/s"
    assert "--rate 8/s" in reason["reproduce"]


def test_a_plan_says_what_budget_and_rate_mean(tmp_path: Path) -> None:
    limits = ("--rate", "30/min", "--budget-requests", "5")
    ran = run(tmp_path, "--plan", "--model", MODEL, "--requirement", "CC-RESP", *limits)
    assert ran.status == 0
    assert "at 30/min" in ran.out
    assert "budget      5 requests: not enough, " in ran.out


REFUSED = b'{"error":{"message":"Later.","type":"requests","param":null,"code":"rate_limit"}}'
JSON = "Content-Type: application/json"

STORMS: dict[str, tuple[int, bytes, str]] = {
    # requests answered before it, the reply of the storm, what is said of it
    "for ever": (
        0,
        answer("429 Too Many Requests", (JSON, "Retry-After: 3600"), REFUSED),
        "rate-limited: the target answers 429 to every call and asks to wait 3,600 s; use --rate",
    ),
    "until a date": (
        30,
        answer("429 Too Many", (JSON, "Retry-After: Fri, 31 Dec 2100 23:59:59 GMT"), REFUSED),
        "rate-limited: the target answers 429 to every call and asks to wait",
    ),
    "unavailable": (30, answer("503 Service Unavailable", (JSON,), REFUSED), "status 503"),
}


@pytest.mark.parametrize("storm", STORMS)
def test_a_target_that_answers_nothing_but_refusals_is_soon_left_alone(
    storm: str, tmp_path: Path
) -> None:
    calm, reply, said = STORMS[storm]

    def behave(tiny: Tiny, sock: object) -> None:
        while octets := tiny.read_request(sock):  # type: ignore[arg-type]  # a socket
            good = answer(body=LIST if octets.startswith(b"GET") else COMPLETION)
            sock.sendall(good if len(tiny.received) <= calm else reply)  # type: ignore[attr-defined]

    chapters = ("CC-RESP", "CC-REQ", "CC-STRUCT")
    chosen = [word for one in chapters for word in ("--requirement", one)]
    with serve(behave) as tiny:
        ran = run(tmp_path, "--target-url", tiny.url, "--model", "m", "--examples", "0", *chosen)
        asked = len(tiny.received)
    reasons = [entry["evidence"].get("reason") or "" for entry in ran.results()["requirements"]]
    assert ran.status in ((6,) if not calm else (1, 6))
    assert sum(said in reason for reason in reasons) > 20
    if storm != "unavailable":
        assert asked < calm + 10
        assert ran.out.count("\nrate-limited: ") == 1
    assert "ERROR" not in ran.verdicts().values()
