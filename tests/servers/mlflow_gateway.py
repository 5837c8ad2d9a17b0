"""Run MLflow's gateway with one endpoint, whose provider listens on a port that is known only now.

    python mlflow_gateway.py --port PORT --endpoint NAME --upstream URL --model ID

It runs in the server's environment, not in ours, on 127.0.0.1. The provider's key is read from the
environment, UPSTREAM_KEY. An endpoint's name, which clients give as `model`, holds no slash.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", required=True)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--upstream", required=True, help="the provider's base URL")
    parser.add_argument("--model", required=True, help="the provider's id of the model")
    args = parser.parse_args()
    provider = {"openai_api_base": args.upstream, "openai_api_key": "$UPSTREAM_KEY"}
    model = {"provider": "openai", "name": args.model, "config": provider}
    endpoint = {"name": args.endpoint, "endpoint_type": "llm/v1/chat", "model": model}
    path = Path(f"gateway-{args.port}.yaml").resolve()  # in the server's home
    path.write_text(json.dumps({"endpoints": [endpoint]}), encoding="utf-8")  # JSON is YAML
    mlflow = str(Path(sys.executable).with_name("mlflow"))
    start = [mlflow, "gateway", "start", "--config-path", str(path)]
    os.execv(mlflow, [*start, "--host", "127.0.0.1", "--port", args.port, "--workers", "1"])


if __name__ == "__main__":
    main()
