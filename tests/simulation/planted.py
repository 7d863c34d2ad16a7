"""Twenty mistakes, each one rule of the real engine switched off. The checkers must notice every one of them.

To plant another: write a function that patches the rule, name it as the mistake, and add it to ``PLANTED``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from app.node import Node
from sync import arrival, clock, facts, frontiers, merge, oplog, projector, seal
from sync.awaited import Awaited
from sync.clock import Clock
from sync.keyring import Keyring
from sync.kinds import Kind
from sync.operation import Operation
from sync.replica import Replica
from sync.sealed import SealedSet
from sync.sending import Sending
from sync.session import Session
from sync.sums import Sums
from sync.writer import Writer, _Waiting

Patch = pytest.MonkeyPatch


def _before_commit(patch: Patch) -> None:
    """Let ``replica.early`` be called when a batch is written and not yet committed."""
    real = Replica._keep_counters

    def keep(self: Replica) -> None:
        real(self)
        getattr(self, "early", lambda: None)()

    patch.setattr(Replica, "_keep_counters", keep)


def ack_before_commit(patch: Patch) -> None:
    """Results are given out before the disk has them."""
    _before_commit(patch)
    real = Writer._commit

    def commit(self: Writer, batch: Any) -> None:
        results: list[Any] = []
        silent = [_Waiting(_noting(waiting.job, results), waiting.weight) for waiting in batch]
        self._replica.early = lambda: _answer(batch, results)  # type: ignore[attr-defined]
        real(self, silent)
        _answer(batch, [waiting.future.exception() or waiting.future.result() for waiting in silent])

    patch.setattr(Writer, "_commit", commit)


def _noting(job: Any, results: list[Any]) -> Any:
    def run(replica: Replica) -> Any:
        try:
            results.append(job(replica))
        except Exception as error:
            results.append(error)
            raise
        return results[-1]

    return run


def _answer(batch: Any, results: list[Any]) -> None:
    for waiting, result in zip(batch, results, strict=False):
        if not waiting.future.done():
            tell = waiting.future.set_exception if isinstance(result, Exception) else waiting.future.set_result
            tell(result)


def no_tie_break(patch: Patch) -> None:
    """Of several heads the one that came last is shown."""
    patch.setattr(merge, "_winner", lambda spec, heads: heads[-1][3])


def gap_accepted(patch: Patch) -> None:
    """Operations that begin above what is held are appended all the same."""
    real = arrival._take

    def take(replica: Replica, segment: Any, via: Any) -> Any:
        outcome = real(replica, segment, via)
        if isinstance(outcome, arrival.Gap) and segment.stream in replica.streams:
            stream = replica.streams[segment.stream]
            rows = [(None, body) for body in segment.bodies]
            stream.last = segment.first - 1
            head = arrival.signing.chain(stream.head, list(segment.bodies))
            oplog.append(replica.connection, stream, rows, head, segment.signature, replica.now(), via)
            return arrival.Applied(segment.stream, segment.last, head)
        return outcome

    patch.setattr(arrival, "_take", take)


def applied_twice(patch: Patch) -> None:
    """What comes from a peer is folded twice."""
    real = arrival._keep

    def keep(replica: Replica, segment: Any, stream: Any, holder: Any, operations: Any, *rest: Any) -> None:
        real(replica, segment, stream, holder, operations, *rest)
        for operation in operations:
            replica.projector.take(replica.streams[segment.stream], operation)

    patch.setattr(arrival, "_keep", keep)


def hlc_not_persisted(patch: Patch) -> None:
    real = Replica._keep_counters

    def keep(self: Replica) -> None:
        last, self.clock.last = self.clock.last, 0
        real(self)
        self.clock.last = last

    patch.setattr(Replica, "_keep_counters", keep)


def replaces_ignored(patch: Patch) -> None:
    """An edit takes nothing's place: every edit is a conflict."""

    def forgetting(real: Callable[..., Any]) -> Callable[..., Any]:
        return lambda kind, state, operation: real(kind, state, dataclasses.replace(operation, replaces=()))

    build = merge.build
    patch.setattr(merge, "apply", forgetting(merge.apply))
    patch.setattr(merge, "build", lambda kind, ops: build(kind, [dataclasses.replace(op, replaces=()) for op in ops]))


