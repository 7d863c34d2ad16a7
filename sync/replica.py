"""A node's copy of the log and of what it means. Two doors, one funnel: ``record`` (ours) and ``receive`` (theirs)
end in one transaction that writes the log and the tables. Runs in the writer's thread only; ``writer`` batches jobs.

Effects (browsers, peers) come after the commit, from what ``run_batch`` returns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sync import arrival, authoring, digest, grants, limits, oplog, seal, signing
from sync.arrival import Outcome
from sync.authoring import Recorded, Result
from sync.certificate import Certificate
from sync.clock import Clock
from sync.errors import BadChange, is_disk_error
from sync.keyring import Keyring
from sync.kinds import REVOCATIONS, Kinds
from sync.operation import (
    CITY,
    Change,
    Operation,
    RecordKey,
    decode_body,
)
from sync.oplog import Connection, Segment, Stream
from sync.projection import Projection
from sync.projector import Projector
from sync.signing import SigningKey
from sync.verdict import Judge
from sync.version_vector import Vector, digest8


@dataclass(frozen=True, slots=True)
class Identity:
    """Who this node is. ``certificate`` is None until it is enrolled."""

    key: SigningKey
    node_id: bytes
    root_public: bytes | None
    certificate: Certificate | None
    sealing: bytes | None = field(default=None, repr=False)  # the seed of the sealing key


@dataclass(frozen=True, slots=True)
class Committed:
    """What one batch changed, for those who are told after the commit."""

    changed: frozenset[RecordKey]
    ends: Mapping[bytes, tuple[int, bytes]]  # stream -> (last seq, h)
    nodes: Mapping[bytes, bytes]  # stream -> the node that writes it
    position: int  # of the log's last run
    tails: tuple[tuple[bytes, int, bytes], ...] = ()  # (stream, seq, h) of all that lost a fork

    @property
    def vector(self) -> Vector:
        return {stream: seq for stream, (seq, _) in self.ends.items()}

    def digest8(self) -> bytes:
        return digest8(self.ends, self.tails)


@dataclass
class Replica:
    connection: Connection
    kinds: Kinds
    judge: Judge
    projection: Projection
    identity: Identity
    now: Callable[[], int]  # corrected time, ms since 1970
    random: Callable[[int], bytes]
    on_own_commit: Callable[[bytes, Vector], None] = lambda incarnation, last: None  # the file beside the database
    streams: dict[bytes, Stream] = field(default_factory=dict)
    clock: Clock = field(default_factory=Clock)
    incarnation: bytes = b""
    _nodes: Mapping[bytes, bytes] = field(default_factory=dict)
    _changed: set[RecordKey] = field(default_factory=set)
    _stale: bool = True  # what is in memory may not be what the tables say
    own_written: bool = False
    position: int = 0  # of the log's last operation; one that was given is never given again
    numbers: dict[str, int] = field(default_factory=dict)  # the last one given of each kind
    series: str = ""  # what stands in the numbers of a store that was put back, between label and number
    unsigned: dict[bytes, list[tuple[int, bytes]]] = field(default_factory=dict)  # stream -> (size, h), to be signed
    destroyed: frozenset[bytes] = frozenset()  # scope keys that an order destroyed, as the file beside the store says
    sealed_closed: bool = False  # this store was put back, and may not have heard of such an order yet
    keyring: Keyring = field(init=False)

    def __post_init__(self) -> None:
        self._join()

    def connect(self, connection: Connection, projection: Projection) -> None:
        """Go on with another connection to the same store: the one before met a disk that failed."""
        self.connection, self.projection = connection, projection
        self._join()

    def _join(self) -> None:
        self.keyring = Keyring(
            self.connection, self.identity.node_id, self.identity.sealing, self.destroyed, self.sealed_closed
        )
        self.projector = Projector(self.connection, self.kinds, self.judge, self.projection, self.streams, self.keyring)
        self.reload()

    def reload(self) -> None:
        """Read what is kept in memory from the tables: at start, and after a transaction was rolled back."""
        self._stale = True
        self.streams.clear()
        self.streams.update(oplog.load_streams(self.connection))
        self.incarnation = self.meta("incarnation") or b""
        self.series = signing.series_of(self.incarnation) if self.meta("put_back") else ""
        self.clock = Clock(int.from_bytes(self.meta("hlc") or b"", "big"))
        self.projector.load()
        self.position = max(self.position, oplog.last_position(self.connection))
        self._nodes = {}
        self.numbers.clear()
        self._changed.clear()
        self.unsigned.clear()
        self.own_written = False
        self._stale = False

    @property
    def origin(self) -> bytes:
        return signing.origin_of(self.identity.node_id, self.incarnation)

    @property
    def vector(self) -> Vector:
        return oplog.vector(self.streams.values())

    def published(self) -> Committed:
        """What links may know: the state after a commit, never one inside a transaction."""
        ends = {stream.id: (stream.last, stream.head) for stream in self.streams.values()}
        if len(self._nodes) != len(self.streams):
            self._nodes = {stream.id: stream.node for stream in self.streams.values()}
        lost = self.projector.quarantine.tails
        tails = tuple((id_, seq, head) for id_, listed in lost.items() for seq, head in listed)
        return Committed(frozenset(self._changed), ends, self._nodes, self.position, tails)

    # -- one transaction -------------------------------------------------------------------------

    def run_batch(self, jobs: Sequence[Callable[[Replica], Any]]) -> tuple[list[Any], Committed]:
        """Run jobs in one durable transaction. A job that raises is undone alone; its error is its result.

        Raises what the commit raises: then nothing of the batch was kept.
        """
        if self._stale:
            self.reload()  # the disk could not be read after the last batch had failed
        self.connection.execute("BEGIN IMMEDIATE")
        results: list[Any] = []
        try:
            for job in jobs:
                results.append(self._run_job(job, alone=len(jobs) == 1))
            authoring.sign(self)
            self._keep_counters()
            self.connection.execute("COMMIT")
        except BaseException:
            self._rollback()
            raise
        committed = self.published()
        self._changed.clear()
        if self.own_written:
            self._note_own()
        return results, committed

    def _note_own(self) -> None:
        """Tell where our streams stand. The batch is durable already: where this fails, the next one tells it."""
        try:
            self.on_own_commit(self.incarnation, self.own_last())
        except OSError:
            return
        self.own_written = False

    def _run_job(self, job: Callable[[Replica], Any], *, alone: bool) -> Any:
        """Run one job; undo it where it raises. The only job of a batch needs no savepoint: all of it is undone."""
        if not alone:
            self.connection.execute("SAVEPOINT job")
        changed, own_written, numbers = set(self._changed), self.own_written, dict(self.numbers)
        unsigned = {stream: list(appended) for stream, appended in self.unsigned.items()}
        try:
            result = job(self)
            if not alone:
                self.connection.execute("RELEASE job")
            return result
        except Exception as error:
            if is_disk_error(error):
                raise  # the disk, not the job: the whole batch is undone and told so
            for statement in ("ROLLBACK", "BEGIN IMMEDIATE") if alone else ("ROLLBACK TO job", "RELEASE job"):
                self.connection.execute(statement)
            clock = self.clock
            self.reload()
            self.clock, self._changed, self.own_written, self.unsigned = clock, changed, own_written, unsigned
            self.numbers = numbers
            return error

    def _keep_counters(self) -> None:
        counters = {"hlc": self.clock.last, **self.numbers}
        self.connection.executemany(
            "INSERT OR REPLACE INTO log_meta VALUES (?, ?)",
            [(name, value.to_bytes(8, "big")) for name, value in counters.items()],
        )

    def _rollback(self) -> None:
        self._stale = True
        if getattr(self.connection, "in_transaction", True):
            self.connection.execute("ROLLBACK")
        self.reload()

    # -- our door --------------------------------------------------------------------------------

    def record(self, changes: Sequence[Change], author: bytes | None) -> Result:
        """Write our own changes: all of them or none. Raises NotEnrolled, BadChange."""
        result = authoring.record(self, changes, author)
        if isinstance(result, Recorded):
            self._finish()
        return result

    def record_again(self, operations: Sequence[Operation]) -> int:
        """Write own operations of a broken stream once more, in this incarnation. Returns how many."""
        count = authoring.record_again(self, operations)
        self._finish()
        return count

    # -- their door ------------------------------------------------------------------------------

    def receive(self, segments: Sequence[Segment], via: bytes | None) -> list[Outcome]:
        """Take what a peer sent: each segment is checked whole, then kept or refused. One outcome a segment."""
        authoring.sign(self)  # what was written before in this batch: a fork is chosen between signed tails
        outcomes = [arrival.take_segment(self, segment, via) for segment in segments]
        self._finish()
        return outcomes

    def _finish(self) -> None:
        self._changed.update(self.projector.finish())

    def keep_receipts(self, peer: bytes, receipts: Iterable[tuple[bytes, int, bytes]]) -> int:
        """Remember what a peer says is durable there, of this node's own streams. Returns how many moved on."""
        moved = 0
        for id_, seq, head in receipts:
            stream = self.streams.get(id_)
            if stream is not None and stream.node == self.identity.node_id and seq <= stream.last:
                moved += oplog.keep_receipt(self.connection, peer, stream, seq, head, self.now())
        return moved

    def next_position(self, count: int = 1) -> int:
        """Where the last of so many new operations stands in the log."""
        self.position += count
        return self.position

    # -- sealing ---------------------------------------------------------------------------------

    def keep_wrapped(self, wrapped: Iterable[bytes]) -> None:
        """Keep wrapped scope keys that came here beside the log, and open what they open."""
        for one in wrapped:
            self.connection.execute("INSERT OR IGNORE INTO wrapped_key VALUES (?, ?)", (seal.wrapped_name(one), one))
        self._reopen()

    def open_again(self, destroyed: frozenset[bytes], *, closed: bool) -> None:
        """What may be opened has changed beside the log: keys that were destroyed, or a store that was put back."""
        self.destroyed, self.sealed_closed = destroyed, closed
        self.keyring.banned, self.keyring.closed = destroyed, closed
        self._reopen()

    def _reopen(self) -> None:
        for key in self.projector.sealed.records(self.keyring.refresh()):
            self.projector.recompute(key)
        self._finish()

    # -- incarnations ----------------------------------------------------------------------------

    def ensure_incarnation(self) -> None:
        if not self.incarnation:
            self._begin_incarnation()

    def new_incarnation(self) -> None:
        """Begin new streams: this store may be an older copy, and a number must never be used twice.

        Nor one that people read: what the copy does not know may have borne the next ones already.
        """
        self.set_meta("put_back", b"1")
        self._begin_incarnation()

    def _begin_incarnation(self) -> None:
        self.incarnation = self.random(8)
        self.set_meta("incarnation", self.incarnation)
        self.series = signing.series_of(self.incarnation) if self.meta("put_back") else ""
        self.own_written = True

    def own_last(self) -> Vector:
        """Where each stream of this incarnation stands."""
        origin = self.origin
        return {stream.id: stream.last for stream in self.streams.values() if stream.id[:16] == origin}

    # -- revocation, rebuilding, digest ----------------------------------------------------------

    def revoke(self, node: bytes, accepted: Vector | None, reason: str, author: bytes | None) -> Result:
        """Write a revocation: of ``node`` only what ``accepted`` names still counts (None: what is held now). What is
        sealed from now on, the device cannot open.

        Raises BadChange where it names more streams than fit into a body.
        """
        if accepted is None:  # a stream of certificates alone has nothing that could stop to count
            streams = [stream for stream in self.streams.values() if stream.node == node]
            accepted = {stream.id: stream.last for stream in streams if stream.last > len(stream.certificates)}
        if len(accepted) > limits.REVOCATION_STREAMS_MAX:
            raise BadChange(
                f"{len(accepted)} streams are to be named, a revocation names {limits.REVOCATION_STREAMS_MAX} at most",
                hint="Name fewer streams whose operations go on to count; those not named no longer do.",
            )
        fields = {"accepted": [[id_, seq] for id_, seq in sorted(accepted.items())], "reason": reason}
        result = self.record([Change(REVOCATIONS.name, node, CITY, fields, replaces=None)], author)
        grants.rotate_away(self, node, author)
        return result

    def is_revoked(self, node: bytes) -> bool:
        return bool(self.projector.facts.revoked.get(node))

    def rebuild(self) -> int:
        """Throw the tables away and fold the log again. Returns the number of operations folded."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            oplog.fill_records(self.connection)
            self.projection.clear()
            for table in ("quarantine", "awaited", "sealed"):
                self.connection.execute(f"DELETE FROM {table}")
            oplog.forget_sums(self.connection)
            count = self._fold_all()
            self.connection.execute("COMMIT")
        except BaseException:
            self._rollback()
            raise
        self.reload()
        return count

    def _fold_all(self) -> int:
        self.projector.load()
        ends = {stream.id: stream.last for stream in self.streams.values()}
        by_no = {stream.no: stream for stream in self.streams.values()}
        self.projector.quarantine.clear_tails()
        for stream in self.streams.values():
            stream.last = 0
            self.projector.quarantine.put_tails(stream)
        count = 0
        runs = self.connection.execute("SELECT stream, first, last FROM run ORDER BY position").fetchall()
        for number, first, last in runs:
            stream = by_no[number]
            for offset, body in enumerate(oplog.bodies(self.connection, number, first, last)):
                stream.last = first + offset
                self.projector.take(stream, decode_body(body, stream.id, first + offset))
                count += 1
            if count % 500 < last - first + 1:
                self._changed.update(self.projector.finish())
        self._changed.update(self.projector.finish())
        for stream in self.streams.values():
            stream.last = ends[stream.id]
        return count

    def public_digest(self) -> str:
        """The digest that is kept with every commit, as 32 hex digits."""
        return digest.total(oplog.sums(self.connection).values()).to_bytes(16, "big").hex()

    # -- small -----------------------------------------------------------------------------------

    def meta(self, name: str) -> bytes | None:
        row = self.connection.execute("SELECT value FROM log_meta WHERE name = ?", (name,)).fetchone()
        return bytes(row[0]) if row else None

    def set_meta(self, name: str, value: bytes) -> None:
        self.connection.execute("INSERT OR REPLACE INTO log_meta VALUES (?, ?)", (name, value))
