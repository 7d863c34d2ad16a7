"""The faults end: all nodes are switched on and joined, must come to rest in bounded time, and are looked at."""

from __future__ import annotations

from tests.simulation.faults import Faults
from tests.simulation.machine import Machine
from tests.simulation.network import CALM
from tests.simulation.world import World

MEETINGS_MAX = 3  # how often everybody is joined anew: what a link refused once is asked of the next
REST_MS = 10_000  # so long no operation travels: all is said
SETTLE_MS_MAX = 180_000


class Morning:
    def __init__(self, world: World, faults: Faults) -> None:
        self.world, self.faults = world, faults

    def come(self) -> int:
        """Heal, settle, check. Returns how many operations a node holds."""
        self._heal()
        group = self.group()
        for _ in range(MEETINGS_MAX):
            self._join(group)
            self._rest()
            group = self.group()
            if self._alike(group):
                break
        self._upgrade()
        self.world.settled_group = self.group()
        self.world.checkers.settled()
        if self.world.failure is not None:
            raise self.world.failure
        return sum(self.world.machines[0].replica.vector.values())

    def group(self) -> list[Machine]:
        """Who may talk to whom: honest nodes that nobody has revoked."""
        honest = self.world.honest
        return [machine for machine in honest if not any(other.replica.is_revoked(machine.node) for other in honest)]

    def _heal(self) -> None:
        world = self.world
        world.step += 1
        world.trace("heal")
        world.network.weather = CALM
        world.network.blocked.clear()
        for machine in world.machines:
            machine.disk.free()
            machine.disk.plan = None
            if machine.hostile:
                if machine.alive:
                    world.kill(machine)
            elif not machine.alive:
                world.boot(machine)
        world.advance(100)

    def _join(self, group: list[Machine]) -> None:
        """A star around the first; the last two meet as well."""
        for cable in list(self.world.network.cables):
            cable.cut()
        self.world.advance(100)
        for machine in group[1:]:
            self.world.network.connect(machine, group[0])
        if len(group) > 2:
            self.world.network.connect(group[-1], group[-2])

    def _rest(self) -> None:
        """Until no operation has travelled for a while. More than so long is for ever."""
        waited = quiet = 0
        while quiet < REST_MS:
            before = self.world.runs
            self.world.advance(1_000)
            waited += 1_000
            quiet = quiet + 1_000 if self.world.runs == before else 0
            if waited > SETTLE_MS_MAX:
                self.world.fail("quiet", f"operations still travel {SETTLE_MS_MAX} ms after everything has healed")
                return

    @staticmethod
    def _alike(group: list[Machine]) -> bool:
        ends = [machine.replica.published().ends for machine in group]
        return all(end == ends[0] for end in ends[1:])

    def _upgrade(self) -> None:
        """The older release is replaced by this one: what it kept without knowing it is folded now."""
        for machine in self.world.machines:
            if machine.release == "older" and not machine.hostile:
                self.world.kill(machine)
                machine.upgrade()
                self.world.boot(machine)
