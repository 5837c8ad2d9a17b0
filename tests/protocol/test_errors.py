"""Error replies: the table of shapes, the members of an envelope, leaks, and names."""

from __future__ import annotations

import json

import pytest

from conformance.protocol.errors import findings, names, read_error

from .talk import ids

JSON = "application/json"
ERROR = {"message": "no", "type": "invalid_request_error", "param": None, "code": None}


def breaks(body: object, status: int = 400, content_type: str | None = JSON) -> list[str]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return ids(findings(status, content_type, raw))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"error": ERROR}, []),
        ({"error": ERROR, "detail": "no", "message": "no", "code": 1}, []),
        ({"error": {**ERROR, "extra": [1]}}, []),
        (b"", ["CC-ERR-001"]),
        (b"<html>no</html>", ["CC-ERR-001"]),
        (b"Unauthorized", ["CC-ERR-001"]),
        (b'{"error": {"message": "n', ["CC-ERR-001"]),
        ("no", ["CC-ERR-001"]),
        (None, ["CC-ERR-001"]),
        ({}, ["CC-ERR-001"]),
        ({"status": "INVALID"}, ["CC-ERR-001"]),
        ([{"error": ERROR}], ["CC-ERR-001", "CC-ERR-005"]),
        ({"error": "Unauthorized"}, ["CC-ERR-001", "CC-ERR-002"]),
        ({"error": None}, ["CC-ERR-001", "CC-ERR-002"]),
        ({"error": [ERROR]}, ["CC-ERR-001", "CC-ERR-002"]),
        ({"error": "no", "message": "no", "code": 1}, ["CC-ERR-001", "CC-ERR-002"]),
        ({"detail": "no"}, ["CC-ERR-001", "CC-ERR-003"]),
        ({"detail": [{"loc": ["body"], "msg": "no"}]}, ["CC-ERR-001", "CC-ERR-003"]),
        ({"message": "no"}, ["CC-ERR-001", "CC-ERR-003"]),
        ({"type": "about:blank", "title": "no", "status": 400}, ["CC-ERR-001", "CC-ERR-003"]),
        ({"object": "error", "message": "no", "code": 1}, ["CC-ERR-001", "CC-ERR-004"]),
        (ERROR, ["CC-ERR-001", "CC-ERR-004"]),
    ],
)
def test_a_shape(body: object, expected: list[str]) -> None:
    assert breaks(body) == expected


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"message": None}, ["CC-ERR-006"]),
        ({"message": {"text": "no"}}, ["CC-ERR-006"]),
        ({"message": ""}, ["CC-ERR-006~"]),
        ({"type": None}, ["CC-ERR-007"]),
        ({"type": ""}, ["CC-ERR-007"]),
        ({"type": "BadRequestError"}, ["CC-ERR-011"]),
        ({"code": 400}, ["CC-ERR-008"]),
        ({"code": "400"}, []),
        ({"param": 1}, ["CC-ERR-009"]),
        ({"param": "stop"}, []),
    ],
)
def test_a_member(members: dict[str, object], expected: list[str]) -> None:
    assert breaks({"error": {**ERROR, **members}}) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("message", "CC-ERR-006"),
        ("type", "CC-ERR-007"),
        ("param", "CC-ERR-009"),
        ("code", "CC-ERR-009"),
    ],
)
def test_a_missing_member(name: str, expected: str) -> None:
    error = {key: value for key, value in ERROR.items() if key != name}

    assert breaks({"error": error}) == [expected]


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("application/json; charset=utf-8", []),
        ("Application/JSON", []),
        ("application/problem+json", []),
        ("text/plain", ["CC-ERR-001"]),
        (None, ["CC-ERR-001"]),
    ],
)
def test_a_media_type(content_type: str | None, expected: list[str]) -> None:
    assert breaks({"error": ERROR}, content_type=content_type) == expected


def test_the_status_decides_two_entries() -> None:
    other = {"error": {**ERROR, "type": "authentication_error"}}

    assert breaks(other, 401) == []
    assert breaks(other, 422) == ["CC-ERR-012~"]


@pytest.mark.parametrize(
    "message",
    [
        "Traceback (most recent call last):",
        "/usr/lib/python3/x.py failed",
        'File "app.py", line 3, in f',
        "at Object.<anonymous> (index.js:1:1)",
        "key sk-abcdefghijklmnopqrst123 is wrong",
    ],
)
def test_a_leak(message: str) -> None:
    body = json.dumps({"error": {**ERROR, "message": message}}).encode()
    found = findings(401, JSON, body)

    assert ids(found) == ["CC-ERR-018"]
    assert found[0].seen.rstrip("…") in message
    assert "sk-abcdefgh" not in found[0].seen


@pytest.mark.parametrize(
    "message",
    ["Incorrect API key provided: sk-abc***xyz.", "see /v1/models", "use https://a.b/usr/x"],
)
def test_no_leak(message: str) -> None:
    assert breaks({"error": {**ERROR, "message": message}}, 401) == []


@pytest.mark.parametrize(
    ("members", "parameter", "named"),
    [
        ({"param": "stop"}, "stop", True),
        ({"param": "stop[0]"}, "stop", True),
        ({"param": "messages[2].role"}, "messages", True),
        ({"param": "stop_sequences"}, "stop", False),
        ({"param": "max_tokens"}, "max", False),
        ({"message": "'stop' is not supported"}, "stop", True),
        ({"message": "Unsupported parameter: stop."}, "stop", True),
        ({"message": "You are not allowed to request logprobs"}, "logprobs", True),
        ({"message": "not nonstop"}, "stop", False),
        ({"message": "an error"}, "n", False),
        ({"message": "n must be 1"}, "n", True),
        ({}, "stop", False),
    ],
)
def test_a_refusal_names_its_parameter(
    members: dict[str, object], parameter: str, named: bool
) -> None:
    body = json.dumps({"error": {**ERROR, **members}}).encode()

    assert names(body, parameter) is named
    assert names(body, "other", parameter) is named


def test_what_is_no_envelope_names_nothing() -> None:
    assert not names(b"stop", "stop")
    assert not names(b'{"error": "stop"}', "stop")


def test_an_envelope_is_read_member_by_member() -> None:
    reply = read_error(json.dumps({"error": {**ERROR, "code": 5, "more": 1}}).encode())

    assert reply is not None
    assert (reply.message, reply.code, reply.detail["code"]) == ("no", None, 5)
    assert read_error(b"no") is None


@pytest.mark.parametrize(
    ("message", "leaks"),
    [
        ("http://10.0.0.5:8000/v1 refused the connection", True),
        ("no reply from https://172.20.1.9.", True),
        ("http://engine.models.svc.cluster.local:80/v1 is down", True),
        ("http://api.example.com/v1 is down", False),
        ("http://192.168.7.7:8000/v1/x is no path", False),  # the target's own
        ("see http://127.0.0.1:8000/docs", False),
        ("http://10.example.com/v1 is down", False),
        ("172.20.1.9 tokens", False),
    ],
)
def test_a_host_behind_the_target(message: str, leaks: bool) -> None:
    body = json.dumps({"error": {**ERROR, "message": message}}).encode()

    assert ids(findings(401, JSON, body, host="192.168.7.7")) == ["CC-ERR-018"] * leaks
    assert not ids(findings(401, JSON, body))
