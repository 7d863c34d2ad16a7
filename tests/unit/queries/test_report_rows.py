"""The same damage is one row, whatever a list is narrowed to, and nothing that any of them says is lost."""

from __future__ import annotations

from typing import Any

from app.queries import report_rows
from app.queries.report_rows import Narrowed
from tests.unit.queries.conftest import INCIDENT

A, B, C = (f"00000000-0000-7000-8000-00000000000{number}" for number in range(1, 4))


def put(insert: Any, record_id: str, **values: Any) -> str:
    return str(insert("damage-reports", record_id, **{"category": "flood", "summary": "水", **values}))


def test_joined_reports_are_one_row_and_one_of_the_total(db: Any, insert: Any) -> None:
    put(insert, A), put(insert, B, same_as=A, urgency="red"), put(insert, C)
    assert {one.id for one in report_rows.listing(db, INCIDENT)} == {A, C}
    assert report_rows.total(db, INCIDENT) == 2
    assert report_rows.total(db, INCIDENT, Narrowed(groups=("open",))) == 2


def test_a_row_says_the_worst_that_any_of_its_reports_says(db: Any, insert: Any) -> None:
    put(insert, A, urgency="white", passability="passable")
    put(insert, B, same_as=A, urgency="red", rescue_needed=1)
    said = report_rows.together(db, INCIDENT, report_rows.listing(db, INCIDENT))[A]
    assert (said.count, said.worst["urgency"], said.worst["rescue_needed"]) == (2, "red", True)
    assert said.worst["passability"] is None  # nobody has said of B that one can pass


def test_what_only_a_joined_report_says_is_still_found_by_it(db: Any, insert: Any) -> None:
    put(insert, A, urgency="white"), put(insert, B, same_as=A, urgency="red")
    assert [one.id for one in report_rows.listing(db, INCIDENT, Narrowed(urgency="red"))] == [B]
    assert report_rows.total(db, INCIDENT, Narrowed(urgency="red")) == 1
    assert [one.id for one in report_rows.listing(db, INCIDENT, Narrowed(urgency="white"))] == [A]


def test_the_status_of_joined_reports_is_that_of_the_lead(db: Any, insert: Any) -> None:
    put(insert, A, response_status="done"), put(insert, B, same_as=A, response_status="open", urgency="red")
    assert report_rows.listing(db, INCIDENT, Narrowed(groups=("open",))) == []
    assert [one.id for one in report_rows.listing(db, INCIDENT, Narrowed(groups=("done",)))] == [A]


def test_a_later_page_does_not_repeat_a_report_whose_lead_stood_on_an_earlier_one(db: Any, insert: Any) -> None:
    put(insert, A, created_at=50), put(insert, B, same_as=A, created_at=10), put(insert, C, created_at=5)
    assert [one.id for one in report_rows.listing(db, INCIDENT, Narrowed(before=50))] == [C]
