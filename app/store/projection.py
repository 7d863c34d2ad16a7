"""Writes the projection tables, inside the replica's transaction. The only room that does.

Before: ``sync/projector.py`` merged the operations. After: ``queries/`` reads the rows. Every table can be
thrown away and rebuilt from the log with an equal digest.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from app.store import search, tally
from sync.clock import ms_of
from sync.kinds import Field, Kind, Kinds
from sync.operation import CITY, Version
from sync.oplog import Connection
from sync.projection import Fresh, Row

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder().decode
_JSON = ("point", "ids", "json")
_encode_json = msgspec.json.Encoder().encode
LOAD_MANY = 100  # records that one statement asks for


def id_text(record: bytes) -> str:
    """The 36 characters of a record's id."""
    text = record.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def id_bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace("-", ""))


def scope_text(scope: bytes) -> str:
    return scope.hex()


@functools.lru_cache(256)
def incident_of(scope: bytes) -> str | None:
    return None if scope == CITY else id_text(scope[1:])


@dataclass(frozen=True, slots=True)
class _Statements:
    """The SQL of one kind, made once."""

    select: str
    select_many: str
    insert: str
    fields: tuple[tuple[str, Field], ...]
    encode: tuple[Callable[[Any], Any], ...]
    decode: tuple[Callable[[Any], Any], ...]
    names: tuple[str, ...]
    encoded: tuple[tuple[int, Callable[[Any], Any]], ...]  # the places of fields that are not written as they are


@dataclass(slots=True)
class SqlProjection:
    connection: Connection
    kinds: Kinds
    _statements: dict[str, _Statements] = field(default_factory=dict)
    written: set[bytes] | None = None  # in tables that began empty, the records that are there: no other is asked for

    def load(self, kind: Kind, scope: bytes, record: bytes) -> Row | None:
        if self.written is not None and record not in self.written:
            return None
        statements = self._of(kind)
        found = self.connection.execute(
            f"{statements.select} WHERE id = ? AND scope = ?", (id_text(record), scope_text(scope))
        ).fetchone()
        return _row(statements, found, 0) if found is not None else None

    def load_many(self, kind: Kind, scope: bytes, records: Sequence[bytes]) -> dict[bytes, Row]:
        """The rows of these records that are there."""
        statements, found = self._of(kind), {}
        for first in range(0, len(records), LOAD_MANY):
            ids = [id_text(record) for record in records[first : first + LOAD_MANY]]
            ids += ids[-1:] * (LOAD_MANY - len(ids))  # one statement, prepared once, whatever their number
            for row in self.connection.execute(statements.select_many, (scope_text(scope), *ids)).fetchall():
                found[id_bytes(row[0])] = _row(statements, row, 1)
        return found

    def rows(self, kind: Kind, scope: bytes | None = None) -> Iterator[tuple[bytes, bytes, Row]]:
        statements = self._of(kind)
        select = statements.select.replace("SELECT ", "SELECT id, scope, ", 1)
        where, parameters = (" WHERE scope = ?", (scope_text(scope),)) if scope is not None else ("", ())
        for found in self.connection.execute(select + where, parameters).fetchall():
            yield bytes.fromhex(found[1]), id_bytes(found[0]), _row(statements, found, 2)

    def newest_entry(self, kind: Kind, scope: bytes) -> Version | None:
        """The last entry of a ledger in its order: what a new entry's `after` names."""
        found = self.connection.execute(
            f"SELECT origin, seq FROM {kind.table} WHERE incident_id IS ? AND scope = ?"
            " ORDER BY order_key DESC, origin DESC, seq DESC LIMIT 1",
            (incident_of(scope), scope_text(scope)),
        ).fetchone()
        return (bytes(found[0]), found[1]) if found else None

    def update(self, kind: Kind, scope: bytes, record: bytes, node: bytes, row: Row, old: Row) -> None:
        """Update the columns of a row that have changed."""
        statements = self._of(kind)
        columns: dict[str, Any] = {}
        for name, encode in zip(statements.names, statements.encode, strict=True):
            now, before = row.values.get(name), old.values.get(name)
            if now is before:
                continue  # folding keeps what it does not change
            now, before = encode(now), encode(before)
            # Encoded and with its type: 1, 1.0 and True are equal in Python and different bytes in the digest.
            if now != before or type(now) is not type(before):
                columns[name] = now
        columns |= _changed(row, old)
        columns |= {"merge_state": _state(row), "row_hash": row.row_hash, "node": node.hex()}
        assignments = ", ".join(f'"{name}" = ?' for name in columns)
        self.connection.execute(
            f"UPDATE {kind.table} SET {assignments} WHERE id = ? AND scope = ?",
            (*columns.values(), id_text(record), scope_text(scope)),
        )
        if tally.is_counted(kind):
            incident = incident_of(scope)
            tally.count(self.connection, [(incident, row, 1), (incident, old, -1)])
        if search.is_searched(kind) and (
            (row.hidden, row.order_key, row.created_hlc) != (old.hidden, old.order_key, old.created_hlc)
            or search.says_else(kind, row.values, old.values)
        ):
            search.note(self.connection, kind, [id_text(record)])

    def insert(self, kind: Kind, rows: Sequence[Fresh]) -> None:
        statements = self._of(kind)
        self.connection.executemany(statements.insert, [_inserted(statements, *fresh) for fresh in rows])
        if self.written is not None:
            self.written.update(record for _, record, _, _ in rows)
        if tally.is_counted(kind):
            tally.count(self.connection, [(incident_of(scope), row, 1) for scope, _, _, row in rows])
        if search.is_searched(kind):
            search.note(self.connection, kind, [id_text(record) for _, record, _, _ in rows])

    def delete(self, kind: Kind, scope: bytes, record: bytes) -> None:
        old = self.load(kind, scope, record) if tally.is_counted(kind) else None
        if old is not None:
            tally.count(self.connection, [(incident_of(scope), old, -1)])
        self.connection.execute(
            f"DELETE FROM {kind.table} WHERE id = ? AND scope = ?", (id_text(record), scope_text(scope))
        )
        if search.is_searched(kind):
            search.note(self.connection, kind, [id_text(record)])

    def clear(self) -> None:
        for kind in self.kinds:
            self.connection.execute(f"DELETE FROM {kind.table}")
        if tally.COUNTED in self.kinds.by_name:
            self.connection.execute(f"DELETE FROM {tally.TABLE}")
            search.clear(self.connection)

    def _of(self, kind: Kind) -> _Statements:
        found = self._statements.get(kind.name)
        if found is None:
            found = self._statements[kind.name] = _statements(kind)
        return found


