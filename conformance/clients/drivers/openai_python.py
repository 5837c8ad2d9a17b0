"""openai-python."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from .telling import called, plain, results, said

MOST_ERRORS = 20


class OpenAIPython:
    """Any version since 1.0."""

    packages = ("openai",)

    def __init__(self, job: Mapping[str, Any], headers: Mapping[str, str]) -> None:
        import openai
        from openai.types.chat import ChatCompletion, ChatCompletionChunk

        self.types: dict[str, Any] = {"completion": ChatCompletion, "chunk": ChatCompletionChunk}
        self.options: dict[str, Any] = {
            "base_url": job["base_url"],
            "timeout": job["timeout"],
            "default_headers": headers,
        }
        if "retries" in job:
            self.options["max_retries"] = job["retries"]
        self.gap: float = job.get("gap", 0)
        self.module = openai

    def client(self, key: str) -> Any:
        return self.module.OpenAI(api_key=key, **self.options)

    def create_once(self, key: str, body: dict[str, Any]) -> Any:
        return said(self.client(key).with_options(max_retries=0).chat.completions.create(**body))

    def tool_round(self, key: str, body: dict[str, Any]) -> Any:
        create = self.client(key).chat.completions.create
        first = create(**body)
        message = first.choices[0].message
        calls = called(message)
        told = {**said(first), "calls": calls, "invalid": self.invalid("completion", said(first))}
        if not calls:
            return told
        messages = [*body["messages"], message, *results(calls)]
        time.sleep(self.gap)
        return {**told, "last": said(create(**{**body, "messages": messages}))}

    def models(self, key: str, body: dict[str, Any]) -> Any:
        return {"ids": [getattr(model, "id", None) for model in self.client(key).models.list()]}

    def retrieve(self, key: str, body: dict[str, Any]) -> Any:
        return said(self.client(key).models.retrieve(body["model"]))

    def create(self, key: str, body: dict[str, Any]) -> Any:
        completion = said(self.client(key).chat.completions.create(**body))
        return {**completion, "invalid": self.invalid("completion", completion)}

    def chunks(self, key: str, body: dict[str, Any]) -> Any:
        stream = self.client(key).chat.completions.create(stream=True, **body)
        return self.folded([self.read(chunk) for chunk in stream])

    def read(self, chunk: Any) -> dict[str, Any]:
        """A chunk as plain data; raises what every loop over a stream would, where it is none."""
        return said(chunk) if chunk.choices else {"usage": plain(chunk.usage)}

    def folded(self, chunks: list[dict[str, Any]]) -> dict[str, Any]:
        """The text of a stream, its last finish_reason and usage, and what is not valid."""
        told: dict[str, Any] = {"content": "", "finish_reason": None, "usage": None}
        invalid: list[dict[str, Any]] = []
        for chunk in chunks:
            told["usage"] = chunk.get("usage") or told["usage"]
            if "choices" not in chunk:
                continue
            for choice in chunk["choices"][:1]:
                delta = choice.get("delta") or {}
                told["content"] += delta.get("content") or ""
                told["finish_reason"] = choice.get("finish_reason") or told["finish_reason"]
            invalid += self.invalid("chunk", chunk)
        return {**told, "invalid": invalid[:MOST_ERRORS]}

    def invalid(self, kind: str, value: Any) -> list[dict[str, Any]]:
        """What the library's own types, asked to validate, say of a reply."""
        from pydantic import ValidationError

        try:
            self.types[kind].model_validate(value)
        except ValidationError as error:
            listed = error.errors(include_url=False, include_input=False, include_context=False)
            return [{"loc": list(e["loc"]), "msg": e["msg"]} for e in listed[:MOST_ERRORS]]
        return []

    def final(self, key: str, body: dict[str, Any]) -> Any:
        with self.client(key).chat.completions.stream(**body) as stream:
            for _ in stream:
                pass
            return said(stream.get_final_completion())

    def parse(self, key: str, body: dict[str, Any]) -> Any:
        from typing import Literal

        from pydantic import BaseModel

        class Label(BaseModel):
            code: Literal["zq-amber-41", "zq-cedar-73"]
            sure: bool

        found = self.client(key).chat.completions.parse(response_format=Label, **body)
        return {**said(found), "parsed": plain(found.choices[0].message.parsed)}

    def async_create(self, key: str, body: dict[str, Any]) -> Any:
        async def run() -> Any:
            async with self.module.AsyncOpenAI(api_key=key, **self.options) as client:
                return said(await client.chat.completions.create(**body))

        return asyncio.run(run())

    def async_chunks(self, key: str, body: dict[str, Any]) -> Any:
        async def run() -> Any:
            async with self.module.AsyncOpenAI(api_key=key, **self.options) as client:
                stream = await client.chat.completions.create(stream=True, **body)
                return self.folded([self.read(chunk) async for chunk in stream])

        return asyncio.run(run())
