"""Merging is a function of the set of operations: free of order, of the cut, and of what stood in a row between."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from sync import digest, ledger, merge
from sync.ledger import Entry
from sync.merge import REMOVED, State
from sync.operation import REMOVE, Operation, Version
from tests.unit.sync.examples import examples
from tests.unit.sync.nodes import KINDS, canonical
from tests.unit.sync.strategies import ORIGINS, REAL, RECORD, operations

KIND = KINDS.by_name["reports"]
pack = msgspec.msgpack.encode


def everything_of(state: State) -> Any:
    """A state, what is shown of it and its hash, in a form that can be compared."""
    shown = merge.shown(KIND, state)
    row_hash = digest.record_hash(("reports", REAL, RECORD), state, shown) if state.first else None
    return canonical(state), pack(sorted(shown.values.items())), shown.hidden, shown.conflicts, row_hash


def through_a_row(state: State) -> State:
    """What a record's row gives back of a state."""
    if state.first is None:
        return State()
    shown = merge.shown(KIND, state)
    return merge.unpack(KIND, merge.pack(KIND, state), {k: v for k, v in shown.values.items() if v is not None})


@examples(60, 1_200)
@given(listed=operations(), dice=st.randoms(use_true_random=False))
def test_every_order_of_the_operations_gives_the_same_record(listed: list[Operation], dice: Any) -> None:
    once = everything_of(merge.build(KIND, listed))
    dice.shuffle(listed)
    assert everything_of(merge.build(KIND, listed)) == once


@examples(60, 1_200)
@given(listed=operations())
def test_a_row_gives_back_the_state_that_was_packed(listed: list[Operation]) -> None:
    state = merge.build(KIND, listed)
    assert everything_of(through_a_row(state)) == everything_of(state)


@examples(60, 1_200)
@given(listed=operations(causal=True), cut=st.integers(0, 8), dice=st.randoms(use_true_random=False))
def test_folding_onto_a_row_is_building_the_whole(listed: list[Operation], cut: int, dice: Any) -> None:
    whole = everything_of(merge.build(KIND, listed))
    listed = another_causal_order(listed, dice)
    state = through_a_row(merge.build(KIND, listed[:cut]))
    for operation in listed[cut:]:
        merge.apply(KIND, state, operation)
        if dice.random() < 0.3:
            state = through_a_row(state)
    assert everything_of(state) == whole


def another_causal_order(listed: list[Operation], dice: Any) -> list[Operation]:
    """The same operations, each still behind those that it names and those of its own stream."""
    waiting, found = list(listed), []
    while waiting:
        later = [
            operation
            for operation in waiting
            if any(other.version in merge.names(KIND, operation) for other in waiting)
            or any(other.origin == operation.origin and other.seq < operation.seq for other in waiting)
        ]
        ready = [operation for operation in waiting if operation not in later]
        found.append(dice.choice(ready))
        waiting.remove(found[-1])
    return found


@examples(60, 1_200)
@given(listed=operations())
def test_the_heads_of_a_field_are_what_was_written_without_what_was_replaced(listed: list[Operation]) -> None:
    state = merge.build(KIND, listed)
    for name in ("text", "road", "depth", "at"):
        heads = {(head[1], head[2]) for head in state.heads.get(name, ())}
        assert heads == unreplaced(listed, name)
    assert {(removal[1], removal[2]) for removal in state.removes} == unreplaced(listed, REMOVED)


def unreplaced(listed: list[Operation], name: str) -> set[Version]:
    """The definition, word for word."""

    def writes(operation: Operation) -> bool:
        return name in operation.fields or (name == REMOVED and operation.type == REMOVE)

    writers = [operation for operation in listed if writes(operation)]
    return {
        one.version
        for one in writers
        if not any(one.version in other.replaces for other in writers if other is not one)
    }


@examples(60, 1_200)
@given(listed=operations())
def test_conflicts_stand_exactly_where_two_heads_hold_different_values(listed: list[Operation]) -> None:
    state = merge.build(KIND, listed)
    shown = merge.shown(KIND, state)
    different = {name for name, heads in state.heads.items() if len({pack(head[3]) for head in heads}) > 1}
    assert set(shown.conflicts) - {REMOVED} == different
    for name in different - {"road"}:
        assert shown.values[name] == max(state.heads[name])[3]


@examples(60, 1_200)
@given(listed=operations())
def test_no_head_is_more_dangerous_than_the_one_that_is_shown(listed: list[Operation]) -> None:
    state = merge.build(KIND, listed)
    order = KIND.fields["road"].order
    ranks = [order.index(head[3]) if head[3] in order else -1 for head in state.heads.get("road", ())]
    if ranks:
        value = merge.shown(KIND, state).values["road"]
        assert (order.index(value) if value in order else -1) == min(ranks)


# -- ledgers -----------------------------------------------------------------------------------------

versions = st.tuples(st.sampled_from(ORIGINS), st.integers(1, 3))
ledgers = st.dictionaries(versions, st.tuples(st.integers(0, 9), st.lists(versions, max_size=3)), max_size=9).map(
    lambda drawn: {version: Entry(version, hlc, tuple(after)) for version, (hlc, after) in drawn.items()}
)


@examples(60, 1_200)
@given(entries=ledgers, dice=st.randoms(use_true_random=False))
def test_the_keys_of_a_ledger_are_free_of_order(entries: dict[Version, Entry], dice: Any) -> None:
    listed = list(entries.items())
    dice.shuffle(listed)
    assert ledger.keys(dict(listed)) == ledger.keys(entries)


@examples(60, 1_200)
@given(entries=ledgers)
def test_an_entry_stands_below_all_that_it_answers_unless_they_name_each_other(entries: dict[Version, Entry]) -> None:
    keys = ledger.keys(entries)
    assert set(keys) == set(entries)
    reach = {version: reached(entries, version) for version in entries}
    for version, entry in entries.items():
        held = [name for name in entry.after if name in entries and name != version]
        if version in reach[version]:
            assert keys[version] == entry.hlc
        else:
            assert keys[version] == max([entry.hlc, *(keys[name] + 1 for name in held)])


def reached(entries: dict[Version, Entry], start: Version) -> set[Version]:
    """The other entries' names that can be reached from one, over at least one other entry."""
    found: set[Version] = set()
    waiting = [name for name in entries[start].after if name != start]
    while waiting:
        name = waiting.pop()
        if name in entries and name not in found:
            found.add(name)
            waiting += [further for further in entries[name].after if further != name]
    return found