def _statements(kind: Kind) -> _Statements:
    fields = tuple(kind.fields.items())
    encode = tuple(_encoder(spec) for _, spec in fields)
    names = ", ".join(f'"{name}"' for name, _ in fields)
    head = "merge_state, row_hash, origin, seq, author, hidden, conflicts, order_key"
    tail = "created_at, updated_at, author, node, hidden, conflicts, order_key, origin, seq, merge_state, row_hash"
    marks = ", ".join("?" * (3 + len(fields) + 11))
    return _Statements(
        f"SELECT {head}, {names} FROM {kind.table}",
        f"SELECT id, {head}, {names} FROM {kind.table} WHERE scope = ? AND id IN ({', '.join('?' * LOAD_MANY)})",
        f"INSERT INTO {kind.table} (id, scope, incident_id, {names}, {tail}) VALUES ({marks})",
        fields,
        encode,
        tuple(_decoder(spec) for _, spec in fields),
        tuple(kind.fields),
        tuple((at, one) for at, one in enumerate(encode) if one is not _same),
    )


def _inserted(statements: _Statements, scope: bytes, record: bytes, node: bytes, row: Row) -> tuple[Any, ...]:
    """The parameters of an INSERT."""
    encoded: list[Any] = list(map(row.values.get, statements.names))
    for at, encode in statements.encoded:
        if encoded[at] is not None:
            encoded[at] = encode(encoded[at])
    return (
        id_text(record), scope_text(scope), incident_of(scope), *encoded, ms_of(row.created_hlc),
        ms_of(row.updated_hlc), id_text(row.author) if row.author else None, node.hex(), int(row.hidden),
        row.conflicts, row.order_key, row.origin, row.seq, _state(row), row.row_hash,
    )  # fmt: skip


def _row(statements: _Statements, found: Any, start: int) -> Row:
    values = tuple(found)[start:]
    packed, row_hash, origin, seq, author, hidden, conflicts, order_key = values[:8]
    decoded = {
        name: decode(value)
        for (name, _), decode, value in zip(statements.fields, statements.decode, values[8:], strict=True)
        if value is not None
    }
    created, updated, state = _unpack(packed)
    return Row(
        decoded, state, bytes(row_hash), bytes(origin), seq, created, updated,
        id_bytes(author) if author else None, bool(hidden), conflicts, order_key,
    )  # fmt: skip


def _state(row: Row) -> bytes:
    return _pack([row.created_hlc, row.updated_hlc, row.state])


def _changed(row: Row, old: Row) -> dict[str, Any]:
    """The common columns that differ; an unchanged indexed column in SET would rewrite its index."""
    now, before = _common(row), _common(old)
    return {name: value for name, value in now.items() if value != before[name]}


def _common(row: Row) -> dict[str, Any]:
    return {
        "created_at": ms_of(row.created_hlc),
        "updated_at": ms_of(row.updated_hlc),
        "author": id_text(row.author) if row.author else None,
        "hidden": int(row.hidden),
        "conflicts": row.conflicts,
        "order_key": row.order_key,
        "origin": row.origin,
        "seq": row.seq,
    }


def _same(value: Any) -> Any:
    return value


def _to_json(value: Any) -> str | None:
    return None if value is None else _encode_json(value).decode()


def _to_packed(value: Any) -> bytes | None:
    return None if value is None else _pack(value)


def _to_flag(value: Any) -> int | None:
    return None if value is None else int(value)


def _encoder(spec: Field) -> Callable[[Any], Any]:
    if spec.shape in _JSON or spec.merge == "set":
        return _to_json
    return {"packed": _to_packed, "flag": _to_flag}.get(spec.shape, _same)


def _decoder(spec: Field) -> Callable[[Any], Any]:
    if spec.shape in _JSON or spec.merge == "set":
        return json.loads
    return {"packed": _unpack, "flag": bool, "bytes": bytes}.get(spec.shape, _same)
