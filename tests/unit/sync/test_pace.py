"""How much one commit takes: measured, between one operation and 500."""

from __future__ import annotations

import pytest

from sync import limits
from sync.pace import Pace, ops_max


@pytest.mark.parametrize(
    ("rate", "most"), [(None, 500), (100.0, 500), (10.0, 500), (4.0, 200), (0.1, 5), (0.02, 1), (0.0001, 1)]
)
def test_a_batch_takes_what_50_ms_allow(rate: float | None, most: int) -> None:
    assert limits.BATCH_MS_MAX == 50
    assert ops_max(rate) == most


def test_a_lone_save_does_not_make_the_machine_look_slow() -> None:
    pace = Pace()
    pace.took(1, 3)
    assert pace.ops_max == 500
    pace.took(500, 250)
    assert pace.ops_max == 100
    pace.took(1, 3)
    assert pace.ops_max == 100


def test_the_limit_follows_a_machine_that_becomes_slow_and_recovers() -> None:
    pace = Pace()
    for _ in range(30):
        pace.took(pace.ops_max, 1_000)
    assert pace.ops_max == 1
    for _ in range(30):
        pace.took(pace.ops_max, 2 + pace.ops_max / 20)
    assert pace.ops_max > 400
