"""Nights in which people seal: keys begin, are granted, carried by hand, turned and destroyed while all else goes on.

A family of its own, beside the nights: it draws on chance of its own, so their seeds stay what they were.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from typing import Any

from app.records import damage_report_people
from sync import grants, seal
from sync.errors import SyncError
from sync.operation import REMOVE, Change, Version
from sync.replica import Replica
from tests.simulation import city
from tests.simulation.machine import Machine
from tests.simulation.world import World

KIND = damage_report_people.KIND.name
CANARY = "カナリア"
RECORDS = tuple(city.id_of(f"sealed {number}") for number in range(4))
SHARE = 0.25  # of the steps


class Sealing:
    def __init__(self, world: World) -> None:
        self.world = world
        self.chance = random.Random(f"{world.seed}/sealing")
        self.number = 0
        self.deeds: list[tuple[int, Callable[[], None]]] = [
            (10, self.write), (4, self.carry), (2, self.grant), (1, self.begin), (1, self.shred),
        ]  # fmt: skip

    def dusk(self) -> None:
        """The hub has its key before the storm."""
        self._issue(self.world.machines[0], self._begin_for(self.world.machines[0]))

    def act(self) -> None:
        if self.world.awake and self.chance.random() < SHARE:
            self.chance.choices([deed for _, deed in self.deeds], [weight for weight, _ in self.deeds])[0]()

    def write(self) -> None:
        """Somebody who may or may not be able to read it writes of a report's people, or takes that out."""
        machine, record = self.chance.choice(self.world.awake), self.chance.choice(RECORDS)
        seen = self.chance.choice(((), None, self._others(machine, record.bytes)))
        name = self.chance.choice(damage_report_people.FIELDS)
        self.number += 1
        change = damage_report_people.edited(record, city.REAL_SCOPE, {name: f"{CANARY}{self.number}"}, seen)
        if self.chance.random() < 0.1:
            change = Change(KIND, record.bytes, city.REAL_SCOPE, {}, REMOVE, None)
        self._job(machine, lambda replica: replica.record([change], None))

    def _others(self, machine: Machine, record: bytes) -> tuple[Version, ...]:
        """What is sealed of a record, named by somebody who may not be able to read it."""
        rows = machine.disk.execute(
            "SELECT id, seq FROM sealed JOIN stream ON no = stream WHERE record = ? ORDER BY id, seq LIMIT 3", (record,)
        ).fetchall()
        return tuple((bytes(id_)[:16], seq) for id_, seq in rows)

    def carry(self) -> None:
        """Wrapped keys come from one node to another, some of them."""
        source, target = self.chance.choice(self.world.awake), self.chance.choice(self.world.awake)
        some = [one for one in wrapped_on(source) if self.chance.random() < 0.7]
        self._job(target, lambda replica: replica.keep_wrapped(some))

    def grant(self) -> None:
        machine, other = self._issuer(), self.chance.choice(self.world.machines)
        if machine is not None:
            self._issue(machine, lambda replica: grants.grant(replica, "hq", other.node, sealing(other), None))

    def begin(self) -> None:
        machine = self._issuer()
        if machine is not None:
            self._issue(machine, self._begin_for(machine))

    def shred(self) -> None:
        machine, record = self._issuer(), uuid.UUID(int=self.chance.getrandbits(128)).bytes
        if machine is not None:
            epochs = None if self.chance.random() < 0.3 else {self.chance.randrange(1, 4)}
            self._issue(machine, lambda replica: grants.order(replica, record, "hq", epochs, "", None))

    def _begin_for(self, machine: Machine) -> Callable[[Replica], Any]:
        others = [other for other in self.world.machines if self.chance.random() < 0.3]
        members = {one.node: sealing(one) for one in (machine, *others)}
        return lambda replica: grants.begin(replica, "hq", members, None)

    def _issuer(self) -> Machine | None:
        able = [one for one in self.world.awake if one.name in ("hub", "heir") and one.release == "this"]
        return self.chance.choice(able) if able else None

    def _issue(self, machine: Machine, job: Callable[[Replica], Any]) -> None:
        self._job(machine, job)

    def _job(self, machine: Machine, job: Callable[[Replica], Any]) -> None:
        """What cannot be done is refused, as on any node."""
        self.world.trace("seal", machine.name)
        machine.submit(lambda replica: _tried(replica, job))


def _tried(replica: Replica, job: Callable[[Replica], Any]) -> Any:
    try:
        return job(replica)
    except SyncError as error:
        if error.code in ("no_scope_key", "bad_change"):
            return None
        raise


def sealing(machine: Machine) -> bytes:
    return seal.public_of(city.seed_of(machine.name + "/sealing"))


def wrapped_on(machine: Machine) -> list[bytes]:
    return [bytes(row[0]) for row in machine.disk.execute("SELECT bytes FROM wrapped_key ORDER BY name").fetchall()]
