"""What is checked when a segment arrives, before a byte of it is kept (docs/protocol.md §5, left column).

Chain, signature, certificate and limits: a failure refuses the segment and says so; who relayed it may be innocent.
What is expected is returned (Applied, Duplicate, Gap, Refused, Forked, Diverged); only the disk raises.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sync import certificate, forks, limits, oplog, signing
from sync.certificate import Certificate
from sync.errors import BadCertificate, BadOperation, BadSignature
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
    """Two different operations under one number, both well signed. ``seq`` and ``head`` are of the tail that counts."""

    stream: bytes
    seq: int
    head: bytes
    fork: int  # the first number that two operations bear
    new: bool  # something of it was not known here


@dataclass(frozen=True, slots=True)
class Diverged:
    """The segment does not follow what is held: damaged, or of another tail. From its beginning it can be told."""

    stream: bytes
    text: str
    code: str = BadSignature.code


Outcome = Applied | Duplicate | Gap | Refused | Forked | Diverged


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
    if stream is not None and segment.stream in replica.projector.quarantine.forked:
        for parent in forks.heads_at(replica.connection, stream, segment.first - 1):
            if _is_signed(stream, segment, parent):
                return _keep_branch(replica, stream, segment, parent)
    if segment.first > have + 1:
        return Gap(segment.stream, have)
    known = min(have, segment.last) - segment.first + 1
    if stream is not None and known > 0:
        if _first_difference(replica.connection, stream, segment) is not None:
            parent = oplog.head_at(replica.connection, stream, segment.first - 1)
            if _is_signed(stream, segment, parent):
                return _keep_branch(replica, stream, segment, parent)
            return _not_following(segment)
        if segment.last <= have:
            return Duplicate(segment.stream, have, stream.head)
    first, bodies = segment.first + max(known, 0), list(segment.bodies[max(known, 0) :])
    operations = [decode_body(body, segment.stream, first + offset) for offset, body in enumerate(bodies)]
    holder = _holder(replica, segment.stream, stream, operations)
    start = stream.head if stream else signing.chain_seed(segment.stream)
    head = signing.chain(start, bodies)
    message = signing.log_message(segment.stream, segment.last, head)
    try:
        signing.verify(holder.public, segment.signature, message)
    except BadSignature:
        return _not_following(segment)
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
    replica.projector.open_many(operations)
    position = replica.next_position(len(rows))
    oplog.append(connection, stream, rows, head, segment.signature, now, via, position)
    for operation in operations:
        if isinstance(operation, Operation):
            if operation.hlc > replica.clock.last:
                replica.clock.observe(operation.hlc, now)
            if operation.kind == certificate.KIND:
                found = Certificate.decode(operation.fields["certificate"])
                oplog.hold_certificate(connection, stream, operation.seq, found)
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


# -- forks -------------------------------------------------------------------------------------------


def _first_difference(connection: Connection, stream: Stream, segment: Segment) -> int | None:
    """The first number under which a segment and what counts here differ."""
    held = oplog.bodies(connection, stream.no, segment.first, segment.last)
    pairs = zip(held, segment.bodies, strict=False)
    return next((segment.first + offset for offset, (ours, theirs) in enumerate(pairs) if ours != theirs), None)


def _not_following(segment: Segment) -> Outcome:
    if segment.first == 1:
        return Refused(segment.stream, BadSignature.code, "the signature does not fit")
    return Diverged(segment.stream, "the segment does not follow what is held")


def _is_signed(stream: Stream, segment: Segment, parent: bytes) -> bool:
    head = signing.chain(parent, list(segment.bodies))
    message = signing.log_message(stream.id, segment.last, head)
    try:
        signing.verify(stream.certificates[0][1].public, segment.signature, message)
    except BadSignature:
        return False
    return True


def _keep_branch(replica: Replica, stream: Stream, segment: Segment, parent: bytes) -> Outcome:
    """Keep the other tail of a fork beside ours (it is proved to follow ``parent``); the smaller hash counts."""
    operations = [decode_body(body, stream.id, segment.first + n) for n, body in enumerate(segment.bodies)]
    _holder(replica, stream.id, stream if segment.first > 1 else None, operations)  # a tail from 1 has one of its own
    new = forks.keep(replica, stream, segment, parent)
    if new:
        if segment.stream[:16] == replica.origin:
            replica.new_incarnation()  # another store writes under our name: never use one of its numbers again
        for operation in operations:
            if isinstance(operation, Operation):
                replica.clock.observe(operation.hlc, replica.now())
        forks.choose(replica, stream)
    return Forked(stream.id, stream.last, stream.head, forks.first_number(replica.connection, stream), new)
