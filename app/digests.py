"""The digest of a node, recomputed from its tables: equal on two nodes that hold the same set of operations.

``status`` shows the sum that every commit keeps; this one reads each row again, so it also finds a damaged row.
"""

from __future__ import annotations

from typing import Any

from app.records import KINDS
from app.store.projection import SqlProjection, incident_of
from sync import digest, merge, oplog
from sync.kinds import Kind
from sync.merge import Shown
from sync.projection import Row

import msgspec  # isort: skip


def recomputed(db: Any) -> dict[str, Any]:
    """{schema, public, scopes: {"city" or incident id: digest}}, 32 hex digits each."""
    totals: dict[bytes, int] = {}
    projection = SqlProjection(db, KINDS)
    for kind in KINDS:
        if kind.sealed:
            continue  # what was opened here is this node's alone
        for scope, record, row in projection.rows(kind):
            totals[scope] = digest.add(totals.get(scope, 0), _row_hash(kind, scope, record, row))
    rows = db.execute(
        "SELECT stream.id, quarantine.seq, reason FROM quarantine JOIN stream ON stream.no = quarantine.stream"
    ).fetchall()
    for stream, seq, reason in rows:
        scope = bytes(stream)[16:-1]
        totals[scope] = digest.add(totals.get(scope, 0), digest.quarantine_hash(bytes(stream), seq, reason))
    for scope, found in db.execute("SELECT scope, hash FROM sealed").fetchall():
        totals[bytes(scope)] = digest.add(totals.get(bytes(scope), 0), bytes(found))
    public = digest.total(totals.values())
    return {
        "schema": KINDS.schema,
        "public": _hex(public),
        "scopes": {incident_of(scope) or "city": _hex(total) for scope, total in sorted(totals.items())},
    }


def kept(db: Any) -> str:
    """The public digest that the commits keep."""
    return _hex(digest.total(oplog.sums(db).values()))


def _row_hash(kind: Kind, scope: bytes, record: bytes, row: Row) -> bytes:
    key = (kind.name, scope, record)
    stamp = (row.created_hlc, row.origin, row.seq)
    if kind.entry:
        return digest.entry_hash(key, row.values, stamp, msgspec.msgpack.decode(row.state)[0], row.order_key)
    state = merge.unpack(kind, row.state, row.values)
    return digest.record_hash(key, state, Shown(row.values, row.hidden, ()))


def _hex(total: int) -> str:
    return total.to_bytes(16, "big").hex()
