"""The load generator against hostile targets, on its real command line: a few rows of each kind.

The rest of the rows meet its connection in `test_exchange`, and its command line by `make hostile`.
"""

from pathlib import Path

import pytest

from tests.hostile.stage import staged
from tests.hostile.table import CHANCE
from tests.hostile.targets import TARGETS
from tests.hostile.targets.row import Scope
from tests.hostile.trial import MOST_MIB, load


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a-million-events", "redirect-to-another-host"])
def test_requests_fail_as_the_table_says(name: str, tmp_path: Path) -> None:
    target = TARGETS[name]
    with staged(target, Scope.ALL, "http://127.0.0.1:1") as stage:
        ended = load(stage.url, tmp_path, 2.0, "--model", "m")
        assert stage.elsewhere.received == []
    assert set(ended.failures) & set(target.load), ended.text
    assert set(ended.failures) <= {*target.load, *CHANCE}, ended.text
    assert ended.results is not None
    assert ended.raw == []
    assert "Traceback" not in ended.text
    assert ended.peak <= MOST_MIB
