"""Forks: two operations under one number. What does not count of a stream is kept as nodes of a tree beside it.

Before: ``arrival`` has proved that the tail follows something held, under a good signature. After: ``choose`` lets the
smaller hash count, and the projector judges anew what stands in either tail. A node is named by its chain value.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sync import certificate, limits, oplog
from sync.certificate import Certificate
from sync.operation import Operation, decode_body, peek_record
from sync.oplog import Connection, Segment, Stream
from sync.signing import chain

if TYPE_CHECKING:
    from sync.replica import Replica


@dataclass(frozen=True, slots=True)
class Node:
    """One operation of a stream that has forked."""

    seq: int
    head: bytes  # the chain value after it
    body: bytes
    signature: bytes | None  # where its origin signed it


# -- reading -----------------------------------------------------------------------------------------


def nodes(connection: Connection, stream_no: int) -> list[Node]:
    """Every node of a stream that does not count."""
    rows = connection.execute(
        "SELECT seq, tail, body, signature FROM branch WHERE stream = ? ORDER BY seq, tail", (stream_no,)
    ).fetchall()
    return [Node(seq, bytes(head), bytes(body), bytes(sig) if sig else None) for seq, head, body, sig in rows]


def main_nodes(connection: Connection, stream: Stream, first: int) -> list[Node]:
    """What counts of a stream, from ``first`` on."""
    rows = connection.execute(
        "SELECT last, signature FROM run WHERE stream = ? AND last >= ?", (stream.no, first)
    ).fetchall()
    signatures = {last: bytes(signature) for last, signature in rows}
    head = oplog.head_at(connection, stream, first - 1)
    found: list[Node] = []
    for seq, body in enumerate(oplog.bodies(connection, stream.no, first, stream.last), first):
        head = chain(head, [body])
        found.append(Node(seq, head, body, signatures.get(seq)))
    return found


def heads_at(connection: Connection, stream: Stream, seq: int) -> list[bytes]:
    """The chain values that lost tails have after ``seq``."""
    rows = connection.execute("SELECT tail FROM branch WHERE stream = ? AND seq = ?", (stream.no, seq)).fetchall()
    return [bytes(row[0]) for row in rows]


def first_number(connection: Connection, stream: Stream) -> int:
    """The first number that two operations bear."""
    row = connection.execute("SELECT min(seq) FROM branch WHERE stream = ?", (stream.no,)).fetchone()
    return int(row[0] or 0)


def segments(connection: Connection) -> list[Segment]:
    """Every tail that does not count, from where it departs to its last signature: what peers are told of forks."""
    found: list[Segment] = []
    rows = connection.execute("SELECT DISTINCT no, id FROM stream JOIN branch ON branch.stream = stream.no").fetchall()
    for no, id_ in rows:
        listed = nodes(connection, no)
        parents = _parents(listed)
        within = {parent.head for parent in parents.values()}
        for node in listed:
            if node.signature is None or node.head in within:
                continue
            tail = [node]
            while tail[0].head in parents:
                tail.insert(0, parents[tail[0].head])
            while tail and (part := _farthest(listed, parents, tail)):
                segment = _segment(bytes(id_), part)
                if segment not in found:
                    found.append(segment)
                tail = tail[_shared(part, tail) :]
    return found


def next_part(connection: Connection, stream: Stream, first: int, last: int) -> tuple[Segment, int]:
    """What a peer takes of a run that spans a fork and so has grown too long, and how far that goes with what counts.

    Every operation came in a segment that a peer takes, to a signature; that one may stand in a tail which has lost.
    """
    path = main_nodes(connection, stream, first)[: last - first + 1]
    pool = (*nodes(connection, stream.no), *path)
    part = _farthest(pool, _parents(pool), path)
    return _segment(stream.id, part), first + _shared(part, path) - 1


def _farthest(pool: Iterable[Node], parents: dict[bytes, Node], path: list[Node]) -> list[Node]:
    """Of the signed tails that begin where ``path`` does, and that a peer takes, the one that goes with it farthest."""
    best: tuple[tuple[bool, int, int], list[Node]] | None = None
    first = path[0].seq
    for node in pool:
        if node.signature is None or not first <= node.seq < first + limits.RUN_OPS_MAX:
            continue
        tail = [node]
        while tail[-1].seq > first and tail[-1].head in parents:
            tail.append(parents[tail[-1].head])
        tail.reverse()
        if tail[0].head == path[0].head:
            small = sum(len(each.body) for each in tail) <= limits.PART_BYTES_MAX
            worth = (small, _shared(tail, path) if small else -len(tail), -len(tail))
            best = max(best or (worth, tail), (worth, tail), key=lambda found: found[0])
    return best[1] if best else []


def _parents(listed: Iterable[Node]) -> dict[bytes, Node]:
    """head -> the node before it, where that is one of them."""
    by_seq: dict[int, list[Node]] = {}
    for node in listed:
        by_seq.setdefault(node.seq, []).append(node)
    found: dict[bytes, Node] = {}
    for seq, alike in by_seq.items():
        for node in alike:
            for before in by_seq.get(seq - 1, ()):
                if chain(before.head, [node.body]) == node.head:
                    found[node.head] = before
    return found


def _shared(one: list[Node], two: list[Node]) -> int:
    return sum(1 for left, right in zip(one, two, strict=False) if left.head == right.head)


def _segment(stream: bytes, part: list[Node]) -> Segment:
    assert part[-1].signature is not None
    return Segment(stream, part[0].seq, part[-1].signature, tuple(node.body for node in part))


def without_doubtful_names(operation: Operation, forked: dict[bytes, set[int]]) -> Operation:
    """Without the names that fit two tails of another node's stream: such a name replaces neither."""
    if not forked or not operation.replaces:
        return operation
    place = operation.scope + operation.lane
    kept = tuple(
        name
        for name in operation.replaces
        if name[0] == operation.origin or name[1] not in forked.get(name[0] + place, ())
    )
    return operation if len(kept) == len(operation.replaces) else replace(operation, replaces=kept)


