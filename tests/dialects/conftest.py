"""Every file of dialects is tried alike: one run for each dialect that it defines."""

from collections.abc import Iterator, Mapping
from concurrent.futures import Future

import pytest

from tests.inprocess import Judgement

from .dialect import outcomes, spoken_by, test_a_right_server_is_blamed_for_nothing


@pytest.fixture(scope="module")
def spoken(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, Future[Judgement]]]:
    """A run for every dialect of the file; a test waits for its own."""
    with outcomes(request.module.__name__, tmp_path_factory.mktemp("dialects")) as runs:
        yield runs


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One trial for every dialect of the file."""
    if metafunc.function is test_a_right_server_is_blamed_for_nothing:
        names = [one.name for one in spoken_by(metafunc.module.__name__)]
        metafunc.parametrize("name", names)
