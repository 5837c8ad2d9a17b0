"""The live view and the results of a run tell the same figures of each model."""

from __future__ import annotations

from typing import Any

import pytest


def assert_figures_agree(view: dict[str, Any], made: dict[str, Any]) -> None:
    """Counts and times are equal, rates as near as adding them up in another order brings them."""
    for row in view["models"]:
        model = made["models"][row["model"]]
        for name in ("requests", "ok", "failed", "cancelled", "failures", "output_tokens"):
            assert row[name] == model[name]
        for name in ("ttft_ms", "itl_ms", "e2e_ms"):
            assert row[name] == {key: model[name][key] for key in row[name]}
        for name in ("tokens_per_second", "requests_per_second"):
            assert row[name] == pytest.approx(model[name])
