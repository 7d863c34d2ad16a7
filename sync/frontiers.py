"""Frontiers: how far a node's log went at a given time. Before: the log, which says of each run when it came here.

After: ``refold`` folds the log up to there. A frontier is, of each stream, the last number that was held.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

from sync import limits, oplog
from sync.oplog import CLASS_BITS, CLASSES, Connection

Frontier = dict[int, int]  # a stream's number in this store -> the last seq

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
FINE_MS = 7 * DAY_MS  # younger steps stand by the minute, older ones by the hour
READ_AT_ONCE = 2_000  # runs: some 10 ms


def held_at(connection: Connection, at_ms: int) -> Frontier:
    """What this node held at a time, by its own (corrected) clock.

    The order of the log is certain, its times are not: a clock may have been wrong for an hour. So the log is cut at
    one place, where the fewest runs stand on the side that their time denies.
    """
    return held_up_to(connection, _cut(connection, at_ms))


def held_up_to(connection: Connection, position: int) -> Frontier:
    """What this node held when its log ended there."""
    rows = connection.execute("SELECT stream, max(last) FROM run WHERE position <= ? GROUP BY stream", (position,))
    return dict(tuple(row) for row in rows.fetchall())


def _cut(connection: Connection, at_ms: int) -> int:
    """The position of the last run that was held then."""
    end = score = best = 0
    for position, received_at in connection.execute("SELECT position, received_at FROM run ORDER BY position"):
        score += 1 if received_at <= at_ms else -1
        if score >= best and received_at <= at_ms:
            end, best = position, score
    return end


# -- what a hub tells, and what is kept of it ----------------------------------------------------------


def told_at(connection: Connection, peer: bytes, at_ms: int) -> tuple[Frontier, int] | None:
    """What is known here of what a hub held then, and how much of it is not here; None where nothing is known.

    It was told so; it receipted what this node wrote; and what came from it, it had.
    """
    rows = [
        *connection.execute(_TOLD, (peer, at_ms)).fetchall(),
        *connection.execute(_RECEIPTED, (peer, at_ms)).fetchall(),
        *connection.execute(_BROUGHT, (peer, at_ms)).fetchall(),
    ]
    known: dict[bytes, int] = {}
    for stream, seq in rows:
        known[bytes(stream)] = max(seq, known.get(bytes(stream), 0))
    if not known:
        return None
    found: Frontier = {}
    missing = sum(known.values())
    for no, id_ in connection.execute("SELECT no, id FROM stream").fetchall():
        if bytes(id_) in known:
            found[no] = min(known[bytes(id_)], oplog.last_of(connection, no))
            missing -= found[no]
    return found, missing


def keep(connection: Connection, peer: bytes, position: int, steps: Iterable[tuple[int, bytes, int]]) -> None:
    """Keep what a hub told of its log, and thin what is old."""
    listed = list(steps)
    rows = [(peer, stream, at, seq) for at, stream, seq in listed]
    connection.executemany("INSERT OR REPLACE INTO frontier_step VALUES (?, ?, ?, ?)", rows)
    newest = max((at for at, _, _ in listed), default=0)
    connection.execute(
        "INSERT INTO frontier_told VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET position = excluded.position",
        (peer, position, newest),
    )
    row = connection.execute("SELECT thinned_at FROM frontier_told WHERE peer = ?", (peer,)).fetchone()
    if newest - row[0] > DAY_MS:
        connection.execute(_THIN, (peer, newest - FINE_MS))
        connection.execute("UPDATE frontier_told SET thinned_at = ? WHERE peer = ?", (newest, peer))


class Steps:
    """How this node's log grew, a step a stream and minute, read from the log a little at a time and kept in memory.

    A hub tells it to every terminal each minute: asked of the table, it would be read through each time.
    """

    def __init__(self, reader: Callable[[], Connection], now: Callable[[], int]) -> None:
        self._reader, self._now = reader, now
        self._lock = threading.Lock()
        self._read = {priority: priority << CLASS_BITS for priority in CLASSES}
        self._streams: dict[int, bytes] = {}
        self._steps: dict[tuple[int, int], tuple[int, int, int]] = {}  # (stream, minute) -> (position, at, seq)
        self._complete = False

    def told_up_to(self, peer: bytes) -> int:
        row = self._reader().execute("SELECT position FROM frontier_told WHERE peer = ?", (peer,)).fetchone()
        return row[0] if row else 0

    def after(self, position: int, count_max: int) -> tuple[int, tuple[tuple[int, bytes, int], ...]]:
        """The next steps behind a position; none before all of the log was read once."""
        with self._lock:
            if not self._advance():
                return position, ()
            if self._steps and position > next(reversed(self._steps.values()))[0]:
                position = 0  # this store was put back since: what was told of it then is told anew
            newer = []
            for (stream, _), (place, at, seq) in reversed(self._steps.items()):
                if place <= position:
                    break
                newer.append((place, at, stream, seq))
            told = newer[::-1][:count_max]
            steps = tuple((at, self._streams[stream], seq) for _, at, stream, seq in told)
            return (told[-1][0] if told else position), steps

    def _advance(self) -> bool:
        """Read on. True once the end was reached."""
        found: list[tuple[int, int, int, int]] = []
        connection, left = self._reader(), READ_AT_ONCE
        for priority in CLASSES:
            rows = connection.execute(_GROWN, (self._read[priority], (priority + 1) << CLASS_BITS, left)).fetchall()
            found += [(no - (priority << CLASS_BITS), at, stream, seq) for no, stream, seq, at in rows]
            left -= len(rows)
            if rows:
                self._read[priority] = rows[-1][0]
            if not left:
                break
        for place, at, stream, seq in sorted(found):
            name = (stream, at // self._bucket_ms(at))
            self._steps.pop(name, None)
            self._steps[name] = (place, at, seq)
            if stream not in self._streams:
                row = connection.execute("SELECT id FROM stream WHERE no = ?", (stream,)).fetchone()
                self._streams[stream] = bytes(row[0])
        if left and not self._complete:  # the classes were read one after the other
            self._complete = True
            self._steps = dict(sorted(self._steps.items(), key=lambda step: step[1]))
        return self._complete

    def _bucket_ms(self, at: int) -> int:
        return limits.FRONTIER_EVERY_MS if self._now() - at < FINE_MS else HOUR_MS


_GROWN = (
    "SELECT no, stream, seq, received_at FROM op WHERE no > ? AND no < ? AND signature IS NOT NULL ORDER BY no LIMIT ?"
)
_TOLD = "SELECT stream, max(seq) FROM frontier_step WHERE peer = ? AND at <= ? GROUP BY stream"
_RECEIPTED = (
    "SELECT stream.id, max(receipt_step.seq) FROM receipt_step JOIN stream ON stream.no = receipt_step.stream"
    " WHERE peer = ? AND at <= ? GROUP BY stream.id"
)
_BROUGHT = (
    "SELECT stream.id, max(run.last) FROM run JOIN stream ON stream.no = run.stream WHERE via = ? AND received_at <= ?"
    " GROUP BY stream.id"
)
_THIN = (
    "DELETE FROM frontier_step AS old WHERE peer = ? AND at < ? AND EXISTS (SELECT 1 FROM frontier_step AS later WHERE"
    f" later.peer = old.peer AND later.stream = old.stream AND later.at > old.at AND later.at / {HOUR_MS} = old.at /"
    f" {HOUR_MS})"
)
