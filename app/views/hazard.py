"""What the layers say of a position, for every page: the depth under a report, the floors of a shelter, the grid.

Before: ``app/layers.py`` answers. After: ``templates/hazard``, which other pages include, and the map's tap and search.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from math import cos, hypot, radians
from typing import Any

from flask import Blueprint, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from app.api import paging
from app.hazard import SITE_EDGE_M
from app.hazard import verdict_of as verdict_on
from app.permissions import permission
from app.queries import head_counts, shelters
from app.queries.row import Record
from app.queries.shelters import ShelterLine
from app.views import error_pages, shell
from maps import grid
from maps.verdict import NOT_ASSESSED, Verdict

NEAR_M_MAX = 1_000
NEAR_SHELTERS_MAX = 3
METRES_PER_DEGREE = 111_320.0

pages = Blueprint("hazard", __name__)


@dataclass(frozen=True, slots=True)
class NearShelter:
    line: ShelterLine
    metres: float
    source: head_counts.Source | None

    @property
    def shelter(self) -> Record:
        return self.line.shelter


@pages.get("/incidents/<uuid:incident_id>/hazard")
@permission("hazard", "read")
def here(incident_id: uuid.UUID) -> str:
    """What stands in the map's panel after a tap: the depth there, and the shelters that one could walk to."""
    incident = shell.incident_here(incident_id)
    lon, lat = paging.number(request.args, "lon", -180, 180), paging.number(request.args, "lat", -90, 90)
    return render_template(
        "hazard/_here.html",
        answers=shell.node().layers.hazard_at(lon, lat),
        reference=grid.write(lon, lat),
        near=_near(incident.id, lon, lat),
    )


@pages.get("/incidents/<uuid:incident_id>/grid")
@permission("hazard", "read")
def place(incident_id: uuid.UUID) -> ResponseReturnValue:
    """{lon, lat, text, size_m} of a reference of the UTM grid; a short one is read as the nearest to the city."""
    incident = shell.incident_here(incident_id)
    try:
        found = grid.read(request.args.get("text", ""), _middle_of_the_city(incident.id))
    except grid.BadGrid as error:
        return error_pages.problem(422, error.code, error.message, error.hint, "text")
    return jsonify(lon=found.lon, lat=found.lat, text=found.text, size_m=found.size_m)


@pages.app_template_global("hazard_of")
def hazard_of(record: Record) -> dict[str, Any] | None:
    """The answers at a record's position, within its accuracy; None where it has no position."""
    position = record["location"]
    if not position:
        return None
    found: dict[str, Any] = shell.node().layers.hazard_at(*position[:2], record.fields.get("accuracy_m"))
    return found


@pages.app_template_global("verdict_of")
def verdict_of(shelter: Record) -> Verdict:
    """Which floors of a shelter stay usable; the worst within the edge of its site counts."""
    position = shelter.fields.get(shelters.FLOORS_AT) or shelter["location"]
    if not position:
        return NOT_ASSESSED
    return verdict_on(shell.node().layers.hazard_at(*position[:2], SITE_EDGE_M), shelter)


@pages.app_template_global("grid_of")
def grid_of(record: Record) -> str | None:
    """The reference of the UTM grid for a record's position, to 10 m."""
    position = record["location"]
    return grid.write(*position[:2]) if position else None


def _near(incident_id: str, lon: float, lat: float) -> list[NearShelter]:
    """The shelters within a walk, the nearest first."""
    db = shell.db()
    lines = shelters.listed(db, incident_id)
    placed = [(line, _metres(lon, lat, line.shelter["location"])) for line in lines if line.shelter["location"]]
    nearest = sorted((one for one in placed if one[1] <= NEAR_M_MAX), key=lambda one: one[1])[:NEAR_SHELTERS_MAX]
    if not nearest:
        return []
    people = head_counts.people(db, incident_id, shell.node().clock(), lines)
    return [NearShelter(line, metres, people.of(line.shelter.id)) for line, metres in nearest]


def _metres(lon: float, lat: float, place: list[float]) -> float:
    return METRES_PER_DEGREE * hypot((place[0] - lon) * cos(radians(lat)), place[1] - lat)


def _middle_of_the_city(incident_id: str) -> tuple[float, float] | None:
    """The middle of the boundary, of another layer where there is none, or of the shelters."""
    boxes = sorted((layer.kind != "boundary", layer.bbox) for layer in shell.node().layers.in_use() if layer.bbox)
    if boxes:
        west, south, east, north = boxes[0][1]
        return (west + east) / 2, (south + north) / 2
    lines = shelters.listed(shell.db(), incident_id)
    places = [line.shelter["location"] for line in lines if line.shelter["location"]]
    if not places:
        return None
    return sum(one[0] for one in places) / len(places), sum(one[1] for one in places) / len(places)
