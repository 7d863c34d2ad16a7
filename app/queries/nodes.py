"""Nodes that were enrolled, by node id (32 hex digits): for names, and for the page of devices."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any, Literal

from app.queries import row
from app.queries.heirs import current
from app.queries.row import Record, Where

HOURS_SHOWN = 24
HOUR_MS = 3_600_000
State = Literal["self", "connected", "locked", "down", "revoked"]


def get(db: Any, node_id: str) -> Record | None:
    return row.get(db, "nodes", str(uuid.UUID(hex=node_id)))


def listed(db: Any) -> list[Record]:
    return row.select(db, row.kind_of("nodes"), Where(), "ORDER BY label, id")


def names(db: Any) -> dict[str, str]:
    """The name of each node by its node id, as it stands in the ``node`` of a record."""
    return {uuid.UUID(node.id).hex: node["name"] for node in listed(db)}


@dataclass(frozen=True, slots=True)
class Device:
    """A node as the page of devices shows it."""

    node: Record
    state: State
    last_contact_ms: int | None
    certificate_ends_ms: int | None  # of its TLS leaf, where this node gave it
    revocation: Record | None
    heir_place: int | None  # 1 for who takes over first
    locked_since_ms: int | None  # it was started again, and waits to be unlocked

    @property
    def node_id(self) -> str:
        return uuid.UUID(self.node.id).hex


def devices(node: Any) -> list[Device]:
    """Every device of the city, as far as this node knows it."""
    db = node.reader()
    met = {peer["node_id"]: peer for peer in node.peers()}
    ends = _leaf_ends(db)
    revoked = {found.id: found for found in row.select(db, row.kind_of("revocations"), Where())}
    heirs = {heir.node.hex(): place for place, heir in enumerate(current(db, node.root_public).heirs, 1)}
    found = []
    for record in listed(db):
        node_id = uuid.UUID(record.id).hex
        peer, taken_out = met.get(node_id, {}), revoked.get(record.id)
        state = _state(node, node_id, peer, taken_out)
        last, locked = peer.get("last_contact_at"), peer.get("locked_since_at")
        found.append(Device(record, state, last, ends.get(node_id), taken_out, heirs.get(node_id), locked))
    return found


def device(node: Any, record_id: str) -> Device | None:
    return next((found for found in devices(node) if found.node.id == record_id), None)


def revocation(db: Any, node_id: str) -> Record | None:
    """How a device was taken out; None where it was not."""
    return row.get(db, "revocations", str(uuid.UUID(hex=node_id)))


def _state(node: Any, node_id: str, peer: dict[str, Any], revoked: Record | None) -> State:
    if revoked:
        return "revoked"
    if node_id == node.node_id:
        return "self"
    if peer.get("state") == "connected":
        return "connected"
    return "locked" if peer.get("locked_since_at") else "down"


def _leaf_ends(db: Any) -> dict[str, int]:
    rows = db.execute("SELECT node_id, max(ends_at) FROM tls_leaves WHERE kind = 'node' GROUP BY node_id")
    return {row[0]: row[1] for row in rows.fetchall()}


# -- what is held of a device ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Held:
    """The operations of a device that are here, by when they arrived; ``refused``: those that do not count."""

    count: int
    last_at: int | None
    refused: int
    hours: tuple[tuple[int, int], ...]  # (begin of the hour, operations), the newest first


def held(db: Any, node_id: str) -> Held:
    key = bytes.fromhex(node_id)
    total = db.execute(f"SELECT coalesce(sum(last - first + 1), 0), max(received_at) {_RUNS}", (key,)).fetchone()
    refused = db.execute(
        "SELECT count(*) FROM quarantine JOIN stream ON stream.no = quarantine.stream"
        " WHERE stream.node = ? AND reason = 'revoked'",
        (key,),
    ).fetchone()
    hours = db.execute(
        f"SELECT received_at / {HOUR_MS} * {HOUR_MS}, sum(last - first + 1) {_RUNS} GROUP BY 1 ORDER BY 1 DESC"
        f" LIMIT {HOURS_SHOWN}",
        (key,),
    ).fetchall()
    return Held(total[0], total[1], refused[0], tuple((hour, count) for hour, count in hours))


def arrived_until(db: Any, node_id: str, moment_ms: int) -> dict[bytes, int]:
    """Of each stream of a device the last operation that had arrived here by then.

    By arrival, not by the device's own clock: whoever holds a lost tablet sets that as they like.
    """
    rows = db.execute(
        f"SELECT stream.id, max(last) {_RUNS} AND received_at <= ? GROUP BY stream.id",
        (bytes.fromhex(node_id), moment_ms),
    )
    return {bytes(stream): last for stream, last in rows.fetchall()}


_RUNS = "FROM run JOIN stream ON stream.no = run.stream WHERE stream.node = ?"
