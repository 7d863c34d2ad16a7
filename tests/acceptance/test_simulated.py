"""The suite over the simulated wire, and what only a simulation can bend."""

from __future__ import annotations

import hashlib
import itertools
import random
from collections.abc import Iterator
from typing import Any

import pytest

from sync import arrival, limits, protocol
from sync.operation import CITY, Change
from sync.replica import Replica
from tests.acceptance import suite
from tests.acceptance.machines import Machine, SimulatedWire
from tests.unit.sync.nodes import INCIDENT, Author, everything, ident, report


@pytest.fixture
def wire() -> Iterator[SimulatedWire]:
    made = SimulatedWire()
    yield made
    made.close()


@pytest.mark.parametrize("scenario", suite.SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_on_the_simulated_wire(scenario: suite.Wire, wire: SimulatedWire) -> None:
    scenario(wire)


def two(wire: SimulatedWire) -> tuple[Machine, Machine]:
    hub, tablet = wire.machine("hub"), wire.machine("tablet", ("field",))
    for number in range(20):
        tablet.write(report(f"{number}", text="x"))
    hub.write(report("hub", text="y"))
    return hub, tablet


def test_a_receipt_comes_only_after_the_commit(wire: SimulatedWire) -> None:
    hub, tablet = two(wire)
    hub.writer.held = True
    wire.connect(tablet, hub)
    wire.settle()
    assert tablet.sent_to(hub) == {}
    hub.writer.held = False
    wire.until(lambda: suite.receipted(tablet, hub))


def test_a_disk_error_gives_no_receipt_and_everything_arrives_after_the_retry(wire: SimulatedWire) -> None:
    hub, tablet = two(wire)
    hub.writer.fail = 1
    cable = wire.connect(tablet, hub)
    wire.settle()
    assert not cable.up
    assert tablet.sent_to(hub) == {}
    wire.connect(tablet, hub)
    wire.until(lambda: suite.same(hub, tablet) and suite.receipted(tablet, hub))


def test_a_peer_that_never_commits_is_left_after_a_while(wire: SimulatedWire) -> None:
    hub, tablet = two(wire)
    hub.writer.held = True
    cable = wire.connect(tablet, hub)
    wire.settle()
    wire.tick(60_000)
    assert not cable.up
    assert cable.link_of(tablet).ended == ("stalled", "no receipt came in time")


def test_nodes_that_hold_the_same_exchange_no_vector_and_no_run(wire: SimulatedWire) -> None:
    hub, tablet = two(wire)
    wire.cut(wire.connect(tablet, hub))
    first = wire.connect(tablet, hub)
    wire.settle()
    wire.cut(first)
    again = wire.connect(tablet, hub)
    wire.settle()
    names = [type(protocol.decode(frame)).__name__ for _, frame in again.log]
    assert names == ["Hello", "Hello", "Proof", "Proof", "VectorFrame", "VectorFrame"]
    assert sum(len(frame) for _, frame in again.log) < 1_500


def test_a_hub_that_was_put_back_gets_everything_again(wire: SimulatedWire) -> None:
    hub, tablet = two(wire)
    first = wire.connect(tablet, hub)
    wire.settle()
    wire.cut(first)
    empty = wire.machine("hub")
    wire.connect(tablet, empty)
    wire.until(lambda: empty.published.vector.items() >= tablet.published.vector.items())
    assert tablet.peers.peers[empty.node].regressed


def test_a_tablet_that_was_put_back_begins_a_new_incarnation_and_loses_nothing(wire: SimulatedWire) -> None:
    hub, tablet = two(wire)
    wire.cut(wire.connect(tablet, hub))
    wire.connect(tablet, hub)
    wire.settle()
    older = wire.machine("tablet", ("field",))
    older.writer.call(lambda replica: set_incarnation(replica, tablet.replica.incarnation))
    wire.connect(older, hub)
    wire.settle()
    assert older.replica.incarnation != tablet.replica.incarnation
    older.write(report("0", text="after the restore"))
    wire.until(lambda: suite.same(hub, older))
    assert hub.digest() == older.digest()


def test_a_short_tail_that_counts_reaches_whoever_holds_a_longer_one_that_lost(wire: SimulatedWire) -> None:
    hub, tablet = wire.machine("hub"), wire.machine("tablet", ("field",))
    tablet.write(report("a", text="before"))
    copy = Author(tablet.name, tablet.capabilities, tablet.replica.incarnation)
    for segment in everything(tablet.replica):
        copy.bodies[segment.stream] = list(segment.bodies)
    tablet.write(report("a", text="on the tablet"))
    tablet.write(report("b", text="on the tablet"))
    ours = everything(tablet.replica)[0].bodies[copy.last()]
    texts = (f"on the copy {number}" for number in itertools.count())
    while len(copy.bodies[copy.stream()]) < 3 or sha256(copy.bodies[copy.stream()][-1]) > sha256(ours):
        del copy.bodies[copy.stream()][2:]
        copy.write("reports", ident("a"), {"text": next(texts)})
    hub.writer.call(lambda replica: replica.receive([*everything(tablet.replica), *copy.segments()], None))
    assert (hub.published.vector[copy.stream()], tablet.published.vector[copy.stream()]) == (3, 4)
    wire.connect(tablet, hub)
    wire.until(lambda: suite.same(hub, tablet) and suite.forks(tablet) == 1)
    assert hub.digest() == tablet.digest()


@pytest.mark.parametrize("called", ["knows more", "knows less"])
def test_a_lost_tail_that_a_peer_tells_is_no_sign_that_it_holds_what_counts(wire: SimulatedWire, called: str) -> None:
    more, less = wire.machine("more"), wire.machine("less")
    authors = [Author("copied") for _ in range(limits.RUNS_IN_FLIGHT_MAX + 2)]
    for number, author in enumerate(authors):
        author.write("reports", ident("a"), {"text": f"{number}"})
    wins, *losers = sorted(authors, key=lambda author: sha256(author.bodies[author.stream()][1]))
    for author in losers:
        author.write("reports", ident("b"), {"text": "and goes on"})
    tails = [author.segment() for author in losers]  # what counts goes after them, when the peer's have come
    less.writer.call(lambda replica: replica.receive([wins.segment(), *tails], None))
    wins.write("reports", ident("c"), {"text": "and goes on"})
    more.writer.call(lambda replica: replica.receive([wins.segment(), *tails], None))
    wire.connect(*((less, more) if called == "knows more" else (more, less)))
    wire.until(lambda: suite.same(more, less))
    assert more.digest() == less.digest()


def test_a_lost_tail_spreads_also_between_nodes_that_hold_the_same_of_what_counts(wire: SimulatedWire) -> None:
    knows, other = wire.machine("knows"), wire.machine("other")
    authors = [Author("copied"), Author("copied")]
    for number, author in enumerate(authors):
        author.write("reports", ident("a"), {"text": f"{number}"})
    wins, loses = sorted(authors, key=lambda author: sha256(author.bodies[author.stream()][1]))
    knows.writer.call(lambda replica: replica.receive([wins.segment(), loses.segment()], None))
    other.writer.call(lambda replica: replica.receive([wins.segment()], None))
    assert suite.same(knows, other)
    wire.connect(other, knows)
    wire.until(lambda: suite.forks(other) == 1)
    assert knows.digest() == other.digest()


def sha256(body: bytes) -> bytes:
    return hashlib.sha256(body).digest()


def set_incarnation(replica: Replica, incarnation: bytes) -> None:
    replica.new_incarnation()
    replica.incarnation = incarnation
    replica.connection.execute("UPDATE log_meta SET value = ? WHERE name = 'incarnation'", (incarnation,))


@pytest.mark.parametrize("seed", range(12))
def test_whatever_a_link_loses_doubles_or_changes_the_next_ones_make_good(wire: SimulatedWire, seed: int) -> None:
    dice = random.Random(seed)
    hub, tablet = two(wire)

    def bend(frame: bytes) -> list[bytes]:
        chance = dice.random()
        if chance < 0.08:
            return []
        if chance < 0.16:
            return [frame, frame]
        if chance < 0.2:
            return [frame[: dice.randrange(len(frame))]]
        if chance < 0.24:
            at = dice.randrange(len(frame))
            return [frame[:at] + bytes([frame[at] ^ 1 << dice.randrange(8)]) + frame[at + 1 :]]
        return [frame]

    for number in range(8):
        cable = wire.connect(tablet, hub, bend)
        wire.settle()
        tablet.write(report(f"{number}", text=f"round {number}"))
        hub.write(report(f"{number}", text=f"hub {number}"))
        if dice.random() < 0.5:
            cable.flying = dice.sample(cable.flying, len(cable.flying))
        wire.settle()
        wire.tick(60_000)
        wire.cut(cable)
    wire.connect(tablet, hub)
    wire.until(lambda: suite.same(hub, tablet) and suite.receipted(tablet, hub))
    assert hub.digest() == tablet.digest()


def test_a_segment_that_is_refused_is_not_resent_for_ever(wire: SimulatedWire, monkeypatch: pytest.MonkeyPatch) -> None:
    hub, tablet = two(wire)
    real = arrival.take_segment

    def refusing(replica: Replica, segment: Any, via: Any) -> Any:
        if replica is hub.replica:
            return arrival.Refused(segment.stream, "bad_operation", "no")
        return real(replica, segment, via)

    monkeypatch.setattr(arrival, "take_segment", refusing)
    cable = wire.connect(tablet, hub)
    wire.settle()
    for number in range(5):
        tablet.write(report(f"{number}", text="again"))
        wire.settle()
    sent = [frame for to, frame in cable.log if to == 0 and isinstance(protocol.decode(frame), protocol.Run)]
    assert len(sent) <= 4


def test_the_order_of_a_busy_link_is_city_talk_work(wire: SimulatedWire) -> None:
    hub, tablet = wire.machine("hub"), wire.machine("tablet")
    hub.write(report("a", text="x"), suite.message("m", "go"))
    hub.write(Change("incidents", INCIDENT, CITY, {"name": "flood", "mode": "real"}))
    cable = wire.connect(tablet, hub)
    wire.settle()
    runs = [protocol.decode(frame) for to, frame in cable.log if to == 1]
    lanes = [
        run.segments[0].stream[16:17] + run.segments[0].stream[-1:] for run in runs if isinstance(run, protocol.Run)
    ]
    assert lanes == [b"cw", b"rt", b"rw"]
