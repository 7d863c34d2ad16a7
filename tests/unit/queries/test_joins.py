"""Two incidents that are one: what every query answers when it is asked about either of them."""

from __future__ import annotations

from typing import Any

import pytest

from app.queries import (
    channels,
    chat_messages,
    conflicts,
    damage_reports,
    front,
    head_counts,
    incidents,
    joins,
    map,
    orders,
    report_rows,
    shelters,
    totals,
)

FIRST, SECOND, THIRD = (f"01920000-0000-7000-8000-00000000000{n}" for n in (1, 2, 3))
ME = orders.Me("user-1", None, "00000000-0000-7000-8000-00000000000a")


@pytest.fixture
def twice(db: Any, insert: Any) -> str:
    """Something of each in both incidents; the second is the first. The shelter that both speak of."""
    insert("incidents", FIRST, name="台風", mode="drill", created_at=1)
    insert("incidents", SECOND, name="台風19号", mode="drill", same_as=FIRST, created_at=2)
    house = insert("shelters", name="第一小")
    for at, one in ((1, FIRST), (2, SECOND)):
        insert("damage-reports", incident_id=one, category="flood", created_at=at, location=[136, 31], urgency="red")
        insert("patrol-points", incident_id=one, status="caution", author=f"user-{at}", location=[136, 31])
        insert("shelter-openings", incident_id=one, shelter_id=house, opening_status=("closed", "open")[at - 1],
               created_at=at)  # fmt: skip
        insert(
            "head-counts", incident_id=one, shelter_id=house, post="受付", total=at * 10, order_key=at, counted_at=at
        )
        insert("instructions", incident_id=one, text="土のう", recipients=[ME.user])
        channel = insert("channels", incident_id=one, name="全体")
        insert("chat-messages", incident_id=one, channel_id=channel, text="来た", order_key=at, author="user-2")
    return house


@pytest.mark.parametrize("asked", [FIRST, SECOND])
def test_what_is_joined_is_listed_and_totalled_as_one(db: Any, twice: str, asked: str) -> None:
    found = totals.totals(db, asked, 9)
    assert found["damage_reports"] == {"open": 2, "in_progress": 0, "done": 0}
    assert found["patrols"]["caution"] == 2
    assert found["shelters"] == {"open": 1, "closed": 0, "preparing": 0, "unknown": 0}
    # One post that was counted in both is one post: the later count stands, and is not added to the earlier.
    assert found["people"]["value"] == 20
    assert [r.incident_id for r in report_rows.listing(db, asked)] == [SECOND, FIRST]
    assert (damage_reports.red_total(db, asked), len(map.reports(db, asked))) == (2, 2)
    assert len(orders.waiting(db, asked, ME)) == 2
    assert sum(chat_messages.unread(db, asked, ME.user).values()) == 2
    assert len(channels.listed(db, asked)) == 2
    counts = front.counts(db, asked, 9)
    assert (counts.patrol_people, counts.reports) == (2, 2)


def test_parted_again_each_has_its_own(db: Any, twice: str) -> None:
    db.execute("UPDATE incidents SET same_as = NULL")
    assert totals.totals(db, FIRST, 9)["damage_reports"]["open"] == 1
    assert head_counts.people(db, FIRST, 9).value == 10
    assert shelters.counts(db, FIRST)["closed"] == 1


def test_a_report_that_stands_in_both_counts_once(db: Any, twice: str) -> None:
    one, other = (report_rows.listing(db, FIRST)[n].id for n in (0, 1))
    db.execute("UPDATE damage_reports SET same_as = ? WHERE id = ?", (one, other))
    assert damage_reports.counts(db, FIRST)["open"] == 1


def test_the_list_shows_them_on_one_line_with_one_count(db: Any, twice: str) -> None:
    insert_of_another_mode(db)
    lines = incidents.listed(db)
    assert [(line.incident.id, line.reports, [one.id for one in line.same]) for line in lines] == [
        (THIRD, 0, []),
        (FIRST, 2, [SECOND]),
    ]
    assert [one.id for one in incidents.ongoing(db)] == [THIRD, FIRST]


def insert_of_another_mode(db: Any) -> None:
    """A link that was written past the form's check joins nothing: a drill never mixes with what is real."""
    db.execute(
        "INSERT INTO incidents (id, scope, name, mode, same_as, created_at, updated_at, node, origin, seq, merge_state,"
        " row_hash) VALUES (?, '63', '本番', 'real', ?, 3, 3, '', x'00', 1, x'', x'')",
        (THIRD, FIRST),
    )


def test_nothing_of_another_mode_is_covered(db: Any, twice: str) -> None:
    insert_of_another_mode(db)
    assert joins.group(db, FIRST) == (FIRST, SECOND)
    assert joins.group(db, THIRD) == (THIRD,)


def test_where_nothing_is_joined_the_sql_stays_as_it_was(db: Any, insert: Any) -> None:
    insert("incidents", FIRST, name="台風", mode="drill")
    asked = ("SELECT 1 FROM damage_reports WHERE incident_id = ? AND hidden = 0", (FIRST,))
    assert joins.covering(db, *asked) == asked


@pytest.mark.parametrize(
    ("links", "parted", "written"),
    [
        ({"b": "a"}, "b", {"b": None}),
        ({"b": "a"}, "a", {"b": None}),
        ({"b": "a", "c": "a"}, "a", {"b": None, "c": "b"}),
        ({"b": "a", "c": "b"}, "b", {"b": None, "c": "a"}),
        ({"a": "b", "b": "a"}, "a", {"a": None, "b": None}),
        ({"a": "b", "b": "a", "c": "a"}, "a", {"a": None, "b": None, "c": "b"}),
    ],
)
def test_one_is_parted_and_the_others_stay_together(
    links: dict[str, str], parted: str, written: dict[str, str | None]
) -> None:
    found = joins.Joins(links)
    assert found.parting(parted) == written
    after = {one: other for one, other in {**links, **written}.items() if other is not None}
    rest = set(found.group(parted)) - {parted}
    assert joins.Joins(after).group(parted) == (parted,)
    assert set(joins.Joins(after).group(min(rest))) == rest


def test_joined_both_ways_apart_the_older_one_leads() -> None:
    found = joins.Joins({"a": "b", "b": "a"})
    assert found.lead("a") == found.lead("b") == "a"


def test_a_doorbell_rings_on_the_pages_of_both() -> None:
    found = joins.together(["damage-reports:b", "sync"], joins.Joins({"b": "a"}))
    assert found == ["damage-reports:b", "damage-reports:a", "sync"]


def test_conflicts_of_both_are_counted_together(db: Any, twice: str) -> None:
    db.execute("UPDATE damage_reports SET conflicts = 1")
    assert conflicts.counted(db, SECOND) == 2
