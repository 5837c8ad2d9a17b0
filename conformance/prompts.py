"""What the checks say to a model: a closed set of prompts, short and cheap.

The law: no check judges wording. A prompt asks for an answer that is *forced* (repeat this, count
to that, say the word given above), so that a missing word is a dropped message, not a mood.
"""

HELLO = "Say hello."
COUNT = "Count from 1 to 300, separated by spaces. Write nothing else."
ASK_WORD = "What is the code word? Answer with the code word only."
ASK_TWO_WORDS = "What are the two code words, in order? Answer with the two code words only."
WEATHER = "What is the weather in Paris? Use the tool."

WEATHER_TOOL = {
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
    "emoji": "🙂👩‍👩‍👧‍👦🚀🇩🇪",
}
"""Three texts beyond ASCII: Latin with accents, CJK, and emoji outside the BMP."""
