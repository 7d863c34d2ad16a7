"""When records of an incident's talk reached which node, by the log's receipts: many at once, in a few queries.

``hub`` of a record that came from elsewhere is when it came here: it came through the hub. Nothing is guessed: no
receipt, no time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from app.queries.row import Record
from sync.operation import stream_id

_TALK = b"t"
_ASKED_AT_ONCE = 4_000


@dataclass(frozen=True, slots=True)
class Here:
    """Which node asks: what it holds itself is proved by its own log."""

    node_id: bytes
    hub: bytes | None
    is_hub: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where the operation stands that made a record."""

    stream: int
    seq: int
    own: bool  # written by this node
    received_at: int


def places(db: Any, table: str, listed: Sequence[Record], here: Here) -> dict[str, Place]:
    """The place in this node's log of each record, by its id."""
    rows = _rows(db, table, [one.id for one in listed])
    streams = _streams(db, {stream for _, stream, _ in rows})
    known = [(id_, *streams[stream], seq) for id_, stream, seq in rows if stream in streams]
    sql = (
        "WITH asked(n, stream, seq) AS (VALUES {}) SELECT n, (SELECT received_at FROM run WHERE run.stream ="
        " asked.stream AND last >= asked.seq ORDER BY last LIMIT 1) FROM asked"
    )
    received = dict(_asked(db, sql, [(n, no, seq) for n, (_, no, _, seq) in enumerate(known)]))
    return {
        id_: Place(no, seq, node == here.node_id, at)
        for n, (id_, no, node, seq) in enumerate(known)
        if (at := received.get(n)) is not None
    }


def receipts(db: Any, asked: Sequence[tuple[bytes, Place]]) -> list[int | None]:
    """Of each (node, place) when that node had receipted it."""
    sql = (
        "WITH asked(n, peer, stream, seq) AS (VALUES {}) SELECT n, (SELECT at FROM receipt_step WHERE peer ="
        " asked.peer AND stream = asked.stream AND receipt_step.seq >= asked.seq ORDER BY receipt_step.seq LIMIT 1)"
        " FROM asked"
    )
    found = dict(_asked(db, sql, [(n, peer, at.stream, at.seq) for n, (peer, at) in enumerate(asked)]))
    return [found.get(n) for n in range(len(asked))]


def at_hub(db: Any, known: dict[str, Place], here: Here) -> dict[str, int]:
    """When each record was durable at the hub, where that is proved."""
    elsewhere = {id_: place.received_at for id_, place in known.items() if here.is_hub or not place.own}
    own = [(id_, place) for id_, place in known.items() if id_ not in elsewhere]
    receipted = receipts(db, [(here.hub or b"", place) for _, place in own])
    return elsewhere | {id_: at for (id_, _), at in zip(own, receipted, strict=True) if at is not None}


def _rows(db: Any, table: str, ids: Sequence[str]) -> list[tuple[str, bytes, int]]:
    if not ids:
        return []
    marks = ", ".join("?" for _ in ids)
    rows = db.execute(f"SELECT id, scope, origin, seq FROM {table} WHERE id IN ({marks})", ids)
    return [(id_, stream_id(bytes(origin), bytes.fromhex(scope), _TALK), seq) for id_, scope, origin, seq in rows]


def _streams(db: Any, names: Iterable[bytes]) -> dict[bytes, tuple[int, bytes]]:
    wanted = list(names)
    if not wanted:
        return {}
    rows = db.execute(f"SELECT id, no, node FROM stream WHERE id IN ({', '.join('?' for _ in wanted)})", wanted)
    return {bytes(name): (no, bytes(node)) for name, no, node in rows}


def _asked(db: Any, sql: str, values: Sequence[tuple[Any, ...]]) -> list[tuple[int, int | None]]:
    found: list[tuple[int, int | None]] = []
    for first in range(0, len(values), _ASKED_AT_ONCE):
        part = values[first : first + _ASKED_AT_ONCE]
        one = f"({', '.join('?' for _ in part[0])})"
        flat = [value for row in part for value in row]
        found += [tuple(row) for row in db.execute(sql.format(", ".join([one] * len(part))), flat)]
    return found
