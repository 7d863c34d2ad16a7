"""The list of shelters as people narrow it, and what was said of each."""

from __future__ import annotations

from typing import Any

from app.queries import conflicts, shelters
from app.records import shelter_openings

INCIDENT = "01920000-0000-7000-8000-000000000001"


def names(lines: list[shelters.ShelterLine]) -> list[str]:
    return [line.shelter["name"] for line in lines]


def test_the_open_ones_stand_first_then_by_name(db: Any, insert: Any) -> None:
    for name, status in (("い", "closed"), ("う", "open"), ("あ", "full"), ("え", "preparing"), ("お", None)):
        shelter = insert("shelters", name=name)
        if status:
            insert("shelter-openings", shelter_id=shelter, opening_status=status)
    lines = shelters.listed(db, INCIDENT)
    assert names(shelters.narrowed(lines)) == ["あ", "う", "え", "お", "い"]
    assert names(shelters.narrowed(lines, group="open")) == ["あ", "う"]
    assert names(shelters.narrowed(lines, group="unknown")) == ["お"]


def test_words_find_a_shelter_in_whatever_width_they_are_typed(db: Any, insert: Any) -> None:
    insert("shelters", name="葦原第二小学校", address="葦原市本郷２丁目", kana="アシハラダイニ")
    insert("shelters", name="東町中学校", address="葦原市東町1丁目")
    lines = shelters.listed(db, INCIDENT)
    assert names(shelters.narrowed(lines, words="本郷2丁目")) == ["葦原第二小学校"]
    assert names(shelters.narrowed(lines, words="葦原市 中学校")) == ["東町中学校"]
    assert names(shelters.narrowed(lines, words="ｱｼﾊﾗ")) == ["葦原第二小学校"]
    assert names(shelters.narrowed(lines, words="南町")) == []


def test_a_shelters_own_line_is_the_one_of_the_list(db: Any, insert: Any) -> None:
    shelter = insert("shelters", name="第一小")
    insert("shelter-openings", shelter_id=shelter, opening_status="open", created_at=1)
    insert("shelter-openings", shelter_id=shelter, opening_status="closed", created_at=2)
    record = shelters.get(db, shelter)
    assert record is not None
    assert [shelters.line_of(db, INCIDENT, record)] == shelters.listed(db, INCIDENT)


def school(insert: Any, name: str = "戸田東中学校", number: str = "00001") -> dict[str, str]:
    """A school as it stands on both lists of a city."""
    place = {"address": "埼玉県戸田市下戸田1-11-15"}
    site = {**place, "designations": ["emergency"]}
    return {
        "itself": insert("shelters", name=name, common_id=f"E11224{number}111", designations=["evacuation"], **place),
        "yard": insert(
            "shelters", name=f"{name}\u3000校庭", common_id=f"E11224{number}201", hazards=["earthquake"], **site
        ),
        "rooms": insert(
            "shelters", name=f"{name}\u3000校舎（３階・４階）", common_id=f"E11224{number}202", hazards=["flood"],
            usable_floors=[3, 4], usable_floors_label="校舎(3階・4階)", **site,
        ),
    }  # fmt: skip


def test_the_emergency_sites_of_a_school_stand_inside_it_and_name_its_floors(db: Any, insert: Any) -> None:
    ids = school(insert)
    (line,) = shelters.listed(db, INCIDENT)
    assert line.shelter.id == ids["itself"]
    assert {site.id for site in line.sites} == {ids["yard"], ids["rooms"]}
    assert (line.shelter["usable_floors"], line.shelter["usable_floors_label"]) == ([3, 4], "校舎(3階・4階)")
    assert sorted(part for part, _ in line.parts) == ["校庭", "校舎（３階・４階）"]
    record = shelters.get(db, ids["itself"])
    assert record == line.shelter and shelters.line_of(db, INCIDENT, record) == line


def test_a_site_that_was_opened_itself_is_counted(db: Any, insert: Any) -> None:
    ids = school(insert)
    insert("shelter-openings", shelter_id=ids["yard"], opening_status="open")
    assert {line.shelter.id: line.group for line in shelters.listed(db, INCIDENT)} == {
        ids["itself"]: "unknown", ids["yard"]: "open",
    }  # fmt: skip


def test_two_schools_at_one_address_keep_their_own_sites(db: Any, insert: Any) -> None:
    middle = school(insert)
    primary = school(insert, name="戸田東小学校")
    found = {line.shelter.id: {site.id for site in line.sites} for line in shelters.listed(db, INCIDENT)}
    assert found == {ids["itself"]: {ids["yard"], ids["rooms"]} for ids in (middle, primary)}


def test_a_park_and_a_list_of_sites_alone_stand_by_themselves(db: Any, insert: Any) -> None:
    insert("shelters", name="新田公園", designations=["emergency"], address="美女木3-1")
    insert("shelters", name="喜沢小学校\u3000校舎（３階）", designations=["emergency"], common_id="E1122400003202")
    assert names(shelters.listed(db, INCIDENT)) == ["喜沢小学校\u3000校舎（３階）", "新田公園"]


def test_the_floors_that_a_shelter_names_itself_are_its_floors(db: Any, insert: Any) -> None:
    ids = school(insert)
    db.execute("UPDATE shelters SET usable_floors = '[2]' WHERE id = ?", (ids["itself"],))
    record = shelters.get(db, ids["itself"])
    assert record is not None and record["usable_floors"] == [2]


def test_only_what_is_shown_can_be_in_conflict(db: Any, insert: Any) -> None:
    """An opening that a newer one has taken the place of asks nobody for anything."""
    first, second = insert("shelters", name="第一小"), insert("shelters", name="第二小")
    insert("shelter-openings", shelter_id=first, opening_status="open", conflicts=1, created_at=1)
    insert("shelter-openings", shelter_id=first, opening_status="open", created_at=2)
    assert conflicts.listed(db, INCIDENT) == []
    split = insert("shelter-openings", shelter_id=second, opening_status="full", conflicts=1)
    assert [record.id for record in conflicts.listed(db, INCIDENT)] == [split]
    assert conflicts.counted(db, INCIDENT) == 1


def test_every_node_gives_a_shelters_first_opening_the_same_id() -> None:
    shelter, other = "01920000-0000-7000-8000-00000000000a", "01920000-0000-7000-8000-00000000000b"
    one = shelter_openings.first(b"scope", INCIDENT, shelter, "open")
    two = shelter_openings.first(b"scope", INCIDENT, shelter, "closed")
    assert one.record == two.record != shelter_openings.record_of(INCIDENT, other).bytes
    assert (one.expects, one.replaces) == (None, ())  # who says it saw nothing said before
