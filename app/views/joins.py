"""Incidents that were opened twice: which may be one with this one, joining them, parting them again."""

from __future__ import annotations

import uuid

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import messages, records
from app.permissions import permission
from app.queries import incidents
from app.queries import joins as queries
from app.queries.incidents import IncidentLine
from app.queries.row import Record
from app.records import etag
from app.views import shell

KIND = "incidents"

pages = Blueprint("joins", __name__, url_prefix="/incidents/<uuid:incident_id>/joins")


@pages.get("")
@permission(KIND, "read")
def index(incident_id: uuid.UUID) -> str:
    incident = shell.incident_here(incident_id)
    lines = incidents.listed(shell.db())
    own = next(line for line in lines if incident.id in _ids(line))
    others = [line for line in lines if line is not own and line.incident["mode"] == incident["mode"]]
    return render_template("incidents/joins.html", own=own, others=others, versions_of=_versions_of)


@pages.post("")
@permission(KIND, "edit")
def create(incident_id: uuid.UUID) -> ResponseReturnValue:
    """The one that was tapped, with all that is joined with it, from now on stands under the incident of the page."""
    incident = shell.incident_here(incident_id)
    other = _other()
    lead = queries.Joins.read(shell.db()).lead(incident.id)
    if other["mode"] != incident["mode"] or lead in queries.group(shell.db(), other.id):
        flash(messages.NOTHING_CHANGED, "plain")
        return redirect(url_for(".index", incident_id=lead), 303)
    seen = etag.read_versions(request.form.get("versions", ""))
    shell.write(records.incidents.edit(uuid.UUID(other.id), records.CITY, {"same_as": lead}, seen))
    flash(messages.JOINED, "ok")
    return redirect(url_for(".index", incident_id=lead), 303)


@pages.post("/partings")
@permission(KIND, "edit")
def part(incident_id: uuid.UUID) -> ResponseReturnValue:
    """One stands alone again, the others stay together. Nothing else was changed by joining, so nothing else is now."""
    shell.incident_here(incident_id)
    other = _other()
    links = queries.Joins.read(shell.db()).parting(other.id)
    changes = [
        records.incidents.edit(uuid.UUID(one), records.CITY, {"same_as": same_as}, _versions(one))
        for one, same_as in links.items()
    ]
    if changes:
        shell.write(*changes)
    flash(messages.PARTED if changes else messages.NOTHING_CHANGED, "ok" if changes else "plain")
    return redirect(url_for(".index", incident_id=incident_id), 303)


def _other() -> Record:
    found = incidents.get(shell.db(), request.form.get("other", ""))
    if found is None:
        abort(404)
    return found


def _ids(line: IncidentLine) -> set[str]:
    return {line.incident.id, *(one.id for one in line.same)}


def _versions_of(incident: Record) -> str:
    return etag.make_etag(_versions(incident.id))


def _versions(incident_id: str) -> tuple[tuple[bytes, int], ...]:
    return tuple(shell.node().versions(KIND, records.CITY, incident_id))
