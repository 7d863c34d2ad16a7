"""Saved is saved, and a receipt is a promise: what was told is on that disk, after every crash.

The one exception is a disk that was put back to an older copy: what only it held is gone with it.
"""

from __future__ import annotations

import msgspec

from tests.simulation.checkers import Checker
from tests.simulation.machine import Machine
from tests.simulation.network import Cable, is_receipt
from tests.simulation.world import World, Write

_decode = msgspec.msgpack.Decoder().decode


class Acknowledged(Checker):
    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.writes: list[Write] = []
        self.promised: dict[str, dict[bytes, int]] = {}  # who -> stream -> the last number it has receipted

    def wrote(self, machine: Machine, write: Write) -> None:
        self.writes.append(write)

    def sent(self, cable: Cable, to: int, frame: bytes) -> None:
        if not is_receipt(frame):
            return
        machine = cable.ends[1 - to]
        if machine.hostile:
            return
        promised = self.promised.setdefault(machine.name, {})
        for stream, seq, head in _decode(frame)[2]:
            self.expect(not machine.disk.in_transaction, f"{machine.name} receipts before its commit")
            if promised.get(stream, 0) < seq:
                self.expect(_holds(machine, stream, seq), f"{machine.name} receipts {seq} and does not hold it")
                promised[stream] = seq
            assert len(head) == 16

    def started(self, machine: Machine) -> None:
        for write in self.writes:
            if write.machine == machine.name:
                self.expect(_has(machine, write), f"{machine.name} told that {write.seq} is saved, and lost it")
        for stream, seq in self.promised.get(machine.name, {}).items():
            self.expect(_holds(machine, stream, seq), f"{machine.name} gave a receipt for {seq}, and lost it")

    def restored(self, machine: Machine, *, noticed: bool) -> None:
        """What nobody else holds is gone, and nobody can be blamed."""
        self.promised.pop(machine.name, None)
        others = [other for other in self.world.machines if not other.hostile]
        self.writes = [
            write if _has(machine, write) else _moved(write)
            for write in self.writes
            if write.machine != machine.name or any(_has(other, write) for other in others)
        ]
        self.writes = [write for write in self.writes if any(_has(other, write) for other in others)]

    def settled(self) -> None:
        for machine in self.world.machines:
            if not machine.hostile:
                self.started(machine)
        group = self.world.settled_group
        names = {machine.name for machine in group}
        for write in self.writes:
            if write.machine in names:
                for machine in group[:1]:
                    self.expect(_has(machine, write), f"{write.machine} {write.seq} was saved and is not everywhere")
            elif write.machine == "":
                honest = [machine for machine in self.world.machines if not machine.hostile]
                self.expect(any(_has(machine, write) for machine in honest), f"{write.seq} was saved and is nowhere")


def _moved(write: Write) -> Write:
    """Its own node was put back: others hold it."""
    return Write("", write.key, write.stream, write.seq, write.change, write.body)


def _holds(machine: Machine, stream: bytes, seq: int) -> bool:
    return bool(_bodies(machine, stream, seq))


def _has(machine: Machine, write: Write) -> bool:
    return write.body in _bodies(machine, write.stream, write.seq)


def _bodies(machine: Machine, stream: bytes, seq: int) -> list[bytes]:
    """What a disk holds under a number, in the tail that counts or in one that has lost."""
    rows = machine.disk.execute(
        "SELECT body FROM op JOIN stream ON stream.no = op.stream WHERE id = ?1 AND seq = ?2 UNION ALL"
        " SELECT body FROM branch JOIN stream ON stream.no = branch.stream WHERE id = ?1 AND seq = ?2",
        (stream, seq),
    ).fetchall()
    return [bytes(row[0]) for row in rows]
