from __future__ import annotations

from typing import Any

from app.queries import patrol_points, patrol_tracks, patrols
from app.queries.patrols import FRESH_MS, OLD_MS

INCIDENT = "01920000-0000-7000-8000-000000000001"
NOW = 1_700_000_000_000
MINUTE = 60_000


def states(db: Any) -> list[str]:
    return [one.state for one in patrols.listed(db, INCIDENT, NOW)]


def test_the_running_rounds_come_first_and_a_plan_before_what_is_over(db: Any, insert: Any) -> None:
    insert("patrols", started_at=1, finished_at=2)
    insert("patrols", finished_at=2)
    insert("patrols", name="明朝")
    insert("patrols", started_at=1)
    assert states(db) == ["running", "planned", "finished", "called_off"]


def test_a_round_was_last_where_its_newest_track_or_point_says(db: Any, insert: Any) -> None:
    one = insert("patrols", started_at=1)
    insert("patrol-tracks", patrol_id=one, points=[[136, 31, NOW - 9 * MINUTE, 5]], order_key=1)
    insert("patrol-tracks", patrol_id=one, points=[[136.1, 31, NOW - 8 * MINUTE, 5]], order_key=2)
    last = patrols.listed(db, INCIDENT, NOW)[0].last
    assert last is not None and (last.lon, last.age) == (136.1, "fresh")
    insert("patrol-points", patrol_id=one, status="safe", location=[136.2, 31], created_at=NOW - MINUTE)
    last = patrols.listed(db, INCIDENT, NOW)[0].last
    assert last is not None and (last.lon, last.age_ms) == (136.2, MINUTE)


def test_a_position_fades_with_its_age_and_one_of_a_clock_ahead_has_none(db: Any, insert: Any) -> None:
    ages = {}
    for at in (NOW - FRESH_MS, NOW - FRESH_MS - 1, NOW - OLD_MS - 1, NOW + 11 * MINUTE):
        one = insert("patrols", started_at=1)
        insert("patrol-tracks", patrol_id=one, points=[[136, 31, at, 5]])
        ages[one] = at
    found = {one.patrol.id: one.last for one in patrols.listed(db, INCIDENT, NOW)}
    assert [found[one].age for one in ages] == ["fresh", "old", "lost", "lost"]  # type: ignore[union-attr]


def test_batches_join_where_nothing_is_missing_and_part_where_something_is(db: Any, insert: Any) -> None:
    one = insert("patrols", started_at=1)

    def batch(order: int, at: int, lon: float, **more: Any) -> None:
        points = [[lon, 31, NOW + at * MINUTE, 5], [lon + 0.001, 31, NOW + (at + 1) * MINUTE, 5]]
        insert("patrol-tracks", patrol_id=one, points=points, order_key=order, **more)

    batch(1, 0, 136.0)
    batch(2, 2, 136.1)
    batch(3, 20, 136.2, gap="no_signal")
    batch(4, 40, 136.3)
    batch(5, 1, 137.0, node="11" * 16)
    found = patrol_tracks.stretches(db, one)
    assert [(stretch.gap, len(stretch.points)) for stretch in found] == [
        ("", 4), ("no_signal", 2), ("missing", 2), ("", 2),
    ]  # fmt: skip


def test_a_cleared_caution_counts_once_as_cleared(db: Any, insert: Any) -> None:
    one = insert("patrols", started_at=1)
    caution = insert("patrol-points", patrol_id=one, status="caution")
    insert("patrol-points", patrol_id=one, status="caution")
    insert("patrol-points", patrol_id=one, status="cleared", clears=caution, note="水が引いた")
    assert patrol_points.counts(db, INCIDENT) == {"safe": 0, "caution": 1, "cleared": 1}
    assert patrols.listed(db, INCIDENT, NOW)[0].counts == {"safe": 0, "caution": 1, "cleared": 1}
    points = patrol_points.of_patrol(db, one)
    assert list(patrol_points.clearings(db, points)) == [caution]


def test_a_route_gone_before_is_offered_once_by_its_name(db: Any, insert: Any) -> None:
    insert("patrols", name="左岸", route=[[136, 31]], created_at=1)
    newer = insert("patrols", name="左岸", route=[[136, 31], [136.1, 31]], created_at=2)
    insert("patrols", name="道順なし")
    insert("patrols", name="名前だけ", route="右岸")
    assert [one.id for one in patrols.routes(db)] == [newer]
