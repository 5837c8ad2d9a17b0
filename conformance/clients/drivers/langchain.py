"""langchain-openai."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from .telling import RESULT, plain


class LangChain:
    """langchain-openai."""

    packages = ("langchain-openai", "langchain-core", "openai")

    def __init__(self, job: Mapping[str, Any], headers: Mapping[str, str]) -> None:
        from langchain_openai import ChatOpenAI

        self.type: Callable[..., Any] = ChatOpenAI
        self.options: dict[str, Any] = {
            "base_url": job["base_url"],
            "timeout": job["timeout"],
            "default_headers": headers,
            "use_responses_api": False,
        }
        if "retries" in job:
            self.options["max_retries"] = job["retries"]
        self.gap: float = job.get("gap", 0)

    def told(self, message: Any) -> dict[str, Any]:
        return {
            "content": message.content,
            "usage": message.usage_metadata,
            "finish_reason": message.response_metadata.get("finish_reason"),
        }

    def chat(self, key: str, body: dict[str, Any], usage: bool, **more: Any) -> tuple[Any, Any]:
        fields = {name: body[name] for name in body if name not in ("model", "messages")}
        named = {"model": body["model"], "stream_usage": usage, "extra_body": fields}
        return self.type(api_key=key, **{**self.options, **named, **more}), body["messages"]

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
        time.sleep(self.gap)
        answers = [ToolMessage(RESULT, tool_call_id=one["id"]) for one in calls]
        return {"calls": calls, "last": self.told(bound.invoke([*messages, first, *answers]))}

    def structured(self, key: str, body: dict[str, Any]) -> Any:
        schema = body.pop("response_format")["json_schema"]
        wanted = {"title": schema["name"], "description": "A label", **schema["schema"]}
        chat, messages = self.chat(key, body, usage=False)
        found = chat.with_structured_output(wanted, method="json_schema").invoke(messages)
        return {"parsed": plain(found)}

    def create(self, key: str, body: dict[str, Any]) -> Any:
        return self.invoke(key, body)

    def create_once(self, key: str, body: dict[str, Any]) -> Any:
        chat, messages = self.chat(key, body, usage=False, max_retries=0)
        return self.told(chat.invoke(messages))

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
