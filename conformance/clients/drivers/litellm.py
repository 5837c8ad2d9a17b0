"""litellm."""

from collections.abc import Callable, Mapping
from typing import Any

from .telling import called, results, said


class LiteLLM:
    """litellm, whose routes are prefixes of the model's name."""

    packages = ("litellm", "openai")

    def __init__(self, job: Mapping[str, Any], headers: Mapping[str, str]) -> None:
        import litellm

        litellm.suppress_debug_info = True
        litellm.disable_hf_tokenizer_download = True  # nothing is fetched but from the target
        self.complete: Callable[..., Any] = litellm.completion
        self.options = {
            "api_base": job["base_url"],
            "timeout": job["timeout"],
            "extra_headers": headers,
        }

    def ask(self, route: str, key: str, body: dict[str, Any], stream: bool) -> Any:
        named = {**body, "model": f"{route}/{body['model']}"}
        return self.complete(api_key=key, stream=stream, **named, **self.options)

    def folded(self, stream: Any) -> dict[str, Any]:
        content, finish = "", None
        for chunk in stream:
            for choice in chunk.choices[:1]:
                content += choice.delta.content or ""
                finish = choice.finish_reason or finish
        return {"content": content, "finish_reason": finish}

    def tool_round(self, key: str, body: dict[str, Any]) -> Any:
        first = self.ask("openai", key, body, stream=False).choices[0].message
        calls = called(first)
        if not calls:
            return {"calls": calls}
        messages = [*body["messages"], first, *results(calls)]
        last = said(self.ask("openai", key, {**body, "messages": messages}, stream=False))
        return {"calls": calls, "last": last}

    def openai(self, key: str, body: dict[str, Any]) -> Any:
        return said(self.ask("openai", key, body, stream=False))

    def openai_stream(self, key: str, body: dict[str, Any]) -> Any:
        return self.folded(self.ask("openai", key, body, stream=True))

    def hosted_vllm(self, key: str, body: dict[str, Any]) -> Any:
        return said(self.ask("hosted_vllm", key, body, stream=False))

    def hosted_vllm_stream(self, key: str, body: dict[str, Any]) -> Any:
        return self.folded(self.ask("hosted_vllm", key, body, stream=True))
