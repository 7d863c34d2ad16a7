"""Rounds: who is out, what is planned and what is over; one round from its start to its finish."""

from __future__ import annotations

import uuid
from typing import Any

import uuid6
from flask import Blueprint, abort, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app import messages, records
from app.errors import Invalid
from app.forms import patrol as forms
from app.forms.chronicle import moment
from app.permissions import permission
from app.queries import incidents, patrol_points, patrol_tracks, patrols, teams
from app.queries.row import Record
from app.records import etag
from app.views import shell
from app.views.attachments import files_of_record

KIND = "patrols"

pages = Blueprint("patrols", __name__, url_prefix="/incidents/<uuid:incident_id>/patrols")


@pages.get("")
@permission(KIND, "read")
def index(incident_id: uuid.UUID) -> str:
    incident = shell.incident_here(incident_id)
    found = patrols.listed(shell.db(), incident.id, shell.node().clock())
    template = "patrols/_list.html" if request.args.get("part") == "list" else "patrols/index.html"
    groups = [(state, [one for one in found if one.state == state]) for state in patrols.STATES]
    chosen = request.args.get("state") if request.args.get("state") in patrols.STATES else None
    return render_template(
        template,
        groups=[(state, rounds) for state, rounds in groups if chosen in (None, state)],
        counts={state: len(rounds) for state, rounds in groups},
        chosen=chosen,
        start_id=str(uuid6.uuid7()),
        versions={one.patrol.id: _versions(incident, one.patrol) for one in found if one.state == "planned"},
        unsent_ids=shell.unsent_ids(),
    )


@pages.get("/new")
@permission(KIND, "create")
def new(incident_id: uuid.UUID) -> str:
    shell.incident_here(incident_id)
    return _form({"_id": str(uuid6.uuid7()), "team": current_user.team or ""}, {})


@pages.post("")
@permission(KIND, "create")
def create(incident_id: uuid.UUID) -> ResponseReturnValue:
    """A plan, or a round that begins now. The id was given with the form, so that a double tap makes one."""
    incident = shell.incident_here(incident_id)
    try:
        record_id = uuid.UUID(request.form.get("_id", ""))
        fields = forms.read_new(request.form, shell.node().clock())
        change = records.patrols.create(record_id, incidents.scope(incident), fields)
    except (Invalid, ValueError) as error:
        return _form(request.form, messages.faults_of(error)), 422
    shell.write(change)
    shell.sent(f"{incident.id}:patrol")
    if "started_at" in fields:
        begin_recording(str(record_id))
        return redirect(url_for(".show", incident_id=incident.id, patrol_id=record_id, saved=1), 303)
    flash(messages.saved_here(shell.node()), "ok")
    return redirect(url_for(".index", incident_id=incident.id), 303)


@pages.get("/<uuid:patrol_id>")
@permission(KIND, "read")
def show(incident_id: uuid.UUID, patrol_id: uuid.UUID) -> str:
    incident = shell.incident_here(incident_id)
    return page(incident, patrol_here(incident, patrol_id))


@pages.post("/<uuid:patrol_id>/start")
@permission(KIND, "edit")
def start(incident_id: uuid.UUID, patrol_id: uuid.UUID) -> ResponseReturnValue:
    incident = shell.incident_here(incident_id)
    patrol = patrol_here(incident, patrol_id)
    if patrol["started_at"] is None and _timed(incident, patrol, "started_at"):
        begin_recording(patrol.id)
    return redirect(url_for(".show", incident_id=incident.id, patrol_id=patrol.id), 303)


@pages.post("/<uuid:patrol_id>/finish")
@permission(KIND, "edit")
def finish(incident_id: uuid.UUID, patrol_id: uuid.UUID) -> ResponseReturnValue:
    """Ends it; a plan that nobody started is called off by the same."""
    incident = shell.incident_here(incident_id)
    patrol = patrol_here(incident, patrol_id)
    if patrol["finished_at"] is None and _timed(incident, patrol, "finished_at"):
        session.pop(RECORDING, None)
        flash(messages.saved_here(shell.node()), "ok")
    return redirect(url_for(".show", incident_id=incident.id, patrol_id=patrol.id), 303)


@pages.post("/<uuid:patrol_id>/record")
@permission("patrol-tracks", "create")
def record(incident_id: uuid.UUID, patrol_id: uuid.UUID) -> ResponseReturnValue:
    """From now on this browser records the way of the round; whoever logs in after does not."""
    incident = shell.incident_here(incident_id)
    patrol = patrol_here(incident, patrol_id)
    session[RECORDING] = [patrol.id, current_user.id]
    return redirect(url_for(".show", incident_id=incident.id, patrol_id=patrol.id), 303)


RECORDING = "patrol"


def begin_recording(patrol_id: str) -> None:
    """Who goes the round records it; HQ that starts one for somebody who telephoned does not."""
    if current_user.role == "patrol":
        session[RECORDING] = [patrol_id, current_user.id]


def page(incident: Record, patrol: Record, faults: dict[str, str] | None = None, typed: Any = None) -> str:
    """One round with its points and what can be done with it."""
    here, now = shell.db(), shell.node().clock()
    points = patrol_points.of_patrol(here, patrol.id)
    tracked = shell.may("read", "patrol-tracks")
    part = request.args.get("part") == "body"
    return render_template(
        "patrols/_body.html" if part else "patrols/show.html",
        patrol=patrol,
        round=patrols.rounds(here, [patrol], now)[0],
        points=points,
        cleared=patrol_points.clearings(here, points),
        files={point.id: files_of_record(point) for point in points if point["attachments"]},
        stretches=patrol_tracks.stretches(here, patrol.id) if tracked else [],
        versions=_versions(incident, patrol),
        typed=typed or {"_id": str(uuid6.uuid7())},
        faults=faults or {},
        unsent_ids=shell.unsent_ids(),
    )


def patrol_here(incident: Record, patrol_id: uuid.UUID) -> Record:
    found = patrols.get(shell.db(), str(patrol_id))
    if found is None or not shell.of_incident(incident, found):
        abort(404)
    return found


def _timed(incident: Record, patrol: Record, name: str) -> bool:
    """Write a time of the round: now, or the one that was told by telephone."""
    now = shell.node().clock()
    try:
        at = moment(request.form.get("happened", ""), now) or now
        fields: dict[str, Any] = {name: at}
        if note := request.form.get("note", "").strip():
            fields["note"] = note
        seen = etag.read_versions(request.form.get("versions", ""))
        change = records.patrols.edit(uuid.UUID(patrol.id), incidents.scope(incident), fields, seen)
    except Invalid as error:
        flash(next(iter(messages.faults_of(error).values())), "danger")
        return False
    shell.write(change)
    return True


def _versions(incident: Record, patrol: Record) -> str:
    return etag.make_etag(shell.node().versions(KIND, incidents.scope(incident), patrol.id))


def _form(typed: Any, faults: dict[str, str]) -> str:
    return render_template(
        "patrols/new.html",
        typed=typed,
        faults=faults,
        teams=teams.listed(shell.db()),
        routes=patrols.routes(shell.db()),
    )
