"""Meetings of HQ with the number they are shown under, their decisions, and the instructions made of those."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from app.queries import row
from app.queries.arrivals import Here
from app.queries.ladder import Ladder, ladders
from app.queries.row import Record, Where

NAME, DECISIONS = "hq-meetings", "hq-meeting-decisions"
LISTED_MAX = 500
BRANCHES = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Line:
    """A meeting. ``branch`` is A, B … where its number was given twice, else empty."""

    meeting: Record
    branch: str
    decisions: int = 0

    @property
    def number(self) -> str:
        return f"{self.meeting['meeting_no'] or '―'}{self.branch}"


@dataclass(frozen=True, slots=True)
class Decision:
    decision: Record
    ladders: tuple[Ladder, ...]


def get(db: Any, meeting_id: str) -> Record | None:
    return row.get(db, NAME, meeting_id)


def decision(db: Any, decision_id: str) -> Record | None:
    return row.get(db, DECISIONS, decision_id)


def lines(db: Any, incident_id: str) -> list[Line]:
    """All of an incident, the last one first, with how much each decided."""
    found = _listed(db, incident_id)
    counted: dict[str, int] = {}
    for one in row.select(db, row.kind_of(DECISIONS), Where().also("incident_id = ?", incident_id)):
        counted[one["hq_meeting_id"]] = counted.get(one["hq_meeting_id"], 0) + 1
    branches = branches_of(found)
    shown = [Line(one, branches.get(one.id, ""), counted.get(one.id, 0)) for one in found]
    return sorted(shown, key=lambda line: (line.meeting["meeting_no"] or 0, line.branch, line.meeting.id), reverse=True)


def line(db: Any, meeting: Record) -> Line:
    """A meeting under the number that its incident's list shows it under."""
    branches = branches_of(_listed(db, meeting.incident_id or ""))
    return Line(meeting, branches.get(meeting.id, ""))


def branches_of(found: Iterable[Record]) -> dict[str, str]:
    """The letters of meetings that share a number: A is the one that was opened first, the same on every node."""
    same: dict[int, list[Record]] = {}
    for one in found:
        same.setdefault(one["meeting_no"] or 0, []).append(one)
    return {
        one.id: BRANCHES[min(place, len(BRANCHES) - 1)]
        for shared in same.values()
        if len(shared) > 1
        for place, one in enumerate(sorted(shared, key=lambda one: (one.created_at, one.id)))
    }


def next_no(db: Any, incident_id: str) -> int:
    """The number after the greatest that is known here."""
    return max((one["meeting_no"] or 0 for one in _listed(db, incident_id)), default=0) + 1


def decisions(db: Any, meeting_id: str, here: Here) -> list[Decision]:
    """In the order in which they were written, each with the instructions made of it and how far those have got."""
    where = Where().also("hq_meeting_id = ?", meeting_id)
    found = row.select(db, row.kind_of(DECISIONS), where, f"ORDER BY created_at, origin, seq LIMIT {LISTED_MAX}")
    given = ladders(db, _instructions(db, [one.id for one in found]), here)
    return [
        Decision(one, tuple(ladder for ladder in given if ladder.instruction["decision_id"] == one.id)) for one in found
    ]


def _instructions(db: Any, decision_ids: Sequence[str]) -> list[Record]:
    if not decision_ids:
        return []
    where = Where().also(f"decision_id IN ({', '.join('?' for _ in decision_ids)})", *decision_ids)
    return row.select(db, row.kind_of("instructions"), where, "ORDER BY created_at, id")


def _listed(db: Any, incident_id: str) -> list[Record]:
    where = Where().also("incident_id = ?", incident_id)
    return row.select(db, row.kind_of(NAME), where, f"ORDER BY created_at, id LIMIT {LISTED_MAX}")
