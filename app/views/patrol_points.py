"""What a patrol judges on its way: a point with one tap, and the 解消 of one, with a photo or a reason."""

from __future__ import annotations

import uuid
from typing import Any

import uuid6
from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app import messages, records
from app.errors import Invalid, TooLarge, UnsupportedMedia
from app.forms import patrol as forms
from app.intake import naming
from app.permissions import permission
from app.queries import incidents, patrol_points
from app.queries.row import Record
from app.views import shell
from app.views.attachments import files_of_record, shown_files
from app.views.damage_reports import files_of_form
from app.views.patrols import page, patrol_here
from sync.authoring import Exists

KIND = "patrol-points"

pages = Blueprint("patrol_points", __name__, url_prefix="/incidents/<uuid:incident_id>")


@pages.post("/patrols/<uuid:patrol_id>/points")
@permission(KIND, "create")
def create(incident_id: uuid.UUID, patrol_id: uuid.UUID) -> ResponseReturnValue:
    """The id was given with the form, so that a double tap makes one point; another tap on an old form another."""
    incident = shell.incident_here(incident_id)
    patrol = patrol_here(incident, patrol_id)
    try:
        record_id = uuid.UUID(request.form.get("_id", ""))
        fields = forms.read_point(request.form) | {"patrol_id": patrol.id}
        if patrol["team"] or current_user.team:
            fields["team"] = patrol["team"] or current_user.team
        written = _write(incident, record_id, fields)
        if isinstance(written, Exists) and not _said_before(record_id, fields):
            _write(incident, uuid.UUID(bytes=uuid6.uuid7().bytes), fields)
    except (Invalid, UnsupportedMedia, TooLarge, ValueError) as error:
        return page(incident, patrol, messages.faults_of(error), request.form), 422
    flash(messages.saved_here(shell.node()), "ok")
    return redirect(url_for("patrols.show", incident_id=incident.id, patrol_id=patrol.id, saved=1), 303)


@pages.get("/patrol-points/<uuid:point_id>/clear")
@permission(KIND, "create")
def clearing(incident_id: uuid.UUID, point_id: uuid.UUID) -> str:
    incident = shell.incident_here(incident_id)
    return _form(_point_here(incident, point_id), {"_id": str(uuid6.uuid7())}, {}, [])


@pages.post("/patrol-points/<uuid:point_id>/clear")
@permission(KIND, "create")
def clear(incident_id: uuid.UUID, point_id: uuid.UUID) -> ResponseReturnValue:
    incident = shell.incident_here(incident_id)
    point, named = _point_here(incident, point_id), list[str]()
    try:
        named = files_of_form()
        record_id = uuid.UUID(request.form.get("_id", ""))
        _write(incident, record_id, forms.read_clearing(request.form, point.fields, point.id), named)
    except (Invalid, UnsupportedMedia, TooLarge, ValueError) as error:
        return _form(point, request.form, messages.faults_of(error), named), 422
    flash(messages.saved_here(shell.node()), "ok")
    if point["patrol_id"]:
        return redirect(url_for("patrols.show", incident_id=incident.id, patrol_id=point["patrol_id"]), 303)
    return redirect(url_for("patrols.index", incident_id=incident.id), 303)


def _write(incident: Record, record_id: uuid.UUID, fields: dict[str, Any], named: list[str] | None = None) -> Any:
    scope, named = incidents.scope(incident), files_of_form() if named is None else named
    change = records.patrol_points.create(record_id, scope, fields | ({"attachments": named} if named else {}))
    return shell.write(*naming.describing(shell.db(), scope, named), change)


def _said_before(record_id: uuid.UUID, fields: dict[str, Any]) -> bool:
    """The same tap twice; the browser's 「もどる」 shows the old form again, and another tap on it is another point."""
    point = patrol_points.get(shell.db(), str(record_id))
    return point is not None and all(point[name] == fields.get(name) for name in ("status", "passability", "note"))


def _point_here(incident: Record, point_id: uuid.UUID) -> Record:
    found = patrol_points.get(shell.db(), str(point_id))
    if found is None or found["status"] != "caution" or not shell.of_incident(incident, found):
        abort(404)
    return found


def _form(point: Record, typed: Any, faults: dict[str, str], named: list[str]) -> str:
    return render_template(
        "patrol_points/clear.html",
        point=point,
        cleared=patrol_points.clearings(shell.db(), [point]).get(point.id),
        shown=files_of_record(point),
        typed=typed,
        faults=faults,
        files=shown_files(named, only_known=True),
    )