# -- keeping and choosing ----------------------------------------------------------------------------


def keep(replica: Replica, stream: Stream, segment: Segment, parent: bytes) -> bool:
    """Keep what a segment that follows ``parent`` has beside what counts. True where something was not known."""
    connection, head = replica.connection, parent
    ours = {node.seq: node.body for node in main_nodes(connection, stream, segment.first)}
    main, new = oplog.head_at(connection, stream, segment.first - 1) == parent, False
    for seq, body in enumerate(segment.bodies, segment.first):
        head = chain(head, [body])
        main = main and ours.get(seq) == body
        if not main:
            signature = segment.signature if seq == segment.last else None
            new = _keep_node(connection, stream, Node(seq, head, body, signature), replica.now()) or new
    return new


def choose(replica: Replica, stream: Stream) -> None:
    """Of two operations under one number the one with the smaller hash counts, and what follows it."""
    connection = replica.connection
    others = nodes(connection, stream.no)
    first = min(node.seq for node in others)
    ours = main_nodes(connection, stream, first)
    path = _path(oplog.head_at(connection, stream, first - 1), first, (*others, *ours))
    same = _shared(path, ours)
    if same < len(path) or same < len(ours):
        _swap(replica, stream, ours[same:], path[same:])
        _hold_certificates(connection, stream, path[same:], first + same)
    replica.projector.fork(stream, [*ours[same:], *others])


def _path(head: bytes, seq: int, pool: Iterable[Node]) -> list[Node]:
    """From ``head`` on the nodes that count: at each number the one with the smallest hash."""
    by_seq: dict[int, dict[bytes, Node]] = {}
    for node in pool:
        by_seq.setdefault(node.seq, {})[node.head] = node
    path: list[Node] = []
    while following := [n for n in by_seq.get(seq, {}).values() if chain(head, [n.body]) == n.head]:
        path.append(min(following, key=lambda node: hashlib.sha256(node.body).digest()))
        head, seq = path[-1].head, seq + 1
    return path


def _keep_node(connection: Connection, stream: Stream, node: Node, at_ms: int) -> bool:
    """Keep a node that does not count. True where it was not known."""
    key = (stream.no, node.head, node.seq)
    known = connection.execute("SELECT signature FROM branch WHERE stream = ? AND tail = ? AND seq = ?", key).fetchone()
    if known is not None and (known[0] is not None or node.signature is None):
        return False
    connection.execute(
        "INSERT OR REPLACE INTO branch VALUES (?, ?, ?, ?, ?, ?)",
        (stream.no, node.seq, node.head, node.body, node.signature, at_ms),
    )
    return known is None


def _swap(replica: Replica, stream: Stream, out: list[Node], into: list[Node]) -> None:
    """Let the tail ``into`` count from where it departs, and keep ``out`` as a branch."""
    connection, at_ms, first = replica.connection, replica.now(), (out or into)[0].seq
    rows = connection.execute(
        "SELECT min(first), min(received_at) FROM run WHERE stream = ? AND last >= ?", (stream.no, first)
    ).fetchone()
    start, received_at = (rows[0] or first), (rows[1] or at_ms)
    connection.execute("DELETE FROM op WHERE stream = ? AND seq >= ?", (stream.no, first))
    for node in into:
        connection.execute(
            "DELETE FROM branch WHERE stream = ? AND tail = ? AND seq = ?", (stream.no, node.head, node.seq)
        )
        record, position = peek_record(node.body), replica.next_position()
        oplog.append_unsigned(connection, stream, node.seq, record, node.body, node.head, position)
        if node.signature is not None:
            oplog.close_run(connection, stream, start, node.seq, node.head, node.signature, received_at, None)
            start, received_at = node.seq + 1, at_ms
    for node in out:
        _keep_node(connection, stream, node, at_ms)


def _hold_certificates(connection: Connection, stream: Stream, into: list[Node], first: int) -> None:
    """The certificates of a tail that counts now, in place of those of the tail that lost."""
    stream.certificates = [held for held in stream.certificates if held[0] < first]
    connection.execute("DELETE FROM certificate WHERE stream = ? AND seq >= ?", (stream.no, first))
    for node in into:
        operation = decode_body(node.body, stream.id, node.seq)
        if isinstance(operation, Operation) and operation.kind == certificate.KIND:
            held = Certificate.decode(operation.fields["certificate"])
            oplog.hold_certificate(connection, stream, node.seq, held)
