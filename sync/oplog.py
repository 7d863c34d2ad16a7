"""The log on disk: a row an operation, a row a stream. Written by the replica's transaction only.

``no`` is the class of an operation and its position, so that the rows stand in this node's own log order, class by
class: what a peer lacks is sent in it. A run is what one signature covers: it stands in the row of its last operation,
with the chain value and the time of arrival, so "as known at" needs no other table. (With tables of their own for
runs, ends and sums, a save wrote 18 pages.)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from sync import limits
from sync.certificate import Certificate
from sync.operation import CITY, TALK, Operation, decode_body, split_stream
from sync.signing import chain, chain_seed
from sync.version_vector import Vector

CLASS_CITY, CLASS_TALK, CLASS_WORK = 0, 1, 2
CLASSES = (CLASS_CITY, CLASS_TALK, CLASS_WORK)
CLASS_BITS = 60  # `no` is the class above so many bits of position

CREATE = (
    "CREATE TABLE IF NOT EXISTS stream (no INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, node BLOB NOT NULL,"
    " own INTEGER NOT NULL)",
    # With a rowid: rows of this size cost a table without one three pages more each time a page is full. The columns
    # from `first` on are of the run that ends here; null where none does.
    "CREATE TABLE IF NOT EXISTS op (no INTEGER PRIMARY KEY, stream INTEGER NOT NULL, seq INTEGER NOT NULL, record BLOB,"
    " body BLOB NOT NULL, first INTEGER, head BLOB, signature BLOB, received_at INTEGER, via BLOB)",
    "CREATE UNIQUE INDEX IF NOT EXISTS op_by_stream ON op (stream, seq)",
    "CREATE INDEX IF NOT EXISTS op_by_record ON op (record)",
    f"CREATE VIEW IF NOT EXISTS run AS SELECT no & {(1 << CLASS_BITS) - 1} AS position, stream, first, seq AS last,"
    f" head, signature, received_at, via, no >> {CLASS_BITS} AS class FROM op WHERE signature IS NOT NULL",
    "CREATE TABLE IF NOT EXISTS certificate (stream INTEGER NOT NULL, seq INTEGER NOT NULL, data BLOB NOT NULL,"
    " PRIMARY KEY (stream, seq)) WITHOUT ROWID",
    # Projected: what does not count, and what is named and not here. Both are rebuilt with the tables.
    "CREATE TABLE IF NOT EXISTS quarantine (stream INTEGER NOT NULL, seq INTEGER NOT NULL, reason TEXT NOT NULL,"
    " kind TEXT, record BLOB, PRIMARY KEY (stream, seq)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS awaited (name BLOB NOT NULL, seq INTEGER NOT NULL, kind TEXT NOT NULL, scope BLOB NOT"
    " NULL, record BLOB NOT NULL, PRIMARY KEY (name, seq, kind, scope, record)) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS awaited_by_record ON awaited (kind, scope, record)",
    # Projected: the sealed operations that count, whether or not they can be opened here.
    "CREATE TABLE IF NOT EXISTS sealed (stream INTEGER NOT NULL, seq INTEGER NOT NULL, kind TEXT NOT NULL, scope BLOB"
    " NOT NULL, record BLOB NOT NULL, key BLOB NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (stream, seq)) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS sealed_by_key ON sealed (key)",
    "CREATE INDEX IF NOT EXISTS sealed_by_record ON sealed (record)",
    # Local: scope keys wrapped for nodes. Beside the log and never in it, so that they can be deleted.
    "CREATE TABLE IF NOT EXISTS wrapped_key (name BLOB PRIMARY KEY, bytes BLOB NOT NULL) WITHOUT ROWID",
    # Local: what peers have receipted, and the tails of forks that do not count (``tail`` is the chain value).
    "CREATE TABLE IF NOT EXISTS receipt (peer BLOB NOT NULL, stream INTEGER NOT NULL, seq INTEGER NOT NULL,"
    " head BLOB NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (peer, stream)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS receipt_step (peer BLOB NOT NULL, stream INTEGER NOT NULL, seq INTEGER NOT NULL,"
    " at INTEGER NOT NULL, PRIMARY KEY (peer, stream, seq)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS branch (stream INTEGER NOT NULL, seq INTEGER NOT NULL, tail BLOB NOT NULL, body BLOB"
    " NOT NULL, signature BLOB, seen_at INTEGER NOT NULL, PRIMARY KEY (stream, tail, seq)) WITHOUT ROWID",
    # Local: how the logs of hubs grew, as they told it; what is older than a week stands by the hour.
    "CREATE TABLE IF NOT EXISTS frontier_step (peer BLOB NOT NULL, stream BLOB NOT NULL, at INTEGER NOT NULL,"
    " seq INTEGER NOT NULL, PRIMARY KEY (peer, stream, at)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS frontier_told (peer BLOB PRIMARY KEY, position INTEGER NOT NULL, thinned_at INTEGER NOT"
    " NULL) WITHOUT ROWID",
    # What almost every commit moves, together on one page: the clock, the numbers given, the sums of the digest.
    "CREATE TABLE IF NOT EXISTS log_meta (name TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID",
)
SUM = "sum:"  # the names of the digest's sums begin with it


class Cursor(Protocol):
    def fetchone(self) -> Any: ...
    def fetchall(self) -> list[Any]: ...
    def __iter__(self) -> Iterator[Any]: ...


class Connection(Protocol):
    """The little of DB-API that the log needs; rows are read by position."""

    def execute(self, sql: str, parameters: Sequence[Any] = ...) -> Cursor: ...
    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> Cursor: ...


@dataclass(slots=True)
class Stream:
    """One chain: where it stands and the certificates that hold in it."""

    no: int
    id: bytes
    node: bytes
    own: bool
    last: int
    head: bytes
    certificates: list[tuple[int, Certificate]] = field(default_factory=list)

    @property
    def scope(self) -> bytes:
        return split_stream(self.id)[1]

    def place(self, position: int) -> int:
        """The ``no`` of an operation of this stream."""
        _, scope, lane = split_stream(self.id)
        priority = CLASS_CITY if scope == CITY else CLASS_TALK if lane == TALK else CLASS_WORK
        return (priority << CLASS_BITS) + position

    def certificate_at(self, seq: int) -> Certificate:
        """The newest certificate at or before ``seq``."""
        if len(self.certificates) == 1:
            return self.certificates[0][1]
        return next(found for first, found in reversed(self.certificates) if first <= seq)


@dataclass(frozen=True, slots=True)
class Segment:
    """Consecutive operations of one stream that end at a signed one: what travels."""

    stream: bytes
    first: int
    signature: bytes
    bodies: tuple[bytes, ...]

    @property
    def last(self) -> int:
        return self.first + len(self.bodies) - 1


def load_streams(connection: Connection) -> dict[bytes, Stream]:
    """Every stream held, with its end and its certificates."""
    by_no: dict[int, Stream] = {}
    for no, id_, node, own in connection.execute("SELECT no, id, node, own FROM stream"):
        by_no[no] = stream = Stream(no, bytes(id_), bytes(node), bool(own), 0, chain_seed(bytes(id_)))
        stream.last = last_of(connection, no)
        stream.head = head_at(connection, stream, stream.last)
    for no, seq, data in connection.execute("SELECT stream, seq, data FROM certificate ORDER BY stream, seq"):
        by_no[no].certificates.append((seq, Certificate.decode(bytes(data))))
    return {stream.id: stream for stream in by_no.values()}


def last_of(connection: Connection, stream_no: int) -> int:
    """The last number held of a stream."""
    return int(connection.execute("SELECT max(seq) FROM op WHERE stream = ?", (stream_no,)).fetchone()[0] or 0)


def add_stream(connection: Connection, id_: bytes, node: bytes, own: bool) -> Stream:
    connection.execute("INSERT INTO stream (id, node, own) VALUES (?, ?, ?)", (id_, node, int(own)))
    row = connection.execute("SELECT no FROM stream WHERE id = ?", (id_,)).fetchone()
    return Stream(row[0], id_, node, own, 0, chain_seed(id_))


def append(
    connection: Connection,
    stream: Stream,
    rows: list[tuple[bytes | None, bytes]],
    head: bytes,
    signature: bytes,
    at_ms: int,
    via: bytes | None,
    position: int,
) -> None:
    """Append a signed run of (record, body) to ``stream``; it ends at ``position`` of the log."""
    no, first = stream.no, stream.last + 1
    place = stream.place(position) - len(rows) + 1
    connection.executemany(
        "INSERT INTO op (no, stream, seq, record, body) VALUES (?, ?, ?, ?, ?)",
        [(place + n, no, first + n, record, body) for n, (record, body) in enumerate(rows[:-1])],
    )
    stream.last += len(rows)
    stream.head = head
    connection.execute(
        "INSERT INTO op VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (stream.place(position), no, stream.last, *rows[-1], first, head, signature, at_ms, via),
    )


def append_unsigned(
    connection: Connection, stream: Stream, seq: int, record: bytes | None, body: bytes, head: bytes, position: int
) -> None:
    """Append one operation; ``close_run`` follows before the commit."""
    stream.last, stream.head = seq, head
    connection.execute(
        "INSERT INTO op (no, stream, seq, record, body) VALUES (?, ?, ?, ?, ?)",
        (stream.place(position), stream.no, seq, record, body),
    )


def close_run(
    connection: Connection,
    stream: Stream,
    first: int,
    last: int,
    head: bytes,
    signature: bytes,
    at_ms: int,
    via: bytes | None,
) -> None:
    """Note the signature that ends the operations ``first`` to ``last``: from then on they can be sent."""
    connection.execute(
        "UPDATE op SET first = ?, head = ?, signature = ?, received_at = ?, via = ? WHERE stream = ? AND seq = ?",
        (first, head, signature, at_ms, via, stream.no, last),
    )


def last_position(connection: Connection) -> int:
    """The greatest position that an operation has."""
    found = 0
    for priority in CLASSES:
        start, end = priority << CLASS_BITS, (priority + 1) << CLASS_BITS
        row = connection.execute("SELECT max(no) FROM op WHERE no > ? AND no < ?", (start, end)).fetchone()
        found = max(found, (row[0] or start) - start)
    return found


def runs_after(connection: Connection, priority: int, position: int, count_max: int) -> Cursor:
    """(position, stream, first, last, signature, last body) of the runs of a class, in the order of the log."""
    start = priority << CLASS_BITS
    return connection.execute(
        "SELECT no - ?, stream, first, seq, signature, body FROM op WHERE no > ? AND no < ? AND signature IS NOT NULL"
        " ORDER BY no LIMIT ?",
        (start, start + position, start + (1 << CLASS_BITS), count_max),
    )


def sums(connection: Connection) -> dict[tuple[str, bytes], int]:
    """The sums of the digest: (table, scope) -> sum of the row hashes."""
    rows = connection.execute("SELECT name, value FROM log_meta WHERE name >= 'sum:' AND name < 'sum;'").fetchall()
    found: dict[tuple[str, bytes], int] = {}
    for name, value in rows:
        table, scope = name[len(SUM) :].split(":")
        found[table, bytes.fromhex(scope)] = int.from_bytes(value, "big")
    return found


def keep_sums(connection: Connection, totals: Iterable[tuple[str, bytes, int]]) -> None:
    connection.executemany(
        "INSERT OR REPLACE INTO log_meta VALUES (?, ?)",
        [(f"{SUM}{table}:{scope.hex()}", total.to_bytes(16, "big")) for table, scope, total in totals],
    )


def forget_sums(connection: Connection) -> None:
    connection.execute("DELETE FROM log_meta WHERE name >= 'sum:' AND name < 'sum;'")


def bodies(connection: Connection, stream_no: int, first: int, last: int) -> list[bytes]:
    rows = connection.execute(
        "SELECT body FROM op WHERE stream = ? AND seq BETWEEN ? AND ? ORDER BY seq", (stream_no, first, last)
    )
    return [bytes(row[0]) for row in rows]


def head_at(connection: Connection, stream: Stream, seq: int) -> bytes:
    """The chain value after ``seq`` of a stream that is held so far: from the nearest signed run below it."""
    row = connection.execute(
        "SELECT last, head FROM run WHERE stream = ? AND last <= ? ORDER BY last DESC LIMIT 1", (stream.no, seq)
    ).fetchone()
    last, head = (row[0], bytes(row[1])) if row else (0, chain_seed(stream.id))
    return chain(head, bodies(connection, stream.no, last + 1, seq)) if last < seq else head


def naming(connection: Connection, origin: bytes) -> Iterator[tuple[int, int, bytes]]:
    """(stream, seq, body) of every operation in whose bytes an origin's name stands."""
    for no, seq, body in connection.execute("SELECT stream, seq, body FROM op WHERE instr(body, ?) > 0", (origin,)):
        yield no, seq, bytes(body)