def equal_heads_reported_as_conflict(patch: Patch) -> None:
    """Two people who say the same are told that they disagree."""
    real = merge.shown

    def shown(kind: Kind, state: merge.State) -> merge.Shown:
        found = real(kind, state)
        several = [name for name, heads in state.heads.items() if len(heads) > 1]
        return dataclasses.replace(found, conflicts=tuple(dict.fromkeys((*found.conflicts, *several))))

    patch.setattr(merge, "shown", shown)


def tombstone_hides_a_rescue(patch: Patch) -> None:
    real = merge._is_hidden
    patch.setattr(
        merge,
        "_is_hidden",
        lambda kind, state, values: real(dataclasses.replace(kind, keeps_visible=None), state, values),
    )


def verdict_that_depends_on_the_receiver(patch: Patch) -> None:
    """Who was told of no capability takes what comes by its own clock."""
    real = arrival._keep

    def keep(replica: Replica, *rest: Any) -> None:
        now, judged = replica.now(), replica.projector.judge

        def judge(operation: Operation, node: str, capabilities: frozenset[str]) -> str | None:
            late = clock.ms_of(operation.hlc) - now > clock.FOREIGN_AHEAD_MS_MAX
            return "not_capable" if late else judged(operation, node, capabilities)

        replica.projector.judge = judge
        try:
            real(replica, *rest)
        finally:
            replica.projector.judge = judged

    patch.setattr(arrival, "_keep", keep)


def relay_re_encodes(patch: Patch) -> None:
    """What is passed on is written anew, without the fields that this release does not know."""
    real = oplog.bodies

    def bodies(connection: Any, stream_no: int, first: int, last: int) -> list[bytes]:
        found = real(connection, stream_no, first, last)
        return [_tidied(body) for body in found]

    patch.setattr(oplog, "bodies", bodies)


def _tidied(body: bytes) -> bytes:
    items = msgspec.msgpack.decode(body)
    if items[0] == 1 and isinstance(items[7], dict):
        items[7] = {name: value for name, value in items[7].items() if value is not None}
    return msgspec.msgpack.encode(items)


def seq_reused_after_restore(patch: Patch) -> None:
    """A store that was put back goes on where it stands."""
    patch.setattr(Node, "_begin_anew_where_rolled_back", lambda self: None)
    patch.setattr(Replica, "new_incarnation", lambda self: self.incarnation or _first_incarnation(self))


def _first_incarnation(replica: Replica) -> None:
    replica.incarnation = replica.random(8)
    replica.set_meta("incarnation", replica.incarnation)
    replica.own_written = True


def a_table_left_out_of_the_digest(patch: Patch) -> None:
    for name in ("add", "take"):
        real = getattr(Sums, name)
        patch.setattr(
            Sums,
            name,
            lambda self, table, *rest, real=real: None if table == "head_counts" else real(self, table, *rest),
        )


def awaited_version_forgotten(patch: Patch) -> None:
    patch.setattr(Awaited, "add", lambda self, stream, name, key: None)


def receipt_for_a_refused_run(patch: Patch) -> None:
    """Whatever came is receipted."""
    real = arrival.take_segment

    def take(replica: Replica, segment: Any, via: Any) -> Any:
        outcome = real(replica, segment, via)
        if isinstance(outcome, arrival.Refused | arrival.Diverged):
            return arrival.Applied(segment.stream, segment.last, bytes(32))
        return outcome

    patch.setattr(arrival, "take_segment", take)


def revocation_by_arrival_order(patch: Patch) -> None:
    """A revocation judges only what comes after it."""
    patch.setattr(facts, "judge_range", lambda projector, stream, first, last: None)


def union_of_lists_loses_an_element(patch: Patch) -> None:
    """Two nodes each add something to a list: of one of them it is not shown."""
    real = merge._elements

    def elements(alive: list[tuple[bytes, int, Any]]) -> list[Any]:
        last = max((origin for origin, _, _ in alive), default=b"")
        return real([each for each in alive if each[0] == last])

    patch.setattr(merge, "_elements", elements)


