"""Heads = written - replaced: free of order, and the same folded or built."""

from __future__ import annotations

import itertools
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sync import digest, merge
from sync.merge import State
from sync.operation import REMOVE, SET, Operation, decode_body
from sync.verdict import Facts, verdict
from tests.unit.sync.nodes import KINDS, REAL, any_judge, canonical, ident
from tests.unit.sync.worlds import World

KIND = KINDS.by_name["reports"]


def op(origin: str, seq: int, hlc: int, fields: dict[str, Any], replaces: Any = (), type: int = SET) -> Operation:
    names = tuple((ident(o), s) for o, s in replaces)
    return Operation(ident(origin), REAL, b"w", seq, hlc, None, "reports", ident("a"), type, fields, names, ())


def shown(*operations: Operation) -> merge.Shown:
    return merge.shown(KIND, merge.build(KIND, operations))


def counting(seed: int) -> list[Operation]:
    """The operations of one record of a random world, those that count."""
    world = World(seed, operations=40, revocations=False)
    found = []
    for segment in world.segments:
        operation = decode_body(segment.bodies[0], segment.stream, segment.first)
        reason = verdict(operation, segment.stream, b"", frozenset({"field"}), KINDS, Facts(), any_judge)
        if isinstance(operation, Operation) and operation.kind == "reports" and reason is None:
            found.append(operation)
    key = found[0].key if found else None
    return [operation for operation in found if operation.key == key]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 1 << 32), dice=st.randoms(use_true_random=False))
def test_the_order_of_operations_does_not_matter(seed: int, dice: Any) -> None:
    operations = counting(seed)
    once = canonical(merge.build(KIND, operations))
    dice.shuffle(operations)
    assert canonical(merge.build(KIND, operations)) == once


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 1 << 32))
def test_what_is_packed_into_a_row_is_unpacked_again(seed: int) -> None:
    operations = counting(seed)
    if not operations:
        return
    state = merge.build(KIND, operations)
    values = merge.shown(KIND, state).values
    assert canonical(merge.unpack(KIND, merge.pack(KIND, state), values)) == canonical(state)


def test_folding_in_causal_order_is_building() -> None:
    operations = [
        op("one", 1, 5, {"text": "1", "tags": {"add": ["x"]}}),
        op("two", 1, 3, {"text": "2"}, [("one", 1)]),
        op("one", 2, 9, {"tags": {"add": ["y"], "drop": [[ident("one"), 1, "x"]]}}),
        op("two", 2, 9, {}, [("one", 1), ("two", 1)], REMOVE),
    ]
    state = State()
    for operation in operations:
        merge.apply(KIND, state, operation)
    assert canonical(state) == canonical(merge.build(KIND, operations))


def test_of_two_heads_the_later_is_shown_and_both_are_a_conflict() -> None:
    found = shown(op("one", 1, 5, {"text": "late"}), op("two", 1, 3, {"text": "early"}))
    assert (found.values["text"], found.conflicts) == ("late", ("text",))


def test_heads_with_equal_values_are_no_conflict() -> None:
    assert shown(op("one", 1, 5, {"text": "x"}), op("two", 1, 3, {"text": "x"})).conflicts == ()


def test_the_more_dangerous_head_is_shown() -> None:
    found = shown(op("one", 1, 9, {"road": "passable"}), op("two", 1, 3, {"road": "impassable"}))
    assert found.values["road"] == "impassable"


def test_null_has_its_place_in_the_order_of_danger() -> None:
    assert shown(op("one", 1, 9, {"road": "passable"}), op("two", 1, 3, {"road": None})).values["road"] is None


def test_a_value_that_the_table_does_not_know_is_taken_for_the_most_dangerous() -> None:
    found = shown(op("one", 1, 9, {"road": "impassable"}), op("two", 1, 3, {"road": "gone"}))
    assert found.values["road"] == "gone"


def test_two_versions_that_replace_each_other_leave_no_value() -> None:
    operations = [op("one", 1, 5, {"text": "1"}, [("two", 1)]), op("two", 1, 6, {"text": "2"}, [("one", 1)])]
    assert "text" not in shown(*operations).values


def test_a_version_that_names_itself_stays() -> None:
    assert shown(op("one", 1, 5, {"text": "1"}, [("one", 1)])).values["text"] == "1"


def test_a_version_is_replaced_only_in_the_fields_that_were_written() -> None:
    found = shown(op("one", 1, 5, {"text": "1", "road": None}), op("two", 1, 6, {"text": "2"}, [("one", 1)]))
    assert (found.values, found.conflicts) == ({"text": "2", "road": None}, ())


def test_an_edit_apart_from_a_removal_shows_the_record_with_a_conflict() -> None:
    first, edit = op("one", 1, 1, {"text": "1"}), op("two", 1, 2, {"text": "2"}, [("one", 1)])
    remove = op("one", 2, 3, {}, [("one", 1)], REMOVE)
    found = shown(first, edit, remove)
    assert (found.hidden, found.conflicts) == (False, ("removed",))


def test_two_removals_are_no_conflict() -> None:
    first = op("one", 1, 1, {"text": "1"})
    removals = [op(name, 2, 3, {}, [("one", 1)], REMOVE) for name in ("one", "two")]
    assert (shown(first, *removals).hidden, shown(first, *removals).conflicts) == (True, ())


def test_an_element_dropped_apart_from_another_addition_of_it_stays() -> None:
    operations = [
        op("one", 1, 1, {"tags": {"add": ["x"]}}),
        op("two", 1, 2, {"tags": {"add": ["x"]}}),
        op("one", 2, 3, {"tags": {"drop": [[ident("one"), 1, "x"]]}}),
    ]
    assert shown(*operations).values["tags"] == ["x"]


def test_the_greatest_and_the_earliest_value_hold_whatever_is_replaced() -> None:
    operations = [
        op("one", 1, 5, {"seen": 9, "number": "first"}),
        op("two", 1, 6, {"seen": 3, "number": "second"}, [("one", 1)]),
    ]
    for order in itertools.permutations(operations):
        assert shown(*order).values == {"seen": 9, "number": "first"}


VALUES = {
    "text": st.none() | st.text(max_size=8),
    "road": st.sampled_from(["impassable", "foot_only", None, "passable", "of a newer release"]),
    "tags": st.fixed_dictionaries({"add": st.lists(st.text(max_size=3), max_size=4), "drop": st.just([])}),
    "seen": st.integers(0, 1 << 40),
    "number": st.text(max_size=6),
    "depth": st.none() | st.integers(-5, 5) | st.floats(allow_nan=False, allow_infinity=False),
    "at": st.none() | st.just([139.0, 35]),
    "unknown": st.integers(),
}


@settings(max_examples=200, deadline=None)
@given(fields=st.fixed_dictionaries({}, optional=VALUES), replaces=st.lists(st.tuples(st.just("x"), st.integers(1, 9))))
def test_a_record_of_one_operation_is_what_folding_it_gives(fields: dict[str, Any], replaces: Any) -> None:
    first = op("a", 3, 7, fields, replaces)
    state = State()
    merge.apply(KIND, state, first)
    folded = merge.shown(KIND, state)
    values, packed, is_live = merge.begun(KIND, first)
    assert repr(sorted(values.items())) == repr(sorted(folded.values.items()))
    assert packed == merge.pack(KIND, state)
    assert is_live == bool(merge.live(state)) and not folded.hidden and not folded.conflicts
    assert digest.begun_hash(first, values, is_live) == digest.record_hash(first.key, state, folded)
