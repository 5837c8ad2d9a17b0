"""Drives one Python client library against a target: `python drive.py LIBRARY`, job on stdin.

The laws:

1. A script for any interpreter that has the library: the suite runs it and never imports it.
2. It judges nothing. Each step is one line of JSON: what the library returned or raised, and the
   exchanges that it had, as its HTTP client gave them to it. A step that fails ends no other.
3. The key and the headers come from the environment; what is written holds no request header but
   `User-Agent`.

The job is one JSON object: `base_url`, `model`, `timeout` (seconds), and `steps`, each with a
`name`, a `kind` (the name of a method below), a `body` (the request's fields), and where the right
key is not to be used a `key`, or `key_env`, the variable that holds it. `wait` and `gap` are the
seconds before the first step and between two of them, at a rate. The libraries keep their own
defaults, retries included; `create_once` repeats nothing.
"""

import asyncio
import base64
import importlib
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from importlib.metadata import version
from typing import Any

MOST_BYTES = 16 * 1024 * 1024
"""Of one reply's body; a library that is sent more is stopped."""

LONGEST = 100_000
"""Characters of what an exception says: more than the suite shows, which masks the key first."""

MOST_ERRORS = 20

RESULT = "14 degrees Celsius, light rain"
"""What every tool returns."""

EXCHANGES: list["Recorder"] = []
"""What went over the wire in the step that runs."""


class TooLargeError(Exception):
    """The target sends more than any answer holds."""


# -- recording --------------------------------------------------------------------------------


class Recorder:
    """The body of one reply, as it comes."""

    def __init__(self, response: Any) -> None:
        request = response.request
        self.body = bytearray()
        self.entry: dict[str, Any] = {
            "method": request.method,
            "url": str(request.url),
            "user_agent": request.headers.get("user-agent", ""),
            "sent": base64.b64encode(request.content).decode(),
            "status": response.status_code,
            "headers": [list(pair) for pair in response.headers.multi_items()],
        }
        self.failure = "left before its end"
        EXCHANGES.append(self)

    def add(self, piece: bytes) -> None:
        self.body += piece
        if len(self.body) > MOST_BYTES:
            raise TooLargeError(f"the body exceeds {MOST_BYTES} bytes")

    def told(self) -> dict[str, Any]:
        """The exchange, its body as far as the library has read."""
        body = base64.b64encode(bytes(self.body)).decode()
        return {**self.entry, "body": body, "failure": self.failure}


def record(library: str) -> None:
    """Keep every reply that `library` (httpx, or httpx2) reads, content codings undone."""
    try:
        module = importlib.import_module(library)
    except ImportError:
        return
    iterate, aiterate = module.Response.iter_bytes, module.Response.aiter_bytes

    def iter_bytes(self: Any, chunk_size: int | None = None) -> Iterator[bytes]:
        if hasattr(self, "_content"):  # read already, and recorded then
            yield from iterate(self, chunk_size)
            return
        recorder = Recorder(self)
        try:
            for piece in iterate(self, chunk_size):
                recorder.add(piece)
                yield piece
            recorder.failure = ""
        except Exception as error:
            recorder.failure = f"{type(error).__name__}: {error}"[:LONGEST]
            raise

    async def aiter_bytes(self: Any, chunk_size: int | None = None) -> AsyncIterator[bytes]:
        if hasattr(self, "_content"):
            async for piece in aiterate(self, chunk_size):
                yield piece
            return
        recorder = Recorder(self)
        try:
            async for piece in aiterate(self, chunk_size):
                recorder.add(piece)
                yield piece
            recorder.failure = ""
        except Exception as error:
            recorder.failure = f"{type(error).__name__}: {error}"[:LONGEST]
            raise

    module.Response.iter_bytes, module.Response.aiter_bytes = iter_bytes, aiter_bytes


def plain(value: Any) -> Any:
    """A model of pydantic as plain data, members that were not sent left out."""
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json", exclude_unset=True, warnings=False)
    return value if isinstance(value, dict | list | str | None) else type(value).__name__


