from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterator
from typing import Any

import pytest

from sync import frontiers, limits, protocol
from sync.errors import BadFrame
from sync.frontiers import DAY_MS, FINE_MS, HOUR_MS, Steps
from sync.protocol import Frontier
from sync.telling import Telling
from tests.acceptance.machines import Machine, SimulatedWire
from tests.unit.sync.nodes import KINDS, NOW, REAL, certificate, connect, ident, make_replica, report, write

STREAM, OTHER = (ident(name) + REAL + b"w" for name in ("origin", "other"))
MINUTE = limits.FRONTIER_EVERY_MS


@pytest.fixture
def wire() -> Iterator[SimulatedWire]:
    built = SimulatedWire()
    yield built
    built.close()


def machine(wire: SimulatedWire, name: str, *more: str, schema: int = 8) -> Machine:
    made = wire.machine(name, ("field", "command", "enrol", *more))
    made.replica.kinds = dataclasses.replace(KINDS, schema=schema)
    made.peers.frontiers = Steps(lambda: made.connection, made.now)
    return made


def told(tablet: Machine, hub: Machine, at: int) -> int | None:
    """How many operations the hub held at that time, as far as the tablet knows."""
    found = frontiers.told_at(tablet.connection, hub.node, at)
    return None if found is None else sum(found[0].values())


def held(hub: Machine, at: int) -> int:
    return sum(frontiers.held_at(hub.connection, at).values())


def test_a_tablet_is_told_what_the_hub_knew_also_of_the_hours_in_which_it_had_no_link(wire: SimulatedWire) -> None:
    hub, tablet = machine(wire, "hub", "hub"), machine(wire, "tablet")
    times = []
    for number in range(5):
        hub.write(report(str(number), text="x"))
        wire.settle()
        times.append(wire.time.ms)
        wire.time.ms += 10 * MINUTE
    cable = wire.connect(tablet, hub)
    wire.settle()
    for _ in range(3):
        wire.tick(1_000)
    assert [told(tablet, hub, at) for at in times] == [held(hub, at) for at in times]
    assert told(tablet, hub, times[0] - 1) is None
    wire.cut(cable)
    tablet.write(report("own", text="not yet at the hub"))
    wire.settle()
    assert told(tablet, hub, wire.time.ms) == held(hub, wire.time.ms)


def test_what_the_hub_learns_on_an_open_link_is_told_within_a_minute(wire: SimulatedWire) -> None:
    hub, tablet, other = machine(wire, "hub", "hub"), machine(wire, "tablet"), machine(wire, "other")
    for one in (tablet, other):
        wire.connect(one, hub)
    wire.tick(1_000)
    other.write(report("a", text="x"))
    wire.settle()
    at = wire.time.ms
    for _ in range(MINUTE // 4_000 + 2):
        wire.tick(4_000)
    assert told(tablet, hub, at) == held(hub, at) > 0


@pytest.mark.parametrize(("ours", "theirs"), [(8, 7), (7, 8)])
def test_an_older_release_is_neither_asked_nor_told(wire: SimulatedWire, ours: int, theirs: int) -> None:
    said: list[bytes] = []
    hub, tablet = machine(wire, "hub", "hub", schema=theirs), machine(wire, "tablet", schema=ours)
    (hub if theirs == 7 else tablet).peers.frontiers = None
    wire.connect(tablet, hub, bend=lambda frame: said.append(frame) or [frame])
    hub.write(report("a", text="x"))
    for _ in range(20):
        wire.tick(4_000)
    assert hub.digest() == tablet.digest()
    assert [frame for frame in said if isinstance(protocol.decode(frame), Frontier)] == []


def test_only_a_hub_is_asked_and_only_a_hub_is_believed() -> None:
    replica = make_replica("tablet")
    peer = Telling(Steps(lambda: replica.connection, lambda: NOW), certificate("other"))
    assert peer.on_tick(NOW) == []
    with pytest.raises(BadFrame, match="only a hub"):
        peer.on_frame(Frontier(3, ((NOW, STREAM, 1),)))


def test_many_steps_are_told_in_parts_and_each_once() -> None:
    replica = make_replica("hub")
    steps = Steps(lambda: replica.connection, lambda: NOW)
    replica.now = lambda: clock[0]
    clock = [NOW]
    for number in range(7):
        write(replica, report(str(number), text="x"))
        clock[0] += MINUTE
    position, seen = 0, list[Any]()
    while True:
        position, part = steps.after(position, 2)
        seen += part
        if not part:
            break
    assert [seq for _, _, seq in seen] == sorted({seq for _, _, seq in seen})
    assert seen[-1][2] == max(stream.last for stream in replica.streams.values())
    write(replica, report("more", text="x"))
    assert len(steps.after(position, 2)[1]) == 1


def test_a_store_that_was_put_back_is_told_anew_from_the_beginning() -> None:
    replica = make_replica("hub")
    write(replica, report("a", text="x"))
    steps = Steps(lambda: replica.connection, lambda: NOW)
    assert steps.after(1_000_000, 10)[1] == steps.after(0, 10)[1] != ()


def test_old_steps_stand_by_the_hour() -> None:
    connection = connect()
    minutes = [(NOW + minute * MINUTE, STREAM, minute + 1) for minute in range(120)]
    frontiers.keep(connection, b"hub", 1, minutes)
    frontiers.keep(connection, b"hub", 2, [(NOW + FINE_MS + DAY_MS, OTHER, 1)])
    left = [tuple(row) for row in connection.execute("SELECT at, seq FROM frontier_step WHERE stream = ?", (STREAM,))]
    assert len(left) == len({at // HOUR_MS for at, _, _ in minutes})
    assert left[-1] == (minutes[-1][0], 120)
    assert Steps(lambda: connection, lambda: NOW).told_up_to(b"hub") == 2


def test_the_log_is_cut_where_the_fewest_times_are_denied() -> None:
    replica, chance = make_replica("hub"), random.Random(7)
    clock = [NOW]
    replica.now = lambda: clock[0]
    ends: dict[int, int] = {}
    for minute in range(40):
        clock[0] = NOW + minute * MINUTE + (chance.choice((-1, 1)) * 10 * DAY_MS if minute in (11, 23) else 0)
        write(replica, report(str(minute), text="x"))
        ends[minute] = sum(stream.last for stream in replica.streams.values())
    for minute in set(range(40)) - {9, 10, 11, 12, 21, 22, 23, 24}:
        found = frontiers.held_at(replica.connection, NOW + minute * MINUTE)
        assert sum(found.values()) == ends[minute], minute
