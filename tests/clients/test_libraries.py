"""Client libraries: found or told absent, and asked for what a target can take."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from conformance import libraries
from conformance.chat import Chat
from conformance.driving import driven, environment
from conformance.libraries import LIBRARIES, ROUND, absent, command, programme
from conformance.outcomes import Unsupported
from conformance.target.profile import Profile
from conformance.wire.client import Client, Endpoint
from tests.clients.scripted import ABLE, KEY, NOWHERE

# -- what is not installed --------------------------------------------------------------------


def test_without_libraries_every_clause_of_a_client_is_absent(
    empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(libraries, "find_spec", lambda module: None)

    assert absent() == {i for library in LIBRARIES.values() for i in library.clauses}


@pytest.mark.parametrize("name", LIBRARIES)
def test_a_library_that_is_not_installed_says_how_it_is(
    empty: Path, monkeypatch: pytest.MonkeyPatch, chat: Chat, name: str
) -> None:
    monkeypatch.setattr(libraries, "find_spec", lambda module: None)
    monkeypatch.setattr("shutil.which", lambda program: "/usr/bin/node")

    with pytest.raises(Unsupported, match=r"is not installed: (pip|npm) install|: make clients"):
        driven(chat, name)


def test_without_node_its_libraries_are_not_run(
    empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda program: None)

    with pytest.raises(Unsupported, match="there is no node"):
        command(LIBRARIES["openai-node"])


def test_no_client_runs_where_none_may(chat: Chat) -> None:
    chat.clients = None

    with pytest.raises(Unsupported, match="--no-clients"):
        driven(chat, "openai-python")
    assert chat.afresh().clients is None


# -- what they are asked ----------------------------------------------------------------------


def test_all_programmes_together_are_at_most_fifty_five_requests(chat: Chat) -> None:
    steps = {name: [step["name"] for step in programme(chat, name)] for name in LIBRARIES}
    counted = {name: len(names) + names.count(ROUND) for name, names in steps.items()}

    assert 50 <= sum(counted.values()) <= 55  # README says about fifty
    assert min(counted.values()) > 0
    assert sum(names.count(ROUND) for names in steps.values()) == len(LIBRARIES) - 1


def test_other_keys_are_tried_where_the_profile_names_them_and_only_by_name(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = {"limited": "SLOW", "restricted": "NARROW"}
    known = replace(chat.profile, keys=keys)
    endpoint = replace(chat.client.endpoint, spare_keys={"SLOW": "sk-slow-1", "NARROW": "sk-na-2"})
    monkeypatch.setenv("SLOW", "sk-slow-1")
    monkeypatch.setattr(chat, "profile", known)

    for name in ("openai-python", "openai-node", "langchain-openai", "litellm"):
        steps = programme(chat, name)
        given = environment(endpoint, steps)
        asked = {step["name"]: step.get("key_env") for step in steps}
        assert {purpose: given[str(asked[purpose])] for purpose in keys} == {
            "limited": "sk-slow-1",
            "restricted": "sk-na-2",
        }
        assert "exhausted" not in asked
        assert "SLOW" not in given
    assert not {"sk-slow-1", "sk-na-2"} & set(environment(endpoint).values())


def test_models_are_listed_by_every_library_that_can(chat: Chat) -> None:
    def listing(asked: Chat) -> set[str]:
        return {
            name
            for name in LIBRARIES
            if any(step["kind"] == "models" for step in programme(asked, name))
        }

    able = {"openai-python", "openai-python 1.x", "openai-node"}
    assert listing(chat) == {*able, "litellm"}
    with Client(Endpoint("http://127.0.0.1:9/api", KEY), "test") as elsewhere:
        # LiteLLM would ask /api/v1/models, which is not the target's.
        assert listing(Chat(elsewhere, chat.profile, chat.model)) == able


def test_every_stream_asks_for_usage_where_the_target_counts(chat: Chat) -> None:
    counting = {
        (name, step["kind"])
        for name in LIBRARIES
        for step in programme(chat, name)
        if "stream_options" in step["body"]
    }

    assert counting == {
        *(("openai-python", kind) for kind in ("chunks", "final", "async_chunks")),
        *(("openai-node", "final"), ("@ai-sdk/openai-compatible", "stream")),
        ("langchain-openai", "stream"),
        *(("litellm", kind) for kind in ("openai_stream", "hosted_vllm_stream")),
    }


def test_a_programme_asks_for_nothing_that_the_target_lacks() -> None:
    client = Client(Endpoint(NOWHERE, KEY), "test")
    unable = Profile(name="unable", capabilities=dict.fromkeys(ABLE, False))
    chat = Chat(client, unable, "vendor/model")

    asked = {step["name"] for name in LIBRARIES for step in programme(chat, name)}

    assert asked == {
        *("create", "async_create", "generate", "invoke", "openai", "hosted_vllm"),
        *("n in words", "unknown model"),
    }
    client.close()
