"""What is typed into the counter, as the fields of a count."""

from __future__ import annotations

import pytest

from app.errors import Invalid
from app.forms import head_count

NOW = 1_570_881_600_000


@pytest.mark.parametrize(("typed", "people"), [("97", 97), ("９７", 97), ("1,234", 1234), (" 97人 ", 97), ("0", 0)])
def test_a_number_of_people_is_read_as_people_write_it(typed: str, people: int) -> None:
    assert head_count.read({"total": typed}, NOW) == {"total": people, "counted_at": NOW}


@pytest.mark.parametrize("typed", ["-1", "9.5", "百", "1e3", "1234567890"])
def test_what_is_no_number_of_people_names_its_field(typed: str) -> None:
    with pytest.raises(Invalid) as caught:
        head_count.read({"total": "10", "female": typed}, NOW)
    assert caught.value.field == "female"


def test_an_empty_box_is_never_0() -> None:
    assert "total" not in head_count.read({"total": "", "male": " "}, NOW)


def test_parts_alone_add_up_to_the_total() -> None:
    read = head_count.read({"total": "", "male": "3", "female": "4"}, NOW)
    assert (read["total"], read["male"], read["female"]) == (7, 3, 4)


def test_a_number_that_was_telephoned_is_as_old_as_the_clerk_says() -> None:
    assert head_count.read({"total": "5", "ago": "30"}, NOW)["counted_at"] == NOW - 30 * 60_000
    assert head_count.read({"total": "5", "ago": "-99999"}, NOW)["counted_at"] == NOW


@pytest.mark.parametrize(
    ("total", "capacity", "before", "asks"),
    [
        (3_120, 320, 246, True),  # a digit too many
        (600, 320, 246, False),  # overfull, as shelters are
        (180, None, None, False),
        (2_460, None, 246, True),
        (700, 320, 400, False),
    ],
)
def test_a_number_that_a_digit_too_many_would_make_is_asked_for_once_more(
    total: int, capacity: int | None, before: int | None, asks: bool
) -> None:
    assert head_count.is_strange(total, capacity, before) is asks
