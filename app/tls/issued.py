"""The leaves that this node gave, and which browsers' are withdrawn: a local table, in no digest and on no link."""

from __future__ import annotations

from typing import Any

from app.people import sessions
from app.pki import peer
from app.store.engine import Connection

ROWS_MAX = 5_000
SHOWN = ("serial", "kind", "node_id", "name", "issued_at", "ends_at", "withdrawn_at")


def keep(connection: Connection, leaf: bytes, label: str, now_ms: int) -> None:
    """Note a leaf that was given; those that have long ended are forgotten."""
    given = peer.read(leaf)
    kind = "browser" if given.node_id is None else "node"
    node_id = given.node_id.hex() if given.node_id else ""
    connection.execute(
        "INSERT OR REPLACE INTO tls_leaves (serial, kind, node_id, name, issued_at, ends_at, leaf)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (given.serial, kind, node_id, label or given.name, now_ms, given.ends_ms, leaf),
    )
    connection.execute(
        "DELETE FROM tls_leaves WHERE serial IN"
        " (SELECT serial FROM tls_leaves ORDER BY issued_at DESC LIMIT -1 OFFSET ?)",
        (ROWS_MAX,),
    )


def listed(connection: Connection) -> list[dict[str, Any]]:
    """Of each node the newest, and every browser's."""
    rows = connection.execute("SELECT * FROM tls_leaves ORDER BY issued_at DESC, serial").fetchall()
    seen: set[str] = set()
    found = []
    for row in rows:
        if row["kind"] == "node" and row["node_id"] in seen:
            continue
        seen.add(row["node_id"])
        found.append({name: row[name] for name in SHOWN})
    return found


def leaf_of(connection: Connection, node_id: bytes) -> bytes | None:
    """The newest leaf that this node gave to a node."""
    row = connection.execute(
        "SELECT leaf FROM tls_leaves WHERE node_id = ? ORDER BY issued_at DESC LIMIT 1", (node_id.hex(),)
    ).fetchone()
    return None if row is None else bytes(row[0])


def withdraw(connection: Connection, serial: str, now_ms: int) -> bool:
    """From now on this node lets that browser in no more; whoever is logged in with it is not."""
    marked = connection.execute(
        "UPDATE tls_leaves SET withdrawn_at = ? WHERE serial = ? AND kind = 'browser' AND withdrawn_at IS NULL",
        (now_ms, serial),
    )
    for (leaf,) in connection.execute("SELECT leaf FROM tls_leaves WHERE serial = ?", (serial,)).fetchall():
        sessions.end_of_peer(connection, bytes(leaf), now_ms)
    return bool(marked.rowcount)


def is_withdrawn(connection: Connection, serial: str) -> bool:
    row = connection.execute("SELECT withdrawn_at FROM tls_leaves WHERE serial = ?", (serial,)).fetchone()
    return row is not None and row["withdrawn_at"] is not None
