"""Do the checkers have teeth? One rule of the engine is broken at a time, and some night must notice."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.simulation.night import simulate
from tests.simulation.planted import PLANTED, PLANTED_IN_REPLAY, PLANTED_IN_SEALING, Patch

SEEDS_MAX = 200


@pytest.mark.deep
@pytest.mark.timeout(600)
@pytest.mark.parametrize("plant", [*PLANTED, *PLANTED_IN_SEALING, *PLANTED_IN_REPLAY], ids=lambda plant: plant.__name__)
def test_a_planted_bug_is_found(
    plant: Callable[[Patch], None], monkeypatch: Patch, capsys: pytest.CaptureFixture[str]
) -> None:
    plant(monkeypatch)
    for seed in range(SEEDS_MAX):
        try:
            simulate(seed, sealed=plant in PLANTED_IN_SEALING)
        except Exception as error:
            with capsys.disabled():
                print(f"\n{plant.__name__}: found by seed {seed}: {type(error).__name__}: {error}")
            return
    pytest.fail(f"nobody noticed in {SEEDS_MAX} nights: the simulator is too weak")


def test_there_are_twenty_of_them() -> None:
    assert len(PLANTED) == 20
