"""Points of the rounds: what the front page counts, and those of a round. A 注意 that was cleared counts no more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.queries import joins, row
from app.queries.row import Record, Where

NAME = "patrol-points"
STATUSES = ("safe", "caution", "cleared")
LISTED_MAX = 300
STANDS = "NOT EXISTS (SELECT 1 FROM patrol_points c WHERE c.clears = patrol_points.id AND c.hidden = 0)"
_STANDING = f"(status <> 'caution' OR {STANDS})"


def get(db: Any, point_id: str) -> Record | None:
    return row.get(db, NAME, point_id)


def counts(db: Any, incident_id: str) -> dict[str, int]:
    rows = joins.ask(
        db,
        f"SELECT status, count(*) FROM patrol_points WHERE incident_id = ? AND hidden = 0 AND {_STANDING}"
        " GROUP BY status",
        (incident_id,),
    )
    found = dict(map(tuple, rows))
    return {status: found.get(status, 0) for status in STATUSES}


def counts_by_patrol(db: Any, patrol_ids: Sequence[str]) -> dict[str, dict[str, int]]:
    """The counts of each round that has judged something."""
    marks = ", ".join("?" for _ in patrol_ids)
    found: dict[str, dict[str, int]] = {}
    rows = db.execute(
        f"SELECT patrol_id, status, count(*) FROM patrol_points WHERE patrol_id IN ({marks}) AND hidden = 0"
        f" AND {_STANDING} GROUP BY patrol_id, status",
        tuple(patrol_ids),
    )
    for patrol_id, status, number in map(tuple, rows):
        found.setdefault(patrol_id, dict.fromkeys(STATUSES, 0))[status] = number
    return found


def of_patrol(db: Any, patrol_id: str) -> list[Record]:
    """The newest first."""
    where = Where().also("patrol_id = ?", patrol_id)
    return row.select(db, row.kind_of(NAME), where, f"ORDER BY order_key DESC, id DESC LIMIT {LISTED_MAX}")


def clearings(db: Any, points: Sequence[Record]) -> dict[str, Record]:
    """What cleared these points, by the id of the point: the first of it, where two did."""
    if not points:
        return {}
    marks = ", ".join("?" for _ in points)
    where = Where().also(f"clears IN ({marks})", *(point.id for point in points))
    found = row.select(db, row.kind_of(NAME), where, "ORDER BY order_key DESC, origin DESC, seq DESC")
    return {one["clears"]: one for one in found}
