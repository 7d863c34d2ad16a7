"""A version that is named and not here is listed as awaited, and none that is here."""

from __future__ import annotations

from sync import merge
from tests.simulation.checkers import Checker
from tests.simulation.machine import Machine


class Awaited(Checker):
    def settled(self) -> None:
        for machine in self.world.some():
            self._check(machine)

    def _check(self, machine: Machine) -> None:
        kept = machine.replica.projector.awaited.records
        in_memory = {(stream, seq, *key) for (stream, seq), keys in kept.items() for key in keys}
        rows = machine.disk.execute("SELECT name, seq, kind, scope, record FROM awaited").fetchall()
        on_disk = {(bytes(name), seq, kind, bytes(scope), bytes(record)) for name, seq, kind, scope, record in rows}
        self.expect(in_memory == on_disk, f"{machine.name}: what is awaited in memory is not what stands on its disk")
        held = self.world.held(machine)
        for stream, seq, *_ in on_disk:
            here = held.ends.get(stream, 0) >= seq
            self.expect(not here, f"{machine.name} awaits {seq} of a stream, and holds it")
        for operation in held.counting():
            kind = machine.kinds.get(operation.kind)
            if kind is None:
                continue
            for origin, seq in merge.names(kind, operation):
                stream = origin + operation.scope + operation.lane
                doubtful = origin != operation.origin and (stream, seq) in held.doubtful
                here = held.ends.get(stream, 0) >= seq or doubtful
                listed = (stream, seq, *operation.key) in on_disk
                self.expect(here or listed, f"{machine.name}: {seq} is named, is not here and is not awaited")
