"""Write a tiny chat model as one GGUF file: random weights, no download, the same bytes every time.

Laws
    1. Only `gguf` and `numpy` are needed; this file runs in the server's own environment.
    2. One seed gives one file, byte for byte.
    3. What the model says is printable ASCII, so every cut of its text is valid UTF-8.
    4. A turn ends by chance, mostly within 100 tokens, and never before its first token.

Theory
    A random transformer over N tokens says anything with probability 1/N: broken bytes, control
    characters, and hardly ever an end of turn. So two coordinates of the residual stream are
    kept free of noise: no layer reads them or writes them, and only the output matrix sees them.
    BIAS: every embedding has the same large value there. After the last norm it is still about
    constant, hence its column of the output matrix is a bias per token, which `LEVELS` sets:
    words are usual, punctuation is rarer, broken bytes never come.
    OPENING: only the line feed has a value there, and the template ends in a line feed; its
    column holds the end of a turn down, so that no answer is empty.

    The vocabulary is byte-level BPE: all 256 bytes, the syllables "ba" … "zu", the same after a
    space, and words of two syllables. Each merge makes one of them, so any text can be read, and
    what the model wrote is read back as the tokens that it wrote.

Sources: GGUF keys, docs/gguf.md of the ggml project; ChatML and <tool_call>, the Hermes format.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib import import_module
from itertools import product
from pathlib import Path
from typing import Any

WIDTH = 64  # of the residual stream
HEADS = 2
LAYERS = 2
INNER = 128  # of the feed-forward part
CONTEXT = 4096  # tokens
SEED = 1

BIAS, OPENING = 0, 1  # the coordinates that are kept free
FREE = slice(0, 2)
LARGE = 8.0  # their value; the noise beside them is N(0, 1)
NOISE = 3.0  # standard deviation of a word's logit

END_OF_TEXT, START, END_OF_TURN = SPECIALS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")

LINE_FEED = "Ċ"  # GPT-2's spelling of byte 0x0A; a space is "Ġ"

WORDS = 1600
NEVER = -40.0
LEVELS = {  # added to the logit of a token, where a word has 0
    END_OF_TURN: 7.5,
    "Ġ": -4.0,
    ".": 3.0,
    ",": 3.0,
    '"': 4.5,  # ends a JSON string, where a grammar asks for one
    "}": 0.0,
    "]": 0.0,
}
LEVEL_OF_OTHER_ASCII = -6.0

TEMPLATE = """\
{%- macro text(content) -%}
  {%- if content is string -%}{{ content }}
  {%- elif content -%}
    {%- for part in content if part.type == 'text' -%}{{ part.text }}{%- endfor -%}
  {%- endif -%}
{%- endmacro -%}
{%- if tools -%}
  {{- '<|im_start|>system\\n# Tools\\n\\nYou may call one or more functions.\\n\\n<tools>' }}
  {%- for tool in tools %}{{- '\\n' + (tool | tojson) }}{%- endfor %}
  {{- '\\n</tools>\\n\\nFor each function call, write a JSON object within XML tags:\\n' }}
  {{- '<tool_call>\\n{"name": <function-name>, "arguments": <args-json-object>}\\n</tool_call>' }}
  {{- '<|im_end|>\\n' }}
{%- endif %}
{%- for message in messages %}
  {%- if message.role == 'tool' %}
    {{- '<|im_start|>user\\n<tool_response>\\n' + text(message.content) }}
    {{- '\\n</tool_response><|im_end|>\\n' }}
  {%- else %}
    {{- '<|im_start|>' + message.role + '\\n' + text(message.content) }}
    {%- for call in message.tool_calls or [] %}
      {{- '\\n<tool_call>\\n{"name": "' + call.function.name + '", "arguments": ' }}
      {{- call.function.arguments | tojson }}
      {{- '}\\n</tool_call>' }}
    {%- endfor %}
    {{- '<|im_end|>\\n' }}
  {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}
"""


@dataclass(frozen=True)
class Vocabulary:
    """Token texts in the order of their ids, in GPT-2's spelling, and the merges that make them."""

    tokens: tuple[str, ...]
    merges: tuple[str, ...]

    def id(self, token: str) -> int:
        """The id of a token; ValueError where there is none."""
        return self.tokens.index(token)


def spelled() -> tuple[str, ...]:
    """The 256 bytes as GPT-2 spells them: visible Latin-1 as itself, the rest from U+0100 up."""
    visible = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    hidden = iter(range(0x100, 0x200))
    return tuple(chr(byte if byte in visible else next(hidden)) for byte in range(256))


