"""Row hashes and their sum."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sync import digest
from sync.merge import Shown, State

hashes = st.lists(st.binary(min_size=16, max_size=16), max_size=6)


@given(rows=hashes, dice=st.randoms(use_true_random=False))
def test_the_sum_does_not_depend_on_the_order(rows: list[bytes], dice: object) -> None:
    def total(listed: list[bytes]) -> int:
        found = 0
        for row in listed:
            found = digest.add(found, row)
        return found

    shuffled = list(rows)
    dice.shuffle(shuffled)  # type: ignore[attr-defined]
    assert total(shuffled) == total(rows)


@given(total=st.integers(0, digest.MODULUS - 1), row=st.binary(min_size=16, max_size=16))
def test_what_was_added_can_be_taken(total: int, row: bytes) -> None:
    assert digest.take(digest.add(total, row), row) == total


def test_a_value_its_type_and_its_heads_are_part_of_the_hash() -> None:
    key = ("reports", b"s", b"r")
    first, head = (1, b"a", 1), (1, b"a", 1, 1)
    states = [State(first=first), State(first=(1, b"a", 2)), State(first=first, heads={"x": [head]})]
    found = {digest.record_hash(key, state, Shown({"x": 1}, False, ())) for state in states}
    seen = [Shown({"x": value}, hidden, ()) for value in (1.0, "1") for hidden in (True, False)]
    found |= {digest.record_hash(key, states[0], shown) for shown in seen}
    assert len(found) == 7


def test_the_reason_of_a_verdict_is_part_of_the_hash() -> None:
    assert len({digest.quarantine_hash(b"s", 1, reason) for reason in ("revoked", "fork")}) == 2
