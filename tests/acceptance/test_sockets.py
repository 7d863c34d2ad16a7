"""The suite over real sockets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance import suite
from tests.acceptance.sockets import SocketWire


@pytest.fixture
def wire(tmp_path: Path) -> Iterator[SocketWire]:
    made = SocketWire(tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize("scenario", suite.SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_on_real_sockets(scenario: suite.Wire, wire: SocketWire) -> None:
    scenario(wire)
