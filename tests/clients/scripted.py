"""A client library whose interpreter is a shell script, and what a driver of one writes."""

from __future__ import annotations

import base64
import json
import stat
from pathlib import Path
from typing import Any

import pytest

from conformance import libraries
from conformance.libraries import LIBRARIES, Library

KEY = "sk-canary-0123456789"
NOWHERE = "http://127.0.0.1:9/v1"
FLAGS = ("auth", "models", "retrieve", "stream", "stream_usage", "tools", "json_schema")
ABLE = dict.fromkeys(FLAGS, True)


def scripted(
    folder: Path, monkeypatch: pytest.MonkeyPatch, script: str, name: str = "litellm"
) -> Library:
    """The library of that name, its interpreter replaced by a shell script."""
    library = LIBRARIES[name]
    python = folder / library.place / "bin" / "python"
    package = folder / library.place / "lib" / "python3" / "site-packages" / library.package
    python.parent.mkdir(parents=True)
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    python.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(libraries, "find_spec", lambda module: None)
    return library


def line(**more: Any) -> str:
    return f"echo '{json.dumps(more)}'"


def reply_of(**more: Any) -> dict[str, Any]:
    """An exchange as a driver writes it."""
    fields = {"method": "POST", "url": f"{NOWHERE}/chat/completions", "user_agent": "a", "sent": ""}
    return {**fields, "status": 200, "headers": [], "body": "", "failure": "", **more}


def coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
