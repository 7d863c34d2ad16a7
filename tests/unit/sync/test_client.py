"""When the caller tries again."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from sync.client import STEADY_MS, Client, losses_after


def client(chance: float, **more: Any) -> Client:
    return Client(lambda: None, SimpleNamespace(), lambda: chance, **more)  # type: ignore[arg-type]


def test_after_a_good_link_the_first_retry_is_at_once() -> None:
    assert client(1.0).delay_s(losses_after(3, True, STEADY_MS)) == 0.0


@pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
def test_the_next_retry_is_within_a_second(chance: float) -> None:
    assert 0 <= client(chance).delay_s(losses_after(0, False, 0)) <= 1.0


@pytest.mark.parametrize("losses", [2, 3, 50])
def test_later_ones_stay_under_the_ceiling_that_the_hub_gave(losses: int) -> None:
    delays = [client(chance, retry_ms_max=10_000).delay_s(losses) for chance in (0.0, 0.5, 1.0)]
    assert (min(delays), max(delays)) == (0.5, 10.5)


def test_a_link_that_opens_only_to_be_closed_again_does_not_spin() -> None:
    losses = 0
    for _ in range(5):
        losses = losses_after(losses, True, 20)
    assert client(0.5).delay_s(losses) >= 0.5
