"""The recorded way of a round: batches from the patrol's browser, and lines and dots for the maps.

Before: ``static/js/patrol/record.js`` filtered and gathered the points. After: ``static/js/map/rounds.js`` draws them.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import Any

from flask import Blueprint, Response, abort, render_template, request
from flask.typing import ResponseReturnValue

from app import records
from app.errors import Invalid
from app.forms import patrol as forms
from app.permissions import permission
from app.queries import incidents, patrol_tracks, patrols
from app.queries.row import Record
from app.views import shell
from app.views.patrols import patrol_here

KIND = "patrol-tracks"
AROUND_MS = 60_000  # a fix may be a little older than the tap that started the round

pages = Blueprint("patrol_tracks", __name__, url_prefix="/incidents/<uuid:incident_id>")


@pages.post("/patrols/<uuid:patrol_id>/tracks")
@permission(KIND, "create")
def create(incident_id: uuid.UUID, patrol_id: uuid.UUID) -> ResponseReturnValue:
    """A batch. What lies outside the time of the round is nobody's business, and is not kept."""
    incident = shell.incident_here(incident_id)
    patrol = patrol_here(incident, patrol_id)
    try:
        record_id = uuid.UUID(request.form.get("_id", ""))
        fields = forms.read_track(request.form)
        fields["points"] = _on_duty(patrol, fields["points"])
        if not fields["points"]:
            return "", 204
        change = records.patrol_tracks.create(record_id, incidents.scope(incident), fields | {"patrol_id": patrol.id})
    except (Invalid, ValueError):
        abort(422)
    shell.write(change)
    return "", 204


@pages.get("/map/rounds")
@permission(KIND, "read")
def rounds(incident_id: uuid.UUID) -> ResponseReturnValue:
    """The running rounds, or the one that is asked for: route, stretches, gaps, the last place with its age."""
    incident = shell.incident_here(incident_id)
    asked = request.args.get("round", "")
    if asked:
        try:
            found = [patrol_here(incident, uuid.UUID(asked))]
        except ValueError:
            abort(404)
    else:
        found = patrols.running(shell.db(), incident.id)
    told = [_told(one) for one in patrols.rounds(shell.db(), found, shell.node().clock())]
    text = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    answer = Response(text, mimetype="application/json")
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.headers["X-Tomoshibi-Now"] = str(shell.node().clock())  # ages are told by this clock, not the browser's
    answer.set_etag(hashlib.sha256(text.encode()).hexdigest()[:24])
    return answer.make_conditional(request)


@pages.get("/map/rounds/<uuid:patrol_id>")
@permission(KIND, "read")
def card(incident_id: uuid.UUID, patrol_id: uuid.UUID) -> str:
    """What stands behind a dot of the map."""
    patrol = patrol_here(shell.incident_here(incident_id), patrol_id)
    return render_template("map/_round.html", round=patrols.rounds(shell.db(), [patrol], shell.node().clock())[0])


def _told(one: patrols.Round) -> dict[str, Any]:
    """The age of the last place is not in it: it would make another answer of every second. The browser counts it."""
    patrol, last = one.patrol, one.last
    stretches = patrol_tracks.stretches(shell.db(), patrol.id)
    return {
        "id": patrol.id,
        "label": _label(patrol, stretches[-1].node if stretches else patrol.node),
        "state": one.state,
        "route": patrols.places_of(patrol),
        "stretches": [
            [stretch.gap, stretch.node, stretch.points, stretch.began_at, stretch.ended_at] for stretch in stretches
        ],
        "last": [last.lon, last.lat, last.at] if last else None,
        "clock_ahead": bool(last and last.age_ms is None),
    }


def _label(patrol: Record, node: str) -> str:
    """What stands beside the dot: the team, else the device that goes the round; HQ may have planned it."""
    names = shell.names_here()
    return names.team(patrol["team"]) or names.label(node)


def _on_duty(patrol: Record, points: list[Any]) -> list[Any]:
    began, ended = patrol["started_at"], patrol["finished_at"]
    if began is None:
        return []
    until = float("inf") if ended is None else ended + AROUND_MS
    return [
        point
        for point in points
        if isinstance(point, list)
        and len(point) > 2
        and isinstance(point[2], int)
        and began - AROUND_MS <= point[2] <= until
    ]
