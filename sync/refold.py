"""The tables as they were: the log is folded anew up to a frontier, into a database that is laid over the log.

Before: ``frontiers`` says how far. After: the application asks its usual queries over the same connection: there the
log's tables are views that end at the frontier. Nothing that is sealed is opened: the past opens no key.
"""

from __future__ import annotations

from collections.abc import Mapping

from sync import oplog
from sync.frontiers import Frontier
from sync.keyring import Keyring
from sync.kinds import Kinds
from sync.operation import decode_body
from sync.oplog import CLASS_BITS, Connection
from sync.projection import Projection
from sync.projector import Projector
from sync.verdict import Judge

FOLDED_AT_ONCE = 2_000
OWN_TABLES = ("quarantine", "awaited", "sealed", "wrapped_key", "log_meta")  # the others are read from the log
CUT = "CREATE TABLE cut (stream INTEGER PRIMARY KEY, last INTEGER NOT NULL, folded INTEGER NOT NULL)"


def create_statements() -> list[str]:
    """The tables of the database that is laid over the log, beside those of the application."""
    names = tuple(f"CREATE TABLE IF NOT EXISTS {name} (" for name in OWN_TABLES)
    indexes = tuple(f"CREATE INDEX IF NOT EXISTS {name}_" for name in OWN_TABLES)
    return [CUT, *(one for one in oplog.CREATE if one.startswith((*names, *indexes)))]


def lay_over(connection: Connection, log: str, at_ms: int) -> None:
    """Let this connection see the log (attached as ``log``) as it was: up to the cut, and told by then."""
    mask = (1 << CLASS_BITS) - 1
    cut = "(SELECT last FROM cut WHERE cut.stream = o.stream)"
    for name, select in {
        "stream": f"SELECT s.* FROM {log}.stream s JOIN cut ON cut.stream = s.no",
        "op": f"SELECT o.* FROM {log}.op o WHERE o.seq <= {cut}",
        "run": f"SELECT o.no & {mask} AS position, stream, first, seq AS last, head, signature, received_at, via,"
        f" o.no >> {CLASS_BITS} AS class FROM {log}.op o WHERE signature IS NOT NULL AND first <= {cut}",
        "certificate": f"SELECT o.* FROM {log}.certificate o WHERE o.seq <= {cut}",
        "branch": f"SELECT o.* FROM {log}.branch o JOIN cut ON cut.stream = o.stream WHERE seen_at <= {int(at_ms)}",
        "receipt_step": f"SELECT o.* FROM {log}.receipt_step o WHERE at <= {int(at_ms)}",
        "receipt": f"SELECT peer, stream, max(seq) AS seq, NULL AS head, max(at) AS at FROM {log}.receipt_step"
        f" WHERE at <= {int(at_ms)} GROUP BY peer, stream",
    }.items():
        connection.execute(f"CREATE TEMP VIEW {name} AS {select}")


def set_cut(connection: Connection, frontier: Mapping[int, int]) -> None:
    """Where the log ends, for all that is read over it. What was folded before stays folded."""
    connection.executemany(
        "INSERT INTO cut VALUES (?, ?, 0) ON CONFLICT DO UPDATE SET last = max(last, excluded.last)",
        sorted(frontier.items()),
    )


def fold(connection: Connection, kinds: Kinds, judge: Judge, projection: Projection, node_id: bytes) -> int:
    """Fold what stands before the cut and was not folded yet, inside the caller's transaction. Returns how much."""
    streams = oplog.load_streams(connection)
    keyring = Keyring(connection, node_id, None, closed=True)
    projector = Projector(connection, kinds, judge, projection, streams, keyring)
    projector.load()
    by_no = {stream.no: stream for stream in streams.values()}
    folded: Frontier = dict(tuple(row) for row in connection.execute("SELECT stream, folded FROM cut").fetchall())
    if not any(folded.values()):
        projector.quarantine.clear_tails()
    for stream in streams.values():
        stream.last = folded[stream.no]
        projector.quarantine.put_tails(stream)
    count = 0
    for number, first, last in connection.execute(_RUNS).fetchall():
        stream = by_no[number]
        for seq, body in enumerate(oplog.bodies(connection, number, first, last), first):
            stream.last = seq
            projector.take(stream, decode_body(body, stream.id, seq))
            count += 1
        if count % FOLDED_AT_ONCE < last - first + 1:
            projector.finish()
    projector.finish()
    connection.execute("UPDATE cut SET folded = last")
    return count


# A cut that a peer told may lie inside of a run.
_RUNS = (
    "SELECT run.stream, max(first, folded + 1), min(run.last, cut.last) FROM run JOIN cut ON cut.stream = run.stream"
    " WHERE run.last > folded ORDER BY position"
)
