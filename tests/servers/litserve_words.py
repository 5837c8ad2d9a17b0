"""A LitServe server that says the same to everybody, word by word: a model of its user's own.

    python litserve_words.py --port PORT

It runs in the server's environment, not in ours, on 127.0.0.1. What is judged is LitServe's
`OpenAISpec`: it is all that a user gets who writes `predict`.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from importlib import import_module
from typing import Any

TEXT = "This is the answer of a model. It counts: 1 2 3 4 5 6 7 8 9 10. Here it ends."

litserve: Any = import_module("litserve")


class Words(litserve.LitAPI):  # type: ignore[misc]  # the module is not installed with us
    """The model."""

    def setup(self, device: str) -> None:
        """Nothing is loaded."""

    def predict(self, request: Any) -> Iterator[dict[str, Any]]:
        """A word at a time; the usage with the last, since LitServe adds up a whole reply's."""
        prompt = sum(len(said(message.content).split()) for message in request.messages)
        words = TEXT.split()
        for word in words:
            yield {"role": "assistant", "content": f"{word} "}
        counted = {"prompt_tokens": prompt, "completion_tokens": len(words)}
        total = prompt + len(words)
        yield {"role": "assistant", "content": "", **counted, "total_tokens": total}


def said(content: Any) -> str:
    """The text of a message, whether it comes whole or in parts."""
    parts = content if isinstance(content, list) else []
    return content if isinstance(content, str) else " ".join(getattr(p, "text", "") for p in parts)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    server = litserve.LitServer(Words(spec=litserve.OpenAISpec()), accelerator="cpu")
    server.run(
        host="127.0.0.1",
        port=parser.parse_args().port,
        generate_client_file=False,
        log_level="warning",
    )
