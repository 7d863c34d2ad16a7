from __future__ import annotations

from typing import Any

import pytest

from app.errors import Invalid
from app.queries import damage_reports, row
from app.queries.damage_reports import Filters

INCIDENT = "01920000-0000-7000-8000-000000000001"


def ident(number: int) -> str:
    return f"00000000-0000-7000-8000-{number:012d}"


def report(insert: Any, number: int, **values: Any) -> str:
    told = {"category": "flood", "summary": "水", "created_at": number, "updated_at": number, **values}
    return insert("damage-reports", ident(number), **told)


def test_the_counts_put_each_status_into_its_group(db: Any, insert: Any) -> None:
    statuses = [None, "open", "accepted", "in_progress", "watching", "handed_over", "done", "not_needed"]
    for number, status in enumerate(statuses):
        report(insert, number, response_status=status)
    assert damage_reports.counts(db, INCIDENT) == {"open": 3, "in_progress": 3, "done": 2}


def test_a_status_of_a_newer_release_is_still_waiting_for_an_answer(db: Any, insert: Any) -> None:
    report(insert, 1, response_status="triaged")
    assert damage_reports.counts(db, INCIDENT)["open"] == 1


def test_a_duplicate_counts_with_its_original(db: Any, insert: Any) -> None:
    report(insert, 1, response_status="in_progress")
    report(insert, 2, response_status="duplicate", same_as=ident(1))
    assert damage_reports.counts(db, INCIDENT) == {"open": 0, "in_progress": 1, "done": 0}


def test_reports_that_are_the_same_count_once_under_the_smallest_id(db: Any, insert: Any) -> None:
    report(insert, 1, response_status="done")
    report(insert, 2, response_status="open", same_as=ident(1))
    report(insert, 3, response_status="open", same_as=ident(2))
    report(insert, 4, response_status="open")
    assert damage_reports.counts(db, INCIDENT) == {"open": 1, "in_progress": 0, "done": 1}


def test_two_that_name_each_other_count_once(db: Any, insert: Any) -> None:
    report(insert, 1, same_as=ident(2))
    report(insert, 2, same_as=ident(1))
    assert damage_reports.counts(db, INCIDENT)["open"] == 1


def test_a_report_joined_to_one_that_is_not_here_counts_alone(db: Any, insert: Any) -> None:
    report(insert, 1, same_as=ident(99))
    assert damage_reports.counts(db, INCIDENT)["open"] == 1


def test_a_removed_report_is_neither_listed_nor_counted(db: Any, insert: Any) -> None:
    report(insert, 1, hidden=1)
    assert damage_reports.counts(db, INCIDENT)["open"] == 0
    assert damage_reports.feed(db, INCIDENT) == []
    assert damage_reports.get(db, ident(1)) is None


def test_the_feed_shows_the_newest_first(db: Any, insert: Any) -> None:
    for number in range(1, 6):
        report(insert, number)
    assert [found.created_at for found in damage_reports.feed(db, INCIDENT, 3)] == [5, 4, 3]


def test_a_row_gives_back_positions_sets_and_flags(db: Any, insert: Any) -> None:
    report(insert, 1, location=[139.6, 35.8], attachments=["a" * 64], rescue_needed=1)
    found = damage_reports.get(db, ident(1))
    assert found is not None
    assert (found["location"], found["attachments"], found["rescue_needed"]) == (
        [139.6, 35.8],
        ["a" * 64],
        True,
    )


@pytest.mark.parametrize(
    ("filters", "wanted"),
    [
        (Filters(incident_id=INCIDENT), {1, 2, 3}),
        (Filters(incident_id=ident(77)), set()),
        (Filters(since=2), {2, 3}),
        (Filters(statuses=("open",)), {1, 3}),
        (Filters(statuses=("done", "open")), {1, 2, 3}),
        (Filters(bbox=(139.0, 35.0, 140.0, 36.0)), {1}),
        (Filters(category="road"), {3}),
    ],
)
def test_a_filter_leaves_the_reports_that_meet_it(db: Any, insert: Any, filters: Filters, wanted: set[int]) -> None:
    report(insert, 1, location=[139.6, 35.8])
    report(insert, 2, location=[141.6, 35.8], response_status="done")
    report(insert, 3, category="road", response_status="open")
    assert {found.created_at for found in damage_reports.listed(db, filters).items} == wanted
    assert damage_reports.matching(db, filters) == len(wanted)


def test_pages_follow_each_other_without_a_gap_or_a_double(db: Any, insert: Any) -> None:
    for number in range(1, 24):
        report(insert, number, created_at=number // 3)
    seen: list[str] = []
    cursor = None
    while True:
        page = damage_reports.listed(db, Filters(incident_id=INCIDENT), 5, cursor)
        seen += [found.id for found in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 23


@pytest.mark.parametrize("cursor", ["", "x", "é", "AAAA", "-1.a", "9" * 300, row.make_cursor(1 << 63, ident(1))])
def test_a_cursor_that_was_not_given_here_is_refused(db: Any, cursor: str) -> None:
    with pytest.raises(Invalid) as caught:
        damage_reports.listed(db, Filters(), 5, cursor)
    assert caught.value.field == "cursor"
