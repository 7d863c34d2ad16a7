"""Meetings that were numbered apart: the same letters on every node, and the next number after the greatest."""

from __future__ import annotations

from typing import Any

from app.queries import hq_meetings
from app.queries.arrivals import Here
from sync import oplog
from tests.unit.queries.conftest import INCIDENT, Insert

HERE = Here(b"\x01" * 16, None, True)


def held(insert: Insert, number: int, created_at: int, record_id: str | None = None) -> str:
    return insert("hq-meetings", record_id, meeting_no=number, held_at=1, created_at=created_at)


def test_a_number_that_was_given_twice_is_shown_as_a_and_b_by_when_it_was_opened(db: Any, insert: Insert) -> None:
    later, first, alone = held(insert, 3, 2_000), held(insert, 3, 1_000), held(insert, 4, 3_000)
    numbers = {line.meeting.id: line.number for line in hq_meetings.lines(db, INCIDENT)}
    assert numbers == {first: "3A", later: "3B", alone: "4"}
    assert [line.number for line in hq_meetings.lines(db, INCIDENT)] == ["4", "3B", "3A"]


def test_of_the_same_moment_the_id_decides_whatever_came_first(db: Any, insert: Insert) -> None:
    ids = [f"01920000-0000-7000-8000-00000000000{n}" for n in (2, 1)]
    for one in ids:
        held(insert, 1, 1_000, one)
    found = hq_meetings.get(db, ids[0])
    assert found is not None and hq_meetings.line(db, found).number == "1B"


def test_the_next_number_follows_the_greatest(db: Any, insert: Insert) -> None:
    assert hq_meetings.next_no(db, INCIDENT) == 1
    held(insert, 2, 1_000), held(insert, 7, 500)
    assert hq_meetings.next_no(db, INCIDENT) == 8


def test_a_decision_shows_each_instruction_that_was_made_of_it(db: Any, insert: Insert) -> None:
    for statement in oplog.CREATE:
        db.execute(statement)
    meeting = held(insert, 1, 1_000)
    team = insert("teams", name="巡回3班")
    done, open_ = (
        insert("hq-meeting-decisions", hq_meeting_id=meeting, text=text, created_at=at)
        for at, text in enumerate(("橋を閉じる", "広報する"))
    )
    given = insert("instructions", text="橋を閉じる", recipients=[team], decision_id=done)
    insert("instruction-replies", instruction_id=given, state="done", on_behalf_of=team)
    shown = hq_meetings.decisions(db, meeting, HERE)
    assert [(one.decision.id, [ladder.group for ladder in one.ladders]) for one in shown] == [
        (done, ["done"]),
        (open_, []),
    ]
    assert [line.decisions for line in hq_meetings.lines(db, INCIDENT)] == [2]
