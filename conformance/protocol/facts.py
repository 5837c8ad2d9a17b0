"""What the request asked for, as far as a rule about the reply depends on it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Facts"]


@dataclass(frozen=True, slots=True)
class Facts:
    """Plain facts about one exchange; the defaults are those of the plainest request.

    Attributes:
        n: how many choices were asked for (``n``).
        include_usage: ``stream_options.include_usage`` was true.
        calls_allowed: the request had ``tools`` or ``functions``, or calls in its history
            (CC-MSG-013).
        stream: ``stream`` was true.
        complete: the body ended cleanly: zero chunk, full length, or close of a body that only the
            close delimits. False where the connection was cut or the suite broke off: then nothing
            is said about how the body ends.
        functions: the deprecated ``functions`` was sent.
        custom: a custom tool was offered.
        audio: audio output was asked for.
        logprobs: log probabilities were asked for.
        top_logprobs: how many alternatives of each token were asked for.
        moderation: moderation results were asked for.
        include_obfuscation: ``stream_options.include_obfuscation``, None where it was left out.
    """

    n: int = 1
    include_usage: bool = False
    calls_allowed: bool = False
    stream: bool = True
    complete: bool = True
    functions: bool = False
    custom: bool = False
    audio: bool = False
    logprobs: bool = False
    top_logprobs: int = 0
    moderation: bool = False
    include_obfuscation: bool | None = None
