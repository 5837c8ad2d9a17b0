"""Calls and their results as history: what is accepted reaches the model (CC-TOOL, behaviour).

The law: a result that the model does not repeat was dropped only if the prompt's tokens do not show
it either; a model may forget.
"""

from typing import Any

from .asking import prompts
from .asking.battery import called, result
from .asking.invalid import USER
from .asking.parameters import offered, refused_as, taken_or_not
from .asking.recall import RECALL, nonce
from .chat import Chat
from .expect import require
from .guards import answered, counts, is_refusal, status_line, text, usage
from .outcomes import Blocked, Inconclusive
from .requirements import requirement
from .wire.exchange import Exchange

RISE = 30
"""Prompt tokens by which a result of some sixty words more is seen to have been read."""


@requirement("CC-TOOL-023")
def test_a_tools_result_reaches_the_model(chat: Chat) -> None:
    word = nonce()
    told = f"{prompts.FILLER} {prompts.say_word(word)}"
    counted = 0
    found = False
    for number in range(3):
        exchange = _answered_result(chat, told, number)
        found = word in text(exchange).upper()
        if found:
            break
        counted += counts(exchange)
    plain = _answered_result(chat, "Nothing was found.")
    if found:
        return
    long, short = usage(exchange), usage(plain)
    if long is None or short is None:
        raise Inconclusive("the code word did not come back, and there is no usage", exchange)
    grew = long["prompt_tokens"] - short["prompt_tokens"]
    if grew < RISE and counted < 3:
        raise Inconclusive(f"only {counted} of 3 answers count, none with the code word", exchange)
    require(
        grew >= RISE,
        "a tool's result reaches the model",
        f"its code word came back in 0 of {counted} trials, and prompt_tokens rose by {grew} only",
        on=exchange,
    )


def _answered_result(chat: Chat, content: str, number: int = 0) -> Exchange:
    """The reply to a question, a call and its result, which is `content`.

    Raises `Blocked` by CC-REQ-011 where all that is wrong with it is the call's null content.
    """
    call = called("call00023")
    function = {"name": prompts.LOOK_UP_TOOL["function"]["name"], "arguments": "{}"}
    call["tool_calls"][0]["function"] = function
    asked = {"role": "user", "content": prompts.LOOK_UP}

    def ask(said: dict[str, Any]) -> Exchange:
        turn = [asked, said, result("call00023", content)]
        tools = [prompts.LOOK_UP_TOOL]
        return chat.ask(messages=turn, tools=tools, sample=number, max_tokens=RECALL)

    exchange = ask(call)
    if is_refusal(exchange) and ask({**call, "content": "I look it up."}).status == 200:
        raise Blocked("CC-REQ-011", f"content null: {status_line(exchange)}", exchange)
    return offered(chat, exchange, what="a call and its result")


@requirement("CC-TOOL-024")
def test_a_result_without_its_call_is_refused(chat: Chat) -> None:
    refused_as("CC-TOOL-024", chat, "a tool's result without its call")


@requirement("CC-TOOL-025")
def test_a_call_without_its_result_is_refused(chat: Chat) -> None:
    refused_as("CC-TOOL-025", chat, "a call without its result")


@requirement("CC-TOOL-026")
def test_an_empty_list_of_calls_in_history_is_taken_either_way(chat: Chat) -> None:
    said = {"role": "assistant", "content": "Hello.", "tool_calls": []}
    exchange = answered(chat.ask(messages=[USER, said, USER], tools=[prompts.WEATHER_TOOL]))
    chat.observe(f"`tool_calls: []` in history is {taken_or_not(exchange)}")
