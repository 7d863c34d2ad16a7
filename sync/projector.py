"""The one way into the tables: folds operations of the log into records, inside the replica's transaction.

Before: ``replica`` has appended the operation. After: the application's projection writes the rows. What cannot be
folded (an awaited version came, a fact changed) is rebuilt from the log: ``recompute`` serves revocations, upgrades and
``rebuild`` alike. Entries of ledgers are folded in ``entries``, what does not count stands in ``quarantine``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sync import certificate, digest, entries, facts, forks, merge, oplog, seal, verdict
from sync.awaited import Awaited
from sync.forks import Node
from sync.keyring import Keyring
from sync.kinds import Kind, Kinds
from sync.merge import State
from sync.operation import TALK, WORK, NewerBody, Operation, RecordKey, Version, decode_body
from sync.oplog import Connection, Stream
from sync.projection import Fresh, Projection, Row
from sync.quarantine import Quarantine
from sync.sealed import SealedSet
from sync.sums import Sums
from sync.verdict import Facts, Judge

OPEN_MANY_MIN = 8  # below it, one by one is as quick


@dataclass(slots=True)
class Working:
    """A record while a job changes it: ``state`` for registers (``only`` while it has one operation), ``entry`` for
    ledgers.
    """

    kind: Kind
    old: Row | None
    state: State | None = None
    only: Operation | None = None
    entry: Operation | None = None
    order_key: int = 0
    dirty: bool = False

    def whole(self) -> State:
        """The state of a record of registers."""
        if self.state is None:
            self.state = State()
            if self.only is not None:
                merge.apply(self.kind, self.state, self.only)
                self.only = None
        return self.state

    def fold(self, operation: Operation) -> None:
        if self.state is None and self.only is None and not self.kind.is_fact and merge.can_begin(operation):
            self.only = operation
        else:
            merge.apply(self.kind, self.whole(), operation)
        self.dirty = True


@dataclass(slots=True)
class Projector:
    connection: Connection
    kinds: Kinds
    judge: Judge
    projection: Projection
    streams: dict[bytes, Stream]
    keyring: Keyring
    facts: Facts = field(default_factory=Facts)
    awaited: Awaited = field(init=False)
    quarantine: Quarantine = field(init=False)
    sealed: SealedSet = field(init=False)
    sums: Sums = field(init=False)
    rekey: set[tuple[str, bytes]] = field(default_factory=set)  # ledgers whose keys are to be set anew
    _working: dict[RecordKey, Working] = field(default_factory=dict)
    _watched: dict[RecordKey, Working] = field(default_factory=dict)
    _recompute: set[RecordKey] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.sums = Sums(self.connection)
        self.awaited = Awaited(self.connection)
        self.quarantine = Quarantine(self.connection, self.sums)
        self.sealed = SealedSet(self.connection, self.sums)

    def load(self) -> None:
        """Read what is kept in memory from the tables. Called at start and after a rollback."""
        self._discard()
        self.facts = facts.load(self)
        self.keyring.load(self.projection)
        self.awaited.load()
        self.sums.load()
        self.quarantine.load()

    # -- folding ---------------------------------------------------------------------------------

    def take(self, stream: Stream, operation: Operation | NewerBody) -> None:
        """Fold an operation that was just appended to ``stream``."""
        if self.awaited.records:
            self._recompute |= self.awaited.came(stream.id, operation.seq)
        reason = self._verdict(stream, operation)
        if reason is not None:
            self.quarantine.put(stream, operation, reason)
            return
        assert isinstance(operation, Operation)
        kind = self.kinds.get(operation.kind)
        if kind is None or operation.key in self._recompute:
            return  # a certificate; or the whole record is built from the log at the end
        if kind.sealed:
            opened = self._open_sealed(kind, stream, operation)
            if opened is None:
                return  # held, relayed and counted in the digest; it is folded when its key comes
            operation = opened
        operation = forks.without_doubtful_names(operation, self.quarantine.forked)
        for name in merge.names(kind, operation):
            if not self._is_folded(operation, name):
                self.awaited.add(stream.id, name, operation.key)
        if kind.entry:
            entries.enter(self, kind, operation)
        else:
            self.open(kind, operation.key).fold(operation)

    def recompute(self, key: RecordKey) -> None:
        """Have a record built from the log when the job ends."""
        self._recompute.add(key)

    def finish(self) -> list[RecordKey]:
        """Rebuild what must be rebuilt, write the rows, and tell which records changed."""
        facts.settle(self)
        while self._recompute:
            for key in sorted(self._recompute):
                self._rebuild(key)
            self._recompute.clear()
            facts.settle(self)
        changed = [key for key, working in self._working.items() if working.dirty]
        self._write(changed)
        for kind_name, scope in sorted(self.rekey):
            changed += entries.set_keys(self, kind_name, scope)
        self.sums.write()
        self._discard()
        return changed

    def show(self, key: RecordKey) -> tuple[Kind, State] | None:
        """The state of a record as this transaction knows it; None where there is none."""
        kind = self.kinds.get(key[0])
        if kind is None or kind.entry:
            return None
        state = self.open(kind, key).whole()
        return (kind, state) if state.first else None

    def fork(self, stream: Stream, nodes: list[Node]) -> None:
        """A tail of ``stream`` was found, or the one that counts has changed: judge what stands in either anew."""
        first = min(node.seq for node in nodes)
        self.quarantine.release_from(stream, first)
        self.sealed.release_from(stream, first)
        self.quarantine.put_tails(stream)
        counting = forks.main_nodes(self.connection, stream, first)
        for node in (*nodes, *counting):
            operation = decode_body(node.body, stream.id, node.seq)
            if isinstance(operation, Operation) and operation.kind != certificate.KIND:
                self._recompute.add(operation.key)
            elif isinstance(operation, NewerBody) and node in counting:  # of a lost tail the number is another's
                self.quarantine.release(stream, node.seq)
                self.quarantine.put(stream, operation, verdict.NEWER)
            self._recompute |= self.awaited.came(stream.id, node.seq)
        self._recompute |= self._naming_what_is_lost(stream)

    def _naming_what_is_lost(self, stream: Stream) -> set[RecordKey]:
        """Records that name a number which only a lost tail bears: before the fork they may have been content with it.

        That number may still come, so they await it. Looked for in the whole log: forks are rare.
        """
        lost = {(stream.id[:16], seq) for seq in self.quarantine.forked.get(stream.id, ()) if seq > stream.last}
        found: set[RecordKey] = set()
        if not lost:
            return found
        by_no = {other.no: other for other in self.streams.values() if other.id[16:] == stream.id[16:]}
        for no, seq, body in oplog.naming(self.connection, stream.id[:16]):
            operation = decode_body(body, by_no[no].id, seq) if no in by_no else None
            kind = self.kinds.get(operation.kind) if isinstance(operation, Operation) else None
            if kind is not None and isinstance(operation, Operation) and lost & merge.names(kind, operation):
                found.add(operation.key)
        return found

    # -- for `entries` and `facts` ---------------------------------------------------------------

    def open(self, kind: Kind, key: RecordKey) -> Working:
        """A record as this job has it."""
        working = self._working.get(key)
        return self._open(kind, key, self.projection.load(kind, key[1], key[2])) if working is None else working

    def open_many(self, operations: Iterable[Operation | NewerBody]) -> None:
        """Read the records of a segment at once: one by one they took a tenth of what it takes to keep them."""
        wanted: dict[tuple[str, bytes], set[bytes]] = {}
        for operation in operations:
            if isinstance(operation, Operation) and operation.key not in self._working:
                wanted.setdefault((operation.kind, operation.scope), set()).add(operation.record)
        for (name, scope), records in wanted.items():
            kind = self.kinds.get(name)
            if kind is not None and len(records) >= OPEN_MANY_MIN:
                found = self.projection.load_many(kind, scope, sorted(records))
                for record in records:
                    self._open(kind, (name, scope, record), found.get(record))

    def leave(self) -> None:
        """Forget what was opened only to look at it: nothing was folded."""
        self._working.clear()
        self._watched.clear()

    def watched(self) -> list[tuple[RecordKey, Working]]:
        """The records that this job holds of kinds that verdicts stand on."""
        return list(self._watched.items())

    def update(self, key: RecordKey, kind: Kind, row: Row, old: Row) -> None:
        """Write a row in place of an old one, and the digest with it."""
        self.projection.update(kind, key[1], key[2], self._node_of(row.origin, key[1], kind), row, old)
        self._count(kind, key[1], row, old)

    def _count(self, kind: Kind, scope: bytes, row: Row | None, old: Row | None) -> None:
        """Keep the digest's sum. What was sealed is not of it: there the sealed operations stand (``sealed``)."""
        if old is not None and not kind.sealed:
            self.sums.take(kind.table, scope, old.row_hash)
        if row is not None and not kind.sealed:
            self.sums.add(kind.table, scope, row.row_hash)

    def _open_sealed(self, kind: Kind, stream: Stream, operation: Operation) -> Operation | None:
        """Note a sealed operation that counts, and open it where its key is here and what it says counts as well."""
        self.sealed.put(kind, stream, operation)
        secret = self.keyring.secrets.get(operation.fields["key"])
        opened = seal.open_sealed(operation, secret, stream.node) if secret is not None else None
        if opened is None:
            return None
        capabilities = stream.certificate_at(operation.seq).capabilities
        return opened if verdict.inner(kind, opened, stream.node, capabilities, self.judge) is None else None

    def _open(self, kind: Kind, key: RecordKey, old: Row | None) -> Working:
        state = merge.unpack(kind, old.state, old.values) if old and not kind.entry else None
        working = self._working[key] = Working(kind, old, state, order_key=old.order_key if old else 0)
        if kind.is_fact:
            self._watched[key] = working
        return working

    # -- small -----------------------------------------------------------------------------------

    def _discard(self) -> None:
        self.leave()
        self._recompute.clear()
        self.rekey.clear()

    def _verdict(self, stream: Stream, operation: Operation | NewerBody) -> str | None:
        capabilities = stream.certificate_at(operation.seq).capabilities
        return verdict.verdict(operation, stream.id, stream.node, capabilities, self.kinds, self.facts, self.judge)

    def _is_folded(self, operation: Operation, name: Version) -> bool:
        """Whether a version that ``operation`` names is *folded* here already; being in the log is not enough."""
        return name[1] < operation.seq if name[0] == operation.origin else self._is_held(operation, name)

    def _is_held(self, operation: Operation, name: Version) -> bool:
        """Whether the log holds a version that ``operation`` names. One that only a lost tail bears may still come."""
        other = self.streams.get(name[0] + operation.scope + operation.lane)
        return other is not None and other.last >= name[1]

    def _rebuild(self, key: RecordKey) -> None:
        """Build a record from all its operations in the log, and judge each of them anew."""
        kind = self.kinds.get(key[0])
        self.awaited.forget(key)
        counting = self._counting(key)
        if kind is None:
            return
        working = self.open(kind, key)
        working.dirty = True
        for stream, operation in counting:
            for name in merge.names(kind, operation):
                if not self._is_held(operation, name):
                    self.awaited.add(stream.id, name, key)
        operations = [operation for _, operation in counting]
        if kind.entry:
            entries.choose(self, kind, key, operations)
        else:
            working.only = None
            working.state = merge.build(kind, operations)

    def _counting(self, key: RecordKey) -> list[tuple[Stream, Operation]]:
        """The operations of a record that count, each judged anew; the others are put into the quarantine."""
        by_no = {stream.no: stream for stream in self.streams.values()}
        counting: list[tuple[Stream, Operation]] = []
        for stream_no, seq, body in oplog.of_record(self.connection, key[2]):
            stream = by_no[stream_no]
            operation = decode_body(body, stream.id, seq)
            if seq > stream.last or not isinstance(operation, Operation) or operation.key != key:
                continue
            self.quarantine.release(stream, seq)
            kind = self.kinds.get(operation.kind)
            if kind is not None and kind.sealed:
                self.sealed.release(stream, seq)
            reason = self._verdict(stream, operation)
            if reason is not None:
                self.quarantine.put(stream, operation, reason)
                continue
            opened: Operation | None = operation
            if kind is not None and kind.sealed:
                opened = self._open_sealed(kind, stream, operation)
            if opened is not None:
                counting.append((stream, forks.without_doubtful_names(opened, self.quarantine.forked)))
        return counting

    def _write(self, changed: list[RecordKey]) -> None:
        fresh: dict[str, list[Fresh]] = {}
        for key in changed:
            working = self._working[key]
            kind, old, row = working.kind, working.old, self._row(key, working)
            if row is None and old is not None:
                self.projection.delete(kind, key[1], key[2])
                self._count(kind, key[1], None, old)
            elif row is not None and old is not None:
                self.update(key, kind, row, old)
            elif row is not None:
                fresh.setdefault(kind.name, []).append((key[1], key[2], self._node_of(row.origin, key[1], kind), row))
                self._count(kind, key[1], row, None)
        for name, rows in fresh.items():
            self.projection.insert(self.kinds.by_name[name], rows)

    def _row(self, key: RecordKey, working: Working) -> Row | None:
        kind, state, only = working.kind, working.state, working.only
        if kind.entry:
            return entries.row(key, kind, working.entry, working.order_key) if working.entry else None
        if only is not None:
            values, packed, is_live = merge.begun(kind, only)
            row_hash = digest.begun_hash(only, values, is_live)
            return Row(values, packed, row_hash, only.origin, only.seq, only.hlc, only.hlc, only.author)
        if state is None or state.first is None:
            return None
        shown = merge.shown(kind, state)
        hlc, origin, seq = state.first
        return Row(
            shown.values, merge.pack(kind, state), digest.record_hash(key, state, shown), origin, seq, hlc,
            state.updated, state.author, shown.hidden, len(shown.conflicts),
        )  # fmt: skip

    def _node_of(self, origin: bytes, scope: bytes, kind: Kind) -> bytes:
        lane = TALK if kind.lane == "talk" and not kind.city else WORK
        return self.streams[origin + scope + lane].node
