"""What stands on the map of an incident, in as few bytes as a slow tablet can take: rows without names.

Before: the tables. After: ``views/map.py`` gives them to the markers (``static/js/map/markers.js``), which know the
columns by their order.
"""

from __future__ import annotations

import json
from typing import Any

from app import catalog
from app.queries import joins, row, shelters
from app.queries import patrol_points as points_module
from app.queries.row import Record, Where

URGENCIES = ("red", "yellow", "green", "white")  # a report without one is the fifth
GROUPS = ("open", "in_progress", "done")
PATROL_STATUSES = ("safe", "caution", "cleared")
REPORTS_MAX, POINTS_MAX, LISTED_MAX = 20_000, 1_000, 300


def reports(db: Any, incident_id: str) -> list[list[Any]]:
    """[id, lon, lat, urgency, group, impassable] of each report with a place; a duplicate stands at its original."""
    rows = joins.ask(
        db,
        "SELECT id, location, urgency, coalesce(response_status, 'open'), passability FROM damage_reports"
        " WHERE incident_id = ? AND hidden = 0 AND location IS NOT NULL ORDER BY created_at DESC, id DESC LIMIT ?",
        (incident_id, REPORTS_MAX),
    )
    statuses = catalog.table("response_statuses")
    groups = {code: GROUPS.index(statuses.group(code)) for code in statuses.codes if statuses.group(code) in GROUPS}
    urgency = {code: place for place, code in enumerate(URGENCIES)}
    found = []
    for report_id, location, urgent, status, passability in map(tuple, rows):
        if status == "duplicate":
            continue
        lon, lat = json.loads(location)[:2]
        group = groups.get(status, 0)
        found.append(
            [report_id, lon, lat, urgency.get(urgent, len(URGENCIES)), group, int(passability == "impassable")]
        )
    return found


def sites(lines: list[shelters.ShelterLine], people: dict[str, tuple[int, bool]]) -> list[list[Any]]:
    """[id, lon, lat, name, status, people or null, whether that number is old] of each shelter with a place."""
    found = []
    for line in lines:
        place = line.shelter["location"]
        if place:
            total, old = people.get(line.shelter.id, (None, False))
            found.append([line.shelter.id, *place[:2], line.shelter["name"], line.status, total, int(old)])
    return found


def patrol_points(db: Any, incident_id: str) -> list[list[Any]]:
    """[id, lon, lat, status, seen at, closed] of the newest points of the rounds.

    A 注意 that was cleared stands as that; what cleared it has no mark of its own, for it lies at the same place.
    """
    points = listed_points(db, incident_id, POINTS_MAX)
    gone = points_module.clearings(db, [point for point in points if point["status"] == "caution"])
    return [
        [
            point.id,
            *point["location"][:2],
            PATROL_STATUSES.index("cleared" if point.id in gone else point["status"]),
            point.created_at,
            int(point["passability"] == "impassable" and point.id not in gone),
        ]
        for point in points
        if point["status"] in PATROL_STATUSES and point["clears"] is None
    ]


def patrol_point(db: Any, point_id: str) -> Record | None:
    return row.get(db, "patrol-points", point_id)


def listed_points(db: Any, incident_id: str, limit: int = LISTED_MAX) -> list[Record]:
    """Points of the rounds that have a place, newest first."""
    where = Where().also("incident_id = ?", incident_id).also("location IS NOT NULL")
    return row.select(db, row.kind_of("patrol-points"), where, f"ORDER BY order_key DESC, id DESC LIMIT {int(limit)}")


def listed_reports(db: Any, incident_id: str, limit: int = LISTED_MAX) -> list[Record]:
    """Reports that have a place, the most urgent first; one more than ``limit`` tells that there are more."""
    where = Where().also("incident_id = ?", incident_id).also("location IS NOT NULL")
    order = "CASE urgency WHEN 'red' THEN 0 WHEN 'yellow' THEN 1 WHEN 'green' THEN 2 WHEN 'white' THEN 4 ELSE 3 END"
    return row.select(db, row.kind_of("damage-reports"), where, f"ORDER BY {order}, created_at DESC LIMIT {limit + 1}")
