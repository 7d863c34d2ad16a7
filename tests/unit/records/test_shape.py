from __future__ import annotations

import math
from typing import Any

import pytest

from app.errors import Invalid
from app.records import shape


@pytest.mark.parametrize(
    ("check", "value", "wanted"),
    [
        (shape.text(5), "  が\n", "が"),  # か + voiced mark becomes one character
        (shape.text(5), "a\r\nb", "a\nb"),
        (shape.integer(0, 9), 9, 9),
        (shape.real(0, 9), 3, 3.0),
        (shape.flag, True, True),
        (shape.moment, 1_570_881_600_000, 1_570_881_600_000),
        (shape.point, [139, 35.5], [139.0, 35.5]),
        (shape.an_id, "01920000-0000-7000-8000-00000000000A", "01920000-0000-7000-8000-00000000000a"),
        (shape.sha256, "a" * 64, "a" * 64),
        (shape.each(shape.sha256), ["b" * 64, "a" * 64, "a" * 64], ["a" * 64, "b" * 64]),
    ],
)
def test_a_good_value_is_written_in_its_one_form(check: shape.Check, value: Any, wanted: Any) -> None:
    assert check("field", value) == wanted


@pytest.mark.parametrize(
    ("check", "value", "code"),
    [
        (shape.text(5), 5, "wrong_type"),
        (shape.text(5), "", "empty"),
        (shape.text(5), " \n ", "empty"),
        (shape.text(5), "123456", "too_long"),
        (shape.text(5), "a\0", "bad_text"),
        (shape.text(5), "a\x1b", "bad_text"),
        (shape.text(5), "\ud800", "bad_text"),
        (shape.text(5, lines=False), "a\nb", "bad_text"),
        (shape.choice(("a", "b")), "c", "unknown_code"),
        (shape.choice(("a", "b")), ["a"], "unknown_code"),
        (shape.integer(0, 9), 10, "out_of_range"),
        (shape.integer(0, 9), True, "wrong_type"),
        (shape.integer(0, 9), 1.0, "wrong_type"),
        (shape.real(0, 9), math.inf, "out_of_range"),
        (shape.real(0, 9), math.nan, "out_of_range"),
        (shape.real(0, 9), False, "wrong_type"),
        (shape.flag, 1, "wrong_type"),
        (shape.moment, -1, "bad_time"),
        (shape.moment, 253_402_300_799_000, "bad_time"),  # the year 9999
        (shape.point, [139], "bad_position"),
        (shape.point, [181, 0], "bad_position"),
        (shape.point, [0, 91], "bad_position"),
        (shape.point, [math.nan, 0], "bad_position"),
        (shape.point, ["139", "35"], "bad_position"),
        (shape.an_id, "1" * 36, "bad_id"),
        (shape.an_id, 5, "bad_id"),
        (shape.sha256, "A" * 64, "bad_hash"),
        (shape.each(shape.sha256), "a" * 64, "wrong_type"),
        (shape.each(shape.sha256), ["a" * 64] * 101, "too_many"),
    ],
)
def test_a_wrong_value_is_refused_with_its_field(check: shape.Check, value: Any, code: str) -> None:
    with pytest.raises(Invalid) as caught:
        check("field", value)
    assert (caught.value.code, caught.value.field) == (code, "field")
    assert caught.value.hint
