"""Damage reports as a page lists them: narrowed by what a person taps or types. Read by views only."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app import catalog
from app.queries import damage_reports, row, search
from app.queries.row import Record, Where

PAGE_ROWS_MAX = 60
GROUPS = ("open", "in_progress", "done")
NEAR_M, NEAR_MS = 50, 2 * 3600 * 1000
METRES_A_DEGREE = 111_320
_NAME = "damage-reports"


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What the list is narrowed to; empty means everything."""

    groups: tuple[str, ...] = ()
    urgency: str | None = None
    category: str | None = None
    words: str | None = None
    before: int | None = None


ALL = Narrowed()


def listing(db: Any, incident_id: str, narrowed: Narrowed = ALL, limit: int = PAGE_ROWS_MAX) -> list[Record]:
    """Newest first; one row more than ``limit`` tells that there are more."""
    tail = f"ORDER BY created_at DESC, id DESC LIMIT {int(limit) + 1}"
    return row.select(db, row.kind_of(_NAME), where_of(db, incident_id, narrowed), tail)


def total(db: Any, incident_id: str, narrowed: Narrowed = ALL) -> int:
    if narrowed == Narrowed(groups=narrowed.groups):
        return damage_reports.total(db, incident_id, narrowed.groups)
    return row.count(db, _NAME, where_of(db, incident_id, narrowed))


def near(
    db: Any, incident_id: str, category: str, place: tuple[float, float], now: int, limit: int = 3
) -> list[Record]:
    """Reports of the category within 50 m of (lon, lat) in the last two hours, the newest first."""
    lon, lat = place
    north, east = NEAR_M / METRES_A_DEGREE, NEAR_M / (METRES_A_DEGREE * max(0.01, math.cos(math.radians(lat))))
    where = Where().also("incident_id = ?", incident_id).also("category = ?", category)
    where = where.also("created_at >= ?", now - NEAR_MS)
    where = where.also("json_extract(location, '$[0]') BETWEEN ? AND ?", lon - east, lon + east)
    where = where.also("json_extract(location, '$[1]') BETWEEN ? AND ?", lat - north, lat + north)
    found = row.select(db, row.kind_of(_NAME), where, f"ORDER BY created_at DESC LIMIT {int(limit) * 4}")
    return [one for one in found if metres_between(place, one["location"]) <= NEAR_M][:limit]


def metres_between(one: Sequence[float], other: Sequence[float]) -> float:
    """The distance of two [lon, lat] that lie close together."""
    flat = math.cos(math.radians((one[1] + other[1]) / 2))
    return math.hypot((one[0] - other[0]) * flat, one[1] - other[1]) * METRES_A_DEGREE


def where_of(db: Any, incident_id: str, narrowed: Narrowed) -> Where:
    where = Where().also("incident_id = ?", incident_id)
    if narrowed.groups:
        words = catalog.table("response_statuses")
        codes = [code for group in narrowed.groups for code in words.in_group(group)]
        where = where.also(f"coalesce(response_status, 'open') IN ({', '.join('?' for _ in codes)})", *codes)
    for column in ("urgency", "category"):
        value = getattr(narrowed, column)
        if value:
            where = where.also(f"{column} = ?", value)
    if narrowed.before is not None:
        where = where.also("created_at < ?", narrowed.before)
    return search.narrowed(db, where, _NAME, narrowed.words)
