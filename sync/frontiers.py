"""Frontiers: how far a node's log went at a given time. Before: the log, which says of each run when it came here.

After: ``refold`` folds the log up to there. A frontier is, of each stream, the last number that was held.
"""

from __future__ import annotations

from sync.oplog import Connection

Frontier = dict[int, int]  # a stream's number in this store -> the last seq


def held_at(connection: Connection, at_ms: int) -> Frontier:
    """What this node held at a time, by its own (corrected) clock.

    The order of the log is certain, its times are not: a clock may have been wrong for an hour. So the log is cut at
    one place, where the fewest runs stand on the side that their time denies.
    """
    end = _cut(connection, at_ms)
    rows = connection.execute("SELECT stream, max(last) FROM run WHERE position <= ? GROUP BY stream", (end,))
    return dict(tuple(row) for row in rows.fetchall())


def _cut(connection: Connection, at_ms: int) -> int:
    """The position of the last run that was held then."""
    end = score = best = 0
    for position, received_at in connection.execute("SELECT position, received_at FROM run ORDER BY position"):
        score += 1 if received_at <= at_ms else -1
        if score >= best and received_at <= at_ms:
            end, best = position, score
    return end
