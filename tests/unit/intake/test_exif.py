from __future__ import annotations

from typing import Any

import pytest

from app.intake import exif

HERE = {1: "N", 2: (35.0, 48.0, 36.0), 3: "E", 4: (139.0, 40.0, 12.0)}


def test_degrees_minutes_and_seconds_become_a_position() -> None:
    assert exif.location_of(HERE) == [139.67, 35.81]
    assert exif.location_of({**HERE, 1: b"S\0", 3: "w"}) == [-139.67, -35.81]


@pytest.mark.parametrize(
    "gps",
    [
        {},
        {**HERE, 2: (0.0, 0.0, 0.0), 4: (0.0, 0.0, 0.0)},
        {**HERE, 2: (float("nan"), 0.0, 0.0)},
        {**HERE, 2: (float("inf"), 0.0, 0.0)},
        {**HERE, 2: (200.0, 0.0, 0.0)},
        {**HERE, 2: (35.0, 48.0)},
        {**HERE, 2: "35"},
        {**HERE, 1: "X"},
        {**HERE, 1: ""},
        {**HERE, 1: None},
        {**HERE, 4: (-139.0, 0.0, 0.0)},
    ],
)
def test_a_position_that_cannot_be_is_none(gps: dict[int, Any]) -> None:
    assert exif.location_of(gps) is None


def test_the_time_is_that_of_the_camera_in_its_own_offset_or_in_japan() -> None:
    assert exif.taken_at({36867: "2019:10:12 20:57:07"}) == 1570881427000
    assert exif.taken_at({36867: "2019:10:12 20:57:07", 36881: "+00:00"}) == 1570881427000 + 9 * 3_600_000
    assert exif.taken_at({36867: b"2019:10:12 20:57:07\0"}) == 1570881427000


@pytest.mark.parametrize("text", ["", "0000:00:00 00:00:00", "2019-10-12", "1970:01:01 00:00:00", None, 5])
def test_a_time_that_cannot_be_is_none(text: Any) -> None:
    assert exif.taken_at({36867: text}) is None
