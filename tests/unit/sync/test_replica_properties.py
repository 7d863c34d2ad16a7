"""Replicas that take each other's operations: a union of sets, whatever the order, the cuts and the repetitions.

Every kind of field, ledgers, names of versions that have not come, revocations that arrive late, and forks.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sync.clock import hlc_of
from sync.log_reader import LogReader
from sync.operation import REMOVE, SET, Version
from sync.oplog import Segment
from sync.replica import Replica
from tests.unit.sync.examples import examples
from tests.unit.sync.nodes import NOW, Author, check_whole, copy_of, everything, ident, make_replica, receive, shown
from tests.unit.sync.worlds import World

seeds = st.integers(0, 1 << 32)
sizes = st.integers(1, 30)


def part_of(world: World, number: int) -> list[Segment]:
    """Of each stream what a node may hold of it: its beginning, up to a number of its own. Streams interleaved."""
    dice = random.Random(world.seed * 7 + number)
    streams: dict[bytes, list[Segment]] = {}
    for segment in world.segments:
        streams.setdefault(segment.stream, []).append(segment)
    held = [listed[: dice.randrange(len(listed) + 1)] for _, listed in sorted(streams.items())]
    found: list[Segment] = []
    while any(held):
        found.append(dice.choice([listed for listed in held if listed]).pop(0))
    return found


def replica_of(*parts: Sequence[Segment]) -> Replica:
    replica = make_replica("reader")
    for part in parts:
        for at in range(0, len(part), 7):
            receive(replica, *part[at : at + 7])
    return replica


def merged(one: Replica, two: Replica) -> Replica:
    """``one``, after it has taken all that ``two`` holds."""
    receive(one, *everything(two), *LogReader(two.connection).branches())
    return one


@examples(12, 250)
@given(seed=seeds, operations=sizes)
def test_it_does_not_matter_who_takes_whose_operations(seed: int, operations: int) -> None:
    world = World(seed, operations)
    one, two = part_of(world, 1), part_of(world, 2)
    left = merged(replica_of(one), replica_of(two))
    right = merged(replica_of(two), replica_of(one))
    assert check_whole(left) == check_whole(right)


@examples(12, 250)
@given(seed=seeds, operations=sizes)
def test_it_does_not_matter_who_met_whom_first(seed: int, operations: int) -> None:
    world = World(seed, operations)
    parts = [part_of(world, number) for number in range(3)]
    one, two, three = (replica_of(part) for part in parts)
    first = merged(merged(one, two), three)
    one, two, three = (replica_of(part) for part in parts)
    last = merged(one, merged(two, three))
    assert check_whole(first) == check_whole(last)


@examples(12, 250)
@given(seed=seeds, operations=sizes)
def test_what_is_taken_again_changes_nothing(seed: int, operations: int) -> None:
    world = World(seed, operations)
    part = part_of(world, 1)
    once, other = replica_of(part), replica_of(part)
    before = shown(once)
    merged(merged(once, other), once)
    receive(once, *reversed(part), *part)
    assert shown(once) == before
    assert check_whole(once) == before


# -- forks: a device whose store was copied, and both copies wrote on --------------------------------


def copies(seed: int) -> list[Author]:
    """Two or three copies of one device, some of them copies of a copy, and another who names what they wrote."""
    dice = random.Random(seed)
    found, other = [Author("device")], Author("other")
    written: dict[bytes, list[Version]] = {ident("a"): [], ident("b"): []}
    for number in range(dice.randrange(3, 16)):
        author, record = dice.choice([*found, other]), dice.choice(sorted(written))
        names = dice.sample(written[record], min(len(written[record]), dice.randrange(3)))
        names += [(author.origin, author.last() + dice.randrange(2, 4))] * (dice.random() < 0.2)  # its own, to come
        fields: dict[str, Any] = {"text": f"{number}", "tags": {"add": ["x"]}}
        if names and dice.random() < 0.3:
            fields = {"tags": {"drop": [[*names[0], "x"]]}}
        removes = dice.random() < 0.15
        version = author.write(
            "reports", record, {} if removes else fields, replaces=names, type=REMOVE if removes else SET,
            hlc=hlc_of(NOW + dice.randrange(9)),
        )  # fmt: skip
        written[record].append(version)
        if author is not other and len(found) < 3 and dice.random() < 0.25:
            found.append(copy_of(author))
    return [author for author in (*found, other) if author.last()]


def told(replica: Replica, others: Sequence[Replica]) -> bool:
    """Have ``replica`` take what the others hold, their lost tails as well. True where something was new."""
    before = shown(replica), LogReader(replica.connection).branches()
    for other in others:
        merged(replica, other)
    return (shown(replica), LogReader(replica.connection).branches()) != before


@examples(15, 250)
@given(seed=seeds)
def test_nodes_that_saw_other_tails_of_a_fork_come_to_show_the_same(seed: int) -> None:
    dice, replicas = random.Random(seed), [make_replica("reader") for _ in range(3)]
    for author in copies(seed):
        for replica in replicas:
            cuts = sorted({author.last(), *(dice.randrange(1, author.last() + 1) for _ in range(2))})
            if dice.random() < 0.6:
                for first, last in zip([1, *(cut + 1 for cut in cuts)], cuts, strict=False):
                    receive(replica, author.segment(first=first, last=last))
    for _ in range(20):
        changed = [told(replica, replicas) for replica in replicas]
        if not any(changed):
            break
    first, *rest = (check_whole(replica) for replica in replicas)
    assert all(one == first for one in rest)
