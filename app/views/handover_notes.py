"""The change of shift (引継ぎ): what is open is listed by itself, a person adds words, and whoever comes takes over."""

from __future__ import annotations

import uuid
from typing import Any

import uuid6
from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app import messages, records
from app.errors import Invalid
from app.permissions import permission
from app.queries import channels, incidents, teams
from app.queries import handover_notes as queries
from app.queries.conflicts import Sight
from app.queries.orders import Me
from app.queries.row import Record
from app.records import etag
from app.views import shell

KIND = "handover-notes"

pages = Blueprint("handover_notes", __name__, url_prefix="/incidents/<uuid:incident_id>/handovers")


@pages.get("")
@permission(KIND, "read")
def index(incident_id: uuid.UUID) -> str:
    incident = shell.incident_here(incident_id)
    part = request.args.get("part") == "list"
    notes, chosen = queries.listed(shell.db(), incident.id), request.args.get("state")
    by_state = {
        "waiting": [note for note in notes if note["taken_at"] is None],
        "taken": [note for note in notes if note["taken_at"] is not None],
    }
    return render_template(
        "handover_notes/_list.html" if part else "handover_notes/index.html",
        notes=by_state.get(chosen or "", notes),
        counts={state: len(found) for state, found in by_state.items()},
        chosen=chosen if chosen in by_state else None,
        unsent_ids=shell.unsent_ids(),
    )


@pages.get("/new")
@permission(KIND, "create")
def new(incident_id: uuid.UUID) -> str:
    incident = shell.incident_here(incident_id)
    return _form(incident, {"_id": str(uuid6.uuid7()), "team": current_user.team or ""}, {})


@pages.post("")
@permission(KIND, "create")
def create(incident_id: uuid.UUID) -> ResponseReturnValue:
    """The id was given when the form was drawn, so that a double tap makes one note."""
    incident, typed = shell.incident_here(incident_id), request.form
    form = {name: typed.get(name, "").strip() or None for name in ("text", "team", "place")}
    try:
        record_id = uuid.UUID(typed.get("_id", ""))
        if form["team"] is not None and teams.get(shell.db(), form["team"]) is None:
            raise Invalid("unknown_team", "no such team", "Choose one of the list.", "team")
        scope = incidents.scope(incident)
        change = records.handover_notes.create(record_id, scope, form, **_open(incident).fields())
    except (Invalid, ValueError) as error:
        return _form(incident, typed, messages.faults_of(error)), 422
    shell.write(change)
    flash(messages.saved_here(shell.node()), "ok")
    return redirect(url_for(".show", incident_id=incident.id, note_id=record_id), 303)


@pages.get("/<uuid:note_id>")
@permission(KIND, "read")
def show(incident_id: uuid.UUID, note_id: uuid.UUID) -> str:
    incident = shell.incident_here(incident_id)
    note = _note_here(incident, note_id)
    return _note_page(note, {})


@pages.post("/<uuid:note_id>/take")
@permission(KIND, "edit")
def take(incident_id: uuid.UUID, note_id: uuid.UUID) -> ResponseReturnValue:
    """引き継ぎました: by somebody else than the writer. On two nodes at once, the first one stands."""
    incident = shell.incident_here(incident_id)
    note = _note_here(incident, note_id)
    back = redirect(url_for(".show", incident_id=incident.id, note_id=note.id), 303)
    if note["taken_at"] is not None:
        return back
    if note.author == current_user.id:
        flash(messages.OWN_NOTE, "danger")
        return back
    said = request.form.get("taken_note", "").strip() or None
    form = {"taken_at": shell.node().clock()} | ({"taken_note": said} if said else {})
    try:
        seen = etag.read_versions(request.form.get("versions", ""))
        scope = bytes.fromhex(note.scope)
        change = records.handover_notes.edit(note_id, scope, form, seen, taken_by=current_user.id)
    except Invalid as error:
        return _note_page(note, messages.faults_of(error)), 422
    shell.write(change)
    flash(messages.TAKEN_OVER, "ok")
    return back


def _form(incident: Record, typed: Any, faults: dict[str, str]) -> str:
    return render_template(
        "handover_notes/new.html", typed=typed, faults=faults, open=_open(incident), teams=teams.listed(shell.db())
    )


def _note_page(note: Record, faults: dict[str, str]) -> str:
    node = shell.node()
    handed = queries.handed(shell.db(), note, node.here(), node.clock())
    seen = [one for one in handed.channels if channels.visible_to(one, current_user)]
    part = request.method == "GET" and request.args.get("part") == "body"
    return render_template(
        "handover_notes/_body.html" if part else "handover_notes/show.html",
        note=note,
        faults=faults,
        handed=handed,
        channels=seen,
        conflicts=[one for one in handed.conflicts if _is_seen(one)],
        unsent_ids=shell.unsent_ids(),
    )


def _is_seen(record: Record) -> bool:
    if record.kind == "channels" and not channels.visible_to(record, current_user):
        return False
    return shell.may("read", record.kind)


def _open(incident: Record) -> queries.Open:
    node = shell.node()
    me = Me.of(current_user.id, current_user.team, node.node_id)
    sight = Sight(current_user.id, current_user.team, current_user.role)
    commands = shell.may("create", "instructions")
    return queries.open_for(shell.db(), incident.id, me, sight, node.here(), node.clock(), commands=commands)


def _note_here(incident: Record, note_id: uuid.UUID) -> Record:
    found = queries.get(shell.db(), str(note_id))
    if found is None or not shell.of_incident(incident, found):
        abort(404)
    return found
