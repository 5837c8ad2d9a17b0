"""The order of a stream, as two tables: which chunk may follow which, and within a choice, what.

Laws
----
* A pair that stands in ``STREAM`` or ``CHOICE`` is legal, and says where it leads.
* A pair that is missing there is a breach, and the table beside it names the clause.
* There is no third kind: a test walks over all pairs that can occur.

::

    START -> (PREAMBLE)* -> for every choice i, interleaved: ROLE (TEXT|CALL|AUDIO|EMPTY)* FINISH
          -> USAGE, where include_usage was sent -> DONE;  ERROR from anywhere, then at most DONE
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final

__all__ = [
    "CHOICE",
    "CHOICE_BREACHES",
    "ONCE",
    "STREAM",
    "STREAM_BREACHES",
    "Breach",
    "Input",
    "Part",
    "Speech",
    "State",
    "next_speech",
]


class Input(enum.Enum):
    """What a ``data`` value is to the stream."""

    PREAMBLE = "a preamble"  # Azure: no choices, object "", no usage, before any choice
    CHUNK = "a chunk"  # with at least one choice
    FINISH = "a finishing chunk"  # with at least one finish_reason
    USAGE = "the usage chunk"  # no choices, a usage that was asked for
    VOID = "a chunk without choices"
    ERROR = "an error event"
    DONE = "[DONE]"


class State(enum.Enum):
    """Where the stream is."""

    START = "start"
    OPEN = "open"
    COUNTED = "counted"
    FAILED = "failed"
    ENDED = "ended"


STREAM: Final[Mapping[State, Mapping[Input, State]]] = {
    State.START: {
        Input.PREAMBLE: State.START,
        Input.VOID: State.START,
        Input.CHUNK: State.OPEN,
        Input.FINISH: State.OPEN,
        Input.USAGE: State.COUNTED,
        Input.ERROR: State.FAILED,
        Input.DONE: State.ENDED,
    },
    State.OPEN: {
        Input.VOID: State.OPEN,
        Input.CHUNK: State.OPEN,
        Input.FINISH: State.OPEN,
        Input.USAGE: State.COUNTED,
        Input.ERROR: State.FAILED,
        Input.DONE: State.ENDED,
    },
    State.COUNTED: {
        Input.ERROR: State.FAILED,
        Input.DONE: State.ENDED,
    },
    State.FAILED: {
        # Whether the body ends in time after an error is CC-SERR-005's, judged by the clock.
        Input.VOID: State.FAILED,
        Input.CHUNK: State.FAILED,
        Input.USAGE: State.FAILED,
        Input.ERROR: State.FAILED,
        Input.DONE: State.ENDED,
    },
    State.ENDED: {},
}

_LAST: Final = ("CC-STREAM-030", "the usage chunk is the last one before [DONE]")

STREAM_BREACHES: Final[Mapping[tuple[State, Input], tuple[str, str]]] = {
    (State.COUNTED, Input.VOID): _LAST,
    (State.COUNTED, Input.CHUNK): _LAST,
    (State.COUNTED, Input.FINISH): _LAST,
    (State.COUNTED, Input.USAGE): _LAST,
    (State.FAILED, Input.FINISH): ("CC-SERR-004", "no finish_reason follows an error event"),
}


class Part(enum.Enum):
    """What a chunk's choice holds; a delta may hold several, in this order."""

    ROLE = "the role assistant"
    OTHER_ROLE = "another role"
    TEXT = "content, refusal or reasoning"
    CALL = "a fragment of a call"
    AUDIO = "audio"
    OTHER = "other members only"
    EMPTY = "an empty delta"
    FINISH = "a finish_reason"


class Speech(enum.Enum):
    """Where a choice is."""

    SILENT = "silent"
    SPEAKING = "speaking"
    FINISHED = "finished"


CHOICE: Final[Mapping[Speech, Mapping[Part, Speech]]] = {
    Speech.SILENT: {Part.ROLE: Speech.SPEAKING},
    Speech.SPEAKING: {
        Part.TEXT: Speech.SPEAKING,
        Part.CALL: Speech.SPEAKING,
        Part.AUDIO: Speech.SPEAKING,
        Part.OTHER: Speech.SPEAKING,
        Part.EMPTY: Speech.SPEAKING,
        Part.FINISH: Speech.FINISHED,
    },
    Speech.FINISHED: {Part.OTHER: Speech.FINISHED},
}

_ROLE_FIRST: Final = (
    "CC-STREAM-008",
    "the first chunk of a choice has delta.role assistant",
    False,
)
_ROLE_ONCE: Final = ("CC-STREAM-009", "role appears only in the first delta of a choice", False)
_CLOSED: Final = ("CC-STREAM-013", "nothing follows the finish_reason of a choice", False)
ONCE: Final = ("CC-STREAM-012", "every choice gets exactly one finish_reason", False)
_NO_CALL: Final = ("CC-TOOL-016", "no fragment of a call follows the finish_reason", False)
_IDLE: Final = ("CC-STREAM-013", "no empty delta follows the finish_reason of a choice", True)

Breach = tuple[str, str, bool]  # clause, sentence, mild

CHOICE_BREACHES: Final[Mapping[tuple[Speech, Part], tuple[Breach, ...]]] = {
    (Speech.SILENT, Part.OTHER_ROLE): (_ROLE_FIRST,),
    (Speech.SILENT, Part.TEXT): (_ROLE_FIRST,),
    (Speech.SILENT, Part.CALL): (_ROLE_FIRST,),
    (Speech.SILENT, Part.AUDIO): (_ROLE_FIRST,),
    (Speech.SILENT, Part.OTHER): (_ROLE_FIRST,),
    (Speech.SILENT, Part.EMPTY): (_ROLE_FIRST,),
    (Speech.SILENT, Part.FINISH): (_ROLE_FIRST,),
    (Speech.SPEAKING, Part.ROLE): (_ROLE_ONCE,),
    (Speech.SPEAKING, Part.OTHER_ROLE): (_ROLE_ONCE,),
    (Speech.FINISHED, Part.ROLE): (_ROLE_ONCE,),
    (Speech.FINISHED, Part.OTHER_ROLE): (_ROLE_ONCE,),
    (Speech.FINISHED, Part.TEXT): (_CLOSED,),
    (Speech.FINISHED, Part.CALL): (_CLOSED, _NO_CALL),
    (Speech.FINISHED, Part.AUDIO): (_CLOSED,),
    (Speech.FINISHED, Part.EMPTY): (_IDLE,),
    (Speech.FINISHED, Part.FINISH): (ONCE, _CLOSED),
}


def next_speech(state: Speech, part: Part) -> tuple[Speech, tuple[Breach, ...]]:
    """One step of a choice: the state after it, and what it broke.

    A choice that begins without its role is taken to speak from then on; otherwise a breach
    leaves the state as it is.
    """
    following = CHOICE[state].get(part)
    if following is not None:
        return following, ()
    after = state if state is not Speech.SILENT else CHOICE[Speech.SPEAKING].get(part)
    return after or Speech.SPEAKING, CHOICE_BREACHES[state, part]
