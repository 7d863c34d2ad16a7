"""The one way into the tables: folds operations of the log into records, inside the replica's transaction.

Before: ``replica`` has appended the operation. After: the application's projection writes the rows. What cannot be
folded (an awaited version came, a fact changed) is rebuilt from the log: ``recompute`` serves revocations, upgrades and
``rebuild`` alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import msgspec

from sync import certificate, digest, ledger, merge, oplog, verdict
from sync.kinds import REVOCATIONS, Kind, Kinds, normal
from sync.merge import State
from sync.operation import CITY, NewerBody, Operation, RecordKey, Version, decode_body, split_stream
from sync.oplog import Connection, Stream
from sync.verdict import Facts, Judge

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder().decode


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a projection table, values decoded."""

    values: dict[str, Any]
    state: bytes
    row_hash: bytes
    origin: bytes
    seq: int
    created_hlc: int
    updated_hlc: int
    author: bytes | None
    hidden: bool = False
    conflicts: int = 0
    order_key: int = 0


class Projection(Protocol):
    """The application's tables. Every call happens inside the replica's transaction."""

    def load(self, kind: Kind, scope: bytes, record: bytes) -> Row | None: ...
    def save(self, kind: Kind, scope: bytes, record: bytes, node: bytes, row: Row, old: Row | None) -> None: ...
    def delete(self, kind: Kind, scope: bytes, record: bytes) -> None: ...
    def rows(self, kind: Kind, scope: bytes | None = None) -> Iterator[tuple[bytes, bytes, Row]]: ...
    def newest_entry(self, kind: Kind, scope: bytes) -> Version | None: ...
    def clear(self) -> None: ...


@dataclass(slots=True)
class Working:
    """A record while a job changes it: ``state`` for registers, ``entry`` for ledgers."""

    kind: Kind
    old: Row | None
    state: State | None = None
    entry: Operation | None = None
    order_key: int = 0
    dirty: bool = False


