"""What the damage report's form says becomes fields; what was left alone stays unwritten."""

from __future__ import annotations

import pytest

from app.errors import Invalid
from app.forms.damage_report import WAS, read_edit, read_new


def test_one_tap_is_enough_and_the_category_gives_the_summary() -> None:
    assert read_new({"category": "flood"}) == {"category": "flood", "summary": "冠水・浸水"}


def test_what_was_not_chosen_stays_unassessed() -> None:
    fields = read_new({"category": "road", "urgency": "", "rescue_needed": "", "water_depth_cm": ""})
    assert set(fields) == {"category", "summary"}


def test_no_category_is_refused_with_the_field() -> None:
    with pytest.raises(Invalid) as refused:
        read_new({"category": "meteor"})
    assert refused.value.field == "category"


def test_a_position_is_longitude_first() -> None:
    fields = read_new({"category": "road", "lat": "33.5", "lon": "137.2", "accuracy_m": "12"})
    assert fields["location"] == [137.2, 33.5]
    assert fields["accuracy_m"] == 12.0


@pytest.mark.parametrize("text", ["abc", "1" * 40, "１２x"])
def test_a_number_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        read_new({"category": "road", "water_depth_cm": text})


def test_an_edit_writes_only_what_the_person_changed() -> None:
    form = {"address": "南町", WAS + "address": "北町", "urgency": "red", WAS + "urgency": "red"}
    assert read_edit(form) == {"address": "南町"}


def test_an_edit_can_empty_a_field_again() -> None:
    assert read_edit({"urgency": "", WAS + "urgency": "red"}) == {"urgency": None}
