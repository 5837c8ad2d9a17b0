"""A key in what every report names: an address, the id of a model, a file."""

import argparse

import pytest

from load.options import SettingsError, add_options, read
from tests.plugin.batch import run_all
from tests.plugin.bench import KEY, run
from tests.secrets.canary import KEY as CANARY
from tests.secrets.canary import echoing, found_in
from tests.wire.tiny import serve

SHOWN = {
    "--target-url": ("--target-url", f"http://127.0.0.1:9/{KEY}/v1"),
    "--model": ("--model", f"vendor/{KEY}"),
    "--results": ("--results", f"{KEY}.json"),
    "-k": ("-k", KEY),
}


def test_the_suite_refuses_it(tmp_path_factory: pytest.TempPathFactory) -> None:
    for option, ran in run_all(tmp_path_factory.mktemp("shown"), SHOWN).items():
        assert ran.status == 4
        assert ran.complaint.startswith(f"{option} holds the API key, or another secret, and every")
        assert KEY not in ran.said


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--host", f"http://127.0.0.1:9/{KEY}/v1"),
        ("--model", f"vendor/{KEY}=2"),
        ("--load-results", f"{KEY}.json"),
    ],
)
def test_the_load_generator_refuses_it(
    option: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TARGET_API_KEY", KEY)
    parser = argparse.ArgumentParser()
    add_options(parser)
    given = parser.parse_args([] if option == "--host" else [option, value])
    host = value if option == "--host" else "http://127.0.0.1:9/v1"
    with pytest.raises(SettingsError, match=f"^{option} holds the API key") as refused:
        read(given, host)
    assert KEY not in str(refused.value)


def test_a_key_that_is_a_word_may_be_part_of_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TARGET_API_KEY", "llama3")
    parser = argparse.ArgumentParser()
    add_options(parser)
    settings = read(parser.parse_args(["--model", "llama3"]), "http://llama3.example/v1")
    assert settings.models == (("llama3", 1.0),)


def test_a_model_whose_listed_id_echoes_the_key_is_none_to_choose(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("listed")
    with serve(echoing(lists=True)) as tiny:
        # The first that is listed is the echo, the second "m".
        chosen = ("--requirement", "CC-RESP-003", "--timeout", "5")
        ran = run(folder, "--target-url", tiny.url, *chosen, key=CANARY)
    assert [model for _, model in ran.verdicts()] == ["m"]
    assert found_in(folder, (ran.out, ran.err), (CANARY,)) == []
