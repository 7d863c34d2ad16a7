"""Do the checkers have teeth? One rule is broken at a time, and the random worlds must notice it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from sync import digest, entries, facts, merge, oplog
from sync.awaited import Awaited
from sync.projector import Projector
from sync.quarantine import Quarantine
from sync.verdict import Facts
from tests.unit.sync.worlds import World, check_convergence

SEEDS = range(40)
Patch = pytest.MonkeyPatch


def no_tie_break(patch: Patch) -> None:
    """The head that came last is shown."""
    patch.setattr(merge, "_winner", lambda spec, heads: heads[-1][3])


def replaces_ignored_in_folding(patch: Patch) -> None:
    real = merge.apply
    patch.setattr(merge, "apply", lambda kind, state, op: real(kind, state, dataclasses.replace(op, replaces=())))


def awaited_forgotten(patch: Patch) -> None:
    patch.setattr(Awaited, "add", lambda self, stream, name, key: None)


def in_the_log_taken_for_folded(patch: Patch) -> None:
    """Whatever the stream reaches in the log is held, also what stands later in the same run."""

    def folded(self: Projector, operation: Any, name: Any) -> bool:
        other = self.streams.get(name[0] + operation.scope + operation.lane)
        return other is not None

    patch.setattr(Projector, "_is_folded", folded)


def keys_that_stay_when_an_awaited_entry_comes(patch: Patch) -> None:
    patch.setattr(entries, "set_keys", lambda projector, kind, scope: [])


def revocation_that_judges_only_what_comes_later(patch: Patch) -> None:
    patch.setattr(facts, "judge_range", lambda projector, stream, first, last: None)


def higher_of_two_revocations(patch: Patch) -> None:
    """Not by the set: the one that was read last holds."""

    def allowed(self: Facts, node: bytes, stream: bytes) -> int | None:
        heads = self.revoked.get(node)
        return heads[-1].get(stream, 0) if heads else None

    patch.setattr(Facts, "allowed", allowed)


def digest_of_the_order_of_arrival(patch: Patch) -> None:
    patch.setattr(
        digest, "several", lambda state: [[name, heads] for name, heads in state.heads.items() if len(heads) > 1]
    )


def quarantine_counted_twice(patch: Patch) -> None:
    patch.setattr(Quarantine, "release", lambda self, stream, seq: None)


def own_drop_forgets_its_addition(patch: Patch) -> None:
    real = merge._dropped

    def build(kind: Any, operations: Any) -> Any:
        listed = list(operations)
        state = real_build(kind, listed)
        for operation in listed:
            for name, value in operation.fields.items():
                if name in state.sets and isinstance(value, dict):
                    gone = {drop for drop in real(value) if drop[:2] == operation.version}
                    state.sets[name] = [e for e in state.sets[name] if merge._element_key(e) not in gone]
        return state

    real_build = merge.build
    patch.setattr(merge, "build", build)


def forgotten_column(patch: Patch) -> None:
    """A null head is not packed: after a restart the field was never written."""
    real = merge.pack

    def pack(kind: Any, state: Any) -> bytes:
        heads = {name: heads for name, heads in state.heads.items() if not (len(heads) == 1 and heads[0][3] is None)}
        return real(kind, dataclasses.replace(state, heads=heads))

    patch.setattr(merge, "pack", pack)


def chain_not_moved(patch: Patch) -> None:
    real = oplog.append

    def append(connection: Any, stream: Any, *rest: Any) -> None:
        real(connection, stream, *rest)
        if stream.last == 3:
            stream.last -= 1

    patch.setattr(oplog, "append", append)


PLANTED: list[Callable[[Patch], None]] = [
    no_tie_break,
    replaces_ignored_in_folding,
    awaited_forgotten,
    in_the_log_taken_for_folded,
    keys_that_stay_when_an_awaited_entry_comes,
    revocation_that_judges_only_what_comes_later,
    higher_of_two_revocations,
    digest_of_the_order_of_arrival,
    quarantine_counted_twice,
    own_drop_forgets_its_addition,
    forgotten_column,
    chain_not_moved,
]


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_a_planted_bug_is_found(plant: Callable[[Patch], None], monkeypatch: Patch) -> None:
    plant(monkeypatch)
    for seed in SEEDS:
        try:
            check_convergence(World(seed))
        except Exception:
            return
    pytest.fail(f"nobody noticed in {len(SEEDS)} worlds")
