"""Request validation: `logit_bias` and `top_logprobs` (CC-REQ)."""

from .asking.parameters import refused_as
from .chat import Chat
from .guards import accepted
from .requirements import requirement


@requirement("CC-REQ-029")
def test_logit_bias_maps_token_ids_to_biases_within_100(chat: Chat) -> None:
    # Every vocabulary has a hundredth token; not every one has the 50256 of GPT-2.
    for bias in ({}, {"100": -100}):
        accepted(chat.ask(logit_bias=bias), optional=("logit_bias",), what=f"logit_bias {bias}")
    refused_as("CC-REQ-029", chat, "a logit_bias that is no map, or beyond 100")


@requirement("CC-REQ-031")
def test_top_logprobs_lies_between_0_and_20_beside_logprobs(chat: Chat) -> None:
    refused_as("CC-REQ-031", chat, "top_logprobs out of range, or without logprobs")
