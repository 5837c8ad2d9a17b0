"""The servers' recipes: each installs, starts, answers, checks its key, and is gone afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.servers import serving
from tests.servers.recipes import HERE, RECIPES, Recipe
from tests.servers.serving import Server, ServerError, install, running


def broken(**changes: object) -> Recipe:
    """A recipe that needs nothing from a package index."""
    return Recipe(
        **{  # type: ignore[arg-type]  # the fields are checked where they are used
            "name": "llama.cpp",
            "version": "0",
            "requirements": (),
            "key": "sk-test",
            "models": ("none",),
            "command": ("{here}/absent.py",),
            **changes,
        }
    )


def chat(server: Server, headers: dict[str, str]) -> httpx.Response:
    body = {
        "model": server.model,
        "messages": [{"role": "user", "content": "Say hello."}],
        "max_tokens": 64,
    }
    return httpx.post(
        f"{server.url}/chat/completions", json=body, headers=headers, timeout=30, trust_env=False
    )


@pytest.mark.real_server
def test_a_server_answers_checks_its_key_and_is_gone_afterwards() -> None:
    recipe = RECIPES["llama.cpp"]
    with running(recipe) as server:
        key = {"Authorization": f"Bearer {server.key}"}
        listed = httpx.get(f"{server.url}/models", headers=key, timeout=30, trust_env=False)
        assert listed.status_code == 200
        assert {entry["id"] for entry in listed.json()["data"]} == set(recipe.models)

        answer = chat(server, key)
        assert answer.status_code == 200
        [choice] = answer.json()["choices"]
        assert choice["message"]["content"]

        assert chat(server, {}).status_code == 401
        os.killpg(server.pid, 0)  # the group is there
    with pytest.raises(ProcessLookupError):
        os.killpg(server.pid, 0)
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{server.url}/models", trust_env=False)
    assert server.log.stat().st_size


@pytest.mark.real_server
def test_two_servers_of_one_recipe_run_at_once() -> None:
    with running(RECIPES["llama.cpp"]) as one, running(RECIPES["llama.cpp"]) as two:
        assert one.url != two.url
        for server in (one, two):
            assert chat(server, {"Authorization": f"Bearer {server.key}"}).status_code == 200


@pytest.mark.real_server
def test_the_tiny_model_speaks_ascii_and_ends_its_turn_by_chance() -> None:
    ends: set[str] = set()
    with running(RECIPES["llama.cpp"]) as server:
        for seed in range(20):
            answer = httpx.post(
                f"{server.url}/chat/completions",
                json={
                    "messages": [{"role": "user", "content": "Tell me more."}],
                    "max_tokens": 32,
                    "seed": seed,
                    "temperature": 1,
                },
                headers={"Authorization": f"Bearer {server.key}"},
                timeout=30,
                trust_env=False,
            )
            [choice] = answer.json()["choices"]
            text = choice["message"]["content"]
            assert text.isascii()
            assert text.isprintable()
            ends.add(choice["finish_reason"])
    assert ends == {"stop", "length"}


def test_an_installation_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[list[str]] = []

    def installation(_: Recipe, venv: Path) -> list[list[str]]:
        steps = [[sys.executable, "-m", "venv", "--without-pip", str(venv)]]
        made.extend(steps)
        return steps

    monkeypatch.setattr(serving, "installation", installation)
    venv = install(broken(), tmp_path)
    assert venv == tmp_path / "llama.cpp-0"
    assert install(broken(), tmp_path) == venv
    assert len(made) == 1
    install(broken(requirements=("pip==1",)), tmp_path)  # the stamp is another one: made anew
    assert len(made) == 2


def test_recipes_that_share_an_installation_do_not_make_it_anew_for_each_other() -> None:
    made: dict[str, set[str]] = {}
    for recipe in RECIPES.values():
        made.setdefault(recipe.home, set()).add(serving.fingerprint(recipe))

    assert RECIPES["litellm-gateway"].home == RECIPES["litellm"].home
    assert {home for home, prints in made.items() if len(prints) > 1} == set()


def test_a_failed_installation_is_one_line_that_names_the_log(tmp_path: Path) -> None:
    recipe = broken(requirements=("no name at all",))
    with pytest.raises(ServerError, match=r"\Allama\.cpp: .*install\.log\]\Z"):
        install(recipe, tmp_path)
    assert not (tmp_path / "llama.cpp-0" / "stamp").exists()


def test_a_server_that_dies_while_it_starts_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        serving,
        "installation",
        lambda _, venv: [[sys.executable, "-m", "venv", "--without-pip", str(venv)]],
    )
    with (
        pytest.raises(ServerError, match=r"\Allama\.cpp: exits with 1: .*absent\.py.*\.log\]\Z"),
        running(broken(), tmp_path),
    ):
        pytest.fail("it never starts")


def test_a_server_ends_when_its_parent_lets_go(tmp_path: Path) -> None:
    script = tmp_path / "server.py"
    script.write_text("import signal; print('up', flush=True); signal.pause()")
    child = subprocess.Popen(
        [sys.executable, HERE / "leash.py", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    with child:
        assert child.stdin
        assert child.stdout
        assert child.stdout.readline() == b"up\n"
        child.stdin.close()
        assert child.wait(timeout=30) == -signal.SIGKILL