def vocabulary() -> Vocabulary:
    """Bytes, syllables, syllables after a space, words of two syllables, specials."""
    syllables = [a + b for a, b in product("bdfghklmnprstvz", "aeiou")]
    pairs = list(product(syllables, syllables))
    words = pairs[:: len(pairs) // WORDS][:WORDS]
    merges = [
        *(f"{s[0]} {s[1]}" for s in syllables),
        *(f"Ġ {s}" for s in syllables),
        *(f"Ġ{a} {b}" for a, b in words),
    ]
    made = [merge.replace(" ", "") for merge in merges]
    return Vocabulary((*spelled(), *made, *SPECIALS), tuple(merges))


def level(token: str) -> float:
    """The bias of a token's logit: a pure reading of `LEVELS`."""
    if token in LEVELS:
        return LEVELS[token]
    if token in SPECIALS:
        return NEVER
    if len(token) > 1:
        return 0.0
    return LEVEL_OF_OTHER_ASCII if "!" <= token <= "~" else NEVER


def tensors(vocab: Vocabulary, seed: int) -> dict[str, Any]:
    """Every weight, float32, by its GGUF name; shapes are (out, in)."""
    np = import_module("numpy")
    random = np.random.RandomState(seed)  # its stream is frozen for good (NumPy's NEP 19)

    def noise(out: int, into: int, scale: float = 1.0) -> Any:
        return random.standard_normal((out, into)) * (scale / into**0.5)

    def reader(out: int) -> Any:  # of the residual stream
        matrix = noise(out, WIDTH)
        matrix[:, FREE] = 0.0
        return matrix

    def writer(into: int) -> Any:  # to the residual stream
        matrix = noise(WIDTH, into)
        matrix[FREE] = 0.0
        return matrix

    size = len(vocab.tokens)
    end_of_turn = vocab.id(END_OF_TURN)
    embedding = noise(size, WIDTH, WIDTH**0.5)
    embedding[:, FREE] = 0.0
    embedding[:, BIAS] = LARGE
    embedding[vocab.id(LINE_FEED), OPENING] = LARGE
    root_mean_square = ((LARGE**2 + WIDTH) / WIDTH) ** 0.5  # of an embedding, about
    output = noise(size, WIDTH, NOISE * root_mean_square)
    output[end_of_turn] /= NOISE  # else greedy decoding ends at once, or never
    output[:, FREE] = 0.0
    output[:, BIAS] = [level(token) * root_mean_square / LARGE for token in vocab.tokens]
    output[end_of_turn, OPENING] = NEVER * root_mean_square / LARGE

    weights = {
        "token_embd.weight": embedding,
        "output_norm.weight": np.ones(WIDTH),
        "output.weight": output,
    }
    for layer in range(LAYERS):
        block = {
            "attn_norm": np.ones(WIDTH),
            "attn_q": reader(WIDTH),
            "attn_k": reader(WIDTH),
            "attn_v": reader(WIDTH),
            "attn_output": writer(WIDTH),
            "ffn_norm": np.ones(WIDTH),
            "ffn_gate": reader(INNER),
            "ffn_up": reader(INNER),
            "ffn_down": writer(INNER),
        }
        weights |= {f"blk.{layer}.{name}.weight": tensor for name, tensor in block.items()}
    return {name: np.ascontiguousarray(tensor, np.float32) for name, tensor in weights.items()}


def write(path: Path, seed: int = SEED) -> None:
    """Write the model to `path`, whole or not at all; its folder must exist."""
    gguf = import_module("gguf")
    vocab = vocabulary()
    end_of_turn = vocab.id(END_OF_TURN)
    end_of_text = vocab.id(END_OF_TEXT)
    special = set(SPECIALS)

    draft = path.with_suffix(".part")
    out = gguf.GGUFWriter(draft, "llama")
    out.add_name("tiny")
    out.add_file_type(gguf.LlamaFileType.ALL_F32)
    out.add_context_length(CONTEXT)
    out.add_embedding_length(WIDTH)
    out.add_block_count(LAYERS)
    out.add_feed_forward_length(INNER)
    out.add_head_count(HEADS)
    out.add_head_count_kv(HEADS)
    out.add_layer_norm_rms_eps(1e-6)
    out.add_rope_dimension_count(WIDTH // HEADS)
    out.add_rope_freq_base(10000.0)
    out.add_vocab_size(len(vocab.tokens))
    out.add_tokenizer_model("gpt2")
    out.add_tokenizer_pre("gpt-2")
    out.add_token_list(vocab.tokens)
    out.add_token_types(
        [
            gguf.TokenType.CONTROL if token in special else gguf.TokenType.NORMAL
            for token in vocab.tokens
        ]
    )
    out.add_token_merges(vocab.merges)
    out.add_bos_token_id(end_of_text)
    out.add_eos_token_id(end_of_turn)
    out.add_eot_token_id(end_of_turn)
    out.add_pad_token_id(end_of_text)
    out.add_add_bos_token(False)
    out.add_chat_template(TEMPLATE)
    for name, tensor in tensors(vocab, seed).items():
        out.add_tensor(name, tensor)
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()
    draft.replace(path)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
