"""A node with a valid key that means ill."""

from __future__ import annotations

from tests.simulation.world import World


class Hostile:
    def __init__(self, world: World) -> None:
        self.world = world

    def act(self) -> None:
        pass
