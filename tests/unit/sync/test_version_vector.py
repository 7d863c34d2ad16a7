"""Vectors: what decides what to send."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sync.version_vector import Vector, digest8, lacks, merge

vectors = st.dictionaries(st.binary(min_size=1, max_size=2), st.integers(1, 9), max_size=5)


@given(one=vectors, two=vectors, three=vectors)
def test_merging_is_free_of_order_and_repetition(one: Vector, two: Vector, three: Vector) -> None:
    assert merge(one, two) == merge(two, one)
    assert merge(merge(one, two), three) == merge(one, merge(two, three))
    assert merge(one, one) == one


@given(have=vectors, other=vectors)
def test_who_is_sent_what_is_lacking_holds_the_same(have: dict[bytes, int], other: dict[bytes, int]) -> None:
    sent = {stream: have[stream] for stream in lacks(have, other)}
    assert merge(other, sent) == merge(have, other)
    assert not lacks(have, merge(have, other))


def test_the_digest_tells_chains_apart_and_not_orders() -> None:
    one, two = {b"a": (1, b"h" * 32)}, {b"b": (2, b"i" * 32)}
    assert digest8(one | two) == digest8(two | one)
    assert digest8(one | two) != digest8(one | {b"b": (2, b"j" * 32)})
    assert len(digest8({})) == 8


def test_the_digest_tells_who_knows_of_a_lost_tail() -> None:
    ends, lost = {b"a": (1, b"h" * 32)}, (b"a", 1, b"i" * 32)
    assert digest8(ends, [lost]) != digest8(ends)
    assert digest8(ends, [lost, (b"a", 2, b"j" * 32)]) == digest8(ends, [(b"a", 2, b"j" * 32), lost])
