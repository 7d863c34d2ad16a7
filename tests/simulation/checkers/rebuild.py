"""The tables are a function of the log: thrown away and folded again, they show the same; so does a restart."""

from __future__ import annotations

import random

from tests.simulation.checkers import Checker
from tests.simulation.machine import Machine


class Rebuild(Checker):
    def settled(self) -> None:
        chosen = random.Random(self.world.seed).choice(self.world.honest)
        before = _shown(chosen)
        chosen.replica.reload()
        self._compare(chosen, before, "a restart")
        chosen.replica.rebuild()
        self._compare(chosen, before, "a rebuild")

    def _compare(self, machine: Machine, before: dict[str, object], what: str) -> None:
        for name, value in _shown(machine).items():
            self.expect(value == before[name], f"{what} of {machine.name} shows other {name}")


def _shown(machine: Machine) -> dict[str, object]:
    replica, execute = machine.replica, machine.disk.execute
    return {
        "vector": replica.vector,
        "tables": replica.public_digest(),
        "awaited": {(name, key) for name, keys in replica.projector.awaited.records.items() for key in keys},
        "quarantine": set(execute("SELECT stream, seq, reason FROM quarantine").fetchall()),
        "facts": (replica.projector.facts.revoked, replica.projector.facts.modes),
        "forks": replica.projector.quarantine.forked,
        "conflicts": _conflicts(machine),
    }


def _conflicts(machine: Machine) -> set[tuple[object, ...]]:
    return {
        (kind.name, *row)
        for kind in machine.kinds
        if not kind.entry
        for row in machine.disk.execute(f"SELECT id, scope, conflicts, hidden FROM {kind.table}").fetchall()
    }
