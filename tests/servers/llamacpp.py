"""Run llama.cpp's own HTTP server, from the xllamacpp wheel, until this process ends.

    python llamacpp.py --port PORT --key KEY --alias NAME --model FILE.gguf

It runs in the server's environment, not in ours. It binds 127.0.0.1 alone, and prints one line
when it listens.
"""

from __future__ import annotations

import argparse
import signal
from importlib import import_module

SLOTS = 4
CONTEXT_PER_SLOT = 4096  # tokens; what the tiny model was made for
THREADS = 2


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--alias", required=True, help="the model's id in /v1/models")
    parser.add_argument("--model", required=True, help="a GGUF file")
    args = parser.parse_args()

    xllamacpp = import_module("xllamacpp")
    params = xllamacpp.CommonParams()
    params.model.path = args.model
    params.model_alias = {args.alias}
    params.hostnames = ["127.0.0.1"]
    params.port = args.port
    params.api_keys = [args.key]
    params.n_parallel = SLOTS
    params.n_ctx = SLOTS * CONTEXT_PER_SLOT
    params.cpuparams.n_threads = THREADS
    params.use_jinja = True
    params.offline = True
    server = xllamacpp.Server(params)  # returns once the socket listens
    print(f"listening on {server.listening_address}", flush=True)
    signal.pause()


if __name__ == "__main__":
    main()
