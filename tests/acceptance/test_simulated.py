"""The suite over the simulated wire, and what only a simulation can bend."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.acceptance import suite
from tests.acceptance.machines import SimulatedWire


@pytest.fixture
def wire() -> Iterator[SimulatedWire]:
    made = SimulatedWire()
    yield made
    made.close()


@pytest.mark.parametrize("scenario", suite.SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_on_the_simulated_wire(scenario: suite.Wire, wire: SimulatedWire) -> None:
    scenario(wire)
