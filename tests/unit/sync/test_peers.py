"""The links of a node together: peers, hub and link, over a transport that the test holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sync import protocol
from sync.actions import Close
from sync.link import in_jobs
from sync.oplog import Segment
from tests.acceptance.machines import Cable, Machine, SimulatedWire
from tests.unit.sync.nodes import report


@pytest.fixture
def wire() -> Iterator[SimulatedWire]:
    made = SimulatedWire()
    yield made
    made.close()


def joined(wire: SimulatedWire) -> tuple[Machine, Machine, Cable]:
    hub, tablet = wire.machine("hub"), wire.machine("tablet", ("field",))
    tablet.write(report("a", text="x"))
    cable = wire.connect(tablet, hub)
    wire.settle()
    return hub, tablet, cable


def test_a_node_knows_whom_it_is_joined_to(wire: SimulatedWire) -> None:
    hub, tablet, _ = joined(wire)
    assert [(peer.name, peer.label) for peer in hub.peers.connected()] == [("tablet", "TABLET")]
    assert [peer.name for peer in tablet.peers.connected()] == ["hub"]


def test_a_lost_link_is_shown_as_lost(wire: SimulatedWire) -> None:
    hub, tablet, cable = joined(wire)
    wire.cut(cable)
    assert hub.peers.connected() == []
    assert tablet.peers.peers[hub.node].last_error == "lost"


def test_a_peer_with_two_links_is_connected_until_both_are_lost(wire: SimulatedWire) -> None:
    hub, tablet, cable = joined(wire)
    other = wire.connect(tablet, hub)
    wire.settle()
    wire.cut(cable)
    assert [peer.name for peer in hub.peers.connected()] == ["tablet"]
    wire.cut(other)
    assert hub.peers.connected() == []


def test_a_revoked_node_is_hung_up_on(wire: SimulatedWire) -> None:
    hub, tablet, cable = joined(wire)
    hub.peers.drop(tablet.node, "revoked", "this device was revoked")
    wire.settle()
    assert not cable.up
    assert hub.peers.peers[tablet.node].last_error == "revoked"


def test_a_link_ends_once(wire: SimulatedWire) -> None:
    hub, _tablet, cable = joined(wire)
    told: list[str] = []
    link = cable.link_of(hub)
    link.watcher = Told(told)  # type: ignore[assignment]
    link._act([Close("one", ""), Close("two", "")])
    link.down()
    assert told == ["one"]


class Told:
    def __init__(self, told: list[str]) -> None:
        self.closed = lambda link, code, text: told.append(code)


def test_nothing_is_sent_on_a_link_that_has_ended(wire: SimulatedWire) -> None:
    hub, _tablet, cable = joined(wire)
    link, before = cable.link_of(hub), len(cable.log)
    link.down()
    hub.write(report("b", text="x"))
    link.wake()
    assert len(cable.log) == before


def test_terminals_come_back_the_slower_the_more_there_are(wire: SimulatedWire) -> None:
    hub = wire.machine("hub")
    few = hub.peers.retry_ms_max()
    for _ in range(120):
        hub.peers.new_link(caller=False, send=lambda frame: None, hang_up=lambda: None)
    assert (few, hub.peers.retry_ms_max()) == (250, 750)


def test_the_accepting_side_hears_only_sockets_that_are_connected(wire: SimulatedWire) -> None:
    hub = wire.machine("hub")
    sent: list[Any] = []
    hub.hub.received("nobody", b"x")
    hub.hub.connected("socket", sent.append, lambda: None)
    hub.hub.received("socket", b"x")
    hub.hub.disconnected("socket")
    hub.hub.received("socket", b"x")
    assert len(sent) == 1  # one refusal


def test_a_run_is_committed_in_jobs_of_what_the_machine_takes_and_receipted_once(wire: SimulatedWire) -> None:
    hub, tablet = wire.machine("hub"), wire.machine("tablet", ("field",))
    for number in range(250):
        tablet.write(report(str(number), text="x"))
    hub.writer.ops_max = 100
    jobs: list[int] = []
    real = hub.writer.submit

    def submit(job: Any, weight: int = 1) -> Any:
        jobs.append(weight)
        return real(job, weight)

    hub.writer.submit = submit
    cable = wire.connect(tablet, hub)
    wire.settle()
    assert hub.digest() == tablet.digest()
    assert sum(jobs) == 251 and max(jobs) <= 100
    runs = [frame for to, data in cable.log if to == 0 and isinstance(frame := protocol.decode(data), protocol.Run)]
    acks = [frame for to, data in cable.log if to == 1 and isinstance(frame := protocol.decode(data), protocol.Ack)]
    assert [ack.number for ack in acks] == [run.number for run in runs]
    assert all(len(ack.receipts) == 1 for ack in acks)
    assert len(runs) < len([weight for weight in jobs if weight])


def test_jobs_keep_the_order_of_their_segments_and_hold_at_least_one() -> None:
    segments = [Segment(b"", 1, b"", (b"",) * size) for size in (3, 3, 9, 1, 2, 2)]
    parts = in_jobs(segments, 5)
    assert [segment for part in parts for segment in part] == segments
    assert [[len(segment.bodies) for segment in part] for part in parts] == [[3], [3], [9], [1, 2, 2]]
