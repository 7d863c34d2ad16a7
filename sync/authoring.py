"""How this node writes: a change becomes an operation of an own stream, stamped, numbered, chained and later signed.

The counterpart of ``arrival``. Before: ``app/records`` made the changes. After: the projector folds them, ``sign``
closes the runs when the batch ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sync import certificate, merge, oplog, seal, signing
from sync.certificate import Certificate
from sync.errors import NoScopeKey, NotEnrolled
from sync.merge import REMOVED
from sync.operation import (
    CITY,
    ENTRY,
    LANES,
    REMOVE,
    SET,
    WORK,
    Change,
    Operation,
    RecordKey,
    Version,
    stream_id,
    write_operation,
)
from sync.oplog import Stream

if TYPE_CHECKING:
    from sync.replica import Replica


@dataclass(frozen=True, slots=True)
class Recorded:
    """Durable once the batch that returned it has committed."""

    records: tuple[RecordKey, ...]
    versions: tuple[tuple[bytes, int], ...]  # (stream, seq), one a change
    hlc: int


@dataclass(frozen=True, slots=True)
class Exists:
    record: RecordKey


@dataclass(frozen=True, slots=True)
class Missing:
    record: RecordKey


@dataclass(frozen=True, slots=True)
class StaleVersion:
    """A version that was named is not one of this record's."""

    record: RecordKey


Result = Recorded | Exists | Missing | StaleVersion


def record(replica: Replica, changes: Sequence[Change], author: bytes | None) -> Result:
    """Append our own changes and fold them: all of them or none. Raises NotEnrolled, BadChange.

    They are signed when the batch ends (``sign``): one signature for all that shares a commit.
    """
    if replica.identity.certificate is None:
        raise NotEnrolled("this node is not enrolled and may not write yet")
    for change in changes:
        refusal = _refusal(replica, change)
        if refusal is not None:
            replica.projector.leave()
            return refusal
    replica.ensure_incarnation()
    versions = [_record_one(replica, change, author) for change in changes]
    return Recorded(tuple(change.key for change in changes), tuple(versions), replica.clock.last)


def _refusal(replica: Replica, change: Change) -> Result | None:
    kind = replica.kinds.by_name[change.kind]
    if change.expects is not None:
        there = replica.projector.open(kind, change.key).old is not None
        if change.expects == "absent" and there:
            return Exists(change.key)
        if change.expects == "present" and not there:
            return Missing(change.key)
    for origin, seq in change.replaces or ():
        if not _is_of(replica, change, origin, seq):
            return StaleVersion(change.key)
    return None


def _is_of(replica: Replica, change: Change, origin: bytes, seq: int) -> bool:
    stream = replica.streams.get(stream_id(origin, change.scope, _lane(replica, change)))
    return stream is not None and oplog.record_at(replica.connection, stream.no, seq) == change.record


def _record_one(replica: Replica, change: Change, author: bytes | None) -> tuple[bytes, int]:
    stream = _own_stream(replica, change.scope, _lane(replica, change))
    fields = dict(change.fields)
    if change.numbered:
        fields[change.numbered] = _next_number(replica, change.kind)
    change = Change(
        change.kind, change.record, change.scope, fields, change.type, change.replaces, seal_to=change.seal_to
    )
    replaces = _replaces(replica, change)
    if change.type == SET and _names_a_removal(replica, change, replaces):
        fields[REMOVED] = None  # who saw the removal and edits brings the record back
    hlc = replica.clock.stamp(replica.now())
    if replica.kinds.by_name[change.kind].sealed:
        change = _sealed(replica, change, author, hlc)
    _append_own(replica, stream, hlc, author, change, replaces, _after(replica, change))
    return (stream.id, stream.last)


def _sealed(replica: Replica, change: Change, author: bytes | None, hlc: int) -> Change:
    """The change as it is sealed: from here on nobody without the key reads it, this node included."""
    scope = change.seal_to or replica.kinds.by_name[change.kind].sealed or ""
    key = replica.keyring.current(scope)
    if key is None:
        raise NoScopeKey(f"no key to seal for {scope} has come to this node yet")
    secret = replica.keyring.secrets.get(key.id)
    return seal.seal(change, key, secret, replica.identity.node_id, author, hlc, replica.random(32))


def _replaces(replica: Replica, change: Change) -> tuple[Version, ...]:
    """The versions to name: those the writer saw, without live ones that hold none of the fields written."""
    if change.type == ENTRY or change.replaces == ():
        return ()
    found = replica.projector.show(change.key)
    if found is None:
        return change.replaces or ()
    _, state = found
    alive = merge.live(state)
    if change.type == REMOVE:
        wanted = alive
    else:
        wanted = {(head[1], head[2]) for name in change.fields for head in state.heads.get(name, ())}
        wanted |= {(removal[1], removal[2]) for removal in state.removes}
    if change.replaces is None:
        return tuple(sorted(wanted))
    return tuple(sorted(name for name in set(change.replaces) if name in wanted or name not in alive))


