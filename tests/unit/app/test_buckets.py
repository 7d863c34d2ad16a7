from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given

from app.buckets import Bucket, Buckets, Rate

RATE = Rate(burst=3, per_s=2)


def test_a_full_bucket_gives_its_burst_and_then_what_flows_in() -> None:
    bucket = Bucket.full(RATE, 0)
    assert [bucket.take(0) for _ in range(4)] == [0, 0, 0, 0.5]
    assert bucket.take(0.5) == 0
    assert bucket.take(0.5) == 0.5


def test_who_was_refused_lost_nothing_by_asking() -> None:
    bucket = Bucket.full(RATE, 0)
    assert bucket.take(0, 5) == 1
    assert bucket.take(0, 3) == 0


def test_a_clock_that_goes_back_gives_nothing() -> None:
    bucket = Bucket.full(RATE, 10)
    assert bucket.take(10, 3) == 0
    assert bucket.take(5) > 0
    assert bucket.take(5.1) > 0


@given(st.lists(st.floats(0, 5), max_size=200))
def test_nobody_gets_more_than_the_burst_and_what_flowed_in(pauses: list[float]) -> None:
    bucket, now, given_out = Bucket.full(RATE, 0), 0.0, 0
    for pause in pauses:
        now += pause
        given_out += bucket.take(now) == 0
    assert given_out <= RATE.burst + RATE.per_s * now + 1e-6


def test_each_caller_has_a_bucket_and_strangers_cost_no_memory() -> None:
    buckets = Buckets(RATE, callers_max=10)
    assert all(buckets.take(f"stranger {number}", 0) == 0 for number in range(1_000))
    assert len(buckets) == 10
    assert buckets.take("one", 0, 3) == 0
    assert buckets.take("one", 0) > 0
    assert buckets.take("another", 0) == 0
