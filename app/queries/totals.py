"""The totals of an incident, each as of when and from how many of how many sources. Blank is never 0."""

from __future__ import annotations

from typing import Any

from app.queries import damage_reports, head_counts, patrol_points, shelters
from app.queries.head_counts import People


def totals(db: Any, incident_id: str, as_of: int) -> dict[str, Any]:
    """The shape of the API's totals, times in ms."""
    lines = shelters.listed(db, incident_id)
    return {
        "people": _people(head_counts.people(db, incident_id, as_of, lines)),
        "shelters": shelters.grouped(lines),
        "damage_reports": damage_reports.counts(db, incident_id),
        "patrols": patrol_points.counts(db, incident_id),
    }


def _people(people: People) -> dict[str, Any]:
    return {
        "value": people.value,
        "as_of": people.as_of,
        "sources": len(people.sources),
        "reporting": people.reporting,
        "oldest_at": people.oldest_at,
        "silent": [{"shelter_id": source.shelter_id, "name": source.name} for source in people.in_state("silent")],
    }
