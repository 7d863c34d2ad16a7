"""Nothing grows past its limit: frames, runs under way, held segments, queues."""

from __future__ import annotations

from sync import limits, peers, protocol
from sync.replica import Committed
from tests.simulation.checkers import Checker
from tests.simulation.machine import Machine
from tests.simulation.network import Cable


class Limits(Checker):
    def sent(self, cable: Cable, to: int, frame: bytes) -> None:
        most = limits.VECTOR_BYTES_MAX if frame[1] == protocol.VECTOR else limits.FRAME_BYTES_MAX
        self.expect(len(frame) <= most, f"a frame of {len(frame)} bytes")

    def committed(self, machine: Machine, committed: Committed) -> None:
        for link in machine.peers._links:
            session = link.session
            self.expect(session.sending.under_way <= limits.RUNS_IN_FLIGHT_MAX, "too many runs are under way")
            self.expect(len(session._waiting) <= limits.SEGMENTS_HELD_MAX, "too many segments are held")
        self.expect(machine.writer.waits <= limits.WRITER_QUEUE_MAX, "too many jobs wait")

    def settled(self) -> None:
        for machine in self.world.awake:
            self.expect(len(machine.peers.suspects) <= peers.SUSPECTS_MAX, "too many suspects are kept")
            self.expect(not machine.writer.waits, f"{machine.name}: jobs wait and nobody commits them")
