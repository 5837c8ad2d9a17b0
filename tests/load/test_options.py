"""Options: what is read, from the command line and from the web form, and what is refused."""

from __future__ import annotations

import argparse
from typing import Any

import pytest

from load.__main__ import main
from load.options import OPTIONS, SettingsError, add_options, read
from load.outcome import retry_after
from load.place import place, post
from load.sharing import Budget, Plan, turns

URL = "http://127.0.0.1:8080/v1"


def parsed(**given: Any) -> argparse.Namespace:
    return argparse.Namespace(**given)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"slo": ["ttft<5"]}, "needs one of p50"),
        ({"goodput": ["ttft_p95<5ms"]}, "ttft<500ms"),
        ({"prompt_words": "zipf:1"}, "lognormal"),
        ({"extra_body": "[1]"}, "write a JSON object"),
        ({"extra_body": "{"}, "no JSON"),
        ({"temperature": "warm"}, "write a number"),
        ({"target_profile": "nowhere"}, "no profile"),
        ({"prompt_file": "nowhere.jsonl"}, "nowhere.jsonl"),
        ({"model": ["m=-1"]}, "weight above 0"),
        ({"rate": "fast"}, "write a number"),
        ({"tls_ca": "nowhere.pem"}, "nowhere.pem|No such file"),
        ({"tls_ca": __file__}, "test_options.py"),
        ({"load_results": "/"}, "it is a folder"),
        ({"load_raw": f"{__file__}/raw"}, "cannot be written"),
        ({"rate": "nan"}, "0 or more"),
        ({"max_tokens": 0}, "above 0"),
        ({"turns": "-1"}, "0 or more"),
        ({"arrivals": "trace"}, "--trace FILE"),
        ({"arrivals": "uniform"}, "poisson"),
        ({"api_key": "sk-ключ"}, "copy it again"),
    ],
)
def test_a_mistake_is_one_line(given: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=said) as caught:
        read(parsed(**given), URL)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (None, "--host"),
        ("127.0.0.1:8080", "no base URL"),
        ("http://127.0.0.1:1/v1/chat/completions", "write http://127.0.0.1:1/v1"),
        ("http://u:p@127.0.0.1/v1", "credentials"),
        ("http://127.0.0.1/v1?x=1", "after|follows"),
        ("http://127.0.0.1:x/v1", "[Pp]ort"),
    ],
)
def test_a_host_that_is_no_base_url_is_refused(url: str | None, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        read(parsed(), url)


def test_texts_of_the_web_form_are_read_like_the_command_line() -> None:
    form = parsed(model="a=2,b", rate="2.5", turns="3", no_usage="true", slo=[""], max_tokens="7")
    settings = read(form, URL)
    assert settings.models == (("a", 2.0), ("b", 1.0))
    assert (settings["rate"], settings["turns"], settings["no-usage"]) == (2.5, 3, True)
    assert settings.open_loop
    assert settings.targets == ()


def test_models_come_from_the_profile_and_may_have_weights() -> None:
    assert len(read(parsed(target_profile="ainul"), URL).models) == 10
    assert read(parsed(), URL).models == ()
    assert read(parsed(model=["a/b:c=2", "x=y"]), URL).models == (("a/b:c", 2.0), ("x=y", 1.0))


def test_the_key_comes_from_the_environment_and_is_not_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTHER_KEY", "sk-1234567890")
    settings = read(parsed(api_key_env="OTHER_KEY"), URL)
    assert settings.key == "sk-1234567890"
    assert "sk-1234567890" not in repr(settings)
    assert "api-key" not in settings.options


def test_a_key_on_the_command_line_does_not_stay_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("load.keys._given", {})
    parser = argparse.ArgumentParser()
    add_options(parser)
    found = parser.parse_args(["--api-key", "sk-1234567890"])
    assert "sk-1234567890" not in str(vars(found))
    assert read(found, URL).key == "sk-1234567890"


def test_every_option_has_its_field_in_the_web_form() -> None:
    parser = argparse.ArgumentParser()
    add_options(parser)
    shown = {action.dest for action in parser._actions if getattr(action, "include_in_web_ui", 0)}
    assert shown == {option.name.replace("-", "_") for option in OPTIONS}
    [secret] = [a for a in parser._actions if getattr(a, "is_secret", False)]
    assert secret.dest == "api_key"
    assert "%" not in "".join(option.help for option in OPTIONS)  # argparse would read it


def test_the_options_can_be_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    said = capsys.readouterr().out
    assert all(f"--{option.name}" in said for option in OPTIONS)


def test_a_request_is_spelled_with_its_length_and_host() -> None:
    octets = post(place("https://example.org/v1"), {"model": "ü"}, "k", {"X-A": "b"})
    head, _, body = octets.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /v1/chat/completions HTTP/1.1"
    assert {"Host: example.org", "Authorization: Bearer k", "X-A: b"} <= set(lines)
    assert f"Content-Length: {len(body)}" in lines
    assert "Accept-Encoding: identity" in lines
    assert place("http://[::1]:80/v1/").authority == "[::1]"


def test_turns_are_as_even_as_their_weights_allow() -> None:
    drawn = turns([("a", 3), ("b", 1), ("c", 1)])
    whole = [next(drawn) for _ in range(500)]
    assert (whole.count("a"), whole.count("b"), whole.count("c")) == (300, 100, 100)
    assert all(whole[n : n + 5].count("b") == 1 for n in range(0, 500, 5))


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_shares_of_a_budget_add_up_and_are_kept(workers: int) -> None:
    shares = [Budget(10, 1000, Plan("", worker, workers)) for worker in range(workers)]
    assert sum(share.requests or 0 for share in shares) == 10
    taken = 0
    for share in shares:
        while share.takes(reserve=100):
            taken += 1
            share.settle(reserve=100, used=50)
    assert taken == 10
    assert Budget(0, 0, Plan("")).takes(reserve=10**9)
    assert not Budget(0, 99, Plan("")).takes(reserve=100)


@pytest.mark.parametrize(
    ("value", "seconds"), [("2", 2.0), ("0.5", 0.5), ("9999", 300.0), ("-1", None), ("soon", None)]
)
def test_retry_after_is_a_bounded_number(value: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": value}) == seconds
    assert retry_after({}) is None
