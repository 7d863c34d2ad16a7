"""Meetings of HQ (本部会議): the list, the record of one with its decisions, its edit and its print."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import uuid6
from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import catalog, messages, records
from app.errors import Invalid
from app.forms import hq_meeting as forms
from app.permissions import permission
from app.queries import hq_meetings as queries
from app.queries import incidents
from app.queries.row import Record
from app.records import etag
from app.views import saying, shell
from sync.operation import Change

KIND, DECISIONS = "hq-meetings", "hq-meeting-decisions"

pages = Blueprint("hq_meetings", __name__, url_prefix="/incidents/<uuid:incident_id>/hq-meetings")


@pages.get("")
@permission(KIND, "read")
def index(incident_id: uuid.UUID) -> str:
    incident = shell.incident_here(incident_id)
    return render_template(
        "hq_meetings/_list.html" if request.args.get("part") == "list" else "hq_meetings/index.html",
        lines=queries.lines(shell.db(), incident.id),
        unsent_ids=shell.unsent_ids(),
    )


@pages.get("/new")
@permission(KIND, "create")
def new(incident_id: uuid.UUID) -> str:
    """The next number stands there, and who sat in the meeting before."""
    incident = shell.incident_here(incident_id)
    before = next(iter(queries.lines(shell.db(), incident.id)), None)
    typed = {"_id": str(uuid6.uuid7()), "meeting_no": str(queries.next_no(shell.db(), incident.id))}
    if before is not None:
        typed |= {name: before.meeting[name] for name in ("place", "others") if before.meeting[name]}
    return _form(typed, list(before.meeting["attendees"]) if before is not None else [], {})


@pages.post("")
@permission(KIND, "create")
def create(incident_id: uuid.UUID) -> ResponseReturnValue:
    """The id was given when the form was drawn, so that a double tap makes one meeting."""
    incident = shell.incident_here(incident_id)
    scope, attendees = incidents.scope(incident), request.form.getlist("attendees")
    try:
        record_id = uuid.UUID(request.form.get("_id", ""))
        fields = forms.read_new(request.form, attendees, shell.node().clock())
        changes = [records.hq_meetings.create(record_id, scope, fields)]
        changes += _decided(record_id, scope)
    except (Invalid, ValueError) as error:
        return _form(request.form, attendees, _faults(error)), 422
    shell.write(*changes)
    flash(messages.saved_here(shell.node()), "ok")
    return redirect(url_for(".show", incident_id=incident.id, meeting_id=record_id), 303)


@pages.get("/<uuid:meeting_id>")
@permission(KIND, "read")
def show(incident_id: uuid.UUID, meeting_id: uuid.UUID) -> str:
    incident = shell.incident_here(incident_id)
    part = "hq_meetings/_body.html" if request.args.get("part") == "body" else "hq_meetings/show.html"
    return render_template(part, **_shown(incident, meeting_id))


@pages.get("/<uuid:meeting_id>/print")
@permission(KIND, "read")
def printed(incident_id: uuid.UUID, meeting_id: uuid.UUID) -> str:
    """The record for A4."""
    return render_template("hq_meetings/print.html", **_shown(shell.incident_here(incident_id), meeting_id))


@pages.get("/<uuid:meeting_id>/edit")
@permission(KIND, "edit")
def edit(incident_id: uuid.UUID, meeting_id: uuid.UUID) -> str:
    incident = shell.incident_here(incident_id)
    meeting = _meeting_here(incident, meeting_id)
    typed = {name: meeting[name] or "" for name in forms.TEXTS}
    typed |= {"happened": _clock(meeting["held_at"]), "ended": _clock(meeting["ended_at"])}
    typed |= {f"{forms.WAS}{name}": value for name, value in typed.items()}
    return _edit_form(meeting, typed | {"versions": _versions(incident, meeting)}, list(meeting["attendees"]), {})


@pages.post("/<uuid:meeting_id>/edit")
@permission(KIND, "edit")
def save(incident_id: uuid.UUID, meeting_id: uuid.UUID) -> ResponseReturnValue:
    incident = shell.incident_here(incident_id)
    meeting = _meeting_here(incident, meeting_id)
    attendees, now = request.form.getlist("attendees"), shell.node().clock()
    try:
        before = [code for code in request.form.get("attendees_before", "").split() if code]
        fields = forms.read_edit(request.form, attendees, before, now)
        changes = [_change(incident, meeting, fields)] if fields else []
    except (Invalid, ValueError) as error:
        return _edit_form(meeting, request.form, attendees, _faults(error)), 422
    if changes:
        shell.write(*changes)
        flash(messages.saved_here(shell.node()), "ok")
    else:
        flash(messages.NOTHING_CHANGED, "plain")
    return redirect(url_for(".show", incident_id=incident.id, meeting_id=meeting.id), 303)


@pages.post("/<uuid:meeting_id>/close")
@permission(KIND, "edit")
def close(incident_id: uuid.UUID, meeting_id: uuid.UUID) -> ResponseReturnValue:
    """It ends now. Decisions can be written down afterwards, and the time put right."""
    incident = shell.incident_here(incident_id)
    meeting = _meeting_here(incident, meeting_id)
    if meeting["ended_at"] is None:
        shell.write(_change(incident, meeting, {"ended_at": shell.node().clock()}))
        flash(messages.saved_here(shell.node()), "ok")
    return redirect(url_for(".show", incident_id=incident.id, meeting_id=meeting.id), 303)


@pages.post("/<uuid:meeting_id>/number")
@permission(KIND, "edit")
def renumber(incident_id: uuid.UUID, meeting_id: uuid.UUID) -> ResponseReturnValue:
    """One tap settles a number that was given twice: this one gets the next free one."""
    incident = shell.incident_here(incident_id)
    meeting = _meeting_here(incident, meeting_id)
    shell.write(_change(incident, meeting, {"meeting_no": queries.next_no(shell.db(), incident.id)}))
    flash(messages.SETTLED, "ok")
    return redirect(url_for(".show", incident_id=incident.id, meeting_id=meeting.id), 303)


@pages.post("/<uuid:meeting_id>/decisions")
@permission(DECISIONS, "create")
def decide(incident_id: uuid.UUID, meeting_id: uuid.UUID) -> ResponseReturnValue:
    """Decisions are written down while the meeting goes on."""
    incident = shell.incident_here(incident_id)
    meeting = _meeting_here(incident, meeting_id)
    try:
        changes = _decided(uuid.UUID(meeting.id), incidents.scope(incident))
    except (Invalid, ValueError) as error:
        flash(next(iter(_faults(error).values())), "danger")
    else:
        if changes:
            shell.write(*changes)
    return redirect(url_for(".show", incident_id=incident.id, meeting_id=meeting.id, _anchor="decisions"), 303)


def _decided(meeting_id: uuid.UUID, scope: bytes) -> list[Change]:
    """One record a line; each id follows from the form's own, so that what is sent twice is written once."""
    form_id, team = uuid.UUID(request.form.get("_decisions", "")), request.form.get("team") or None
    return [
        records.hq_meeting_decisions.create(
            uuid.uuid5(form_id, str(place)), scope, {"hq_meeting_id": str(meeting_id), "text": text, "team": team}
        )
        for place, text in enumerate(forms.read_decisions(request.form))
    ]


