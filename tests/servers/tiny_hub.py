"""Write the tiny model of `tiny_gguf` as the cache of Hugging Face's Hub would hold it.

    python tiny_hub.py CACHE OWNER/NAME

Laws
    1. Nothing is downloaded: transformers reads the GGUF file that `tiny_gguf` writes.
    2. The weights and the words are those of the GGUF file, so that every server of it talks alike.
    3. It samples unless a request says otherwise, as the models that people serve do.

It runs in the server's own environment, not in ours; `transformers`, `torch` and `gguf` are
needed. Layout of the cache: refs/main holds the revision, snapshots/REVISION its files.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

REVISION: Final = "0" * 40


def write(cache: Path, model: str) -> None:
    """Write the model into the cache, under its id."""
    transformers, tiny_gguf = map(import_module, ("transformers", "tiny_gguf"))
    repository = cache / f"models--{model.replace('/', '--')}"
    snapshot = repository / "snapshots" / REVISION
    snapshot.mkdir(parents=True)
    with TemporaryDirectory() as folder:
        tiny_gguf.write(Path(folder, "tiny.gguf"))
        read = transformers.AutoModelForCausalLM.from_pretrained(folder, gguf_file="tiny.gguf")
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, gguf_file="tiny.gguf")
    config = read.config
    del config.quantization_config  # it was read from GGUF, and is plain float32 all the same
    made = type(read)(config)
    made.load_state_dict(read.state_dict())
    made.generation_config = transformers.GenerationConfig(
        do_sample=True, eos_token_id=config.eos_token_id, pad_token_id=config.pad_token_id
    )
    made.save_pretrained(snapshot)
    tokenizer.model_max_length = config.max_position_embeddings
    tokenizer.save_pretrained(snapshot)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(REVISION, encoding="ascii")


if __name__ == "__main__":
    write(Path(sys.argv[1]), sys.argv[2])