def results(calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The messages that answer calls."""
    return [{"role": "tool", "tool_call_id": one["id"], "content": RESULT} for one in calls]


def called(message: Any) -> list[dict[str, Any]]:
    """The calls of a message of openai's, or of a class made like it."""
    return [
        {"id": one.id, "name": one.function.name, "arguments": one.function.arguments}
        for one in message.tool_calls or []
    ]


def said(value: Any) -> dict[str, Any]:
    """A reply as a dict; anything else that a library returned, by its type."""
    found = plain(value)
    return found if isinstance(found, dict) else {"not_a_reply": type(value).__name__}


# -- libraries --------------------------------------------------------------------------------


class OpenAIPython:
    """openai-python, of any version since 1.0."""

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
        return said(chunk) if chunk.choices else {}

    def folded(self, chunks: list[dict[str, Any]]) -> dict[str, Any]:
        """The text of a stream, its last finish_reason, and the chunks that are not valid."""
        content, finish, invalid = "", None, []
        for chunk in filter(None, chunks):
            for choice in (chunk.get("choices") or [])[:1]:
                delta = choice.get("delta") or {}
                content += delta.get("content") or ""
                finish = choice.get("finish_reason") or finish
            invalid += self.invalid("chunk", chunk)
        return {"content": content, "finish_reason": finish, "invalid": invalid[:MOST_ERRORS]}

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


class LangChain:
    """langchain-openai."""

    packages = ("langchain-openai", "langchain-core", "openai")

    def __init__(self, job: Mapping[str, Any], headers: Mapping[str, str]) -> None:
        from langchain_openai import ChatOpenAI

        self.type: Callable[..., Any] = ChatOpenAI
        self.options = {
            "base_url": job["base_url"],
            "model": job["model"],
            "timeout": job["timeout"],
            "default_headers": headers,
            "use_responses_api": False,
        }

    def told(self, message: Any) -> dict[str, Any]:
        return {
            "content": message.content,
            "usage": message.usage_metadata,
            "finish_reason": message.response_metadata.get("finish_reason"),
        }

    def chat(self, key: str, body: dict[str, Any], usage: bool) -> tuple[Any, Any]:
        fields = {name: body[name] for name in body if name not in ("model", "messages")}
        return self.type(api_key=key, stream_usage=usage, extra_body=fields, **self.options), body[
            "messages"
        ]

    def tool_round(self, key: str, body: dict[str, Any]) -> Any:
        from langchain_core.messages import ToolMessage

        tools = body.pop("tools")
        chat, messages = self.chat(key, body, usage=False)
        bound = chat.bind_tools(tools)
        first = bound.invoke(messages)
        calls = [
            {"id": one["id"], "name": one["name"], "arguments": json.dumps(one["args"])}
            for one in first.tool_calls
        ]
        if not calls:
            return {"calls": calls}
        answers = [ToolMessage(RESULT, tool_call_id=one["id"]) for one in calls]
        return {"calls": calls, "last": self.told(bound.invoke([*messages, first, *answers]))}

    def structured(self, key: str, body: dict[str, Any]) -> Any:
        schema = body.pop("response_format")["json_schema"]
        wanted = {"title": schema["name"], "description": "A label", **schema["schema"]}
        chat, messages = self.chat(key, body, usage=False)
        found = chat.with_structured_output(wanted, method="json_schema").invoke(messages)
        return {"parsed": plain(found)}

    def invoke(self, key: str, body: dict[str, Any]) -> Any:
        chat, messages = self.chat(key, body, usage=False)
        return self.told(chat.invoke(messages))

    def stream(self, key: str, body: dict[str, Any]) -> Any:
        usage = bool(body.pop("stream_options", None))
        chat, messages = self.chat(key, body, usage)
        whole = None
        for chunk in chat.stream(messages):
            whole = chunk if whole is None else whole + chunk
        return self.told(whole)


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


LIBRARIES: Mapping[str, Callable[..., Any]] = {
    "openai": OpenAIPython,
    "langchain": LangChain,
    "litellm": LiteLLM,
}


# -- running ----------------------------------------------------------------------------------


def raised(error: Exception) -> dict[str, Any]:
    """An exception: its class and those above it, what it says, and what it carries of the error.

    `cause`: the class at the bottom of it.
    """
    bottom: BaseException = error
    while bottom.__cause__ is not None:
        bottom = bottom.__cause__
    return {
        "class": type(error).__name__,
        "bases": [base.__name__ for base in type(error).__mro__],
        "cause": type(bottom).__name__,
        "message": str(error)[:LONGEST],
        "status": getattr(error, "status_code", None),
        **{name: plain(getattr(error, name, None)) for name in ("type", "param", "code")},
    }


def main(name: str) -> None:
    """Run the steps of the job."""
    out, sys.stdout = sys.stdout, sys.stderr  # what a library prints is no step
    job = json.load(sys.stdin)
    key = os.environ.get("CONFORMANCE_CLIENT_KEY", "") or "none"
    headers = json.loads(os.environ.get("CONFORMANCE_CLIENT_HEADERS", "{}"))
    record("httpx")
    record("httpx2")
    library = LIBRARIES[name](job, headers)
    versions = {package: version(package) for package in library.packages}
    print(json.dumps({"name": "start", "versions": versions}), file=out, flush=True)
    time.sleep(job.get("wait", 0))
    for number, step in enumerate(job["steps"]):
        time.sleep(job.get("gap", 0) if number else 0)
        EXCHANGES.clear()
        line: dict[str, Any] = {"name": step["name"]}
        try:
            run = getattr(library, step["kind"])
            given = os.environ.get(step.get("key_env", ""), "") or step.get("key") or key
            line["returned"] = run(given, dict(step["body"]))
        except Exception as error:
            line["raised"] = raised(error)
        print(
            json.dumps({**line, "exchanges": [one.told() for one in EXCHANGES]}),
            file=out,
            flush=True,
        )


if __name__ == "__main__":
    main(sys.argv[1])
