"""What the front page of an incident counts and names. Read by ``views/front.py``; only the tables are asked.

An empty answer is never 0: shelters without a report stand apart, and nobody counts heads yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app import catalog
from app.queries import damage_reports, patrol_points, row, shelters
from app.queries.row import Record, Where


@dataclass(frozen=True, slots=True)
class Counts:
    """The three blocks of the front page, by group of the catalogue."""

    damage_reports: dict[str, int]
    reports: int
    shelters: dict[str, int]
    patrols: dict[str, int]
    patrol_people: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """What HQ has not done yet, named: some rows of each, and how many there are."""

    red: list[Record]
    red_count: int
    conflicts: list[Record]
    conflicts_count: int

    @property
    def count(self) -> int:
        return self.red_count + self.conflicts_count


def counts(db: Any, incident_id: str) -> Counts:
    people = db.execute(
        "SELECT count(DISTINCT author) FROM patrol_points WHERE incident_id = ? AND hidden = 0", (incident_id,)
    ).fetchone()[0]
    return Counts(
        damage_reports=damage_reports.counts(db, incident_id),
        reports=damage_reports.matching(db, damage_reports.Filters(incident_id=incident_id)),
        shelters=shelters.counts(db, incident_id),
        patrols=patrol_points.counts(db, incident_id),
        patrol_people=int(people),
    )


def waiting(db: Any, incident_id: str, limit: int = 3) -> Waiting:
    """Red reports that nobody was given, and reports with a field of two values."""
    codes = catalog.table("response_statuses").in_group("open")
    marks = ", ".join("?" for _ in codes)
    here = Where().also("incident_id = ?", incident_id)
    red = here.also("urgency = 'red' AND team IS NULL AND same_as IS NULL").also(
        f"coalesce(response_status, 'open') IN ({marks})", *codes
    )
    split = here.also("conflicts > 0")
    kind, newest = row.kind_of("damage-reports"), f"ORDER BY created_at DESC LIMIT {int(limit)}"
    return Waiting(
        red=row.select(db, kind, red, newest),
        red_count=row.count(db, kind.name, red),
        conflicts=row.select(db, kind, split, newest),
        conflicts_count=row.count(db, kind.name, split),
    )