def of_record(connection: Connection, record: bytes) -> list[tuple[int, int, bytes]]:
    """(stream number, seq, body) of every operation that names ``record``, of any kind and scope."""
    rows = connection.execute("SELECT stream, seq, body FROM op WHERE record = ?", (record,))
    return [(row[0], row[1], bytes(row[2])) for row in rows]


def fill_records(connection: Connection) -> None:
    """Note the record of each body that an older release could not read and this one can."""
    rows = connection.execute(
        "SELECT op.stream, seq, body, id FROM op JOIN stream ON stream.no = op.stream WHERE record IS NULL"
    ).fetchall()
    found = [(number, seq, decode_body(bytes(body), bytes(id_), seq)) for number, seq, body, id_ in rows]
    connection.executemany(
        "UPDATE op SET record = ? WHERE stream = ? AND seq = ?",
        [(operation.record, number, seq) for number, seq, operation in found if isinstance(operation, Operation)],
    )


def record_at(connection: Connection, stream_no: int, seq: int) -> bytes | None:
    row = connection.execute("SELECT record FROM op WHERE stream = ? AND seq = ?", (stream_no, seq)).fetchone()
    return bytes(row[0]) if row and row[0] is not None else None


def hold_certificate(connection: Connection, stream: Stream, seq: int, found: Certificate) -> None:
    connection.execute("INSERT OR REPLACE INTO certificate VALUES (?, ?, ?)", (stream.no, seq, found.encode()))
    stream.certificates.append((seq, found))


