"""The rules of what cannot both be so: each finds what breaks it, and leaves alone what does not."""

from __future__ import annotations

from typing import Any

import pytest

from app import catalog
from app.queries import contradictions

INCIDENT = "01920000-0000-7000-8000-000000000001"
NODE = "01920000-0000-7000-8000-00000000000a"
ROUTE = [[136.0, 31.5], [136.01, 31.5]]


def rules(db: Any) -> list[tuple[str, str]]:
    return [(one.rule, one.record.id) for one in contradictions.found(db, INCIDENT, 10_000)]


def shelter(insert: Any, status: str, people: int, capacity: int | None = 100) -> str:
    found: str = insert("shelters", name="葦原小", capacity=capacity)
    insert("shelter-openings", shelter_id=found, opening_status=status)
    insert("head-counts", shelter_id=found, total=people, counted_at=9_000)
    return found


def test_every_rule_of_the_catalogue_is_asked_and_no_other() -> None:
    assert tuple(contradictions._RULES) == catalog.table("contradictions").codes


def test_nothing_recorded_contradicts_nothing(db: Any) -> None:
    assert rules(db) == []


def test_more_people_than_places(db: Any, insert: Any) -> None:
    full = shelter(insert, "open", 101)
    shelter(insert, "open", 100)
    shelter(insert, "open", 5_000, None)
    assert rules(db) == [("shelter_over_capacity", full)]
    assert contradictions.found(db, INCIDENT, 10_000)[0].seen == "capacity=100 people=101"


@pytest.mark.parametrize("status", ["closed", "unusable"])
def test_people_where_nobody_should_be(db: Any, insert: Any, status: str) -> None:
    found = shelter(insert, status, 3)
    shelter(insert, status, 0)
    assert rules(db) == [("closed_shelter_with_people", found)]


def report(insert: Any, status: str | None, **more: Any) -> str:
    found: str = insert("damage-reports", category="road", summary="冠水", response_status=status, **more)
    return found


def test_an_instruction_goes_on_though_its_report_is_finished(db: Any, insert: Any) -> None:
    over, going = report(insert, "done"), report(insert, "in_progress")
    late = insert("instructions", text="排水", recipients=[NODE], damage_report_id=over)
    insert("instructions", text="排水", recipients=[NODE], damage_report_id=going)
    insert("instructions", text="やめた", recipients=[NODE], damage_report_id=over, withdrawn_at=5)
    ended = insert("instructions", text="終えた", recipients=[NODE], damage_report_id=over)
    insert("instruction-replies", instruction_id=ended, state="done")
    insert("instruction-replies", instruction_id=late, state="taken_back",
           takes_back=insert("instruction-replies", instruction_id=late, state="done"))  # fmt: skip
    assert rules(db) == [("instruction_to_finished_report", late)]
    insert("instruction-replies", instruction_id=late, state="started")
    assert rules(db) == [("instruction_to_finished_report", late)]
    insert("instruction-replies", instruction_id=late, state="cannot")
    assert rules(db) == []


def test_an_instruction_to_a_terminal_that_was_taken_out(db: Any, insert: Any) -> None:
    gone = insert("instructions", text="土のう", recipients=[NODE, "someone"])
    insert("instructions", text="土のう", recipients=["someone"])
    assert rules(db) == []
    insert("revocations", NODE)
    assert rules(db) == [("instruction_to_revoked_node", gone)]


def test_a_round_that_is_planned_over_a_road_that_is_closed(db: Any, insert: Any) -> None:
    planned = insert("patrols", name="東", route=ROUTE)
    insert("patrols", name="終わった", route=ROUTE, started_at=1, finished_at=2)
    insert("patrols", name="名だけ", route="東回り")
    report(insert, None, passability="impassable", location=[136.005, 31.501])  # 111 m beside it
    report(insert, "done", passability="impassable", location=[136.005, 31.5])
    report(insert, None, passability="foot_only", location=[136.005, 31.5])
    assert rules(db) == []
    report(insert, None, passability="impassable", location=[136.005, 31.50026])  # 29 m
    assert rules(db) == [("closed_road_on_round", planned)]


def test_the_way_ends_where_it_ends() -> None:
    assert contradictions.metres_from([136.0, 31.5], ROUTE) == 0
    beyond = contradictions.metres_from([136.02, 31.5], ROUTE)
    assert beyond == pytest.approx(contradictions.metres_from([136.02, 31.5], [ROUTE[1]]))
    assert beyond == pytest.approx(949, abs=5)


def test_reports_that_say_two_things_of_themselves(db: Any, insert: Any) -> None:
    needed = report(insert, "not_needed", rescue_needed=1)
    alone = report(insert, "duplicate")
    report(insert, "duplicate", same_as=needed)
    report(insert, "not_needed", rescue_needed=0)
    original = report(insert, "duplicate")  # chosen from the other end
    report(insert, None, same_as=original)
    assert rules(db) == [("rescue_not_needed", needed), ("duplicate_without_original", alone)]


def test_a_shelter_that_joined_incidents_speak_of_in_two_ways(db: Any, insert: Any) -> None:
    other = "01920000-0000-7000-8000-000000000002"
    insert("incidents", INCIDENT, name="台風", mode="drill")
    insert("incidents", other, name="台風", mode="drill")
    found = insert("shelters", name="葦原小")
    insert("shelter-openings", shelter_id=found, opening_status="open")
    insert("shelter-openings", shelter_id=found, opening_status="closed", incident_id=other, scope="64" + other,
           created_at=2_000)  # fmt: skip
    assert rules(db) == []
    db.execute("UPDATE incidents SET same_as = ? WHERE id = ?", (INCIDENT, other))
    assert rules(db) == [("shelter_said_two_ways", found)]


def test_what_was_set_aside_stands_apart_until_its_facts_change(db: Any, insert: Any) -> None:
    full = shelter(insert, "open", 101)
    said = {"rule": "shelter_over_capacity", "about": full, "because": "体育館も使う"}
    insert("set-asides", facts="capacity=100 people=101", lifted=0, **said)
    listed = contradictions.found(db, INCIDENT, 10_000)
    assert [one.aside["because"] for one in listed if one.aside] == ["体育館も使う"]
    assert contradictions.waiting(listed) == []
    insert("head-counts", shelter_id=full, total=180, counted_at=9_500, order_key=2)
    assert len(contradictions.waiting(contradictions.found(db, INCIDENT, 10_000))) == 1


def test_what_was_set_aside_and_lifted_waits_again(db: Any, insert: Any) -> None:
    full = shelter(insert, "open", 101)
    insert("set-asides", rule="shelter_over_capacity", about=full, facts="capacity=100 people=101", lifted=1)
    assert len(contradictions.waiting(contradictions.found(db, INCIDENT, 10_000))) == 1
