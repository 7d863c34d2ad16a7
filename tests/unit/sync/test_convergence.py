"""The tables are a function of the set of operations: whatever the order, the cuts and the repetitions."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync import projector
from tests.unit.sync.worlds import World, check_convergence

FOUND = [32]  # seeds that once failed


@settings(max_examples=40, deadline=None, derandomize=True)
@given(seed=st.integers(0, 1 << 32))
def test_every_order_of_arrival_shows_the_same(seed: int) -> None:
    check_convergence(World(seed))


@pytest.mark.parametrize("seed", FOUND)
def test_a_seed_that_once_failed_still_holds(seed: int) -> None:
    check_convergence(World(seed))


@pytest.mark.parametrize("seed", range(12))
def test_records_that_are_read_at_once_are_those_read_one_by_one(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projector, "OPEN_MANY_MIN", 1)
    check_convergence(World(seed))