def keep_receipt(connection: Connection, peer: bytes, stream: Stream, seq: int, head: bytes, at_ms: int) -> int:
    """Remember what a peer says is durable there. 1 where that moved on, else 0."""
    if head_at(connection, stream, seq)[: len(head)] != head:
        return 0  # another chain under our numbers: what the peer holds there is not what we wrote
    row = connection.execute("SELECT seq FROM receipt WHERE peer = ? AND stream = ?", (peer, stream.no)).fetchone()
    if row is not None and row[0] == seq:
        return 0
    connection.execute("INSERT OR REPLACE INTO receipt VALUES (?, ?, ?, ?, ?)", (peer, stream.no, seq, head, at_ms))
    connection.execute("INSERT OR IGNORE INTO receipt_step VALUES (?, ?, ?, ?)", (peer, stream.no, seq, at_ms))
    return 1


def vector(streams: Iterable[Stream]) -> Vector:
    return {stream.id: stream.last for stream in streams}


def run_ranges(sizes: Sequence[int]) -> list[int]:
    """Where to sign own operations of these sizes: the counts of each run (≤ 100 operations, ≤ 8 KiB)."""
    counts: list[int] = []
    count = size = 0
    for body in sizes:
        if count and (count == limits.SIGN_EVERY_OPS or size + body > limits.SIGN_EVERY_BYTES):
            counts.append(count)
            count = size = 0
        count, size = count + 1, size + body
    if count:
        counts.append(count)
    return counts
