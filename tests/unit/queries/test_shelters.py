"""The list of shelters as people narrow it, and what was said of each."""

from __future__ import annotations

from typing import Any

from app.queries import shelters
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


def test_only_what_is_shown_can_be_in_conflict(db: Any, insert: Any) -> None:
    """An opening that a newer one has taken the place of asks nobody for anything."""
    first, second = insert("shelters", name="第一小"), insert("shelters", name="第二小")
    insert("shelter-openings", shelter_id=first, opening_status="open", conflicts=1, created_at=1)
    insert("shelter-openings", shelter_id=first, opening_status="open", created_at=2)
    assert shelters.in_conflict(db, INCIDENT) == []
    insert("shelter-openings", shelter_id=second, opening_status="full", conflicts=1)
    assert names(shelters.in_conflict(db, INCIDENT)) == ["第二小"]


def test_every_node_gives_a_shelters_first_opening_the_same_id() -> None:
    shelter, other = "01920000-0000-7000-8000-00000000000a", "01920000-0000-7000-8000-00000000000b"
    one = shelter_openings.first(b"scope", INCIDENT, shelter, "open")
    two = shelter_openings.first(b"scope", INCIDENT, shelter, "closed")
    assert one.record == two.record != shelter_openings.record_of(INCIDENT, other).bytes
    assert (one.expects, one.replaces) == (None, ())  # who says it saw nothing said before
