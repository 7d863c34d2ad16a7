"""The log of a damaged store, taken into a new one through the checks of arrival; and what has to wait for its past.

Before: ``mend`` reads the damaged copy. After: what stands behind a gap waits in `meta` until another node has sent
what was lost before it; ``Waiting`` then lets it in. Nothing of it is thrown away in the meantime.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

import msgspec

from app.store import meta
from app.store.engine import Connection
from app.store.salvage import Kept, Salvage
from sync import oplog
from sync.arrival import Applied, Duplicate, Forked
from sync.kinds import Kind
from sync.log_reader import LogReader
from sync.operation import Operation, decode_body
from sync.oplog import Segment
from sync.replica import Replica

KEY = "salvaged"
BATCH_SEGMENTS = 100
_IN = (Applied, Duplicate, Forked)


class Log:
    """One filling of a new log from an old one."""

    TABLES = frozenset(("stream", "op", "certificate", "quarantine", "awaited", "receipt", "receipt_step")) | {
        "branch",
        "log_meta",
        "sealed",
    }

    def __init__(self, new: Connection, old: Salvage) -> None:
        self._new, self._old = new, old
        self._at = 0
        self._receipted: dict[bytes, int] = {}  # own stream -> what some other node holds of it
        self._keep_counters()

    def arrived_at(self) -> int:
        """The time that is noted for what is filled in: when it first arrived."""
        return self._at

    def fill(self, replica: Replica) -> tuple[int, int, int]:
        """(operations held, of these written again, operations that wait)."""
        kept = self._old.segments()
        waiting: list[Kept] = []
        for first in range(0, len(kept), BATCH_SEGMENTS):
            part = kept[first : first + BATCH_SEGMENTS]
            outcomes, _ = replica.run_batch([self._job(one) for one in part])
            waiting += [one for one, outcome in zip(part, outcomes, strict=True) if not isinstance(outcome, _IN)]
        self._take_branches(replica)
        self._take_receipts(replica)
        self._go_on_counting(replica)
        broken = self._broken(replica, waiting)
        again = self._write_again(replica, [one.segment for one in broken])
        left = [one.segment for one in waiting if one not in broken]
        _write(self._new, left)
        held = sum(stream.last for stream in replica.streams.values())
        return held, again, sum(len(segment.bodies) for segment in left)

    def _job(self, kept: Kept) -> Callable[[Replica], Any]:
        def take(replica: Replica) -> Any:
            self._at = kept.received_at
            return replica.receive([kept.segment], kept.via)[0]

        return take

    def _broken(self, replica: Replica, waiting: list[Kept]) -> list[Kept]:
        """Ours, behind a number that is lost here and that no other node has told us to hold: it can never go in."""
        broken: list[Kept] = []
        ends: dict[bytes, int] = {}
        hopeless: set[bytes] = set()
        for kept in sorted(waiting, key=lambda one: one.segment.first):
            segment, stream = kept.segment, replica.streams.get(kept.segment.stream)
            if stream is None or not stream.own or segment.first <= stream.last or replica.identity.certificate is None:
                continue
            missing_to = segment.first - 1
            if missing_to > max(ends.get(stream.id, stream.last), self._receipted.get(stream.id, 0)):
                hopeless.add(stream.id)
            if stream.id in hopeless:
                broken.append(kept)
            ends[stream.id] = segment.last
        return broken

    def _write_again(self, replica: Replica, segments: list[Segment]) -> int:
        count = 0
        for segment in segments:
            decoded = [decode_body(body, segment.stream, segment.first + n) for n, body in enumerate(segment.bodies)]
            known = [operation for operation in decoded if isinstance(operation, Operation)]
            results, _ = replica.run_batch([lambda r, known=known: r.record_again(known)])  # type: ignore[misc]
            if isinstance(results[0], Exception):
                raise results[0]
            count += results[0]
        return count

    def _keep_counters(self) -> None:
        """The clock, and the numbers that people have read. Not the incarnation: this store begins a new one.

        Nor the sums of the digest, which are made of the rows as they come in.
        """
        kept = self._old.table("log_meta", ("name", "value"))
        rows = [row for row in kept if row[0] != "incarnation" and not row[0].startswith(oplog.SUM)]
        self._new.executemany("INSERT OR REPLACE INTO log_meta VALUES (?, ?)", rows)

    def _take_branches(self, replica: Replica) -> None:
        """The tails of forks that do not count, as far as they can be read."""
        tails = self._old.call(lambda connection: LogReader(connection).branches()) or []
        for tail in tails:
            replica.run_batch([lambda r, tail=tail: r.receive([tail], None)])  # type: ignore[misc]

    def _take_receipts(self, replica: Replica) -> None:
        ids = self._old.streams()
        rows = self._old.table("receipt", ("peer", "stream", "seq", "head", "at"))
        for peer, number, seq, head, at in rows:
            self._at = at
            stream = ids.get(number, b"")
            self._receipted[stream] = max(self._receipted.get(stream, 0), seq)
            receipts = [(stream, seq, bytes(head))]
            replica.run_batch([lambda r, p=bytes(peer), one=receipts: r.keep_receipts(p, one)])  # type: ignore[misc]

    def _go_on_counting(self, replica: Replica) -> None:
        """Let no number of this node be given a second time where the counter itself was lost."""
        held = replica.identity.certificate
        for kind in replica.kinds if held else ():
            if "number" in kind.fields and held is not None:
                known = int.from_bytes(replica.meta(f"number:{kind.name}") or b"", "big")
                last = max(known, _last_number(self._new, kind, held.label))
                if last:
                    replica.set_meta(f"number:{kind.name}", last.to_bytes(8, "big"))


def _last_number(connection: Connection, kind: Kind, label: str) -> int:
    rows = connection.execute(f"SELECT number FROM {kind.table} WHERE number LIKE ?", (f"{label}-%",)).fetchall()
    return max((int(row[0].rpartition("-")[2]) for row in rows if row[0].rpartition("-")[2].isdigit()), default=0)


# -- what waits --------------------------------------------------------------------------------------


def read(connection: Connection) -> list[Segment]:
    data = meta.read(connection, KEY)
    if data is None:
        return []
    return [Segment(stream, first, signature, tuple(bodies)) for stream, first, signature, bodies in _unpack(data)]


def _unpack(data: bytes) -> list[Any]:
    return list(msgspec.msgpack.decode(data))


def _write(connection: Connection, segments: list[Segment]) -> None:
    if segments:
        items = [[one.stream, one.first, one.signature, list(one.bodies)] for one in segments]
        meta.write(connection, KEY, msgspec.msgpack.encode(items))
    else:
        connection.execute("DELETE FROM meta WHERE key = ?", (KEY,))


class Waiting:
    """Salvaged segments of a node that is open: each goes in when what stands before it is there."""

    def __init__(self, connection: Connection, submit: Callable[[Callable[[Replica], Any], int], Future[Any]]) -> None:
        self._segments, self._submit = read(connection), submit

    def __bool__(self) -> bool:
        return bool(self._segments)

    def look(self, ends: Mapping[bytes, tuple[int, bytes]]) -> None:
        """After a commit: hand in what fits now. What is refused stays in `meta`, for people to look at."""
        ready = [one for one in self._segments if ends.get(one.stream, (0, b""))[0] >= one.first - 1]
        if not ready:
            return
        self._segments = [one for one in self._segments if one not in ready]

        def take(replica: Replica) -> None:
            outcomes = replica.receive(ready, None)
            refused = [one for one, outcome in zip(ready, outcomes, strict=True) if not isinstance(outcome, _IN)]
            others = [one for one in read(replica.connection) if one not in ready]
            _write(replica.connection, others + refused)

        self._submit(take, sum(len(one.bodies) for one in ready))
