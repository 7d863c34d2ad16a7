"""No stamp from the future moves a node's clock, and none of its own goes back, also over a restart."""

from __future__ import annotations

from sync.clock import FOREIGN_AHEAD_MS_MAX, OWN_AHEAD_MS_MAX, ms_of
from sync.operation import Operation, decode_body
from tests.simulation.checkers import Checker
from tests.simulation.machine import Machine
from tests.simulation.world import World, Write


class Clocks(Checker):
    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.last: dict[str, int] = {}  # the clock at the last commit
        self.before: dict[str, int] = {}  # the clock at the commit before it
        self.stamps: dict[str, int] = {}  # of the last own write

    def durable(self, machine: Machine) -> None:
        now, last = machine.now(), machine.replica.clock.last
        before = self.last.get(machine.name, last)
        if last > before:
            ahead = ms_of(last) - now
            self.expect(
                ahead <= FOREIGN_AHEAD_MS_MAX + 1_000,
                f"the clock of {machine.name} was moved {ahead} ms ahead of its time",
            )
        self.before[machine.name], self.last[machine.name] = before, last

    def wrote(self, machine: Machine, write: Write) -> None:
        operation = decode_body(write.body, write.stream, write.seq)
        assert isinstance(operation, Operation)
        before, now = self.stamps.get(machine.name, 0), machine.now()
        # A clock that stepped since may have moved the stamps also where no commit came of it, and have stepped again.
        lowest, highest = machine.shown
        ahead = max(ms_of(before), ms_of(self.before.get(machine.name, 0)), highest) - lowest
        machine.shown = (now, now)
        rebased = ahead > OWN_AHEAD_MS_MAX
        if not rebased:
            self.expect(operation.hlc > before, f"{machine.name} stamps a write below its last one")
        self.stamps[machine.name] = operation.hlc

    def started(self, machine: Machine) -> None:
        if machine.name in self.last:
            kept = machine.replica.clock.last >= self.last[machine.name]
            self.expect(kept, f"the clock of {machine.name} has gone back over a restart")
        self.last[machine.name] = machine.replica.clock.last

    def restored(self, machine: Machine, *, noticed: bool) -> None:
        self.last.pop(machine.name, None)
        self.stamps.pop(machine.name, None)