@dataclass(slots=True)
class Projector:
    connection: Connection
    kinds: Kinds
    judge: Judge
    projection: Projection
    streams: dict[bytes, Stream]
    facts: Facts = field(default_factory=Facts)
    awaited: dict[tuple[bytes, int], set[RecordKey]] = field(default_factory=dict)
    forked: dict[bytes, set[int]] = field(default_factory=dict)  # stream -> numbers that a lost tail bears
    _working: dict[RecordKey, Working] = field(default_factory=dict)
    _recompute: set[RecordKey] = field(default_factory=set)
    _rekey: set[tuple[str, bytes]] = field(default_factory=set)
    _sums: dict[tuple[str, bytes], int] = field(default_factory=dict)

    def load(self) -> None:
        """Read what is kept in memory: the facts and the awaited versions. Called at start and after a rollback."""
        self.discard()
        self.facts = Facts()
        self.awaited = {}
        for _, record, row in self.projection.rows(REVOCATIONS):
            state = merge.unpack(REVOCATIONS, row.state, row.values)
            self.facts.revoked[record] = verdict.revocation_fact(state)
        for kind in self.kinds:
            if kind.mode_field:
                for _, record, row in self.projection.rows(kind):
                    self._note_mode(kind, record, row.values)
        for name, seq, kind_name, scope, record in self.connection.execute(
            "SELECT name, seq, kind, scope, record FROM awaited"
        ):
            self.awaited.setdefault((bytes(name), seq), set()).add((kind_name, bytes(scope), bytes(record)))
        self.forked = {}
        for id_, seq in self.connection.execute("SELECT id, seq FROM branch JOIN stream ON stream.no = branch.stream"):
            self.forked.setdefault(bytes(id_), set()).add(seq)

    def discard(self) -> None:
        self._working.clear()
        self._recompute.clear()
        self._rekey.clear()
        self._sums.clear()

    # -- folding ---------------------------------------------------------------------------------

    def take(self, stream: Stream, operation: Operation | NewerBody) -> None:
        """Fold an operation that was just appended to ``stream``."""
        seq = operation.seq
        for key in self.awaited.pop((stream.id, seq), ()):
            self._recompute.add(key)
        reason = self._verdict(stream, operation)
        if reason is not None:
            self._quarantine(stream, operation, reason)
            return
        assert isinstance(operation, Operation)
        kind = self.kinds.get(operation.kind)
        if kind is None or operation.key in self._recompute:
            return  # a certificate; or the whole record is built from the log at the end
        missing = [name for name in merge.names(kind, operation) if not self._held(stream, operation, name)]
        for name in missing:
            self._await(stream, name, operation.key)
        if kind.entry:
            self._enter(kind, operation)
        else:
            working = self._load(kind, operation.key)
            assert working.state is not None
            merge.apply(kind, working.state, self._clear_names(stream, operation))
            working.dirty = True

    def finish(self) -> list[RecordKey]:
        """Rebuild what must be rebuilt, write the rows, and tell which records changed."""
        self._settle_facts()
        while self._recompute:
            for key in sorted(self._recompute):
                self._rebuild(key)
            self._recompute.clear()
            self._settle_facts()
        changed = [key for key, working in self._working.items() if working.dirty]
        for key in changed:
            self._write(key, self._working[key])
        for kind_name, scope in sorted(self._rekey):
            changed += self._rekey_ledger(kind_name, scope)
        self._write_sums()
        self.discard()
        return changed

    def recompute(self, key: RecordKey) -> None:
        self._recompute.add(key)

    def show(self, key: RecordKey) -> tuple[Kind, State] | None:
        """The state of a record as this transaction knows it; None where there is none."""
        kind = self.kinds.get(key[0])
        if kind is None or kind.entry:
            return None
        working = self._load(kind, key)
        return (kind, working.state) if working.state is not None and working.state.first else None

    def _verdict(self, stream: Stream, operation: Operation | NewerBody) -> str | None:
        capabilities = stream.certificate_at(operation.seq).capabilities
        return verdict.verdict(operation, stream.id, stream.node, capabilities, self.kinds, self.facts, self.judge)

    def _held(self, stream: Stream, operation: Operation, name: Version) -> bool:
        """Whether a version named by ``operation`` is *folded* here already; being in the log is not enough."""
        origin, seq = name
        if origin == operation.origin:
            return seq < operation.seq
        return self._is_here(origin + operation.scope + operation.lane, seq)

    def _is_here(self, stream: bytes, seq: int) -> bool:
        """Whether the log holds a number of a stream, in the tail that counts or in one that lost."""
        other = self.streams.get(stream)
        return (other is not None and other.last >= seq) or seq in self.forked.get(stream, ())

    def _await(self, stream: Stream, name: Version, key: RecordKey) -> None:
        _, scope, lane = split_stream(stream.id)
        named = (name[0] + scope + lane, name[1])
        self.awaited.setdefault(named, set()).add(key)
        self.connection.execute("INSERT OR IGNORE INTO awaited VALUES (?, ?, ?, ?, ?)", (*named, *key))

    def _load(self, kind: Kind, key: RecordKey) -> Working:
        working = self._working.get(key)
        if working is None:
            old = self.projection.load(kind, key[1], key[2])
            state = None
            if not kind.entry:
                state = merge.unpack(kind, old.state, old.values) if old else State()
            working = self._working[key] = Working(kind, old, state, order_key=old.order_key if old else 0)
        return working

    # -- forks -----------------------------------------------------------------------------------

    def fork(self, stream: Stream, nodes: list[oplog.Node]) -> None:
        """A tail of ``stream`` was found, or the one that counts has changed: judge what stands in either anew."""
        self.connection.execute("DELETE FROM quarantine WHERE stream = ? AND seq < 0", (stream.no,))
        for seq in self.forked.pop(stream.id, ()):
            self._sum("quarantine", stream.scope, digest.quarantine_hash(stream.id, -seq, verdict.FORK), digest.take)
        first = min(node.seq for node in nodes)
        rows = self.connection.execute("SELECT seq FROM quarantine WHERE stream = ? AND seq >= ?", (stream.no, first))
        for (seq,) in rows.fetchall():
            self._release(stream, seq)
        self.quarantine_branches(stream)
        for node in (*nodes, *oplog.main_nodes(self.connection, stream, first)):
            operation = decode_body(node.body, stream.id, node.seq)
            if isinstance(operation, Operation) and operation.kind != certificate.KIND:
                self._recompute.add(operation.key)
            elif isinstance(operation, NewerBody) and node.seq <= stream.last:
                self._release(stream, node.seq)
                self._quarantine(stream, operation, verdict.NEWER)
            for key in self.awaited.pop((stream.id, node.seq), ()):
                self._recompute.add(key)

    def quarantine_branches(self, stream: Stream) -> None:
        """What a lost tail holds does not count. It stands under its number with a minus: the number is the other's."""
        for node in oplog.branch_nodes(self.connection, stream.no):
            found = decode_body(node.body, stream.id, node.seq)
            kind, record = (found.kind, found.record) if isinstance(found, Operation) else (None, None)
            numbers = self.forked.setdefault(stream.id, set())
            if node.seq not in numbers:
                numbers.add(node.seq)
                row_hash = digest.quarantine_hash(stream.id, -node.seq, verdict.FORK)
                self._sum("quarantine", stream.scope, row_hash, digest.add)
                self.connection.execute(
                    "INSERT INTO quarantine VALUES (?, ?, ?, ?, ?)", (stream.no, -node.seq, verdict.FORK, kind, record)
                )

    def _clear_names(self, stream: Stream, operation: Operation) -> Operation:
        """Without the names that fit two tails of another node's stream: such a name replaces neither."""
        if not self.forked or not operation.replaces:
            return operation
        place = operation.scope + operation.lane
        kept = tuple(
            name
            for name in operation.replaces
            if name[0] == operation.origin or name[1] not in self.forked.get(name[0] + place, ())
        )
        return operation if len(kept) == len(operation.replaces) else replace(operation, replaces=kept)

    # -- ledgers ---------------------------------------------------------------------------------

    def _enter(self, kind: Kind, operation: Operation) -> None:
        key = operation.key
        working = self._load(kind, key)
        standing = _entry_stamp(working)
        if standing is not None and standing <= (operation.hlc, *operation.version):
            return  # two entries under one id: the earlier one is the record
        working.entry = operation
        working.order_key = ledger.key_of(operation.hlc, self._after_keys(kind, operation))
        working.dirty = True
        if standing is not None:
            self._rekey.add((kind.name, key[1]))

    def _after_keys(self, kind: Kind, operation: Operation) -> list[int]:
        found: list[int] = []
        for origin, seq in operation.after:
            stream = self.streams.get(origin + operation.scope + operation.lane)
            record = oplog.record_at(self.connection, stream.no, seq) if stream else None
            if record is None or (origin, seq) == operation.version:
                continue
            working = self._load(kind, (kind.name, operation.scope, record))
            stamp = _entry_stamp(working)
            if stamp is not None and stamp[1:] == (origin, seq):
                found.append(working.order_key)
        return found

    def _rekey_ledger(self, kind_name: str, scope: bytes) -> list[RecordKey]:
        """Set the keys of a whole ledger anew. Rare: an entry came after one that follows it, or stopped to count."""
        kind = self.kinds.by_name[kind_name]
        rows = {(row.origin, row.seq): (record, row) for _, record, row in self.projection.rows(kind, scope)}
        entries = {
            version: ledger.Entry(version, row.created_hlc, _after_of(row.state)) for version, (_, row) in rows.items()
        }
        changed: list[RecordKey] = []
        for version, order_key in ledger.keys(entries).items():
            record, row = rows[version]
            if row.order_key == order_key:
                continue
            key = (kind_name, scope, record)
            self._save_entry(key, kind, row.values, row, order_key, row)
            changed.append(key)
        return changed

    def _save_entry(
        self, key: RecordKey, kind: Kind, values: dict[str, Any], stamped: Row, order_key: int, old: Row | None
    ) -> None:
        stamp = (stamped.created_hlc, stamped.origin, stamped.seq)
        row_hash = digest.entry_hash(key, values, stamp, stamped.author, order_key)
        row = Row(
            values, stamped.state, row_hash, stamped.origin, stamped.seq, stamped.created_hlc, stamped.created_hlc,
            stamped.author, order_key=order_key,
        )  # fmt: skip
        self._save(key, kind, row, old)

    # -- facts and rebuilding --------------------------------------------------------------------

    def _settle_facts(self) -> None:
        """Where a revocation or an incident's mode changed, its operations are judged again."""
        for key, working in list(self._working.items()):
            if not working.dirty or working.state is None or key[1] != CITY:
                continue  # a misplaced record of these kinds is no fact, and must not wipe one out
            if key[0] == REVOCATIONS.name:
                self._settle_revocation(key[2], verdict.revocation_fact(working.state))
            elif working.kind.mode_field:
                before = self.facts.modes.get(key[2])
                self._note_mode(working.kind, key[2], merge.shown(working.kind, working.state).values)
                if self.facts.modes.get(key[2]) != before:
                    for stream in self.streams.values():
                        if stream.scope[1:] == key[2]:
                            self._recompute_range(stream, 1, stream.last)

    def _settle_revocation(self, node: bytes, heads: list[dict[bytes, int]]) -> None:
        streams = [stream for stream in self.streams.values() if stream.node == node]
        before = {stream.id: self.facts.allowed(node, stream.id) for stream in streams}
        if heads:
            self.facts.revoked[node] = heads
        else:
            self.facts.revoked.pop(node, None)
        for stream in streams:
            old, new = before[stream.id], self.facts.allowed(node, stream.id)
            ends = [stream.last if end is None else min(max(end, 0), stream.last) for end in (old, new)]
            self._recompute_range(stream, min(ends) + 1, max(ends))

    def _recompute_range(self, stream: Stream, first: int, last: int) -> None:
        for offset, body in enumerate(oplog.bodies(self.connection, stream.no, first, last)):
            operation = decode_body(body, stream.id, first + offset)
            if isinstance(operation, Operation) and operation.kind != certificate.KIND:
                self._recompute.add(operation.key)

    def _note_mode(self, kind: Kind, record: bytes, values: dict[str, Any]) -> None:
        mode = verdict.mode_fact(kind, values)
        if mode is None:
            self.facts.modes.pop(record, None)
        else:
            self.facts.modes[record] = mode

    def _rebuild(self, key: RecordKey) -> None:
        """Build a record from all its operations in the log, and judge each of them anew."""
        kind = self.kinds.get(key[0])
        self._forget_awaited(key)
        by_no = {stream.no: stream for stream in self.streams.values()}
        counting: list[tuple[Stream, Operation]] = []
        for stream_no, seq, body in oplog.of_record(self.connection, key[2]):
            stream = by_no[stream_no]
            operation = decode_body(body, stream.id, seq)
            if seq > stream.last or not isinstance(operation, Operation) or operation.key != key:
                continue
            self._release(stream, seq)
            reason = self._verdict(stream, operation)
            if reason is None:
                counting.append((stream, operation))
            else:
                self._quarantine(stream, operation, reason)
        if kind is None:
            return
        working = self._load(kind, key)
        working.dirty = True
        for stream, operation in counting:
            for name in merge.names(kind, operation):
                if not self._is_here(name[0] + operation.scope + operation.lane, name[1]):
                    self._await(stream, name, key)
        if kind.entry:
            working.entry = min((op for _, op in counting), key=lambda op: (op.hlc, *op.version), default=None)
            working.order_key = working.entry.hlc if working.entry else 0
            self._rekey.add((kind.name, key[1]))
        else:
            working.state = merge.build(kind, [self._clear_names(stream, op) for stream, op in counting])

    def _forget_awaited(self, key: RecordKey) -> None:
        rows = self.connection.execute(
            "SELECT name, seq FROM awaited WHERE kind = ? AND scope = ? AND record = ?", key
        ).fetchall()
        for name, seq in rows:
            named = (bytes(name), seq)
            waiting = self.awaited.get(named, set())
            waiting.discard(key)
            if not waiting:
                self.awaited.pop(named, None)
        if rows:
            self.connection.execute("DELETE FROM awaited WHERE kind = ? AND scope = ? AND record = ?", key)

    def _quarantine(self, stream: Stream, operation: Operation | NewerBody, reason: str) -> None:
        kind, record = (operation.kind, operation.record) if isinstance(operation, Operation) else (None, None)
        self.connection.execute(
            "INSERT OR REPLACE INTO quarantine VALUES (?, ?, ?, ?, ?)", (stream.no, operation.seq, reason, kind, record)
        )
        self._sum("quarantine", stream.scope, digest.quarantine_hash(stream.id, operation.seq, reason), digest.add)

    def _release(self, stream: Stream, seq: int) -> None:
        row = self.connection.execute(
            "SELECT reason FROM quarantine WHERE stream = ? AND seq = ?", (stream.no, seq)
        ).fetchone()
        if row is not None:
            self._sum("quarantine", stream.scope, digest.quarantine_hash(stream.id, seq, row[0]), digest.take)
            self.connection.execute("DELETE FROM quarantine WHERE stream = ? AND seq = ?", (stream.no, seq))

    # -- writing ---------------------------------------------------------------------------------

    def _write(self, key: RecordKey, working: Working) -> None:
        kind, old = working.kind, working.old
        if kind.entry:
            entry = working.entry
            if entry is None:
                self._delete(key, kind, old)
                return
            stamped = Row(
                {}, _pack([entry.author, entry.after]), b"", entry.origin, entry.seq, entry.hlc, entry.hlc, entry.author
            )
            values = {
                name: normal(spec, entry.fields[name]) for name, spec in kind.fields.items() if name in entry.fields
            }
            self._save_entry(key, kind, values, stamped, working.order_key, old)
            return
        state = working.state
        if state is None or state.first is None:
            self._delete(key, kind, old)
            return
        shown = merge.shown(kind, state)
        hlc, origin, seq = state.first
        row = Row(
            shown.values, merge.pack(kind, state), digest.record_hash(key, state, shown), origin, seq, hlc,
            state.updated, state.author, shown.hidden, len(shown.conflicts),
        )  # fmt: skip
        self._save(key, kind, row, old)

    def _save(self, key: RecordKey, kind: Kind, row: Row, old: Row | None) -> None:
        node = self._node_of(row.origin, key[1], kind)
        self.projection.save(kind, key[1], key[2], node, row, old)
        if old is not None:
            self._sum(kind.table, key[1], old.row_hash, digest.take)
        self._sum(kind.table, key[1], row.row_hash, digest.add)

    def _delete(self, key: RecordKey, kind: Kind, old: Row | None) -> None:
        if old is not None:
            self.projection.delete(kind, key[1], key[2])
            self._sum(kind.table, key[1], old.row_hash, digest.take)

    def _node_of(self, origin: bytes, scope: bytes, kind: Kind) -> bytes:
        lane = b"t" if kind.lane == "talk" and not kind.city else b"w"
        return self.streams[origin + scope + lane].node

    def _sum(self, table: str, scope: bytes, row: bytes, step: Any) -> None:
        name = (table, scope)
        if name not in self._sums:
            found = self.connection.execute(
                "SELECT total FROM digest_sum WHERE name = ? AND scope = ?", name
            ).fetchone()
            self._sums[name] = int.from_bytes(found[0], "big") if found else 0
        self._sums[name] = step(self._sums[name], row)

    def _write_sums(self) -> None:
        self.connection.executemany(
            "INSERT OR REPLACE INTO digest_sum VALUES (?, ?, ?)",
            [(table, scope, total.to_bytes(16, "big")) for (table, scope), total in self._sums.items()],
        )


def _entry_stamp(working: Working) -> tuple[int, bytes, int] | None:
    if working.entry is not None:
        return (working.entry.hlc, working.entry.origin, working.entry.seq)
    if working.old is not None:
        return (working.old.created_hlc, working.old.origin, working.old.seq)
    return None


def _after_of(state: bytes) -> tuple[Version, ...]:
    return tuple((origin, seq) for origin, seq in _unpack(state)[1])
