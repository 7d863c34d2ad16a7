"""The promises about files over both wires, and what only a simulation can bend."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sync import protocol
from sync.protocol import Chunk, Have, Run, Seek, Want
from tests.acceptance import files, suite
from tests.acceptance.files import filed, holds, noise
from tests.acceptance.machines import Machine, SimulatedWire
from tests.acceptance.sockets import SocketWire
from tests.unit.sync.nodes import report


@pytest.fixture
def wire() -> Iterator[SimulatedWire]:
    made = SimulatedWire()
    yield made
    made.close()


@pytest.mark.parametrize("scenario", files.SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_on_the_simulated_wire(scenario: Any, wire: SimulatedWire) -> None:
    scenario(wire)


@pytest.mark.parametrize("scenario", files.SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_over_real_sockets(scenario: Any, tmp_path: Path) -> None:
    wire = SocketWire(tmp_path)
    try:
        scenario(wire)
    finally:
        wire.close()


def frames_to(cable: Any, direction: int) -> list[protocol.Frame]:
    return [protocol.decode(frame) for to, frame in cable.log if to == direction]


def ten_reports(wire: SimulatedWire) -> tuple[Machine, Machine, list[str]]:
    hub, tablet = wire.machine("hub"), wire.machine("tablet", ("field",))
    sent = []
    for number in range(10):
        sent.append(filed(tablet, noise(100_000, number), f"photo {number}"))
        for more in range(40):
            tablet.write(report(f"{number} {more}", text=noise(400, more).hex()))
    return hub, tablet, sent


def test_all_the_text_is_at_the_hub_before_any_byte_of_a_photo(wire: SimulatedWire) -> None:
    hub, tablet, sent = ten_reports(wire)
    cable = wire.connect(tablet, hub)
    held: list[bool] = []  # at each chunk that came to the hub: whether it held all operations durably

    def watch(link: Any, received: Any) -> Any:
        def watched(data: bytes) -> None:
            if isinstance(protocol.decode(data), Chunk):
                held.append(hub.published.vector.items() >= tablet.published.vector.items())
            received(data)

        return watched

    cable.links[0].received = watch(cable.links[0], cable.links[0].received)  # type: ignore[method-assign]
    wire.until(lambda: all(holds(hub, sha256) for sha256 in sent))
    assert held and all(held)


def test_what_is_written_during_a_transfer_goes_before_its_next_chunk(wire: SimulatedWire) -> None:
    hub, tablet = wire.machine("hub"), wire.machine("tablet", ("field",))
    sha256 = filed(tablet, noise(2_000_000))
    cable = wire.connect(tablet, hub)
    while not files.in_part(hub, sha256):
        cable.step()
        hub.writer.commit()
        tablet.writer.commit()
        hub.errands.step()
        tablet.errands.step()
    before = len(cable.log)
    tablet.write(report("urgent", text="road closed"))
    wire.settle()
    kinds = [type(protocol.decode(frame)) for to, frame in cable.log[before:] if to == 0]
    assert Run in kinds and kinds[: kinds.index(Run)].count(Chunk) == 0


def test_one_chunk_is_under_way_at_most(wire: SimulatedWire) -> None:
    hub, tablet, _ = ten_reports(wire)
    cable = wire.connect(tablet, hub)
    wire.settle()
    wants = chunks = 0
    for _, data in cable.log:
        frame = protocol.decode(data)
        wants += isinstance(frame, Want)
        chunks += isinstance(frame, Chunk)
        assert chunks <= wants <= chunks + 1
    assert chunks > 20


def test_a_lost_receipt_of_a_file_is_given_on_the_next_link(wire: SimulatedWire) -> None:
    hub, tablet = wire.machine("hub"), wire.machine("tablet", ("field",))
    sha256 = filed(tablet, noise(5_000))

    def lose(frame: bytes) -> list[bytes]:
        read = protocol.decode(frame)
        return [] if isinstance(read, Have) and not read.number else [frame]

    cable = wire.connect(tablet, hub, bend=lose)
    wire.settle()
    assert holds(hub, sha256) and not tablet.blobs.state(sha256).at_hub
    wire.cut(cable)
    wire.connect(tablet, hub)
    wire.until(lambda: tablet.blobs.state(sha256).at_hub)


def test_an_older_peer_is_sent_no_frame_about_files(wire: SimulatedWire) -> None:
    hub, tablet = wire.machine("hub"), wire.machine("tablet", ("field",))
    sha256 = filed(tablet, noise(5_000))

    def older(frame: bytes) -> list[bytes]:
        read = protocol.decode(frame)
        if isinstance(read, protocol.Hello):
            return [protocol.encode(protocol.Hello(read.protocol, read.certificate, read.nonce, read.clock_ms, 1))]
        return [frame]

    cable = wire.connect(tablet, hub, bend=older)
    wire.until(lambda: suite.same(hub, tablet) and suite.receipted(tablet, hub))
    assert not [frame for _, frame in cable.log if isinstance(protocol.decode(frame), Want | Chunk | Have | Seek)]
    assert not holds(hub, sha256)


def test_nodes_that_lack_nothing_say_nothing_about_files(wire: SimulatedWire) -> None:
    hub, tablet = wire.machine("hub"), wire.machine("tablet", ("field",))
    sha256 = filed(tablet, noise(5_000))
    first = wire.connect(tablet, hub)
    wire.until(lambda: tablet.blobs.state(sha256).at_hub)
    wire.cut(first)
    again = wire.connect(tablet, hub)
    wire.settle()
    assert not [frame for _, frame in again.log if isinstance(protocol.decode(frame), Want | Chunk | Have | Seek)]


def test_what_somebody_opened_comes_before_what_is_only_wished(wire: SimulatedWire) -> None:
    hub, tablet, sent = ten_reports(wire)
    wire.connect(tablet, hub)
    came: list[bytes] = []
    told = hub.blobs.on_whole

    def on_whole(name: bytes) -> None:
        came.append(name)
        told(name)

    hub.blobs.on_whole = on_whole
    wire.cables[-1].cut()
    wire.settle()
    cable = wire.connect(tablet, hub)
    while len(hub.peers.wishes) < 10:
        cable.step()
        hub.writer.commit()
        tablet.writer.commit()
    hub.blobs.want(sent[3])
    wire.settle()
    assert came[0].hex() == sent[3] and len(came) == 10


@pytest.mark.parametrize("seed", range(12))
def test_whatever_a_link_loses_doubles_or_changes_the_next_ones_make_good(wire: SimulatedWire, seed: int) -> None:
    dice = random.Random(seed)
    hub, tablet = wire.machine("hub"), wire.machine("tablet", ("field",))
    sent = [filed(tablet, noise(60_000 * number, number), f"{number}") for number in range(1, 5)]

    def bend(frame: bytes) -> list[bytes]:
        fate = dice.random()
        if fate < 0.05:
            return []
        if fate < 0.1:
            return [frame, frame]
        if fate < 0.15:
            at = dice.randrange(len(frame))
            return [frame[:at] + bytes([dice.randrange(256)]) + frame[at + 1 :]]
        return [frame]

    for _ in range(12):
        cable = wire.connect(tablet, hub, bend=bend)
        wire.settle()
        wire.cut(cable)
    wire.connect(tablet, hub)
    wire.until(lambda: all(holds(hub, sha256) and tablet.blobs.state(sha256).at_hub for sha256 in sent))
    for number, sha256 in enumerate(sent, start=1):
        assert hub.blobs.read(sha256) == noise(60_000 * number, number)


FLOODS = {
    "ten thousand wants": [protocol.encode(Want(b"", b"a" * 32, 0, 65536))] * 10_000,
    "a guessed token": [protocol.encode(Want(b"guessed!", b"a" * 32, 0, 65536))],
    "a chunk that was not asked for": [protocol.encode(Chunk(b"t" * 8, b"a" * 32, 0, 5, b"bytes"))],
    "an answer to what was not sought": [protocol.encode(Have(7, (b"a" * 32,)))],
    "a seek without a number": [protocol.encode(Seek(0, (b"a" * 32,)))],
}


@pytest.mark.parametrize("name", FLOODS)
def test_a_hostile_peer_is_closed_and_nothing_of_it_is_kept(wire: SimulatedWire, name: str) -> None:
    hub, tablet = wire.machine("hub"), wire.machine("tablet", ("field",))
    sha256 = filed(hub, noise(300_000))
    cable = wire.connect(tablet, hub)
    wire.settle()
    before = len(cable.log)
    for frame in FLOODS[name]:
        cable.links[0].received(frame)
    wire.settle()
    assert cable.links[0].ended is not None and cable.links[0].ended[0] == "bad_frame"
    assert sum(len(frame) for _, frame in cable.log[before:]) < 100_000, "little was answered"
    wire.connect(tablet, hub)
    wire.until(lambda: suite.same(hub, tablet))
    assert holds(hub, sha256) and hub.blobs.count() == 1
    assert hub.blob_reader.execute("SELECT count(*) FROM holder WHERE node != ?", (tablet.node,)).fetchone()[0] == 0
