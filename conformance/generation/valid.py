"""What a valid request may hold: one row for each feature, with the clause that wants it accepted.

The laws:

1. Every value of a row is valid by the schema and by the rules between fields, whatever other
   features stand beside it; two features with one `key` exclude each other.
2. Cheap by construction: the question asks for a greeting, the answer is bounded, no row asks for
   more than two choices.
3. A row's first value is its plainest: a target that refuses that one by name does not offer the
   feature, and no request holds it.

What is left out, since servers that are right differ in it: a history that ends with the
assistant's turn, token ids beyond the smallest vocabularies, special tokens as text.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from conformance.asking import prompts

from .drawing import choice_of, one_of
from .material import texts, tools
from .parts import Feature, Message, Part


def _feature(  # the table below reads as one
    name: str,
    clause: str,
    names: str,
    plain: Part,
    others: SearchStrategy[Part],
    *,
    key: str = "",
    needs: tuple[str, ...] = (),
) -> Feature:
    words = tuple(names.split())
    values = one_of([st.just(plain), others])
    return Feature(name, clause, words, values, plain, key or words[0], needs)


# --- parameters ---------------------------------------------------------------------------------


def _setting(
    clause: str, parameter: str, *values: Any, needs: tuple[str, ...] = (), name: str = ""
) -> Feature:
    """A row for one parameter; the first value is the plainest, and no neutral one: a target that
    fixes its sampling takes those alone."""
    parts = [Part(name or parameter, {parameter: value}) for value in values]
    return Feature(
        name or parameter, clause, (parameter,), choice_of(parts), parts[0], parameter, needs
    )


def _hundredths(least: int, most: int) -> list[float]:
    """Numbers with up to two decimals, whole ones as integers too, both ends among them."""
    fractions = [number / 100 for number in range(least, most + 1)]
    return [*range(-(-least // 100), most // 100 + 1), *fractions]


SEEDS = (-1, 0, 1, *(2**power - 1 for power in range(2, 54)), *(-(2**p) for p in range(1, 54)))

STOPS = ("\u2603", "###", "END", "\n\n\n", "🛑", " zz", "\u2028", "}", '"', "\\n", "stop here", "Ω")

USERS = ("x", "user-1234", "0", "a b", "é", "用户", "🙂", "a" * 64, "00000000-0000-0000", "%00")

KEYS = ("a", "b", "key", "k" * 64, "größe", "a.b", "0")
DATA = ("x", "", "value", "v" * 512, "値", '{"a": 1}', "0")


def _stops() -> SearchStrategy[Part]:
    lists = st.lists(choice_of(STOPS), min_size=1, max_size=4, unique=True)
    return one_of([choice_of(STOPS), lists]).map(lambda stop: Part("stop", {"stop": stop}))


def _metadata() -> SearchStrategy[Part]:
    pairs = st.dictionaries(choice_of(KEYS), choice_of(DATA), min_size=1, max_size=7)
    return pairs.map(lambda given: Part("metadata", {"metadata": given}))


def _biases() -> SearchStrategy[Part]:
    given = st.dictionaries(
        choice_of(("0", "1", "2", "10", "99")), choice_of((0, -100, 100, -1, 1, 37)), max_size=5
    )
    return given.map(lambda bias: Part("logit_bias", {"logit_bias": bias}))


def _logprobs(*tops: int) -> list[Part]:
    return [Part("logprobs", {"logprobs": True, "top_logprobs": top}) for top in tops]


NULLABLE = (
    *("temperature", "top_p", "n", "stop", "stream", "stream_options", "presence_penalty"),
    *("frequency_penalty", "logprobs", "top_logprobs", "seed"),
)
"""Parameters whose null equals omission (CC-REQ-015), but for the bounds: one always stands."""


def _nulls() -> SearchStrategy[Part]:
    names = st.lists(choice_of(NULLABLE), min_size=1, max_size=6, unique=True)
    return names.map(lambda given: Part("nulls", dict.fromkeys(given)))


def _streams() -> SearchStrategy[Part]:
    options: list[dict[str, Any]] = [
        {"stream_options": {"include_usage": True}},
        {"stream_options": {"include_usage": False}},
        {"stream_options": {}},
        {"stream_options": None},
    ]
    return choice_of([Part("stream_options", {"stream": True, **given}) for given in options])


# --- tools --------------------------------------------------------------------------------------


def _with_tools(**others: Any) -> Part:
    (name,) = others
    return Part(name, {"tools": [prompts.WEATHER_TOOL], **others})


# --- messages -----------------------------------------------------------------------------------


USER: Message = {"role": "user", "content": prompts.HELLO}
SAID: Message = {"role": "assistant", "content": "Hello."}
BRIEF = "You are brief."


def _led_by(role: str) -> SearchStrategy[Part]:
    return texts().map(lambda text: _leading(role, text))


def _leading(role: str, text: str) -> Part:
    return Part(role, before=({"role": role, "content": text},), leads=True)


def _called_by(name: str) -> Part:
    return Part("name", named={"name": name})


def _histories() -> SearchStrategy[Part]:
    def turns(said: Sequence[str]) -> Part:
        told = [({"role": "user", "content": one}, SAID) for one in said]
        return Part("history", before=tuple(message for turn in told for message in turn))

    return st.lists(texts(), min_size=1, max_size=4).map(turns)


def _orders() -> SearchStrategy[Part]:
    order = st.lists(choice_of((SAID, USER)), min_size=1, max_size=5)
    return order.map(lambda turns: Part("order of roles", before=tuple(turns)))


def _called(content: Mapping[str, Any]) -> Part:
    """A call in the history, beside `content`, its result, and what the assistant said then."""
    function = {"name": "get_weather", "arguments": '{"location": "Paris"}'}
    call = {"id": "call00001", "type": "function", "function": function}
    turn = {"role": "assistant", **content, "tool_calls": [call]}
    result = {"role": "tool", "tool_call_id": "call00001", "content": "18 °C, sunny"}
    before = ({"role": "user", "content": prompts.WEATHER}, turn, result, SAID)
    return Part("tool history", {"tools": [prompts.WEATHER_TOOL]}, before)


# --- the table ----------------------------------------------------------------------------------

FEATURES: tuple[Feature, ...] = (
    _setting("CC-SSE-001", "stream", True, needs=("stream",)),
    _feature(
        "stream_options",
        "CC-REQ-040",
        "stream_options include_usage",
        Part("stream_options", {"stream": True, "stream_options": {"include_usage": True}}),
        _streams(),
        key="stream",
        needs=("stream", "stream_usage"),
    ),
    _setting("CC-REQ-020", "temperature", 0.7, *_hundredths(0, 100)),
    _setting("CC-REQ-050", "temperature", *_hundredths(101, 200), name="high temperature"),
    _setting("CC-REQ-022", "top_p", 0.5, *_hundredths(0, 100)),
    _setting("CC-REQ-028", "presence_penalty", 0.5, *_hundredths(-200, 200)),
    _setting("CC-REQ-028", "frequency_penalty", 0.5, *_hundredths(-200, 200)),
    _setting("CC-REQ-032", "seed", *SEEDS),
    _setting("CC-REQ-026", "n", 2, 1, needs=("n",)),
    replace(_setting("CC-REQ-024", "max_tokens", *range(64, 0, -1)), choosy=True),  # CC-SAMP-005
    _feature("stop", "CC-REQ-027", "stop", Part("stop", {"stop": "\u2603"}), _stops()),
    _feature(
        "logprobs",
        "CC-REQ-031",
        "logprobs top_logprobs",
        _logprobs(1)[0],
        choice_of(_logprobs(*range(21))),
        needs=("logprobs",),
    ),
    _feature(
        "logit_bias",
        "CC-REQ-029",
        "logit_bias",
        Part("logit_bias", {"logit_bias": {}}),
        _biases(),
        needs=("logit_bias",),
    ),
    _setting("CC-REQ-033", "user", *USERS),
    _setting("CC-REQ-033", "safety_identifier", *USERS),
    _setting("CC-REQ-033", "prompt_cache_key", *USERS),
    _setting("CC-REQ-036", "response_format", {"type": "text"}),
    _setting("CC-REQ-018", "store", False),
    _setting("CC-REQ-018", "service_tier", "auto"),
    _feature(
        "metadata",
        "CC-REQ-034",
        "metadata store",
        Part("metadata", {"metadata": {"zq1": "a", "zq2": "b"}}),
        _metadata(),
    ),
    _feature("nulls", "CC-REQ-015", " ".join(NULLABLE), Part("nulls", {"n": None}), _nulls()),
    _feature(
        "tools",
        "CC-REQ-037",
        "tools tool function functions",
        Part("tools", {"tools": [prompts.WEATHER_TOOL]}),
        tools().map(lambda given: Part("tools", {"tools": given})),
        needs=("tools",),
    ),
    _feature(
        "tool_choice",
        "CC-REQ-039",
        "tool_choice tool",
        _with_tools(tool_choice="auto"),
        choice_of([_with_tools(tool_choice=choice) for choice in ("auto", "none")]),
        key="tools",
        needs=("tools",),
    ),
    _feature(
        "parallel_tool_calls",
        "CC-REQ-018",
        "parallel_tool_calls parallel",
        _with_tools(parallel_tool_calls=True),
        choice_of([_with_tools(parallel_tool_calls=value) for value in (True, False)]),
        key="tools",
        needs=("tools",),
    ),
    _feature(
        "tool history",
        "CC-REQ-011",
        "tools tool",
        _called({"content": None}),
        choice_of([_called(given) for given in ({"content": None}, {"content": ""}, {})]),
        key="tools",
        needs=("tools",),
    ),
    _feature(
        "system",
        "CC-REQ-004",
        "system role",
        _leading("system", BRIEF),
        _led_by("system"),
    ),
    _feature(
        "developer",
        "CC-REQ-005",
        "developer role",
        _leading("developer", BRIEF),
        _led_by("developer"),
        key="system",
    ),
    _feature(
        "history",
        "CC-REQ-004",
        "role",
        Part("history", before=(USER, SAID)),
        _histories(),
        key="before",
    ),
    _feature(
        "order of roles",
        "CC-REQ-046",
        "role",
        Part("order of roles", before=(SAID, USER)),
        _orders(),
        key="before",
    ),
    _feature(
        "text",
        "CC-REQ-007",
        "content",
        Part("text", said="a"),
        texts().map(lambda said: Part("text", said=said)),
    ),
    _feature(
        "long text",
        "CC-REQ-007",
        "content",
        Part("long text", said=prompts.FILLER),
        choice_of([Part("long text", said=" ".join([prompts.FILLER] * times)) for times in (1, 3)]),
    ),
    _feature(
        "text parts",
        "CC-REQ-007",
        "content type text",
        Part("text parts", pieces=1),
        choice_of([Part("text parts", pieces=pieces) for pieces in (1, 2, 3)]),
        key="parts",
    ),
    _feature(
        "name",
        "CC-REQ-004",
        "name",
        _called_by("Anna"),
        choice_of([_called_by(name) for name in ("Anna", "a", "x_1-Y", "n" * 64)]),
    ),
)
"""Every feature, by its clause. CC-REQ-020 and CC-REQ-050 divide the range of `temperature`."""

BY_NAME: Mapping[str, Feature] = {feature.name: feature for feature in FEATURES}
