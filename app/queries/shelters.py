"""Shelters with their state in an incident."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app import catalog
from app.queries import row
from app.queries.row import Record, Where

GROUPS = ("open", "closed", "preparing", "unknown")
_IN_LISTS = ("open", "preparing", "unknown", "closed")


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
    split = row.count(db, "shelter-openings", Where().also("incident_id = ?", incident_id).also("conflicts > 0"))
    if not split:  # asked at every page of the incident, for the menu
        return []
    return [line for line in listed(db, incident_id) if line.opening is not None and line.opening.conflicts]


def narrowed(lines: Sequence[ShelterLine], group: str | None = None, words: str | None = None) -> list[ShelterLine]:
    """The lines that a person asked for: the open ones first, then by name."""
    found = [line for line in lines if group in (None, line.group) and _speaks_of(line.shelter, words)]
    return sorted(found, key=lambda line: (_IN_LISTS.index(line.group), line.shelter["name"] or "", line.shelter.id))


def counts(db: Any, incident_id: str) -> dict[str, int]:
    """{open, closed, preparing, unknown} of all shelters of the city."""
    return grouped(listed(db, incident_id))


def grouped(lines: Sequence[ShelterLine]) -> dict[str, int]:
    found = dict.fromkeys(GROUPS, 0)
    for line in lines:
        found[line.group] += 1
    return found


def _speaks_of(shelter: Record, words: str | None) -> bool:
    said = [str(shelter[name] or "") for name in ("name", "kana", "address", "district", "facility", "common_id")]
    text = unicodedata.normalize("NFKC", " ".join(said)).casefold()
    return all(word in text for word in unicodedata.normalize("NFKC", words or "").casefold().split())


def _line(shelter: Record, opening: Record | None) -> ShelterLine:
    return ShelterLine(shelter, (opening and opening["opening_status"]) or "unknown", opening)
