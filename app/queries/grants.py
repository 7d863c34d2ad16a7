"""The keys of sealed scopes: who was granted which, what was ordered to be destroyed, and who has done so."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

_unpack = msgspec.msgpack.Decoder().decode


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A key as it is wrapped for one node: the bytes lie beside the log, under this name."""

    name: bytes
    key: bytes
    member: bytes


@dataclass(frozen=True, slots=True)
class Order:
    """An order to destroy keys, and the nodes that say they have."""

    id: str
    keys: tuple[bytes, ...]
    reason: str
    at: int
    author: str | None
    receipts: tuple[str, ...]  # node ids, hex


def orders(db: Any) -> list[Order]:
    """Every shred order, the oldest first."""
    receipts: dict[str, list[str]] = {}
    for order, node in db.execute('SELECT "order", by_node FROM shred_receipts ORDER BY by_node').fetchall():
        receipts.setdefault(order, []).append(node)
    rows = db.execute("SELECT id, keys, reason, created_at, author FROM shred_orders ORDER BY created_at, id")
    return [
        Order(id_, tuple(_keys(keys)), reason or "", at, author, tuple(receipts.get(id_, ())))
        for id_, keys, reason, at, author in rows.fetchall()
    ]


def shredded(db: Any) -> frozenset[bytes]:
    """The keys that an order in the log destroys."""
    return frozenset(key for (keys,) in db.execute("SELECT keys FROM shred_orders").fetchall() for key in _keys(keys))


def wrapped(db: Any) -> list[Wrapped]:
    """Every grant, of keys that were destroyed, too."""
    rows = db.execute('SELECT wrapped, "key", member FROM grants').fetchall()
    return [Wrapped(*map(bytes, row)) for row in rows if all(type(value) is bytes for value in row)]


def kept_here(db: Any, names: Iterable[bytes]) -> dict[bytes, bytes]:
    """The wrapped bytes that lie in this node's store."""
    wanted = set(names)
    rows = db.execute("SELECT name, bytes FROM wrapped_key").fetchall()
    return {bytes(name): bytes(found) for name, found in rows if bytes(name) in wanted}


def listed(db: Any) -> list[dict[str, Any]]:
    """Every key: {scope, epoch, key, shredded, members: [node id]}, the newest epoch of a scope last."""
    gone, members = shredded(db), wrapped(db)
    rows = db.execute("SELECT id, for_scope, epoch FROM scope_keys ORDER BY for_scope, epoch, id").fetchall()
    found = []
    for id_, scope, epoch in rows:
        key = bytes.fromhex(id_.replace("-", ""))
        granted = sorted(one.member.hex() for one in members if one.key == key)
        found.append({"scope": scope, "epoch": epoch, "key": key.hex(), "shredded": key in gone, "members": granted})
    return found


def sealed_here(db: Any, kind: str, scope: str, record_id: str) -> bool:
    """Whether something is sealed of a record that somebody can open: its key was not destroyed."""
    keys = db.execute(
        "SELECT DISTINCT key FROM sealed WHERE record = ? AND kind = ? AND scope = ?",
        (bytes.fromhex(record_id.replace("-", "")), kind, bytes.fromhex(scope)),
    ).fetchall()
    return bool(keys) and not {bytes(key) for (key,) in keys} <= shredded(db)


def _keys(packed: Any) -> list[bytes]:
    listed = _unpack(packed) if isinstance(packed, bytes) else None
    return [key for key in listed if type(key) is bytes] if type(listed) is list else []
