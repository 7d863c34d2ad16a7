"""What a link reads of the log: the next segments for a peer, in this node's own order.

Before: ``oplog`` wrote the runs. After: ``sending`` packs the segments into frames. Reads only.
"""

from __future__ import annotations

from sync import forks, limits, oplog
from sync.oplog import CLASSES, Connection, Segment
from sync.version_vector import Vector

PAGE_RUNS = 2_000  # run rows read at once


class LogReader:
    """What a link needs of the log: the next segments for a peer, in this node's own order. Reads only."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._streams: dict[int, bytes] = {}  # number -> id

    def next_segments(self, sent: Vector, cursors: dict[int, int], *, ops_max: int, bytes_max: int) -> list[Segment]:
        """At most ``ops_max`` operations that the peer lacks; moves ``sent`` and ``cursors`` (class -> position).

        Classes go in their order, decided anew at each call, so an order never waits behind a backlog.
        """
        for priority in CLASSES:
            while (segments := self._of_class(priority, sent, cursors, ops_max, bytes_max)) is not None:
                if segments:
                    return segments
        return []

    def _of_class(
        self, priority: int, sent: Vector, cursors: dict[int, int], ops_max: int, bytes_max: int
    ) -> list[Segment] | None:
        """What the next page of runs gives; None at the end of the class."""
        gathered: list[Segment] = []
        newest: dict[bytes, int] = {}  # stream -> its last segment's place among them
        ops = size = position = 0
        rows = oplog.runs_after(self._connection, priority, cursors.get(priority, 0), PAGE_RUNS)
        for position, stream_no, first, last, signature, body in rows:
            stream = self._stream_id(stream_no)
            start = max(first, sent.get(stream, 0) + 1)
            if start <= last:
                found = [body] if start == last else oplog.bodies(self._connection, stream_no, start, last)
                found_size = sum(map(len, found))
                if gathered and (ops + len(found) > ops_max or size + found_size > bytes_max):
                    break
                if len(found) > limits.RUN_OPS_MAX or found_size > limits.RUN_INFLATED_BYTES_MAX:
                    if gathered:
                        break
                    return self._part(stream, start, last, sent)
                at = newest.get(stream)
                if at is not None and len(gathered[at].bodies) + len(found) <= limits.SEGMENT_OPS_MAX:
                    gathered[at] = _joined(gathered[at], signature, found)
                else:
                    newest[stream] = len(gathered)
                    gathered.append(Segment(stream, start, signature, tuple(found)))
                ops, size = ops + len(found), size + found_size
                sent[stream] = last
            cursors[priority] = position
        return gathered if position else None

    def _part(self, stream: bytes, first: int, last: int, sent: Vector) -> list[Segment]:
        """The next part of a run that spans a fork: it has become longer than a peer takes."""
        held = oplog.load_streams(self._connection)[stream]
        segment, sent[stream] = forks.next_part(self._connection, held, first, last)
        return [segment]

    def branches(self) -> list[Segment]:
        return forks.segments(self._connection)

    def _stream_id(self, number: int) -> bytes:
        if number not in self._streams:
            row = self._connection.execute("SELECT id FROM stream WHERE no = ?", (number,)).fetchone()
            self._streams[number] = bytes(row[0])
        return self._streams[number]


def _joined(one: Segment, signature: bytes, bodies: list[bytes]) -> Segment:
    """A segment with what follows it, under the later signature: it covers the first as well."""
    return Segment(one.stream, one.first, signature, (*one.bodies, *bodies))