def _shown(incident: Record, meeting_id: uuid.UUID) -> dict[str, Any]:
    meeting = _meeting_here(incident, meeting_id)
    return {
        "line": queries.line(shell.db(), meeting),
        "decisions": queries.decisions(shell.db(), meeting.id, shell.node().here()),
        "next_no": queries.next_no(shell.db(), incident.id),
        "versions": _versions(incident, meeting),
        "form_id": str(uuid6.uuid7()),
        "unsent_ids": shell.unsent_ids(),
    }


def _change(incident: Record, meeting: Record, fields: dict[str, Any]) -> Change:
    scope, seen = incidents.scope(incident), etag.read_versions(request.form.get("versions", ""))
    elements = shell.node().elements(KIND, scope, meeting.id) if "attendees" in fields else None
    return records.hq_meetings.edit(uuid.UUID(meeting.id), scope, fields, seen, elements)


def _form(typed: Any, attendees: list[str], faults: dict[str, str]) -> str:
    return render_template(
        "hq_meetings/new.html",
        typed=typed,
        attendees=attendees,
        faults=faults,
        roles=catalog.table("meeting_roles"),
        form_id=typed.get("_decisions") or str(uuid6.uuid7()),
    )


def _edit_form(meeting: Record, typed: Any, attendees: list[str], faults: dict[str, str]) -> str:
    return render_template(
        "hq_meetings/edit.html",
        line=queries.line(shell.db(), meeting),
        typed=typed,
        attendees=attendees,
        faults=faults,
        roles=catalog.table("meeting_roles"),
    )


def _clock(ms: int | None) -> str:
    """As the form reads it; with the day where it is not today's."""
    if ms is None:
        return ""
    at, now = (datetime.fromtimestamp(one / 1000, saying.JST) for one in (ms, shell.node().clock()))
    return at.strftime("%H:%M") if at.date() == now.date() else at.strftime("%m/%d %H:%M")


def _faults(error: Exception) -> dict[str, str]:
    found = messages.faults_of(error)
    return found | messages.fault_in("decisions", "decisions") if "text" in found else found


def _versions(incident: Record, meeting: Record) -> str:
    return etag.make_etag(shell.node().versions(KIND, incidents.scope(incident), meeting.id))


def _meeting_here(incident: Record, meeting_id: uuid.UUID) -> Record:
    found = queries.get(shell.db(), str(meeting_id))
    if found is None or not shell.of_incident(incident, found):
        abort(404)
    return found
