"""What goes wrong in a night. Each family is on or off for a whole seed, so that every mixture comes about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tests.simulation import city
from tests.simulation.machine import Machine, Saved
from tests.simulation.network import CALM, Weather
from tests.simulation.world import World

HOUR_MS = 3_600_000
TEN_YEARS_MS = 10 * 365 * 24 * HOUR_MS
FAMILIES = (
    "weather", "partitions", "flapping", "crashes", "restores", "full_disks", "clocks", "roles", "revocations",
    "older", "hostile",
)  # fmt: skip
COPIES_MAX = 3


class Faults:
    def __init__(self, world: World) -> None:
        self.world, self.chance = world, world.chance
        self.families = {name for name in FAMILIES if self.chance.random() < 0.45}
        self.copies: dict[str, list[Saved]] = {}
        self.flapping: set[str] = set()
        self.serial = 1
        self.revoked = 0
        deeds: dict[str, list[tuple[int, Callable[[], None]]]] = {
            "weather": [(1, self.weather)],
            "partitions": [(2, self.block), (1, self.block_one_way), (2, self.unblock)],
            "flapping": [(1, self.flap), (1, self.rest)],
            "crashes": [(3, self.crash), (1, self.stop), (1, self.bad_disk)],
            "restores": [(2, self.back_up), (2, self.restore)],
            "full_disks": [(1, self.fill), (1, self.free)],
            "clocks": [(2, self.step_clock)],
            "roles": [(1, self.change_role)],
            "revocations": [(1, self.revoke), (1, self.raise_again)],
        }
        self.deeds = [deed for name in FAMILIES if name in self.families for deed in deeds.get(name, ())]

    def begin(self) -> None:
        """What is wrong from the start."""
        terminals = [machine for machine in self.world.machines if machine.name != "hub"]
        if "clocks" in self.families and len(terminals) > 2:
            terminals[-1].skew_ms = TEN_YEARS_MS
            terminals[-2].skew_ms = -city.DUSK + 60_000
        if "weather" in self.families:
            self.weather()

    def strike(self) -> None:
        """One thing goes wrong, or comes right again."""
        if self.deeds:
            self.chance.choices([deed for _, deed in self.deeds], [weight for weight, _ in self.deeds])[0]()

    def _someone(self, *, alive: bool = True) -> Machine | None:
        listed = [machine for machine in self.world.machines if machine.alive == alive]
        return self.chance.choice(listed) if listed else None

    # -- the network -----------------------------------------------------------------------------

    def weather(self) -> None:
        chance = self.chance
        bad = Weather(
            chance.choice((5, 50, 400)),
            chance.choice((5, 200, 1_500)),
            *(chance.choice((0.0, 0.01, 0.05)) for _ in range(3)),
        )
        self.world.network.weather = chance.choice((CALM, bad, bad, replace(bad, damaged=0.01)))

    def block(self) -> None:
        """Two groups that do not hear each other."""
        names = [machine.name for machine in self.world.machines]
        self.chance.shuffle(names)
        at = self.chance.randrange(1, len(names))
        for one in names[:at]:
            for two in names[at:]:
                self.world.network.blocked |= {(one, two), (two, one)}

    def block_one_way(self) -> None:
        one, two = self.chance.sample([machine.name for machine in self.world.machines], 2)
        self.world.network.blocked.add((one, two))

    def unblock(self) -> None:
        self.world.network.blocked.clear()

    def flap(self) -> None:
        self.flapping.add(self.chance.choice(self.world.machines).name)

    def rest(self) -> None:
        self.flapping.clear()

    # -- machines --------------------------------------------------------------------------------

    def crash(self) -> None:
        """The next commit of this node is its last: before it, in the middle of it, or right after it."""
        machine = self._someone()
        if machine is not None:
            machine.disk.plan = self.chance.choice(("before", "before", "torn", "after"))

    def stop(self) -> None:
        machine = self._someone()
        if machine is not None:
            self.world.kill(machine)

    def bad_disk(self) -> None:
        machine = self._someone()
        if machine is not None:
            machine.disk.plan = "error"

    def start(self) -> None:
        """A node that is down comes back."""
        machine = self._someone(alive=False)
        if machine is not None:
            self.world.boot(machine)

    def back_up(self) -> None:
        machine = self._someone()
        if machine is not None:
            self.copies.setdefault(machine.name, []).append(machine.save())
            for copy in self.copies[machine.name][:-COPIES_MAX]:
                copy.disk.close()
            del self.copies[machine.name][:-COPIES_MAX]

    def restore(self) -> None:
        """An older copy takes the place of the database alone, or of the whole folder with the file that tells."""
        machine = self.chance.choice(self.world.machines)
        copies = self.copies.get(machine.name)
        if copies:
            with_the_file = self.chance.random() < 0.4
            if machine.alive:
                self.world.kill(machine)
            machine.restore(self.chance.choice(copies), with_the_file=with_the_file)
            self.world.trace("restore", machine.name, with_the_file)
            self.world.checkers.restored(machine, noticed=not with_the_file)
            self.world.boot(machine)

    def fill(self) -> None:
        machine = self._someone()
        if machine is not None:
            machine.disk.fill(self.chance.choice((0, 0, 2, 10)))

    def free(self) -> None:
        for machine in self.world.machines:
            machine.disk.free()

    def step_clock(self) -> None:
        machine = self._someone()
        if machine is not None:
            machine.skew_ms += self.chance.choice((-HOUR_MS, HOUR_MS, -60_000, 60_000))

    # -- trust -----------------------------------------------------------------------------------

    def change_role(self) -> None:
        machine = self._someone()
        if machine is not None and machine.name != "hub":
            self.serial += 1
            held = self.chance.choice((("field",), ("command", "field"), ("command", "enrol", "field"), ()))
            machine.certify(city.identity(machine.name, held, self.serial))
            self.world.trace("role", machine.name, *held)

    def revoke(self) -> None:
        """A device is revoked: as it is known here, or from an earlier number on, or all of it."""
        issuers = [machine for machine in self.world.awake if machine.name in ("hub", "heir")]
        if not issuers or self.revoked >= 3:
            return
        issuer = self.chance.choice(issuers)
        target = self.chance.choice([machine for machine in self.world.machines if machine is not issuer])
        if target.name in ("hub", "heir") and self.chance.random() < 0.6:
            return
        self.revoked += 1
        self._revoke(issuer, target)
        if target.name in ("hub", "heir") and target.alive:  # they revoke each other, and neither has heard of it
            self._revoke(target, issuer)

    def raise_again(self) -> None:
        """Whoever revoked a device lets more of it count."""
        issuers = [machine for machine in self.world.awake if machine.name in ("hub", "heir")]
        if issuers:
            issuer = self.chance.choice(issuers)
            gone = [machine for machine in self.world.machines if issuer.replica.is_revoked(machine.node)]
            if gone:
                self._revoke(issuer, self.chance.choice(gone))

    def _revoke(self, issuer: Machine, target: Machine) -> None:
        held = {stream.id: stream.last for stream in issuer.replica.streams.values() if stream.node == target.node}
        lower = {stream: self.chance.randrange(last + 1) for stream, last in held.items()}
        accepted = self.chance.choice((None, {}, lower, {stream: last for stream, last in lower.items() if last}))
        self.world.trace("revoke", issuer.name, target.name)
        issuer.submit(lambda replica: replica.revoke(target.node, accepted, "lost", None))
        issuer.peers.drop(target.node, "revoked", "this device was revoked")
