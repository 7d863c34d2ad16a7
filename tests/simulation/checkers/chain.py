"""Every log is whole: no gap, no number used twice, and each chain and signature fits what its author wrote."""

from __future__ import annotations

from sync import limits, oplog, signing
from sync.certificate import Certificate
from sync.errors import BadSignature
from sync.operation import decode_body
from tests.simulation.checkers import Checker
from tests.simulation.machine import Machine
from tests.simulation.world import World, Write


class Chain(Checker):
    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.written: dict[tuple[bytes, int], bytes] = {}
        self.copied: set[bytes] = set()  # nodes whose data folder was put back whole: they could not know

    def wrote(self, machine: Machine, write: Write) -> None:
        self.written[write.stream, write.seq] = write.body

    def restored(self, machine: Machine, *, noticed: bool) -> None:
        if not noticed:
            self.copied.add(machine.node)

    def settled(self) -> None:
        for machine in self.world.some():
            self._whole(machine)
        for machine in self.world.honest:
            self._no_fork_of_the_honest(machine)

    def _whole(self, machine: Machine) -> None:
        execute = machine.disk.execute
        runs = {}
        for no, last, head, signature in execute("SELECT stream, last, head, signature FROM run").fetchall():
            runs.setdefault(no, {})[last] = (bytes(head), bytes(signature))
        bodies: dict[int, list[tuple[int, bytes]]] = {}
        for no, seq, body in execute("SELECT stream, seq, body FROM op ORDER BY stream, seq").fetchall():
            bodies.setdefault(no, []).append((seq, bytes(body)))
        for stream in oplog.load_streams(machine.disk).values():
            listed = bodies.get(stream.no, [])
            whole = list(range(1, stream.last + 1))
            self.expect([seq for seq, _ in listed] == whole, f"{machine.name}: a stream has a gap")
            if listed:
                self._follow(machine, stream.id, listed, runs.get(stream.no, {}), stream.head)

    def _follow(self, machine, stream, listed, runs, end) -> None:  # type: ignore[no-untyped-def]
        first = decode_body(listed[0][1], stream, 1)
        public = Certificate.decode(first.fields["certificate"]).public  # type: ignore[union-attr]
        head = signing.chain_seed(stream)
        for seq, body in listed:
            head = signing.chain(head, [body])
            self.expect(len(body) <= limits.BODY_BYTES_MAX, f"{machine.name} holds a body of {len(body)} bytes")
            if seq in runs:
                self.expect(runs[seq][0] == head, f"{machine.name}: a run's chain value does not fit")
                try:
                    signing.verify(public, runs[seq][1], signing.log_message(stream, seq, head))
                except BadSignature:
                    self.fail(f"{machine.name}: a signature does not fit")
        self.expect(head == end, f"{machine.name}: a stream's end is not the chain's")
        self.expect(listed[-1][0] in runs, f"{machine.name}: the end of a stream is not signed")

    def _no_fork_of_the_honest(self, machine: Machine) -> None:
        hostile = {other.node for other in self.world.machines if other.hostile}
        rows = machine.disk.execute(
            "SELECT DISTINCT node FROM stream JOIN branch ON branch.stream = stream.no"
        ).fetchall()
        for (node,) in rows:
            known = bytes(node) in hostile | self.copied
            self.expect(known, f"{machine.name}: a node that nobody copied has used a number twice")
