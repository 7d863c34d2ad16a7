from __future__ import annotations

from typing import Any

from app.queries import conflicts, nodes, patrol_points, shelters, teams, totals, users

INCIDENT = "01920000-0000-7000-8000-000000000001"


def test_a_shelter_that_nobody_spoke_of_is_unknown_and_never_closed(db: Any, insert: Any) -> None:
    first, second = insert("shelters", name="第一小"), insert("shelters", name="第二小")
    insert("shelters", name="第三小")
    insert("shelter-openings", shelter_id=first, opening_status="closed", created_at=1)
    insert("shelter-openings", shelter_id=first, opening_status="full", created_at=2)
    insert("shelter-openings", shelter_id=second, opening_status="not_open")
    assert shelters.counts(db, INCIDENT) == {"open": 1, "closed": 0, "preparing": 1, "unknown": 1}


def test_people_are_unknown_rather_than_zero_while_nobody_counts(db: Any, insert: Any) -> None:
    first = insert("shelters", name="第一小")
    insert("shelter-openings", shelter_id=first, opening_status="open")
    insert("patrol-points", status="caution")
    found = totals.totals(db, INCIDENT, 77)
    assert found["people"] == {
        "value": None,
        "as_of": 77,
        "sources": 1,
        "reporting": 0,
        "oldest_at": None,
        "silent": [{"shelter_id": first, "name": "第一小"}],
    }
    assert found["patrols"] == {"safe": 0, "caution": 1, "cleared": 0} == patrol_points.counts(db, INCIDENT)


def test_conflicts_of_every_kind_are_listed_together(db: Any, insert: Any) -> None:
    older = insert("teams", name="第1班", conflicts=1, updated_at=1)
    newer = insert("damage-reports", category="flood", conflicts=2, updated_at=2)
    insert("damage-reports", category="flood")
    assert [found.id for found in conflicts.listed(db)] == [newer, older]
    assert conflicts.counted(db) == 2
    assert [found.id for found in conflicts.listed(db, INCIDENT)] == [newer, older]  # with those of the city
    assert [found.id for found in conflicts.listed(db, "01920000-0000-7000-8000-000000000009")] == [older]


def test_a_closed_channel_is_in_conflict_only_for_who_may_see_it(db: Any, insert: Any) -> None:
    closed = insert("channels", name="幹部", members=["user-1"], author="user-2", conflicts=1)
    for user, team, seen in (("user-1", None, [closed]), ("user-2", "x", [closed]), ("user-3", "user-9", [])):
        sight = conflicts.Sight(user, team, "viewer")
        assert [found.id for found in conflicts.listed(db, INCIDENT, sight=sight)] == seen
        assert conflicts.counted(db, INCIDENT, sight) == len(seen)


def test_a_standing_channel_in_conflict_is_seen_by_who_may_see_it(db: Any, insert: Any) -> None:
    hq = insert("channels", name="本部内", standing="hq", conflicts=1)
    team = insert("channels", name="第1班", standing="team", members=["team-1"], conflicts=1)
    insert("channels", name="甲・乙", standing="direct", members=["a", "b"], author="user-2", conflicts=1)
    for user, mine, role, seen in (("user-1", None, "commander", {hq, team}), ("user-2", "team-1", "patrol", {team})):
        sight = conflicts.Sight(user, mine, role)
        assert {found.id for found in conflicts.listed(db, INCIDENT, sight=sight)} == seen
        assert conflicts.counted(db, INCIDENT, sight) == len(seen)


def test_names_are_found_by_id(db: Any, insert: Any) -> None:
    team, user = insert("teams", name="第1班"), insert("users", name="佐藤", role="patrol", active=1)
    node = insert("nodes", name="T07", label="T07", capabilities=["field"])
    assert teams.names(db) == {team: "第1班"}
    assert users.names(db) == {user: "佐藤"}
    assert nodes.names(db) == {node.replace("-", ""): "T07"}
    assert [found.id for found in users.by_name(db, "佐藤")] == [user]
