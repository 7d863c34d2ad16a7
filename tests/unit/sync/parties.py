"""A session with its replica and its files: frames in, frames out. An honest exchange is recorded, to be spoilt."""

from __future__ import annotations

import functools
from typing import Any

import sqlcipher3

from sync import protocol
from sync.actions import Close, Deliver, Discard, Holds, Keep, Later, Outgrown, Receipts, Send
from sync.arrival import Gap
from sync.blobs import NOTHING
from sync.fetching import Files
from sync.replica import Replica
from sync.wishes import Wishes
from tests.unit.sync.nodes import NOW, Author, Time, ident, make_replica, receive, report, write
from tests.unit.sync.test_fetching import Shelf, wish
from tests.unit.sync.test_session import Side

FILE = b"a photo of the river " * 900
CAPABILITIES = {"hub": ("field", "command", "hub", "enrol"), "tablet": ("field", "command")}


class Party:
    """One side of a link that carries out what its session asks for, as the link does."""

    def __init__(self, name: str, replica: Replica, *files: bytes) -> None:
        self.shelf, wishes = Shelf(*files), Wishes()
        for data in (FILE, FILE[:10]):
            found = wish(Shelf(data).made_here(b"")[0], len(data))
            if found.name not in self.shelf.whole:
                wishes.add([found])
        more = {"files": Files(self.shelf, wishes), "token_seed": b"secret", "schema": 2}
        self.side = Side(name, name == "tablet", replica, ident("nonce " + name), **more)
        self.session, self.replica = self.side.session, replica
        self.closed: str | None = None
        self.delivered = 0

    def open(self) -> list[bytes]:
        return self.act(self.session.on_open(NOW))

    def feed(self, data: object, now: int = NOW) -> list[bytes]:
        return self.act(self.session.on_frame(data, now))

    def tick(self, now: int) -> list[bytes]:
        return self.act(self.session.on_tick(now))

    def act(self, actions: list[Any]) -> list[bytes]:
        sent: list[bytes] = []
        for action in actions:
            if isinstance(action, Send):
                sent.append(action.frame)
            elif isinstance(action, Close):
                self.closed, self.session.phase = action.code, "closed"
            elif not isinstance(action, Holds | Later):
                sent += self.act(self._carry_out(action))
        return sent

    def _carry_out(self, action: Any) -> list[Any]:
        if isinstance(action, Deliver):
            self.delivered += 1
            outcomes = receive(self.replica, *action.segments)
            gaps = {outcome.stream for outcome in outcomes if isinstance(outcome, Gap)}
            self.session.hold(segment for segment in action.segments if segment.stream in gaps)
            return self.session.on_committed(action.number, outcomes, NOW)
        if isinstance(action, Receipts):
            self.replica.run_batch([lambda r: r.keep_receipts(action.peer, action.receipts)])
        elif isinstance(action, Outgrown):
            self.replica.run_batch([lambda r: r.new_incarnation()])
        elif isinstance(action, Keep):
            return self.session.on_kept(action.name, self.shelf.keep(action), NOW)
        elif isinstance(action, Discard):
            self.shelf.parts.pop(action.name, None)
            return self.session.on_kept(action.name, NOTHING, NOW)
        return []


@functools.cache
def stores() -> dict[str, Any]:
    """What the hub and the tablet hold before they meet: own operations and those of two others, some in common."""
    hub, tablet = (make_replica(name, CAPABILITIES[name]) for name in ("hub", "tablet"))
    common, other = Author("patrol"), Author("office", ("command", "field"))
    for number in range(4):
        common.write("reports", ident(f"record {number}"), {"text": f"{number}", "tags": {"add": ["x"]}})
        other.write("incidents", ident(f"incident {number}"), {"name": f"{number}", "mode": "real"}, scope=b"c")
    receive(hub, *common.segments(), *other.segments())
    receive(tablet, common.segment(last=3))
    for number in range(6):
        write(hub, report(f"hub {number % 2}", text=f"{number}", road="passable"))
        write(tablet, report(f"hub {number % 3}", text=f"{number}", at=[139.5, 35.5]))
    return {"hub": hub.connection, "tablet": tablet.connection}


def party(name: str) -> Party:
    """A fresh copy of one of the two."""
    connection = sqlcipher3.connect(":memory:", isolation_level=None, check_same_thread=False)
    stores()[name].backup(connection)
    replica = make_replica(name, CAPABILITIES[name], now=Time(), connection=connection)
    return Party(name, replica, FILE if name == "tablet" else FILE[:10])


@functools.cache
def recorded() -> dict[str, tuple[bytes, ...]]:
    """The frames that each side got in an honest exchange, from the first to the last."""
    parties = {"hub": party("hub"), "tablet": party("tablet")}
    got: dict[str, list[bytes]] = {"hub": [], "tablet": []}
    parties["hub"].open()
    waiting = [("hub", frame) for frame in parties["tablet"].open()]
    while waiting:
        name, frame = waiting.pop(0)
        got[name].append(frame)
        other = "tablet" if name == "hub" else "hub"
        waiting += [(other, answer) for answer in parties[name].feed(frame)]
    kinds = {protocol.NAMES[frame[1]] for frames in got.values() for frame in frames}
    assert kinds >= set(protocol.NAMES.values()) - {"need", "refuse", "frontier"}, kinds
    assert parties["hub"].replica.vector == parties["tablet"].replica.vector
    return {name: tuple(frames) for name, frames in got.items()}


def bodies(replica: Replica) -> set[tuple[bytes, int, bytes]]:
    """Every operation that a replica holds, to the byte."""
    rows = replica.connection.execute("SELECT id, seq, body FROM op JOIN stream ON stream.no = op.stream").fetchall()
    return {(bytes(stream), seq, bytes(body)) for stream, seq, body in rows}
