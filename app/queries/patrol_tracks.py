"""The ways that rounds took: unbroken stretches, the gaps between them with their reason, and the newest place.

Of each device its own strand: two tablets of one round would else be joined by a zigzag.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.queries import row
from app.queries.row import Record, Where

NAME = "patrol-tracks"
BATCHES_MAX = 2_000  # of a round: a day and a half at one every minute
# Batches follow one another without a gap of their own. More than this between two: one of them is not here yet.
MISSING_MS = 2 * 60_000


@dataclass(frozen=True, slots=True)
class Stretch:
    """Points without a gap: [[lon, lat]]. ``gap``: why nothing is known of the time before; "" for no gap."""

    gap: str
    node: str
    points: list[list[float]]
    began_at: int
    ended_at: int


def stretches(db: Any, patrol_id: str) -> list[Stretch]:
    """The track of a round, device by device, each in the order of its writing."""
    where = Where().also("patrol_id = ?", patrol_id)
    tail = f"ORDER BY node, order_key, origin, seq LIMIT {BATCHES_MAX}"
    return joined(row.select(db, row.kind_of(NAME), where, tail))


def joined(batches: Sequence[Record]) -> list[Stretch]:
    """Batches that follow one another as one stretch."""
    found: list[Stretch] = []
    for batch in batches:
        points = batch["points"] or []
        if not points:
            continue
        began, ended = points[0][2], points[-1][2]
        places = [point[:2] for point in points]
        before = found[-1] if found and found[-1].node == batch.node else None
        gap = batch["gap"] or ("missing" if before and began - before.ended_at > MISSING_MS else "")
        if before is not None and not gap:
            found[-1] = Stretch(before.gap, batch.node, before.points + places, before.began_at, ended)
        else:
            found.append(Stretch(gap if before else "", batch.node, places, began, ended))
    return found


def last_places(db: Any, patrol_ids: Sequence[str]) -> dict[str, tuple[float, float, int]]:
    """(lon, lat, at) of the newest place of each round: of its track, or of a point it has judged."""
    if not patrol_ids:
        return {}
    marks = ", ".join("?" for _ in patrol_ids)
    found: dict[str, tuple[float, float, int]] = {}
    tracked = (
        "SELECT patrol_id, points FROM (SELECT patrol_id, points, row_number() OVER (PARTITION BY patrol_id, node"
        " ORDER BY order_key DESC, origin DESC, seq DESC) AS place FROM patrol_tracks"
        f" WHERE hidden = 0 AND patrol_id IN ({marks})) WHERE place = 1"
    )
    judged = (
        "SELECT patrol_id, location, created_at FROM patrol_points"
        f" WHERE hidden = 0 AND location IS NOT NULL AND patrol_id IN ({marks})"
    )
    places = [(one, *json.loads(points)[-1][:3]) for one, points in db.execute(tracked, tuple(patrol_ids))]
    places += [(one, *json.loads(place)[:2], at) for one, place, at in db.execute(judged, tuple(patrol_ids))]
    for patrol_id, lon, lat, at in places:
        if patrol_id not in found or found[patrol_id][2] < at:
            found[patrol_id] = (lon, lat, at)
    return found
