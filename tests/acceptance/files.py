"""What nodes promise each other about files, written once for every wire."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from typing import Any

from tests.acceptance.machines import Machine
from tests.acceptance.suite import same
from tests.unit.sync.nodes import report

Wire = Any
SCENARIOS: list[Callable[[Wire], None]] = []


def scenario(function: Callable[[Wire], None]) -> Callable[[Wire], None]:
    SCENARIOS.append(function)
    return function


def noise(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


def named(data: bytes, record: str = "photo") -> Any:
    return report(record, text=f"photo {hashlib.sha256(data).hexdigest()} {len(data)}")


def filed(machine: Machine, data: bytes, record: str = "photo") -> str:
    """As a page does it: the file is durable before the record that names it."""
    sha256 = machine.blobs.put(data, "image/jpeg")
    machine.write(named(data, record))
    return sha256


def holds(machine: Machine, sha256: str) -> bool:
    return machine.blobs.has(sha256)


def in_part(machine: Machine, sha256: str) -> bool:
    held = machine.blobs.held(bytes.fromhex(sha256))
    return held.have > 0 and not held.whole


@scenario
def a_file_follows_the_record_that_names_it(wire: Wire) -> None:
    hub, tablet = wire.machine("hub"), wire.machine("tablet", ("field",))
    data = noise(300_000)
    sha256 = filed(tablet, data)
    assert not tablet.blobs.state(sha256).at_hub
    wire.connect(tablet, hub)
    wire.until(lambda: holds(hub, sha256) and tablet.blobs.state(sha256).at_hub)
    assert hub.blobs.read(sha256) == data and hub.blobs.media_type(sha256) == "image/jpeg"
    assert hub.blobs.state(sha256).holders == (tablet.node.hex(),)


@scenario
def a_file_that_is_made_on_an_open_link_travels_at_once(wire: Wire) -> None:
    hub, tablet = wire.machine("hub"), wire.machine("tablet", ("field",))
    tablet.write(report("a", text="x"))
    wire.connect(tablet, hub)
    wire.until(lambda: same(hub, tablet))
    sent = [filed(tablet, noise(1000 * number, number), f"{number}") for number in range(1, 6)]
    wire.until(lambda: all(holds(hub, sha256) and tablet.blobs.state(sha256).at_hub for sha256 in sent))


@scenario
def a_file_reaches_a_second_tablet_through_the_hub(wire: Wire) -> None:
    hub, one, two = wire.machine("hub"), wire.machine("one", ("field",)), wire.machine("two", ("field",))
    wire.connect(two, hub)
    wire.connect(one, hub)
    sha256 = filed(one, data := noise(100_000))
    wire.until(lambda: holds(two, sha256))
    assert two.blobs.read(sha256) == data


@scenario
def what_nobody_names_does_not_travel(wire: Wire) -> None:
    hub, tablet = wire.machine("hub"), wire.machine("tablet", ("field",))
    draft = tablet.blobs.put(noise(1000), "image/jpeg")
    sha256 = filed(tablet, noise(1000, 2))
    wire.connect(tablet, hub)
    wire.until(lambda: tablet.blobs.state(sha256).at_hub)
    assert not holds(hub, draft) and not tablet.blobs.state(draft).at_hub


@scenario
def a_transfer_that_was_cut_goes_on_from_another_holder(wire: Wire) -> None:
    hub, one, two = wire.machine("hub"), wire.machine("one", ("field",)), wire.machine("two", ("field",))
    data = noise(8_000_000)
    sha256 = filed(one, data)
    two.blobs.put(data, "image/jpeg")
    link = wire.connect(one, hub)
    wire.until_moving(lambda: in_part(hub, sha256))
    wire.cut(link)
    have = hub.blobs.held(bytes.fromhex(sha256)).have
    wire.connect(two, hub)
    wire.until(lambda: holds(hub, sha256))
    assert have > 0 and hub.blobs.read(sha256) == data
    assert hub.blobs.state(sha256).holders == tuple(sorted((one.node.hex(), two.node.hex())))


@scenario
def what_came_in_part_before_a_restart_is_not_sent_again(wire: Wire) -> None:
    hub, tablet = wire.machine("hub"), wire.machine("tablet", ("field",))
    data = noise(200_000)
    sha256 = filed(tablet, data)
    hub.blobs.keep(bytes.fromhex(sha256), 0, len(data), data[:65536], "image/jpeg")
    hub.blobs.keep(bytes.fromhex(sha256), 65536, len(data), data[65536:131072], "image/jpeg")
    wire.connect(tablet, hub)
    wire.until(lambda: holds(hub, sha256))
    rows = hub.blob_reader.execute("SELECT start FROM chunk ORDER BY start").fetchall()
    assert [row[0] for row in rows][:2] == [0, 65536] and hub.blobs.read(sha256) == data


def spoil(machine: Machine) -> None:
    """The disk of a machine gives other bytes than were written."""
    machine.blob_connection.execute("UPDATE chunk SET bytes = zeroblob(length(bytes))")


@scenario
def bytes_that_are_not_the_files_are_thrown_away_and_another_holder_is_asked(wire: Wire) -> None:
    hub, one, two = wire.machine("hub"), wire.machine("one", ("field",)), wire.machine("two", ("field",))
    data = noise(150_000)
    sha256 = filed(one, data)
    spoil(one)
    wire.connect(one, hub)
    wire.until(lambda: same(hub, one) and one.node in hub.peers.wishes._suspects.get(bytes.fromhex(sha256), ()))
    assert not holds(hub, sha256)
    two.blobs.put(data, "image/jpeg")
    wire.connect(two, hub)
    wire.until(lambda: holds(hub, sha256))
    assert hub.blobs.read(sha256) == data


@scenario
def a_part_of_two_tellers_of_which_one_lied_is_fetched_anew(wire: Wire) -> None:
    hub, one, two = wire.machine("hub"), wire.machine("one", ("field",)), wire.machine("two", ("field",))
    data = noise(150_000)
    sha256 = filed(one, data)
    hub.blobs.keep(bytes.fromhex(sha256), 0, len(data), bytes(70_000)[:65536], None)  # from somebody who lied
    two.blobs.put(data, "image/jpeg")
    wire.connect(one, hub)
    wire.connect(two, hub)
    wire.until(lambda: holds(hub, sha256))
    assert hub.blobs.read(sha256) == data
    assert not hub.peers.wishes._suspects.get(bytes.fromhex(sha256))
