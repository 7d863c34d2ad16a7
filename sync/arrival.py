"""What is checked when a segment arrives, before a byte of it is kept (docs/protocol.md §5, left column).

Chain, signature, certificate and limits: a failure refuses the segment and says so; who relayed it may be innocent.
What is expected is returned (Applied, Duplicate, Gap, Refused, Forked); only the disk raises.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sync import certificate, limits, oplog, signing
from sync.certificate import Certificate
from sync.errors import BadCertificate, BadOperation, BadSignature, SyncError
from sync.operation import NewerBody, Operation, decode_body, split_stream
from sync.oplog import Connection, Segment, Stream

if TYPE_CHECKING:
    from sync.replica import Replica


@dataclass(frozen=True, slots=True)
class Applied:
    stream: bytes
    seq: int
    head: bytes


@dataclass(frozen=True, slots=True)
class Duplicate:
    stream: bytes
    seq: int
    head: bytes


@dataclass(frozen=True, slots=True)
class Gap:
    """The segment begins above what is held: ``have`` is the last held."""

    stream: bytes
    have: int


@dataclass(frozen=True, slots=True)
class Refused:
    stream: bytes
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Forked:
    """Two different operations under one number, both well signed."""

    stream: bytes
    seq: int


Outcome = Applied | Duplicate | Gap | Refused | Forked

# The engine's words for a statement that was wrong in itself: the fault of the job that ran it, of no other.
_JOB_ERRORS = {"IntegrityError", "ProgrammingError", "DataError", "NotSupportedError"}


def take_segment(replica: Replica, segment: Segment, via: bytes | None) -> Outcome:
    """Check a segment whole, append it and fold it. Nothing is kept unless all of it is good."""
    try:
        split_stream(segment.stream)
        if segment.first < 1 or not 1 <= len(segment.bodies) <= limits.RUN_OPS_MAX:
            raise BadOperation("the segment has no operations or too many")
        return _take(replica, segment, via)
    except (BadOperation, BadCertificate, BadSignature) as error:
        return Refused(segment.stream, error.code, str(error))


def _take(replica: Replica, segment: Segment, via: bytes | None) -> Outcome:
    stream = replica.streams.get(segment.stream)
    have = stream.last if stream else 0
    if segment.first > have + 1:
        return Gap(segment.stream, have)
    known = min(have, segment.last) - segment.first + 1
    if stream is not None and known > 0:
        differs = _first_difference(replica.connection, stream, segment, known)
        if differs is not None:
            return _keep_branch(replica, stream, segment, differs)
        if segment.last <= have:
            return Duplicate(segment.stream, have, stream.head)
    first, bodies = segment.first + max(known, 0), list(segment.bodies[max(known, 0) :])
    operations = [decode_body(body, segment.stream, first + offset) for offset, body in enumerate(bodies)]
    holder = _holder(replica, segment.stream, stream, operations)
    start = stream.head if stream else signing.chain_seed(segment.stream)
    head = signing.chain(start, bodies)
    signing.verify(holder.public, segment.signature, signing.log_message(segment.stream, segment.last, head))
    if segment.stream[:16] == replica.origin and replica.incarnation:
        replica.new_incarnation()  # a peer knows more of us than we do: this store is an older copy
    _keep(replica, segment, stream, holder, operations, bodies, head, via)
    return Applied(segment.stream, segment.last, head)


def _keep(
    replica: Replica,
    segment: Segment,
    stream: Stream | None,
    holder: Certificate,
    operations: list[Operation | NewerBody],
    bodies: list[bytes],
    head: bytes,
    via: bytes | None,
) -> None:
    connection, now = replica.connection, replica.now()
    if stream is None:
        own = holder.node_id == replica.identity.node_id
        stream = oplog.add_stream(connection, segment.stream, holder.node_id, own)
        replica.streams[segment.stream] = stream
    rows = [
        (operation.record if isinstance(operation, Operation) else None, body)
        for operation, body in zip(operations, bodies, strict=True)
    ]
    oplog.append(connection, stream, rows, head, segment.signature, now, via)
    for operation in operations:
        if isinstance(operation, Operation):
            replica.clock.observe(operation.hlc, now)
            if operation.kind == certificate.KIND:
                found = Certificate.decode(operation.fields["certificate"])
                hold_certificate(connection, stream, operation.seq, found)
        replica.projector.take(stream, operation)


def _holder(
    replica: Replica, id_: bytes, stream: Stream | None, operations: list[Operation | NewerBody]
) -> Certificate:
    """The certificate that vouches for the stream. A certificate inside the segment must be of the same device."""
    holder = stream.certificates[0][1] if stream else None
    for operation in operations:
        if isinstance(operation, NewerBody) or operation.kind != certificate.KIND:
            if holder is None:
                raise BadCertificate("the stream does not begin with its certificate")
            continue
        found = check_certificate(replica.identity.root_public, id_, operation)
        if holder is not None and holder.public != found.public:
            raise BadCertificate("the certificate is of another device")
        holder = holder or found
    if holder is None:
        raise BadCertificate("the stream does not begin with its certificate")
    return holder


def check_certificate(root_public: bytes | None, id_: bytes, operation: Operation) -> Certificate:
    """The certificate that an operation carries, verified up to the root and bound to its stream."""
    if root_public is None:
        raise BadCertificate("this node does not know the city's root yet")
    found = Certificate.decode(operation.fields.get("certificate"))
    found.verify(root_public)
    incarnation = operation.fields.get("incarnation")
    if type(incarnation) is not bytes or len(incarnation) != 8:
        raise BadCertificate("the incarnation is missing")
    if operation.record != found.node_id or signing.origin_of(found.node_id, incarnation) != id_[:16]:
        raise BadCertificate("the certificate is not of this stream")
    return found


def hold_certificate(connection: Connection, stream: Stream, seq: int, found: Certificate) -> None:
    connection.execute("INSERT OR REPLACE INTO certificate VALUES (?, ?, ?)", (stream.no, seq, found.encode()))
    stream.certificates.append((seq, found))


def _first_difference(connection: Connection, stream: Stream, segment: Segment, known: int) -> int | None:
    held = oplog.bodies(connection, stream.no, segment.first, segment.first + known - 1)
    for offset, (ours, theirs) in enumerate(zip(held, segment.bodies, strict=False)):
        if ours != theirs:
            return segment.first + offset
    return None


def _keep_branch(replica: Replica, stream: Stream, segment: Segment, differs: int) -> Outcome:
    """A fork: prove it by the other tail's signature, then keep the other tail beside ours."""
    before = oplog.bodies(replica.connection, stream.no, 1, segment.first - 1)
    head = signing.chain(signing.chain(signing.chain_seed(stream.id), before), list(segment.bodies))
    signing.verify(
        stream.certificates[0][1].public, segment.signature, signing.log_message(stream.id, segment.last, head)
    )
    tail = list(segment.bodies[differs - segment.first :])
    for offset, body in enumerate(tail):
        decode_body(body, stream.id, differs + offset)
    name = hashlib.sha256(tail[0]).digest()
    replica.connection.executemany(
        "INSERT OR IGNORE INTO branch VALUES (?, ?, ?, ?, ?, ?)",
        [
            (stream.no, differs + offset, name, body, segment.signature, replica.now())
            for offset, body in enumerate(tail)
        ],
    )
    return Forked(stream.id, differs)


def keep_receipt(connection: Connection, peer: bytes, stream: Stream, seq: int, head: bytes, at_ms: int) -> int:
    if oplog.head_at(connection, stream, seq)[: len(head)] != head:
        return 0  # another chain under our numbers: what the peer holds there is not what we wrote
    row = connection.execute("SELECT seq FROM receipt WHERE peer = ? AND stream = ?", (peer, stream.no)).fetchone()
    if row is not None and row[0] == seq:
        return 0
    connection.execute("INSERT OR REPLACE INTO receipt VALUES (?, ?, ?, ?, ?)", (peer, stream.no, seq, head, at_ms))
    connection.execute("INSERT OR IGNORE INTO receipt_step VALUES (?, ?, ?, ?)", (peer, stream.no, seq, at_ms))
    return 1


def is_disk_error(error: Exception) -> bool:
    """Whether an error is the disk's or the engine's, not a job's. sqlcipher3's are no subclass of sqlite3's."""
    names = {base.__name__ for base in type(error).__mro__}
    if isinstance(error, SyncError) or names & _JOB_ERRORS:
        return False
    return "DatabaseError" in names
