"""Requests at the limits of a model: how hard it thinks, how much it reads (CC-REQ)."""

import re

from .asking.battery import TIGHT
from .asking.long_input import LARGEST, Window, beyond, filling, window
from .chat import Chat
from .expect import require
from .guards import accepted, not_5xx, refused, status_line, usage
from .outcomes import Inconclusive, Unsupported
from .protocol.errors import read_error
from .requirements import requirement


@requirement("CC-REQ-041")
def test_reasoning_effort_is_one_of_the_specified_words(chat: Chat) -> None:
    name = "reasoning_effort"
    accepted(chat.ask(reasoning_effort="low"), optional=(name,), what=f"{name} 'low'")
    extreme = chat.ask(reasoning_effort="extreme")
    refused(extreme, what=f"{name} 'extreme'", statuses=(400, 422))


CODE = "context_length_exceeded"
"""What clients look for before they shorten a conversation."""

_TOLD = re.compile(r"context|maximum.*tokens", re.IGNORECASE | re.DOTALL)
"""What some of them look for in the message instead."""


@requirement("CC-REQ-048")
def test_input_beyond_the_context_window_is_refused(chat: Chat) -> None:
    known = window(chat)
    if known is None:
        raise Unsupported(
            "neither the profile (context_tokens) nor GET /models tells the window, and to look "
            "for it would be billed"
        )
    long = chat.long_context
    documented = chat.profile.model(chat.model).context_tokens
    taken = ""
    if long and documented is not None and long <= documented:
        _taken_whole(chat, long, documented)
        taken = f"about {long:,} tokens are accepted; "
    if known.tokens > max(LARGEST, long):
        raise Unsupported(
            f"{taken}a prompt beyond {known.tokens:,} tokens is sent only with --long-context "
            f"{known.tokens}: it is billed where it is accepted"
        )
    _refused_beyond(chat, known)


def _refused_beyond(chat: Chat, known: Window) -> None:
    """A prompt that is a tenth longer than the window is refused in words that clients know."""
    exchange = chat.ask(beyond(known.tokens), **{chat.bound_name: TIGHT})
    what = f"input beyond the {known.tokens:,} tokens that {known.source}"
    if not_5xx(exchange, f"status 400 for {what}").status == 413:
        raise Inconclusive(f"the body is too large already: {status_line(exchange)}", exchange)
    counted = usage(exchange) if exchange.status == 200 else None
    if exchange.status == 200 and (counted is None or counted["prompt_tokens"] > known.tokens):
        read = "no usage" if counted is None else f"{counted['prompt_tokens']:,} prompt_tokens"
        raise Inconclusive(f"accepted, with {read}: the window may be larger", exchange)
    refused(exchange, what=what, statuses=(400, 422))
    error = read_error(exchange.body)
    told = error is not None and (error.code == CODE or _TOLD.search(error.message or ""))
    required = f"code {CODE!r}, or a message that speaks of the context or its maximum"
    require(bool(told), required, status_line(exchange), on=exchange)


def _taken_whole(chat: Chat, tokens: int, documented: int) -> None:
    """A prompt of so many tokens is accepted, and all of it reaches the model."""
    exchange = chat.ask(filling(tokens), **{chat.bound_name: TIGHT})
    accepted(exchange, what=f"about {tokens:,} tokens of the {documented:,} that are documented")
    counted = usage(exchange)
    if counted is not None:
        require(
            counted["prompt_tokens"] >= tokens // 2,
            f"prompt_tokens near {tokens:,}: the prompt reaches the model whole",
            counted["prompt_tokens"],
            at="$.usage.prompt_tokens",
            on=exchange,
        )
