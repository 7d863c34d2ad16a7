"""Shelters with their state in an incident."""

from __future__ import annotations

from collections.abc import Sequence
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

    @property
    def group(self) -> str:
        """What the front page counts it as: open, closed, preparing or unknown."""
        return catalog.table("shelter_statuses").group(self.status) or "unknown"


def get(db: Any, shelter_id: str) -> Record | None:
    return row.get(db, "shelters", shelter_id)


def listed(db: Any, incident_id: str) -> list[ShelterLine]:
    where = Where().also("incident_id = ?", incident_id)
    openings = row.select(db, row.kind_of("shelter-openings"), where, "ORDER BY created_at, id")
    newest = {opening["shelter_id"]: opening for opening in openings}
    shelters = row.select(db, row.kind_of("shelters"), Where(), "ORDER BY name, id")
    return [_line(shelter, newest.get(shelter.id)) for shelter in shelters]


def line_of(db: Any, incident_id: str, shelter: Record) -> ShelterLine:
    """One shelter's line."""
    where = Where().also("incident_id = ?", incident_id).also("shelter_id = ?", shelter.id)
    newest = row.select(db, row.kind_of("shelter-openings"), where, "ORDER BY created_at DESC, id DESC LIMIT 1")
    return _line(shelter, newest[0] if newest else None)


def in_conflict(db: Any, incident_id: str) -> list[ShelterLine]:
    """Shelters of whose state several values are known."""
    where = Where().also("incident_id = ?", incident_id).also("conflicts > 0")
    split = row.select(db, row.kind_of("shelter-openings"), where, "ORDER BY created_at, id")
    known = {opening["shelter_id"]: opening for opening in split}
    lines = [(opening, get(db, shelter_id)) for shelter_id, opening in known.items()]
    return [_line(shelter, opening) for opening, shelter in lines if shelter is not None]


def in_conflict_count(db: Any, incident_id: str) -> int:
    where = Where().also("incident_id = ?", incident_id).also("conflicts > 0")
    return row.count(db, "shelter-openings", where)


def counts(db: Any, incident_id: str) -> dict[str, int]:
    """{open, closed, preparing, unknown} of all shelters of the city."""
    return grouped(listed(db, incident_id))


def grouped(lines: Sequence[ShelterLine]) -> dict[str, int]:
    found = dict.fromkeys(GROUPS, 0)
    for line in lines:
        found[line.group] += 1
    return found


def _line(shelter: Record, opening: Record | None) -> ShelterLine:
    return ShelterLine(shelter, (opening and opening["opening_status"]) or "unknown", opening)
