"""litellm."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from .telling import called, plain, results, said


class LiteLLM:
    """litellm, whose routes are prefixes of the model's name."""

    packages = ("litellm", "openai")

    def __init__(self, job: Mapping[str, Any], headers: Mapping[str, str]) -> None:
        import litellm

        litellm.suppress_debug_info = True
        litellm.disable_hf_tokenizer_download = True  # nothing is fetched but from the target
        self.complete: Callable[..., Any] = litellm.completion
        self.listed: Callable[..., Any] = litellm.get_valid_models
        self.options: dict[str, Any] = {
            "api_base": job["base_url"],
            "timeout": job["timeout"],
            "extra_headers": headers,
        }
        if "retries" in job:
            self.options["max_retries"] = job["retries"]
        self.gap: float = job.get("gap", 0)

    def ask(self, route: str, key: str, body: dict[str, Any], stream: bool, **more: Any) -> Any:
        named = {**body, "model": f"{route}/{body['model']}"}
        return self.complete(api_key=key, stream=stream, **named, **{**self.options, **more})

    def folded(self, stream: Any) -> dict[str, Any]:
        content, finish, usage = "", None, None
        for chunk in stream:
            for choice in chunk.choices[:1]:
                content += choice.delta.content or ""
                finish = choice.finish_reason or finish
            usage = plain(getattr(chunk, "usage", None)) or usage
        return {"content": content, "finish_reason": finish, "usage": usage}

    def models(self, key: str, body: dict[str, Any]) -> Any:
        """What its route for vLLM lists: that for OpenAI asks the host, whatever its base URL."""
        from litellm.types.router import LiteLLM_Params

        asked = LiteLLM_Params(model="", extra_headers=self.options["extra_headers"])
        found = self.listed(
            check_provider_endpoint=True,
            custom_llm_provider="hosted_vllm",
            litellm_params=asked,
            api_key=key,
            api_base=self.options["api_base"],
        )
        return {"ids": list(found)}

    def create(self, key: str, body: dict[str, Any]) -> Any:
        return self.openai(key, body)

    def create_once(self, key: str, body: dict[str, Any]) -> Any:
        return said(self.ask("openai", key, body, stream=False, max_retries=0))

    def structured(self, key: str, body: dict[str, Any]) -> Any:
        found = self.ask("openai", key, body, stream=False)
        return {"content": found.choices[0].message.content}

    def tool_round(self, key: str, body: dict[str, Any]) -> Any:
        first = self.ask("openai", key, body, stream=False).choices[0].message
        calls = called(first)
        if not calls:
            return {"calls": calls}
        messages = [*body["messages"], first, *results(calls)]
        time.sleep(self.gap)
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
