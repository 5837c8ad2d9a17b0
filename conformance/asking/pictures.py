"""What a model is asked about pictures, sound and files, as messages.

The law: the answer is one of a few words that the question lists, so that what is judged is whether
the model saw the picture, not how it speaks of it.
"""

from typing import Any

from conformance.protocol.parts import audio_part, file_part, image_part

from . import prompts

ROOM = 1024
"""Output bound of these calls: room to think first; the answer itself is a word or two."""

Messages = list[dict[str, Any]]


def question(text: str, *parts: dict[str, Any]) -> Messages:
    """One message of the user: a text, and what it is about."""
    return [{"role": "user", "content": [{"type": "text", "text": text}, *parts]}]


def which_colour(colour: str, **more: str) -> Messages:
    """Asks for the colour of a picture; `more` are further members of `image_url`."""
    return question(prompts.COLOUR, image_part(colour, **more))


def which_colours(*colours: str) -> Messages:
    """Asks for the colours of several pictures, in order."""
    return question(prompts.COLOURS, *map(image_part, colours))


SOUND: Messages = question(prompts.HELLO, audio_part())
"""Half a second of silence, and a greeting asked for."""

FILE: Messages = question(prompts.HELLO, file_part("The harbour lies between two hills."))
"""A page of one line, and a greeting asked for."""
