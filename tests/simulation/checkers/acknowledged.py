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
        if not machine.hostile:
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
        held = _held(machine)
        for write in self.writes:
            if write.machine == machine.name:
                self.expect(_name(write) in held, f"{machine.name} told that {write.seq} is saved, and lost it")
        numbers = {(stream, seq) for stream, seq, _ in held}
        for stream, seq in self.promised.get(machine.name, {}).items():
            self.expect((stream, seq) in numbers, f"{machine.name} gave a receipt for {seq}, and lost it")

    def restored(self, machine: Machine, *, noticed: bool) -> None:
        """What nobody else holds is gone, and nobody can be blamed."""
        self.promised.pop(machine.name, None)
        honest = [_held(other) for other in self.world.machines if not other.hostile]
        own = _held(machine)
        self.writes = [
            _moved(write) if write.machine == machine.name and _name(write) not in own else write
            for write in self.writes
            if any(_name(write) in held for held in honest)
        ]

    def settled(self) -> None:
        honest = [machine for machine in self.world.machines if not machine.hostile]
        for machine in honest:
            self.started(machine)
        group = self.world.settled_group
        everywhere = _held(group[0]) if group else set()
        anywhere = set().union(*(_held(machine) for machine in honest))
        names = {machine.name for machine in group}
        for write in self.writes:
            if write.machine in names:
                text = f"{write.machine} {write.seq} was saved and is not everywhere"
                self.expect(_name(write) in everywhere, text)
            self.expect(_name(write) in anywhere, f"{write.seq} of {write.key[0]} was saved and is nowhere")


def _moved(write: Write) -> Write:
    """Its own node was put back: others hold it."""
    return Write("", write.key, write.stream, write.seq, write.change, write.body)


def _name(write: Write) -> tuple[bytes, int, bytes]:
    return (write.stream, write.seq, write.body)


def _holds(machine: Machine, stream: bytes, seq: int) -> bool:
    return bool(_rows(machine, " WHERE id = ? AND seq = ?", (stream, seq)))


def _held(machine: Machine) -> set[tuple[bytes, int, bytes]]:
    """All that a disk holds, in tails that count and in those that lost."""
    return _rows(machine, "", ())


def _rows(machine: Machine, where: str, values: tuple[object, ...]) -> set[tuple[bytes, int, bytes]]:
    return {
        (bytes(id_), seq, bytes(body))
        for table in ("op", "branch")
        for id_, seq, body in machine.disk.execute(
            f"SELECT id, seq, body FROM {table} JOIN stream ON stream.no = {table}.stream{where}", values
        ).fetchall()
    }
