"""Three to five replicas beside a plain model: whatever people do, both show the same. The rules stand in `cities`."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.unit.sync.cities import Cities
from tests.unit.sync.examples import examples
from tests.unit.sync.test_planted import PLANTED, own_drop_forgets_its_addition

FINDABLE = [plant for plant in PLANTED if plant is not own_drop_forgets_its_addition]  # no page lets people do that

TestCities = Cities.TestCase
TestCities.settings = examples(40, 600, steps=60)


@pytest.mark.deep
@pytest.mark.parametrize("plant", FINDABLE, ids=lambda plant: plant.__name__)
def test_the_model_notices_a_planted_bug(
    plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    found = settings(examples(600, 600, steps=60), phases=[Phase.generate], print_blob=False)
    with pytest.raises(Exception):  # noqa: B017
        run_state_machine_as_test(Cities, settings=found)
