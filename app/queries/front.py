"""What the front page of an incident counts and names. Read by ``views/front.py``; only the tables are asked.

An empty answer is never 0: shelters that nobody spoke of stand apart, and so do those that have not counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app import catalog
from app.queries import (
    conflicts,
    contradictions,
    damage_reports,
    doubles,
    head_counts,
    joins,
    patrol_points,
    row,
    shelters,
)
from app.queries.contradictions import Contradiction
from app.queries.head_counts import People, Source
from app.queries.row import Record, Where
from app.queries.shelters import ShelterLine


@dataclass(frozen=True, slots=True)
class Counts:
    """The total of people and the three blocks of the front page, by group of the catalogue."""

    people: People
    damage_reports: dict[str, int]
    reports: int
    shelters: dict[str, int]
    full: int
    patrols: dict[str, int]
    patrol_people: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """What HQ has not done yet, named: some rows of each, and how many there are."""

    red: list[Record]
    red_count: int
    conflicts: list[Record]
    conflicts_count: int
    contradictions: list[Contradiction]
    old: list[Source]
    silent: list[Source]

    @property
    def count(self) -> int:
        """What waits: each record, and once each what is to be asked of the shelters."""
        return self.red_count + self.conflicts_count + len(self.contradictions) + bool(self.old) + bool(self.silent)


def counts(db: Any, incident_id: str, now: int, lines: list[ShelterLine] | None = None) -> Counts:
    lines = shelters.listed(db, incident_id) if lines is None else lines
    walking = "SELECT count(DISTINCT author) FROM patrol_points WHERE incident_id = ? AND hidden = 0"
    patrol_people = joins.ask(db, walking, (incident_id,)).fetchone()[0]
    return Counts(
        people=head_counts.people(db, incident_id, now, lines),
        damage_reports=damage_reports.counts(db, incident_id),
        reports=damage_reports.total(db, incident_id),
        shelters=shelters.grouped(lines),
        full=sum(1 for line in lines if line.status == "full"),
        patrols=patrol_points.counts(db, incident_id),
        patrol_people=int(patrol_people),
    )


def waiting(
    db: Any,
    incident_id: str,
    people: People,
    sight: conflicts.Sight | None = None,
    lines: list[ShelterLine] | None = None,
    limit: int = 3,
) -> Waiting:
    """Red reports that nobody was given, records with a field of two values, and numbers that are old or missing."""
    codes = catalog.table("response_statuses").in_group("open")
    marks = ", ".join("?" for _ in codes)
    here = Where().also("incident_id = ?", incident_id)
    # Two conditions, not one with OR: the first is what the index of red reports is made for.
    red = here.also("urgency = 'red' AND team IS NULL AND same_as IS NULL").also(
        f"coalesce(response_status, 'open') IN ({marks})", *codes
    )
    behind = doubles.members(db, doubles.red_behind(db, incident_id, codes))
    kind, newest = row.kind_of("damage-reports"), f"ORDER BY created_at DESC LIMIT {int(limit)}"
    return Waiting(
        red=sorted([*row.select(db, kind, red, newest), *behind], key=lambda one: -one.created_at)[:limit],
        red_count=damage_reports.red_total(db, incident_id),
        conflicts=conflicts.listed(db, incident_id, limit, sight),
        conflicts_count=conflicts.counted(db, incident_id, sight),
        contradictions=contradictions.waiting(contradictions.found(db, incident_id, people.as_of, lines, people)),
        old=people.in_state("old"),
        silent=people.in_state("silent"),
    )
