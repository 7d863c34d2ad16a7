"""What is in the log and does not count, with the reason. A projected verdict: rebuilt like everything else.

Before: ``verdict`` gave the reason, or ``forks`` let a tail lose. After: people are shown it; ``sums`` has it in the
digest.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sync import digest, forks, verdict
from sync.operation import NewerBody, Operation, decode_body
from sync.oplog import Connection, Stream
from sync.sums import Sums


@dataclass(slots=True)
class Quarantine:
    connection: Connection
    sums: Sums
    forked: dict[bytes, set[int]] = field(default_factory=dict)  # stream -> numbers that a lost tail bears
    tails: dict[bytes, set[tuple[int, bytes]]] = field(default_factory=dict)  # stream -> (number, h) in lost tails

    def load(self) -> None:
        self.clear_tails()
        rows = self.connection.execute("SELECT id, seq, tail FROM branch JOIN stream ON stream.no = branch.stream")
        for id_, seq, head in rows:
            self.forked.setdefault(bytes(id_), set()).add(seq)
            self.tails.setdefault(bytes(id_), set()).add((seq, bytes(head)))

    def clear_tails(self) -> None:
        self.forked.clear()
        self.tails.clear()

    def put(self, stream: Stream, operation: Operation | NewerBody, reason: str) -> None:
        kind, record = _of(operation)
        self.connection.execute(
            "INSERT OR REPLACE INTO quarantine VALUES (?, ?, ?, ?, ?)", (stream.no, operation.seq, reason, kind, record)
        )
        self.sums.add("quarantine", stream.scope, digest.quarantine_hash(stream.id, operation.seq, reason))

    def release(self, stream: Stream, seq: int) -> None:
        row = self.connection.execute(
            "SELECT reason FROM quarantine WHERE stream = ? AND seq = ?", (stream.no, seq)
        ).fetchone()
        if row is not None:
            self.sums.take("quarantine", stream.scope, digest.quarantine_hash(stream.id, seq, row[0]))
            self.connection.execute("DELETE FROM quarantine WHERE stream = ? AND seq = ?", (stream.no, seq))

    def put_tails(self, stream: Stream) -> None:
        """What a lost tail holds does not count. It stands under its number with a minus: the number is the other's."""
        for node in forks.nodes(self.connection, stream.no):
            numbers = self.forked.setdefault(stream.id, set())
            self.tails.setdefault(stream.id, set()).add((node.seq, node.head))
            if node.seq in numbers:
                continue
            numbers.add(node.seq)
            kind, record = _of(decode_body(node.body, stream.id, node.seq))
            self.sums.add("quarantine", stream.scope, digest.quarantine_hash(stream.id, -node.seq, verdict.FORK))
            self.connection.execute(
                "INSERT INTO quarantine VALUES (?, ?, ?, ?, ?)", (stream.no, -node.seq, verdict.FORK, kind, record)
            )

    def release_from(self, stream: Stream, first: int) -> None:
        """Before a forked stream is judged anew: its lost tails, and what stands there from ``first`` on."""
        self.connection.execute("DELETE FROM quarantine WHERE stream = ? AND seq < 0", (stream.no,))
        self.tails.pop(stream.id, None)
        for seq in self.forked.pop(stream.id, ()):
            self.sums.take("quarantine", stream.scope, digest.quarantine_hash(stream.id, -seq, verdict.FORK))
        rows = self.connection.execute("SELECT seq FROM quarantine WHERE stream = ? AND seq >= ?", (stream.no, first))
        for (seq,) in rows.fetchall():
            self.release(stream, seq)


def _of(operation: Operation | NewerBody) -> tuple[str | None, bytes | None]:
    return (operation.kind, operation.record) if isinstance(operation, Operation) else (None, None)
