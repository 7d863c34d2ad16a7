"""Incidents: the list, opening one, its phase, closing and reopening."""

from __future__ import annotations

import uuid
from typing import Any

import uuid6
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import messages, records
from app.errors import Invalid
from app.permissions import permission
from app.queries import incidents
from app.records import etag
from app.views import shell

pages = Blueprint("incidents", __name__)


@pages.get("/")
@permission("incidents", "read")
def home() -> ResponseReturnValue:
    """The incident where it is plain which one, else the list."""
    running = incidents.ongoing(shell.db())
    if len(running) == 1:
        return redirect(url_for("front.show", incident_id=running[0].id))
    return redirect(url_for(".index"))


@pages.get("/incidents")
@permission("incidents", "read")
def index() -> str:
    template = "incidents/_list.html" if request.args.get("part") == "list" else "incidents/index.html"
    return render_template(template, lines=incidents.listed(shell.db()))


@pages.get("/incidents/new")
@permission("incidents", "create")
def new() -> str:
    return render_template("incidents/new.html", typed={"_id": str(uuid6.uuid7())}, faults={})


@pages.post("/incidents")
@permission("incidents", "create")
def create() -> ResponseReturnValue:
    typed = request.form
    form = {name: typed.get(name, "").strip() or None for name in ("name", "mode", "kind", "phase")}
    missing = {name: messages.fault_in(name)[name] for name in ("mode", "name", "kind") if not form[name]}
    if missing:
        return render_template("incidents/new.html", typed=typed, faults=missing), 422
    try:
        record_id = uuid.UUID(typed.get("_id", ""))
        opened = {name: value for name, value in form.items() if value} | {"opened_at": shell.node().clock()}
        change = records.incidents.create(record_id, records.CITY, opened)
    except (Invalid, ValueError) as error:
        faults = messages.faults_of(error)
        return render_template("incidents/new.html", typed=typed, faults=faults), 422
    channel = records.channels.standing(
        records.scope_of(str(form["mode"]), str(record_id)),
        str(record_id),
        records.channels.ALL,
        records.channels.name_of(records.channels.ALL),
    )
    shell.write(change, channel)
    return redirect(url_for("front.show", incident_id=str(record_id)), 303)


@pages.post("/incidents/<uuid:incident_id>/phase")
@permission("incidents", "edit")
def change_phase(incident_id: uuid.UUID) -> ResponseReturnValue:
    return _edit(incident_id, {"phase": request.form.get("phase", "").strip() or None})


@pages.post("/incidents/<uuid:incident_id>/closure")
@permission("incidents", "edit")
def close(incident_id: uuid.UUID) -> ResponseReturnValue:
    """A state, not a lock: what comes late still enters."""
    return _edit(incident_id, {"closed_at": shell.node().clock()})


@pages.post("/incidents/<uuid:incident_id>/reopening")
@permission("incidents", "edit")
def reopen(incident_id: uuid.UUID) -> ResponseReturnValue:
    return _edit(incident_id, {"closed_at": None})


def _edit(incident_id: uuid.UUID, form: dict[str, Any]) -> ResponseReturnValue:
    incident = shell.incident_here(incident_id)
    seen = etag.read_versions(request.form.get("versions", ""))
    shell.write(records.incidents.edit(incident_id, records.CITY, form, seen))
    flash(messages.saved_here(shell.node()), "ok")
    return redirect(url_for("incidents.state", incident_id=incident.id), 303)


@pages.get("/incidents/<uuid:incident_id>/state")
@permission("incidents", "read")
def state(incident_id: uuid.UUID) -> str:
    """Phase, closing and reopening, with the versions that this page was drawn from."""
    incident = shell.incident_here(incident_id)
    versions = shell.node().versions("incidents", records.CITY, incident.id)
    return render_template("incidents/state.html", versions=etag.make_etag(versions))
