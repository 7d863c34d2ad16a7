"""Rounds as lists show them: their state, what they have seen, and where they were last heard of.

Before: the tables. After: ``views/patrols.py``; ``patrol_tracks`` has the lines that the map draws.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from app.queries import patrol_points, patrol_tracks, row
from app.queries.row import Record, Where

NAME = "patrols"
LISTED_MAX, ROUTES_MAX = 200, 12
# A position is news for so long: a car is elsewhere after ten minutes, and after thirty nobody knows where to look.
FRESH_MS, OLD_MS = 10 * 60_000, 30 * 60_000
AHEAD_MS_MAX = 10 * 60_000
STATES = ("running", "planned", "finished", "called_off")
State = Literal["running", "planned", "finished", "called_off"]


@dataclass(frozen=True, slots=True)
class Last:
    """Where a round was last known to be. ``age_ms`` is None where its clock stands ahead."""

    lon: float
    lat: float
    at: int
    age_ms: int | None

    @property
    def age(self) -> Literal["fresh", "old", "lost"]:
        if self.age_ms is None or self.age_ms > OLD_MS:
            return "lost"
        return "fresh" if self.age_ms <= FRESH_MS else "old"


@dataclass(frozen=True, slots=True)
class Round:
    """A round with what came of it."""

    patrol: Record
    state: State
    last: Last | None = None
    counts: dict[str, int] = field(default_factory=dict)


def get(db: Any, patrol_id: str) -> Record | None:
    return row.get(db, NAME, patrol_id)


def state_of(patrol: Record) -> State:
    if patrol["finished_at"] is not None:
        return "called_off" if patrol["started_at"] is None else "finished"
    return "planned" if patrol["started_at"] is None else "running"


def listed(db: Any, incident_id: str, now: int) -> list[Round]:
    """The running ones first, then plans, then what is over; each the newest first."""
    where = Where().also("incident_id = ?", incident_id)
    found = row.select(db, row.kind_of(NAME), where, f"ORDER BY created_at DESC, id DESC LIMIT {LISTED_MAX}")
    return sorted(rounds(db, found, now), key=lambda one: STATES.index(one.state))


def rounds(db: Any, patrols: Iterable[Record], now: int) -> list[Round]:
    """These records with their counts and last places: two queries, however many there are."""
    found = list(patrols)
    ids = [patrol.id for patrol in found]
    places, counted = patrol_tracks.last_places(db, ids), patrol_points.counts_by_patrol(db, ids)
    return [
        Round(patrol, state_of(patrol), _last(places.get(patrol.id), now), counted.get(patrol.id, {}))
        for patrol in found
    ]


def running(db: Any, incident_id: str) -> list[Record]:
    where = Where().also("incident_id = ?", incident_id).also("started_at IS NOT NULL AND finished_at IS NULL")
    return row.select(db, row.kind_of(NAME), where, f"ORDER BY created_at DESC, id DESC LIMIT {LISTED_MAX}")


def routes(db: Any) -> list[Record]:
    """Ways that were gone or planned before, in whichever incident: each name once, the newest of it."""
    newest = "id IN (SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY name ORDER BY created_at DESC, id)"
    where = (
        Where()
        .also("name IS NOT NULL AND json_type(route) = 'array'")
        .also(f"{newest} AS place FROM patrols WHERE hidden = 0 AND json_type(route) = 'array') WHERE place = 1)")
    )
    return row.select(db, row.kind_of(NAME), where, f"ORDER BY created_at DESC, id DESC LIMIT {ROUTES_MAX}")


def places_of(patrol: Record) -> list[list[float]]:
    """The places that the route passes; none where it is only a name."""
    return patrol["route"] if isinstance(patrol["route"], list) else []


def _last(found: tuple[float, float, int] | None, now: int) -> Last | None:
    if found is None:
        return None
    lon, lat, at = found
    age = now - at
    return Last(lon, lat, at, max(age, 0) if age >= -AHEAD_MS_MAX else None)
