"""Entries of ledgers, as the projector folds them: which one is the record, and at which key it stands.

Before: ``projector.take``. After: ``projector.finish`` writes the rows; where keys change, the whole ledger is set anew
by ``ledger``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from sync import digest, ledger, oplog
from sync.kinds import Kind, normal
from sync.operation import Operation, RecordKey, Version
from sync.projection import Row

if TYPE_CHECKING:
    from sync.projector import Projector, Working

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder().decode


def enter(projector: Projector, kind: Kind, operation: Operation) -> None:
    """Fold an entry that counts."""
    key = operation.key
    working = projector.open(kind, key)
    standing = _stamp(working)
    if standing is not None and standing <= (operation.hlc, *operation.version):
        return  # two entries under one id: the earlier one is the record
    working.entry = operation
    working.order_key = ledger.key_of(operation.hlc, _after_keys(projector, kind, operation))
    working.dirty = True
    if standing is not None:
        projector.rekey.add((kind.name, key[1]))


def choose(projector: Projector, kind: Kind, key: RecordKey, counting: list[Operation]) -> None:
    """Build the record of an entry from all its operations that count; the ledger's keys are set anew afterwards."""
    working = projector.open(kind, key)
    working.entry = min(counting, key=lambda op: (op.hlc, *op.version), default=None)
    working.order_key = working.entry.hlc if working.entry else 0
    projector.rekey.add((kind.name, key[1]))


def row(key: RecordKey, kind: Kind, entry: Operation, order_key: int) -> Row:
    values = {name: normal(spec, entry.fields[name]) for name, spec in kind.fields.items() if name in entry.fields}
    state = _pack([entry.author, entry.after])
    stamp = (entry.hlc, entry.origin, entry.seq)
    return _row(key, values, state, stamp, entry.author, order_key)


def set_keys(projector: Projector, kind_name: str, scope: bytes) -> list[RecordKey]:
    """Set the keys of a whole ledger anew. Rare: an entry came after one that follows it, or stopped to count."""
    kind = projector.kinds.by_name[kind_name]
    rows = {(row.origin, row.seq): (record, row) for _, record, row in projector.projection.rows(kind, scope)}
    entries = {
        version: ledger.Entry(version, row.created_hlc, _after_of(row.state)) for version, (_, row) in rows.items()
    }
    changed: list[RecordKey] = []
    for version, order_key in ledger.keys(entries).items():
        record, old = rows[version]
        if old.order_key == order_key:
            continue
        key = (kind_name, scope, record)
        stamp = (old.created_hlc, old.origin, old.seq)
        projector.update(key, kind, _row(key, old.values, old.state, stamp, old.author, order_key), old)
        changed.append(key)
    return changed


def _after_keys(projector: Projector, kind: Kind, operation: Operation) -> list[int]:
    found: list[int] = []
    for origin, seq in operation.after:
        stream = projector.streams.get(origin + operation.scope + operation.lane)
        record = oplog.record_at(projector.connection, stream.no, seq) if stream else None
        if record is None or (origin, seq) == operation.version:
            continue
        working = projector.open(kind, (kind.name, operation.scope, record))
        stamp = _stamp(working)
        if stamp is not None and stamp[1:] == (origin, seq):
            found.append(working.order_key)
    return found


def _row(
    key: RecordKey,
    values: dict[str, Any],
    state: bytes,
    stamp: tuple[int, bytes, int],
    author: bytes | None,
    order_key: int,
) -> Row:
    hlc, origin, seq = stamp
    row_hash = digest.entry_hash(key, values, stamp, author, order_key)
    return Row(values, state, row_hash, origin, seq, hlc, hlc, author, order_key=order_key)


def _stamp(working: Working) -> tuple[int, bytes, int] | None:
    if working.entry is not None:
        return (working.entry.hlc, working.entry.origin, working.entry.seq)
    if working.old is not None:
        return (working.old.created_hlc, working.old.origin, working.old.seq)
    return None


def _after_of(state: bytes) -> tuple[Version, ...]:
    return tuple((origin, seq) for origin, seq in _unpack(state)[1])