def danger_order_reversed_for_null(patch: Patch) -> None:
    """What nobody knows is taken for the least dangerous of all."""
    real = merge._winner

    def winner(spec: Any, heads: Any) -> Any:
        if spec.merge == "danger":
            spec = dataclasses.replace(spec, order=(*(value for value in spec.order if value is not None), None))
        return real(spec, heads)

    patch.setattr(merge, "_winner", winner)


def session_resends_for_ever(patch: Patch) -> None:
    """What was refused is sent again, and again."""
    patch.setattr(Sending, "skip", lambda self, stream, seq: None)
    real = Session._on_ack

    def on_ack(self: Session, frame: Any, now_ms: int) -> Any:
        for stream, seq, _ in frame.receipts:
            self.sending.rewind(stream, seq)
        return real(self, frame, now_ms)

    patch.setattr(Session, "_on_ack", on_ack)


def live_push_before_commit(patch: Patch) -> None:
    """Peers are sent what the disk does not have yet."""
    _before_commit(patch)
    real = Writer._commit

    def commit(self: Writer, batch: Any) -> None:
        def early() -> None:
            self._replica.position = oplog.last_position(self._replica.connection)
            self._on_commit(self._replica.published())

        self._replica.early = early  # type: ignore[attr-defined]
        real(self, batch)

    patch.setattr(Writer, "_commit", commit)


def far_future_stamp_moves_the_clock(patch: Patch) -> None:
    def observe(self: Clock, foreign: int, now_ms: int) -> bool:
        self.last = max(self.last, foreign)
        return True

    patch.setattr(Clock, "observe", observe)


PLANTED: tuple[Callable[[Patch], None], ...] = (
    ack_before_commit,
    no_tie_break,
    gap_accepted,
    applied_twice,
    hlc_not_persisted,
    replaces_ignored,
    equal_heads_reported_as_conflict,
    tombstone_hides_a_rescue,
    verdict_that_depends_on_the_receiver,
    relay_re_encodes,
    seq_reused_after_restore,
    a_table_left_out_of_the_digest,
    awaited_version_forgotten,
    receipt_for_a_refused_run,
    revocation_by_arrival_order,
    union_of_lists_loses_an_element,
    danger_order_reversed_for_null,
    session_resends_for_ever,
    live_push_before_commit,
    far_future_stamp_moves_the_clock,
)


# -- in sealing: looked for in the nights of its own -----------------------------------------------------


def a_late_key_opens_nothing(patch: Patch) -> None:
    true = Keyring.refresh

    def refresh(self: Keyring) -> set[bytes]:
        true(self)
        return set()

    patch.setattr(Keyring, "refresh", refresh)


def an_edit_needs_no_proof(patch: Patch) -> None:
    true = seal.open_sealed

    def opened(operation: Operation, secret: bytes, node: bytes) -> Operation | None:
        found = true(operation, secret, node)
        return None if found is None else dataclasses.replace(found, replaces=operation.replaces)

    patch.setattr(projector, "seal", SimpleNamespace(open_sealed=opened))  # the checker's own stays true


def a_shred_order_is_not_carried_out(patch: Patch) -> None:
    patch.setattr(Keyring, "shredded", property(lambda self: self.banned))


def a_sealed_operation_is_counted_twice(patch: Patch) -> None:
    patch.setattr(SealedSet, "release", lambda self, stream, seq: None)


def what_was_opened_is_in_the_digest(patch: Patch) -> None:
    def count(self: projector.Projector, kind: Kind, scope: bytes, row: Any, old: Any) -> None:
        if old is not None:
            self.sums.take(kind.table, scope, old.row_hash)
        if row is not None:
            self.sums.add(kind.table, scope, row.row_hash)

    patch.setattr(projector.Projector, "_count", count)


PLANTED_IN_SEALING: tuple[Callable[[Patch], None], ...] = (
    a_late_key_opens_nothing,
    an_edit_needs_no_proof,
    a_shred_order_is_not_carried_out,
    a_sealed_operation_is_counted_twice,
    what_was_opened_is_in_the_digest,
)


def the_past_knows_what_came_later(patch: Patch) -> None:
    real = frontiers.held_up_to
    patch.setattr(frontiers, "held_up_to", lambda connection, position: real(connection, 1 << 59))


PLANTED_IN_REPLAY: tuple[Callable[[Patch], None], ...] = (the_past_knows_what_came_later,)
