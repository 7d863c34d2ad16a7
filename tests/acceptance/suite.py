"""What any two nodes promise each other, written once. A wire says how they are joined."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sync.operation import CITY, Change
from tests.acceptance.machines import Machine
from tests.unit.sync.nodes import INCIDENT, REAL, ident, report, tables

Wire = Any
SCENARIOS: list[Callable[[Wire], None]] = []


def scenario(function: Callable[[Wire], None]) -> Callable[[Wire], None]:
    SCENARIOS.append(function)
    return function


def same(*machines: Machine) -> bool:
    first = machines[0].published.vector
    return bool(first) and all(machine.published.vector == first for machine in machines[1:])


def receipted(machine: Machine, by: Machine) -> bool:
    own = {stream: seq for stream, seq in machine.published.vector.items() if stream[:16] == machine.replica.origin}
    return machine.sent_to(by) == own


def message(name: str, text: str) -> Change:
    return Change("messages", ident(name), REAL, {"text": text}, 2)


@scenario
def two_nodes_that_worked_apart_hold_the_same(wire: Wire) -> None:
    hub, tablet = wire.machine("hub"), wire.machine("tablet")
    for number in range(30):
        hub.write(report(f"hub {number}", text="x"))
        tablet.write(report(f"tablet {number}", text="y"))
    wire.connect(tablet, hub)
    wire.until(lambda: same(hub, tablet))
    assert hub.digest() == tablet.digest()


@scenario
def what_is_written_on_an_open_link_arrives_at_once(wire: Wire) -> None:
    hub, tablet = wire.machine("hub"), wire.machine("tablet")
    tablet.write(report("a", text="1"))
    wire.connect(tablet, hub)
    wire.until(lambda: same(hub, tablet))
    tablet.write(report("a", text="2"))
    hub.write(message("m", "read"))
    wire.until(lambda: same(hub, tablet))
    assert hub.digest() == tablet.digest()


@scenario
def a_write_is_sent_when_its_receipt_has_come(wire: Wire) -> None:
    hub, tablet = wire.machine("hub"), wire.machine("tablet")
    tablet.write(report("a", text="1"))
    assert tablet.sent_to(hub) == {}
    wire.connect(tablet, hub)
    wire.until(lambda: receipted(tablet, hub))


@scenario
def two_tablets_meet_through_the_hub(wire: Wire) -> None:
    hub, one, two = wire.machine("hub"), wire.machine("one", ("field",)), wire.machine("two", ("field",))
    one.write(report("a", text="by one"))
    wire.connect(one, hub)
    wire.connect(two, hub)
    wire.until(lambda: same(hub, one, two))
    two.write(report("a", text="by two"))
    wire.until(lambda: same(hub, one, two))
    assert hub.digest() == one.digest() == two.digest()


@scenario
def what_was_lost_with_the_link_comes_with_the_next(wire: Wire) -> None:
    hub, tablet = wire.machine("hub"), wire.machine("tablet")
    tablet.write(report("a", text="1"))
    link = wire.connect(tablet, hub)
    wire.until(lambda: same(hub, tablet))
    wire.cut(link)
    tablet.write(report("a", text="2"))
    hub.write(report("b", text="3"))
    wire.connect(tablet, hub)
    wire.until(lambda: same(hub, tablet) and receipted(tablet, hub))


@scenario
def a_revoked_device_is_refused(wire: Wire) -> None:
    hub, tablet = wire.machine("hub"), wire.machine("tablet", ("field",))
    tablet.write(report("a", text="1"))
    hub.writer.call(lambda replica: replica.revoke(tablet.node, {}, "lost", None))
    link = wire.connect(tablet, hub)
    wire.until(lambda: closed_with(link, tablet, "revoked"))
    assert hub.published.vector.keys().isdisjoint(tablet.published.vector)


def closed_with(link: Any, machine: Machine, code: str) -> bool:
    if hasattr(link, "links"):
        ended = link.link_of(machine).ended
        return ended is not None and ended[0] == code
    return link.last_error is not None and link.last_error.startswith(code)


@scenario
def a_copied_disk_is_seen_and_both_tails_are_kept(wire: Wire) -> None:
    hub, tablet = wire.machine("hub"), wire.machine("tablet", ("field",))
    other = wire.machine("tablet two")
    tablet.write(report("a", text="before"))
    link = wire.connect(tablet, hub)
    wire.until(lambda: same(hub, tablet))
    wire.cut(link)
    tablet.write(report("a", text="on the tablet"))
    fork(tablet, hub)
    wire.connect(tablet, hub)
    wire.until(lambda: forks(hub) == 1 and forks(tablet) == 1 and same(hub, tablet))
    assert hub.digest() == tablet.digest()
    wire.connect(other, hub)
    wire.until(lambda: forks(other) == 1 and same(hub, tablet, other))
    assert other.digest() == hub.digest()


def fork(tablet: Machine, hub: Machine) -> None:
    """Hand the hub what a copy of the tablet's disk wrote under the same numbers."""
    from tests.unit.sync.nodes import Author, everything

    copy = Author(tablet.name, tablet.capabilities, tablet.replica.incarnation)
    for segment in everything(tablet.replica):
        copy.bodies[segment.stream] = list(segment.bodies[: segment.last - 1])
    copy.write("reports", ident("a"), {"text": "on the copy"})
    copy.write("reports", ident("b"), {"text": "on the copy"})
    hub.writer.call(lambda replica: replica.receive(copy.segments(), None))


def forks(machine: Machine) -> int:
    return int(machine.reader.execute("SELECT count(DISTINCT stream) FROM branch").fetchone()[0])


@scenario
def an_incident_and_its_talk_arrive_with_its_work(wire: Wire) -> None:
    hub, tablet = wire.machine("hub"), wire.machine("tablet", ("field",))
    hub.write(Change("incidents", INCIDENT, CITY, {"name": "flood", "mode": "real"}))
    hub.write(message("m", "go"), report("a", text="x"))
    wire.connect(tablet, hub)
    wire.until(lambda: same(hub, tablet))
    assert {key[0] for key in tables(tablet.replica)} == {"incidents", "messages", "reports"}
