"""What the suite adds to an exchange: recorded and judged, against bare httpx, in one run.

`python benchmarks/exchange.py [--rounds N]` starts the reference server and prints medians in
milliseconds and their ratios. The three ways take turns, so that a busy machine slows them alike.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import httpx

from conformance.chat import Chat, canary_request, encode
from conformance.protocol.completion import findings
from conformance.protocol.jsontext import read_document
from conformance.protocol.stream import read_stream
from conformance.running.embedded import EmbeddedServer
from conformance.target.reading import load
from conformance.wire.client import Client, Endpoint
from conformance.wire.exchange import Request

MODEL = "meta/llama-3.3-70b-instruct"
Way = Callable[[], object]


def ways(server: EmbeddedServer, stream: bool) -> dict[str, Way]:
    """The same request, sent in each of the three ways."""
    client = Client(Endpoint(server.url, server.key))
    chat = Chat(client, load("ainul"), MODEL)
    bare = httpx.Client(trust_env=False)
    headers = {"Authorization": f"Bearer {server.key}", "Content-Type": "application/json"}
    plain = canary_request(MODEL)
    body = encode(chat.body(stream=True)) if stream else plain.body
    request = Request("POST", plain.path, body)

    def by_httpx() -> object:
        return bare.post(server.url + request.path, content=body, headers=headers).content

    def recorded() -> object:
        return client.send(request)

    def judged() -> object:
        exchange = client.send(request)
        if stream:
            return read_stream(exchange.body).findings
        return findings(read_document(exchange.body).value)

    return {"bare httpx": by_httpx, "recorded": recorded, "recorded and judged": judged}


def measure(candidates: dict[str, Way], rounds: int) -> dict[str, float]:
    """Median milliseconds of each way over `rounds`, taking turns; the first ten do not count."""
    times: dict[str, list[float]] = {name: [] for name in candidates}
    for number in range(rounds + 10):
        for name, way in candidates.items():
            start = time.perf_counter()
            way()
            if number >= 10:
                times[name].append((time.perf_counter() - start) * 1000)
    return {name: statistics.median(values) for name, values in times.items()}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=300, help="exchanges per way")
    rounds = parser.parse_args().rounds
    with EmbeddedServer() as server:
        for label, stream in (("plain reply", False), ("short stream", True)):
            medians = measure(ways(server, stream), rounds)
            base = medians["bare httpx"]
            for name, median in medians.items():
                print(f"{label:<13} {name:<20} {median:7.2f} ms   {median / base:5.2f} x")


if __name__ == "__main__":
    main()
