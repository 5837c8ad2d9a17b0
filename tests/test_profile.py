"""Profiles name other keys by their variables, and hold none."""

import pytest

from conformance.target.profile import Limits, ProfileError
from conformance.target.reading import parse

KEYS = {"name": "p", "keys": {"limited": "$LIMITED_KEY", "exhausted": "$EMPTY_KEY"}}


def test_keys_come_from_the_environment() -> None:
    profile = parse(KEYS)
    assert profile.keys == {"limited": "LIMITED_KEY", "exhausted": "EMPTY_KEY"}
    values = {"LIMITED_KEY": "a", "EMPTY_KEY": "b", "OTHER": "c"}
    assert profile.resolved_keys(values) == {"LIMITED_KEY": "a", "EMPTY_KEY": "b"}
    with pytest.raises(ProfileError, match="exhausted needs the environment variable EMPTY_KEY"):
        profile.resolved_keys({"LIMITED_KEY": "a"})


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ({"limited": "sk-not-for-files"}, "environment variable"),
        ({"limited": "$not a name"}, "environment variable"),
        ({"spare": "$KEY"}, "unknown key"),
        ({"limited": 1}, "a text in quotes"),
    ],
)
def test_a_key_itself_is_refused_in_a_file(keys: dict[str, object], why: str) -> None:
    with pytest.raises(ProfileError, match=why) as refused:
        parse({"name": "p", "keys": keys})
    assert "sk-not-for-files" not in str(refused.value)


def test_limits_of_isolation_have_defaults_and_may_be_given() -> None:
    assert (Limits().slow_reader_s, Limits().busy_s) == (10.0, 5.0)
    assert parse({"name": "p", "limits": {"busy_s": 9}}).limits.busy_s == 9
