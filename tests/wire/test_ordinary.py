"""Keys that are ordinary words spare the text of a target, and are masked as credentials."""

import base64
import json

import pytest

from conformance.wire.arguments import without
from conformance.wire.ordinary import is_word
from conformance.wire.redact import Redactor

WORDS = (
    *("key", "none", "test", "EMPTY", "None", "stop", "model", "data", "HTTP", "1234", "llama3"),
    *("finish_reason", "chat.completion.chunk", "text/event-stream", "1795687200", "chunked"),
)
KEYS = (
    *("sk-1234", "a1b2c3", "qWeRtYu", "lm-studio", "hunter2-hunter2", "0x1F2A", "correct-horse"),
    *("abcdefghijklmnop", "1234567890123456", "sk-no-key-required"),
)

REPLY = json.dumps(
    {
        "object": "chat.completion.chunk",
        "model": "llama3",
        "created": 1795687200,
        "choices": [{"delta": {"content": "None, test: key 1234"}, "finish_reason": "stop"}],
        "more": ["none", "EMPTY", "data", "HTTP", "text/event-stream", "chunked"],
    }
)


@pytest.mark.parametrize("key", WORDS)
def test_a_word_leaves_what_a_target_says_as_it_was(key: str) -> None:
    redactor = Redactor([key])
    assert is_word(key)
    assert key in REPLY or key == "model"
    assert redactor.text(REPLY) == REPLY
    assert redactor.octets(REPLY.encode()) == REPLY.encode()
    raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert redactor.octets(raw) == raw


@pytest.mark.parametrize("key", [word for word in WORDS if word != "key"])
@pytest.mark.parametrize("spell", ["raw", "json", "url", "base64"])
def test_a_word_is_masked_where_it_is_a_credential(key: str, spell: str) -> None:
    shown = f"Bearer {key}"
    spelled = {
        "raw": shown,
        "json": shown.replace(" ", "\\u0020"),
        "url": shown.replace(" ", "%20"),
        "base64": base64.b64encode(shown.encode()).decode(),
    }[spell]
    found = Redactor([key]).text(f"you sent Authorization: {spelled}, which is wrong")
    assert "[redacted]" in found
    assert spelled[:-4] not in found


@pytest.mark.parametrize("key", ["realm", "error", "test"])
def test_a_challenge_and_longer_words_are_no_credential(key: str) -> None:
    text = 'Bearer realm="x", error="y"; Bearer testing; Bearer error=1'
    assert Redactor([key]).text(text) == text


@pytest.mark.parametrize("key", KEYS)
def test_what_is_no_word_is_masked_wherever_it_stands(key: str) -> None:
    assert not is_word(key)
    assert key not in Redactor([key]).text(f"before {key} after")
    assert key.encode() not in Redactor([key]).octets(f"before {key} after".encode())


@pytest.mark.parametrize(
    ("secret", "kept"),
    [
        ("sk-0123456789", {"CI", "WORD", "PATH"}),
        ("true", {"CI", "WORD", "PATH", "HELD", "LONGER"}),
        ("test", {"CI", "WORD", "PATH", "HELD", "LONGER"}),
        ("word", {"CI", "PATH", "HELD", "LONGER", "WORD"}),
        ("", {"CI", "WORD", "PATH", "HELD", "LONGER", "MY_API_KEY"}),
    ],
)
def test_an_environment_loses_what_holds_a_secret_and_no_more(secret: str, kept: set[str]) -> None:
    environ = {
        "CI": "true",
        "WORD": "word",
        "PATH": "/usr/lib/test/bin",
        "HELD": " sk-0123456789 ",
        "LONGER": "Authorization: Bearer sk-0123456789",
        "MY_API_KEY": secret or "other",
    }
    assert without(environ, [secret]).keys() == kept
