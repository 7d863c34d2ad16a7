"""A total is the latest of each post, and says how old it is and who has not spoken."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from app.queries import head_counts, totals

INCIDENT = "01920000-0000-7000-8000-000000000001"
NOW = 1_570_881_600_000
MINUTE = 60_000


@pytest.fixture
def count(insert: Any) -> Any:
    """count(shelter, total, minutes_ago=…): entries in the order in which they are put there."""
    made = [0]

    def put(shelter_id: str, total: int, minutes_ago: int = 0, **values: Any) -> str:
        made[0] += 1
        values = {"order_key": made[0], "counted_at": NOW - minutes_ago * MINUTE, **values}
        return str(insert("head-counts", shelter_id=shelter_id, total=total, **values))

    return put


@pytest.fixture
def shelter(insert: Any) -> Any:
    def put(name: str, status: str | None = "open") -> str:
        found = str(insert("shelters", name=name))
        if status is not None:
            insert("shelter-openings", shelter_id=found, opening_status=status)
        return found

    return put


def people(db: Any) -> head_counts.People:
    return head_counts.people(db, INCIDENT, NOW)


def test_the_latest_count_of_a_post_takes_the_place_of_the_one_before(db: Any, shelter: Any, count: Any) -> None:
    first = shelter("第一小")
    count(first, 80, minutes_ago=20)
    count(first, 97)
    assert people(db).value == 97


def test_two_posts_of_one_shelter_add_up_and_it_is_as_old_as_the_older_one(db: Any, shelter: Any, count: Any) -> None:
    first = shelter("第一小")
    count(first, 151, minutes_ago=1, post="正門")
    count(first, 83, minutes_ago=12, post="体育館口")
    found = people(db)
    assert found.value == 234
    assert [(source.total, source.age_ms) for source in found.sources] == [(234, 12 * MINUTE)]
    assert found.sources[0].state == "fresh"


def test_a_nameless_post_is_a_post_of_its_own(db: Any, shelter: Any, count: Any) -> None:
    first = shelter("第一小")
    count(first, 10)
    count(first, 12, post="正門")
    assert [(post.name, post.total) for post in people(db).sources[0].posts] == [(None, 10), ("正門", 12)]


def test_of_two_that_stand_at_one_place_of_the_ledger_the_same_one_is_latest_everywhere(
    db: Any, shelter: Any, count: Any
) -> None:
    first = shelter("第一小")
    count(first, 50, order_key=7, origin=b"b" * 16, seq=1)
    count(first, 60, order_key=7, origin=b"a" * 16, seq=9)
    assert people(db).value == 50
    count(first, 70, order_key=7, origin=b"b" * 16, seq=2)
    assert people(db).value == 70


def test_a_count_from_a_clock_ten_years_ahead_hides_no_later_one(db: Any, shelter: Any, count: Any) -> None:
    first = shelter("第一小")
    count(first, 40, minutes_ago=-10 * 365 * 24 * 60)
    wrong = people(db)
    assert (wrong.value, wrong.sources[0].state, wrong.sources[0].age_ms) == (40, "old", None)
    count(first, 55, minutes_ago=1)
    assert (people(db).value, people(db).sources[0].state) == (55, "fresh")


def test_a_clock_that_is_a_little_ahead_counts_as_now(db: Any, shelter: Any, count: Any) -> None:
    count(shelter("第一小"), 40, minutes_ago=-9)
    assert people(db).sources[0].age_ms == 0


def test_age_runs_from_the_counting_and_not_from_the_arrival(db: Any, shelter: Any, count: Any) -> None:
    count(shelter("第一小"), 40, minutes_ago=41, created_at=NOW)
    assert people(db).sources[0].age_ms == 41 * MINUTE
    assert people(db).sources[0].state == "old"


def test_without_a_time_of_counting_it_is_the_time_of_writing(db: Any, shelter: Any, count: Any) -> None:
    count(shelter("第一小"), 40, counted_at=None, created_at=NOW - 5 * MINUTE)
    assert people(db).oldest_at == NOW - 5 * MINUTE


def test_only_the_old_posts_are_the_old_number(db: Any, shelter: Any, count: Any) -> None:
    first, second = shelter("第一小"), shelter("第二小")
    count(first, 100, post="正門")
    count(first, 16, minutes_ago=31, post="裏門")
    count(second, 96, minutes_ago=80)
    found = people(db)
    assert (found.value, found.old_total) == (212, 112)
    assert [source.name for source in found.in_state("old")] == ["第二小", "第一小"]


def test_a_shelter_that_was_emptied_counts_zero_and_one_that_is_silent_counts_nothing(
    db: Any, shelter: Any, count: Any
) -> None:
    first, second = shelter("第一小"), shelter("第二小", "full")
    count(first, 0)
    found = totals.totals(db, INCIDENT, NOW)["people"]
    assert found == {
        "value": 0,
        "as_of": NOW,
        "sources": 2,
        "reporting": 1,
        "oldest_at": NOW,
        "silent": [{"shelter_id": second, "name": "第二小"}],
    }


def test_sources_are_the_open_shelters_and_whoever_else_reported(db: Any, shelter: Any, count: Any) -> None:
    for name, status in (("開", "open"), ("満", "full"), ("閉準", "closing"), ("準備", "preparing"), ("不明", None)):
        shelter(name, status)
    closed = shelter("閉鎖", "closed")
    count(closed, 3)
    unheard = str(uuid.uuid4())
    count(unheard, 4)
    found = people(db)
    assert {source.name for source in found.sources} == {"開", "満", "閉準", "閉鎖", None}
    assert (found.value, found.reporting) == (7, 2)


def test_another_incident_and_what_was_removed_do_not_count(db: Any, shelter: Any, count: Any) -> None:
    first = shelter("第一小")
    count(first, 10, incident_id="01920000-0000-7000-8000-000000000002")
    assert people(db).value is None
    count(first, 11)
    count(first, 99, hidden=1)
    assert people(db).value == 11


def test_the_history_of_a_shelter_has_every_count_of_every_post(db: Any, shelter: Any, count: Any) -> None:
    first, second = shelter("第一小"), shelter("第二小")
    count(first, 1)
    count(first, 2, post="正門", node="11" * 16)
    count(first, 3, post="正門", node="22" * 16)
    count(second, 9)
    found = head_counts.history(db, INCIDENT, first)
    assert [(entry["total"], entry.node[:2]) for entry in found] == [(3, "22"), (2, "11"), (1, "00")]


def test_the_latest_of_each_post_is_found_in_the_index_of_posts(db: Any) -> None:
    """A city counts for days: what is asked at each front page must not read every row there is."""
    sql = f"SELECT total FROM head_counts WHERE hidden = 0 AND +incident_id = ? AND {head_counts._LATEST}"
    plan = " ".join(line[3] for line in db.execute("EXPLAIN QUERY PLAN " + sql, (INCIDENT, INCIDENT)))
    assert "COVERING INDEX head_counts_by_post" in plan
    assert "SEARCH head_counts USING INDEX sqlite_autoindex_head_counts_1 (id=?)" in plan
