from __future__ import annotations

from itertools import pairwise

import pytest

from app import catalog
from app.forms.damage_report import PARTS
from maps.layers import RankTable


@pytest.mark.parametrize("name", catalog.TABLES)
def test_a_table_names_its_version_and_source_and_no_code_twice(name: str) -> None:
    table = catalog.table(name)
    assert table.version >= 1 and table.source
    assert len(set(table.codes)) == len(table.codes) > 0
    assert all(item.word and item.english and item.short for item in table)


def test_the_first_six_tiles_stand_in_the_order_of_the_form() -> None:
    first, rest = catalog.tiles()
    assert [item.code for item in first] == ["flood", "road", "house", "slope", "tree", "other"]
    assert len(first) + len(rest) == len(catalog.table("damage_categories").codes)
    assert all(item.icon for item in (*first, *rest))


@pytest.mark.parametrize(
    ("field", "table"),
    [
        ("passability", "passabilities"),
        ("urgency", "urgencies"),
        ("casualties", "casualties"),
        ("opening_status", "shelter_statuses"),
        ("degree", "damage_degrees"),
        ("water_flow", "water_flows"),
        ("river_state", "river_states"),
        ("casualty_transport", "casualty_transports"),
        ("lifeline_state", "lifeline_states"),
        ("press", "press_flags"),
    ],
)
def test_an_order_of_danger_places_every_code_and_null(field: str, table: str) -> None:
    order = catalog.danger_order(field)
    assert set(order) == {*catalog.table(table).codes, None}
    assert len(order) == len(set(order))


def test_every_detail_and_part_of_the_form_belongs_to_a_category_that_is_there() -> None:
    categories = catalog.table("damage_categories")
    assert {item.group for item in catalog.table("damage_details")} <= set(categories.codes)
    assert {part for item in categories for part in item.forms} == set(PARTS)


def test_every_response_status_but_the_duplicate_is_counted() -> None:
    table = catalog.table("response_statuses")
    assert {item.code for item in table if not item.group} == {"duplicate"}
    assert table.in_group("open") == ("open", "accepted")
    assert table.get("nothing") is None and table.group(None) == ""


def test_a_table_that_is_not_there_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        catalog.table("../roles")


@pytest.mark.parametrize("table", [catalog.depth(), catalog.durations()])
def test_classes_follow_each_other_without_a_gap_and_the_last_is_open(table: RankTable) -> None:
    assert [rank.rank for rank in table.ranks] == list(range(1, len(table.ranks) + 1))
    for one, next_one in pairwise(table.ranks):
        assert one.high == next_one.low
    assert table.ranks[0].low == 0 and table.ranks[-1].high is None


@pytest.mark.parametrize(("code", "limits", "worst"), [("14", (2, 5), 3), ("22", (0.5, 1), 2), ("25", (3, 4), 3)])
def test_a_code_of_2012_keeps_its_own_limits_and_counts_as_the_worst_class_it_touches(
    code: str, limits: tuple[float, float], worst: int
) -> None:
    table = catalog.depth()
    assert table.codes[code] == limits
    assert table.worst(*limits) == worst
    assert {"11", "15", "21", "27"} <= set(table.codes) and table.codes["15"] == (5, None)
