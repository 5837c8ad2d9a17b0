"""Chat-template and tool markup that leaked into a text (CC-MSG-011).

>>> markup("Hello.<|im_end|>")
'<|im_end|>'
>>> markup("Use a <div> and 2 < 3.") is None
True
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["markup"]

_BAR: Final = "\uff5c"  # DeepSeek's tokens stand between full-width bars
_MARKUP: Final = re.compile(
    r"<\|(?:im_start|im_end|im_sep|eot_id|eom_id|end_of_turn|start_header_id|end_header_id"
    r"|begin_of_text|end_of_text|endoftext|assistant|user|system|end|python_tag"
    r"|tool_calls?_begin|tool_calls?_end|channel|message|return|call|start)\|>"
    rf"|<{_BAR}[^{_BAR}<>]{{1,40}}{_BAR}>"
    r"|<(?:start|end)_of_turn>"
    r"|</?tool_calls?>"
    r"|\[/?(?:TOOL_CALLS|AVAILABLE_TOOLS|TOOL_RESULTS|INST)\]"
)


def markup(text: str) -> str | None:
    """The first piece of chat-template or tool markup in a text (CC-MSG-011), else None.

    A ``</think>`` counts where it closes nothing: a balanced block is CC-REAS-001's matter.
    """
    if found := _MARKUP.search(text):
        return found[0]
    depth = 0
    for tag in re.findall(r"</?think>", text):
        depth += 1 if tag == "<think>" else -1
        if depth < 0:
            return "</think>"
    return None
