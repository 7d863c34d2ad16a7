"""What a person has saved does not vanish from the own screen, whatever sync does."""

from __future__ import annotations

from sync import merge
from sync.operation import REMOVE, Operation, Version, decode_body
from tests.simulation.checkers import Checker
from tests.simulation.machine import Machine
from tests.simulation.world import World, Write


class OwnWrites(Checker):
    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.made: dict[str, list[Write]] = {}

    def wrote(self, machine: Machine, write: Write) -> None:
        if _is_quarantined(machine, write):
            return
        if write.change.type != REMOVE and write.change.expects == "absent":
            self.made.setdefault(machine.name, []).append(write)
        kind = machine.kinds.by_name[write.key[0]]
        row = machine.replica.projection.load(kind, write.key[1], write.key[2])
        self.expect(row is not None, f"{machine.name} shows nothing of {kind.name} that was just saved")
        if row is None or kind.entry or write.change.type != 1:
            return
        state = merge.unpack(kind, row.state, row.values)
        for name in write.change.fields:
            spec = kind.fields.get(name)
            if spec is not None and spec.merge in ("register", "danger"):
                heads = [(head[1], head[2]) for head in state.heads.get(name, ())]
                origin = write.stream[:16]
                # A later save of the same batch may have taken its place already.
                mine = [version for version in heads if version[0] == origin and version[1] >= write.seq]
                self.expect(bool(mine), f"{machine.name}: {kind.name}.{name} was saved and is not shown")
                named = _replaced(machine, write)
                self.expect(not named & set(heads), f"{machine.name}: {kind.name}.{name} clashes with what it replaces")

    def restored(self, machine: Machine, *, noticed: bool) -> None:
        self.made.pop(machine.name, None)

    def looked(self) -> None:
        for machine in self.world.awake:
            for write in self.made.get(machine.name, ()):
                self._still_there(machine, write)

    def settled(self) -> None:
        self.looked()

    def _still_there(self, machine: Machine, write: Write) -> None:
        kind = machine.kinds.by_name[write.key[0]]
        table = kind.table
        row = machine.disk.execute(
            f"SELECT hidden FROM {table} WHERE id = ? AND scope = ?", (_text(write.key[2]), write.key[1].hex())
        ).fetchone()
        if row is None:
            gone = _is_quarantined(machine, write)
            self.expect(gone, f"{kind.name} was saved on {machine.name} and has vanished from its screen")
        elif row[0]:
            self.expect(_was_removed(machine, write), f"{kind.name} of {machine.name} is hidden, and nobody removed it")


def _is_quarantined(machine: Machine, write: Write) -> bool:
    """It does not count: revoked, without the capability, or in a tail that lost. People see it listed."""
    return (
        machine.disk.execute(
            "SELECT 1 FROM quarantine JOIN stream ON stream.no = quarantine.stream WHERE id = ? AND abs(seq) = ?",
            (write.stream, write.seq),
        ).fetchone()
        is not None
    )


def _replaced(machine: Machine, write: Write) -> set[Version]:
    """What the operation names, without names that fit two tails of another's stream: those replace nothing."""
    operation = decode_body(write.body, write.stream, write.seq)
    assert isinstance(operation, Operation)
    forked, place = machine.replica.projector.quarantine.forked, write.stream[16:]
    return {
        (origin, seq)
        for origin, seq in operation.replaces
        if origin == operation.origin or seq not in forked.get(origin + place, ())
    }


def _was_removed(machine: Machine, write: Write) -> bool:
    rows = machine.disk.execute(
        "SELECT body, id, seq FROM op JOIN stream ON stream.no = op.stream WHERE record = ?", (write.key[2],)
    ).fetchall()
    return any(decode_body(bytes(body), bytes(id_), seq).type == REMOVE for body, id_, seq in rows)  # type: ignore[union-attr]


def _text(record: bytes) -> str:
    text = record.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
