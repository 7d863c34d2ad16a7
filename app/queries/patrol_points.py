"""Points of the rounds: what the front page counts."""

from __future__ import annotations

from typing import Any

from app.queries import joins

STATUSES = ("safe", "caution", "cleared")


def counts(db: Any, incident_id: str) -> dict[str, int]:
    rows = joins.ask(
        db,
        "SELECT status, count(*) FROM patrol_points WHERE incident_id = ? AND hidden = 0 GROUP BY status",
        (incident_id,),
    )
    found = dict(map(tuple, rows))
    return {status: found.get(status, 0) for status in STATUSES}
