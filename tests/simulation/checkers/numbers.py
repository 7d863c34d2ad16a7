"""No number of a report is given twice, also over a restart, and after an older copy was put back.

A whole folder that was put back, with the file beside the store that would tell, knows nothing of it until it meets
another node: what it writes before that may bear numbers that were given already.
"""

from __future__ import annotations

from tests.simulation import model
from tests.simulation.checkers import Checker
from tests.simulation.machine import Machine
from tests.simulation.world import World


class Numbers(Checker):
    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.copied: set[bytes] = set()

    def restored(self, machine: Machine, *, noticed: bool) -> None:
        if not noticed:
            self.copied.add(machine.node)

    def settled(self) -> None:
        hostile = {machine.node for machine in self.world.machines if machine.hostile}
        for machine in self.world.settled_group[:1]:
            held = self.world.held(machine)
            given: dict[str, bytes] = {}
            for operation in held.counting():
                number = operation.fields.get("number")
                node = held.nodes[model.stream_of(operation)]
                if isinstance(number, str) and node not in hostile | self.copied:
                    first = given.setdefault(number, operation.record)
                    self.expect(first == operation.record, f"{number} was given to two reports")
