"""What the damage report's form says becomes fields; what was left alone stays unwritten."""

from __future__ import annotations

import pytest

from app.errors import Invalid
from app.forms.damage_report import WAS, named_files, placed_by_photo, read_edit, read_new, shown_depth, typed_moment


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


def test_a_position_carries_its_source_accuracy_and_time() -> None:
    form = {"category": "flood", "lon": "139.67", "lat": "35.81", "accuracy_m": "12", "located_at": "1570881427000"}
    fields = read_new({**form, "location_source": "gps"})
    assert (fields["location"], fields["accuracy_m"], fields["location_source"]) == ([139.67, 35.81], 12.0, "gps")
    assert fields["located_at"] == 1570881427000
    assert "location_source" not in read_new({**form, "location_source": "invented"})


def test_the_photos_position_is_taken_only_where_nobody_gave_one() -> None:
    facts = [{}, {"exif_location": [139.7, 35.8], "taken_at": 5}, {"exif_location": [1.0, 1.0]}]
    taken = placed_by_photo({}, facts)
    assert taken == {"location": [139.7, 35.8], "location_source": "exif", "located_at": 5}
    assert placed_by_photo({"location": [139.0, 35.0]}, facts) == {} == placed_by_photo({}, [{}])


def test_files_are_named_once_by_their_hash_and_ten_at_most() -> None:
    first, second = "a" * 64, "b" * 64
    assert named_files([first, "", second, first]) == [first, second]
    for wrong in (["../../etc/passwd"], [f"{number:064x}" for number in range(11)]):
        with pytest.raises(Invalid) as refused:
            named_files(wrong)
        assert refused.value.field == "attachments"


def test_every_part_of_the_form_becomes_fields() -> None:
    form = {
        "category": "road", "subcategory": "sinkhole", "degree": "severe", "landmark": "柳橋", "reception": "police",
        "occurred_at": "2019-10-12T20:46", "press": "withheld", "road_name": "市道101号", "water_flow": "strong",
        "river_state": "seepage", "river_bank": "left", "distance_mark": "4.2k", "people_at_risk": "yes",
        "deaths": "0", "casualty_transport": "waiting", "lifeline_state": "out", "lifeline_homes": "1200",
    }  # fmt: skip
    read = read_new({**form, "detour": " ", "missing": ""})
    assert read == form | {
        "summary": "道路・橋", "occurred_at": 1_570_880_760_000, "people_at_risk": True, "deaths": 0,
        "lifeline_homes": 1200,
    }  # fmt: skip
    assert typed_moment(read["occurred_at"]) == "2019-10-12T20:46"


@pytest.mark.parametrize(
    ("numbers", "casualties"),
    [({"deaths": "1", "missing": "3"}, "dead"), ({"injured_minor": "2"}, "injured"), ({"deaths": "0"}, None)],
)
def test_a_number_of_casualties_says_that_there_are_some(numbers: dict[str, str], casualties: str | None) -> None:
    assert read_new({"category": "people", **numbers}).get("casualties") == casualties
    assert read_edit(numbers).get("casualties") == casualties


def test_what_somebody_said_of_casualties_is_not_written_over_by_a_number() -> None:
    assert read_new({"category": "people", "deaths": "1", "casualties": "missing"})["casualties"] == "missing"
    assert read_edit({"deaths": "1", "casualties": "none", WAS + "casualties": "none"}) == {"deaths": 1}


@pytest.mark.parametrize("text", ["きのう", "2019-13-40T99:99", "0000-01-01T00:00", "9" * 400])
def test_a_time_that_is_none_is_refused_with_its_field(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_new({"category": "road", "occurred_at": text})
    assert refused.value.field == "occurred_at"


@pytest.mark.parametrize(
    ("form", "changed"),
    [
        ({"water_depth_cm": "50", "water_depth_exact": "37"}, {"water_depth_cm": 37}),
        ({WAS + "water_depth_cm": "37", "water_depth_exact": "37", WAS + "water_depth_exact": "37"}, {}),
        (
            {"water_depth_cm": "90", WAS + "water_depth_cm": "37"}
            | {"water_depth_exact": "37", WAS + "water_depth_exact": "37"},
            {"water_depth_cm": 90},
        ),
        (
            {WAS + "water_depth_cm": "37", "water_depth_exact": "", WAS + "water_depth_exact": "37"},
            {"water_depth_cm": None},
        ),
        ({"water_depth_cm": "50", WAS + "water_depth_cm": "50", "water_depth_exact": ""}, {}),
    ],
)
def test_a_measured_depth_stands_beside_those_of_a_body(form: dict[str, str], changed: dict[str, int | None]) -> None:
    assert read_edit(form) == changed


def test_only_a_depth_that_is_not_offered_stands_in_the_field_of_measured_ones() -> None:
    assert shown_depth({"water_depth_cm": "37"}) == {"water_depth_exact": "37"}
    assert shown_depth({"water_depth_cm": "50"}) == {"water_depth_exact": ""}
