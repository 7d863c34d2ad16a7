"""Shelters with their state in an incident."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app import catalog
from app.queries import row
from app.queries.row import Record, Where

GROUPS = ("open", "closed", "preparing", "unknown")


@dataclass(frozen=True, slots=True)
class ShelterLine:
    """A shelter and what was last said of it in an incident; unknown where nobody has spoken."""

    shelter: Record
    status: str
    opening: Record | None


def get(db: Any, shelter_id: str) -> Record | None:
    return row.get(db, "shelters", shelter_id)


def listed(db: Any, incident_id: str) -> list[ShelterLine]:
    where = Where().also("incident_id = ?", incident_id)
    openings = row.select(db, row.kind_of("shelter-openings"), where, "ORDER BY created_at, id")
    newest = {opening["shelter_id"]: opening for opening in openings}
    shelters = row.select(db, row.kind_of("shelters"), Where(), "ORDER BY name, id")
    return [_line(shelter, newest.get(shelter.id)) for shelter in shelters]


def counts(db: Any, incident_id: str) -> dict[str, int]:
    """{open, closed, preparing, unknown} of all shelters of the city."""
    found = dict.fromkeys(GROUPS, 0)
    for line in listed(db, incident_id):
        found[catalog.table("shelter_statuses").group(line.status) or "unknown"] += 1
    return found


def _line(shelter: Record, opening: Record | None) -> ShelterLine:
    return ShelterLine(shelter, (opening and opening["opening_status"]) or "unknown", opening)
