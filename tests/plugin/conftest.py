"""One reference server for each process that tests the plugin."""

from collections.abc import Iterator

import pytest

from tests.plugin.bench import reference


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """Its address without a path: `/v1` is the server, `/fault/NAME/v1` one fault of it."""
    with reference() as found:
        yield found


@pytest.fixture
def url(address: str) -> str:
    """The base URL of the server without a fault."""
    return f"{address}/v1"