def _names_a_removal(replica: Replica, change: Change, replaces: tuple[Version, ...]) -> bool:
    found = replica.projector.show(change.key) if replaces else None
    return found is not None and any((removal[1], removal[2]) in replaces for removal in found[1].removes)


def _after(replica: Replica, change: Change) -> tuple[Version, ...]:
    if change.type != ENTRY:
        return ()
    newest = replica.projection.newest_entry(replica.kinds.by_name[change.kind], change.scope)
    return (newest,) if newest else ()


def _lane(replica: Replica, change: Change) -> bytes:
    return LANES[replica.kinds.by_name[change.kind].lane] if change.scope != CITY else WORK


def _own_stream(replica: Replica, scope: bytes, lane: bytes) -> Stream:
    """The stream to write to; the first operation of a new one carries this node's certificate."""
    id_ = stream_id(replica.origin, scope, lane)
    stream = replica.streams.get(id_)
    held = replica.identity.certificate
    assert held is not None
    if stream is None:
        stream = oplog.add_stream(replica.connection, id_, replica.identity.node_id, own=True)
        replica.streams[id_] = stream
    if not stream.certificates or stream.certificates[-1][1].payload != held.payload:
        fields = {"certificate": held.encode(), "incarnation": replica.incarnation}
        change = Change(certificate.KIND, replica.identity.node_id, scope, fields)
        _append_own(replica, stream, replica.clock.stamp(replica.now()), None, change, (), ())
    return stream


def _append_own(
    replica: Replica,
    stream: Stream,
    hlc: int,
    author: bytes | None,
    change: Change,
    replaces: tuple[Version, ...],
    after: tuple[Version, ...],
) -> None:
    seq = stream.last + 1
    body, operation = write_operation(stream.id, seq, hlc, author, change, replaces, after)
    head = signing.chain(stream.head, [body])
    position = replica.next_position()
    oplog.append_unsigned(replica.connection, stream, seq, operation.record, body, head, position)
    replica.unsigned.setdefault(stream.id, []).append((len(body), head))
    if operation.kind == certificate.KIND:
        held = Certificate.decode(operation.fields["certificate"])
        oplog.hold_certificate(replica.connection, stream, seq, held)
    replica.projector.take(stream, operation)
    replica.own_written = True


def record_again(replica: Replica, operations: Sequence[Operation]) -> int:
    """Write own operations once more that can never count where they stood: what came before them is lost for ever.

    They keep their time, author and fields. What they name of each other is named anew, what is lost no more.
    """
    replica.ensure_incarnation()
    anew: dict[tuple[bytes, Version], Version] = {}  # (scope and lane, old) -> new
    for operation in operations:
        if operation.kind == certificate.KIND:
            continue
        place = operation.scope + operation.lane
        stream = _own_stream(replica, operation.scope, operation.lane)
        change = Change(operation.kind, operation.record, operation.scope, operation.fields, operation.type)
        named = [
            tuple(
                anew.get((place, name), name)
                for name in names
                if (place, name) in anew or not _is_lost(replica, name, operation)
            )
            for names in (operation.replaces, operation.after)
        ]
        _append_own(replica, stream, operation.hlc, operation.author, change, *named)
        anew[place, operation.version] = (replica.origin, stream.last)
    return len(anew)


def _is_lost(replica: Replica, name: Version, operation: Operation) -> bool:
    """Whether a version is of the stream that broke, beyond what is held of it."""
    if name[0] != operation.origin:
        return False
    stream = replica.streams.get(stream_id(operation.origin, operation.scope, operation.lane))
    return stream is None or name[1] > stream.last


def sign(replica: Replica) -> None:
    """Sign what was appended since the last signature: at each commit, every 100 operations and every 8 KiB."""
    for id_, appended in replica.unsigned.items():
        stream = replica.streams[id_]
        first = stream.last - len(appended) + 1
        for count in oplog.run_ranges([size for size, _ in appended]):
            last = first + count - 1
            head = appended[last - stream.last - 1][1]
            signature = replica.identity.key.sign(signing.log_message(id_, last, head))
            oplog.close_run(replica.connection, stream, first, last, head, signature, replica.now(), None)
            first = last + 1
    replica.unsigned.clear()


def _next_number(replica: Replica, kind: str) -> str:
    """This node's next number for a kind, as `T07-0123`; the label is the certificate's: no clash.

    `T07ka-0123` in a store that was put back: its counter stands where the older copy's stood.
    """
    held = replica.identity.certificate
    assert held is not None
    name = f"number:{kind}"
    if name not in replica.numbers:
        replica.numbers[name] = int.from_bytes(replica.meta(name) or b"", "big")
    replica.numbers[name] = number = replica.numbers[name] + 1
    return f"{held.label}{replica.series}-{number:04d}"
