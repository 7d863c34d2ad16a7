"""The totals of an incident, each as of when and from how many of how many sources. Blank is never 0."""

from __future__ import annotations

from typing import Any

from app import catalog
from app.queries import damage_reports, patrol_points, shelters


def totals(db: Any, incident_id: str, as_of: int) -> dict[str, Any]:
    """The shape of the API's totals, times in ms. Nobody counts heads yet: the number of people is null."""
    lines = shelters.listed(db, incident_id)
    statuses = catalog.table("shelter_statuses")
    by_group = dict.fromkeys(shelters.GROUPS, 0)
    for line in lines:
        by_group[statuses.group(line.status) or "unknown"] += 1
    sources = [line.shelter for line in lines if statuses.group(line.status) == "open"]
    return {
        "people": {
            "value": None,
            "as_of": as_of,
            "sources": len(sources),
            "reporting": 0,
            "oldest_at": None,
            "silent": [{"shelter_id": shelter.id, "name": shelter["name"]} for shelter in sources],
        },
        "shelters": by_group,
        "damage_reports": damage_reports.counts(db, incident_id),
        "patrols": patrol_points.counts(db, incident_id),
    }
