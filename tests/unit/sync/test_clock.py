"""The clock: stamps that grow, follow what was read, and never refuse a write."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sync.clock import COUNTER_MAX, FOREIGN_AHEAD_MS_MAX, OWN_AHEAD_MS_MAX, Clock, hlc_of, ms_of

NOW = 1_780_000_000_000


@given(times=st.lists(st.integers(NOW - 60_000, NOW + 60_000), min_size=2, max_size=20))
def test_stamps_grow_whatever_the_machine_clock_does(times: list[int]) -> None:
    clock = Clock()
    stamps = [clock.stamp(now) for now in times]
    assert stamps == sorted(set(stamps))


def test_a_stamp_says_the_time_at_which_it_was_made() -> None:
    assert ms_of(Clock().stamp(NOW)) == NOW


def test_a_stamp_follows_what_was_read() -> None:
    clock = Clock()
    clock.observe(hlc_of(NOW + 5_000), NOW)
    assert clock.stamp(NOW) > hlc_of(NOW + 5_000)


def test_a_stamp_from_far_ahead_is_not_followed() -> None:
    clock = Clock()
    assert not clock.observe(hlc_of(NOW + FOREIGN_AHEAD_MS_MAX + 1), NOW)
    assert ms_of(clock.stamp(NOW)) == NOW


def test_a_stamp_at_the_limit_is_followed() -> None:
    assert Clock().observe(hlc_of(NOW + FOREIGN_AHEAD_MS_MAX), NOW)


def test_a_node_that_finds_itself_far_ahead_begins_anew_from_the_corrected_time() -> None:
    clock = Clock(hlc_of(NOW + OWN_AHEAD_MS_MAX + 1))
    assert clock.stamp(NOW) == hlc_of(NOW)


def test_a_full_counter_carries_into_the_milliseconds() -> None:
    assert Clock(hlc_of(NOW, COUNTER_MAX)).stamp(NOW) == hlc_of(NOW + 1)


def test_a_clock_before_1970_is_no_reason_to_refuse() -> None:
    assert Clock().stamp(-5) >= 0
