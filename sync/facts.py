"""What verdicts and the keyring stand on: revocations, the modes of incidents, keys and grants; watched for changes.

Before: ``projector.take`` folded the record of a fact. After: the operations that it touches are judged anew, and
those that a key opens, or no longer opens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sync import certificate, merge, oplog, verdict
from sync.kinds import OF_SEALING, REVOCATIONS, Kind
from sync.operation import CITY, Operation, decode_body
from sync.oplog import Stream
from sync.verdict import Facts

if TYPE_CHECKING:
    from sync.projector import Projector


def load(projector: Projector) -> Facts:
    """The facts that the tables say."""
    facts = Facts()
    for _, record, row in projector.projection.rows(REVOCATIONS):
        state = merge.unpack(REVOCATIONS, row.state, row.values)
        facts.revoked[record] = verdict.revocation_fact(state)
    for kind in projector.kinds:
        if kind.mode_field:
            for _, record, row in projector.projection.rows(kind):
                _note_mode(facts, kind, record, row.values)
    return facts


def settle(projector: Projector) -> None:
    """Where a revocation or an incident's mode changed, its operations are judged again."""
    for key, working in projector.watched():
        if not working.dirty or working.state is None or key[1] != CITY:
            continue  # a misplaced record of these kinds is no fact, and must not wipe one out
        if key[0] == REVOCATIONS.name:
            _settle_revocation(projector, key[2], verdict.revocation_fact(working.state))
        elif working.kind in OF_SEALING:
            for other in projector.sealed.records(projector.keyring.note(working.kind, key[2], working.state)):
                projector.recompute(other)
        elif working.kind.mode_field:
            values = merge.shown(working.kind, working.state).values
            _settle_mode(projector, working.kind, key[2], values)


def _settle_revocation(projector: Projector, node: bytes, heads: list[dict[bytes, int]]) -> None:
    facts = projector.facts
    streams = [stream for stream in projector.streams.values() if stream.node == node]
    before = {stream.id: facts.allowed(node, stream.id) for stream in streams}
    if heads:
        facts.revoked[node] = heads
    else:
        facts.revoked.pop(node, None)
    for stream in streams:
        old, new = before[stream.id], facts.allowed(node, stream.id)
        ends = [stream.last if end is None else min(max(end, 0), stream.last) for end in (old, new)]
        judge_range(projector, stream, min(ends) + 1, max(ends))


def _settle_mode(projector: Projector, kind: Kind, record: bytes, values: dict[str, Any]) -> None:
    before = projector.facts.modes.get(record)
    _note_mode(projector.facts, kind, record, values)
    after = projector.facts.modes.get(record)
    if after == before:
        return
    for stream in projector.streams.values():
        # An incident that comes after its reports has their mode nearly always: then nothing is judged anew.
        mode = stream.scope[:1]
        if stream.scope[1:] == record and (before in (None, mode)) != (after in (None, mode)):
            judge_range(projector, stream, 1, stream.last)


def _note_mode(facts: Facts, kind: Kind, record: bytes, values: dict[str, Any]) -> None:
    mode = verdict.mode_fact(kind, values)
    if mode is None:
        facts.modes.pop(record, None)
    else:
        facts.modes[record] = mode


def judge_range(projector: Projector, stream: Stream, first: int, last: int) -> None:
    """Have the records built anew that some operations of a stream name."""
    for offset, body in enumerate(oplog.bodies(projector.connection, stream.no, first, last)):
        operation = decode_body(body, stream.id, first + offset)
        if isinstance(operation, Operation) and operation.kind != certificate.KIND:
            projector.recompute(operation.key)
