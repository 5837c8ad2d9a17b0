"""What the checks say to a model: a closed set of prompts, short and cheap.

The law: no check judges wording. A prompt asks for an answer that is *forced* (repeat this, count
to that, say the word given above), so that a missing word is a dropped message, not a mood.
"""

from typing import Any

HELLO = "Say hello."
SENTENCE = "Write one sentence about the sea."
COUNT = "Count from 1 to 300, separated by spaces. Write nothing else."
COUNT_ON = "Count from 1 to 2000, separated by spaces. Write nothing else."
COLOUR = "Is this picture red, green, blue or yellow? Answer with one word."
COLOURS = (
    "Is each of these pictures red, green, blue or yellow? Answer with one word for each picture, "
    "in order."
)
ASK_WORD = "What is the code word? Answer with the code word only."
ASK_TWO_WORDS = "What are the two code words, in order? Answer with the two code words only."
WEATHER = "What is the weather in Paris? Use the tool."

WEATHER_TOOL: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Current weather at a place",
        "parameters": {
            "type": "object",
            "properties": {"location": {"type": "string"}},
            "required": ["location"],
        },
    },
}


def _function(name: str, description: str, /, **properties: Any) -> dict[str, Any]:
    """A tool with a function of these parameters, all of them required and no others allowed."""
    parameters = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    function = {"name": name, "description": description, "parameters": parameters}
    return {"type": "function", "function": function}


TIME_TOOL = _function("get_time", "Current time at a place", location={"type": "string"})
"""Beside `WEATHER_TOOL`: the one that the prompt does not ask for (CC-TOOL-020)."""

WEATHER_ELSEWHERE = "What is the weather in London? Use the tool."
WEATHER_TWICE = "What is the weather in Paris and in London? Use the tool once for each place."

FORECAST_TOOL = _function(
    "get_forecast",
    "Weather forecast for a place",
    location={"type": "string"},
    unit={"type": "string", "enum": ["celsius", "fahrenheit"]},
    days={"type": "integer"},
    hourly={"type": "boolean"},
)
"""Asks for more than `WEATHER` says: a model that is not held to the schema leaves things out."""

LONG_NAME = "keep_a-note_under_a-name_of-exactly_sixty-four_characters-as_one"
"""As long as the name of a function may be, with both signs that it may hold (CC-TOOL-027)."""

NOTE_TOOL = _function(LONG_NAME, "Keeps a note", note={"type": "string"})
NOTE = "Lunch \U0001f642 with \u674e\u660e at noon"
KEEP_NOTE = f'Keep a note that says "{NOTE}". Use the tool.'

LOOK_UP_TOOL = _function("get_code_word", "Looks up the code word")
LOOK_UP = f"Use the tool to look it up. {ASK_WORD}"


def say_word(word: str) -> str:
    """A sentence that gives the model a code word."""
    return f"The code word is {word}."


def repeat(text: str) -> str:
    """Asks for `text` back, character by character."""
    return f"Repeat the following text exactly, and nothing else:\n\n{text}"


FILLER = (
    "The harbour lies between two hills and has been busy since the oldest maps were drawn. Boats "
    "leave at dawn with nets and empty crates, and they return before the light fades. In winter "
    "the market moves under the arches, where bread, fish and apples are sold until noon. Nobody "
    "here is in a hurry, and the bells mark every hour."
)
"""About sixty words that raise `prompt_tokens` and say nothing (CC-REQ-049)."""

UNICODE = {
    "accents": "Café, naïve, Übergröße, señor",
    "CJK": "你好世界、こんにちは、안녕하세요",
    "Arabic": "مرحبا بالعالم",
    "emoji": "🙂👩‍👩‍👧‍👦🚀🇩🇪",
}
"""Texts beyond ASCII: Latin with accents, CJK, Arabic, and emoji outside the BMP."""
