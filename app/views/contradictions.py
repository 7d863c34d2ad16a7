"""What cannot both be so (矛盾): the list, what was set aside as known, and taking that back."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import catalog, messages
from app.errors import Invalid
from app.permissions import permission
from app.queries import contradictions as queries
from app.queries import incidents, joins, row
from app.queries.row import Record
from app.records import etag, set_asides
from app.views import shell

KIND, ASIDES = "contradictions", "set-asides"

pages = Blueprint("contradictions", __name__, url_prefix="/incidents/<uuid:incident_id>/contradictions")


@pages.get("")
@permission(KIND, "read")
def index(incident_id: uuid.UUID) -> str:
    return _page(shell.incident_here(incident_id), {})


@pages.post("/set-asides")
@permission(ASIDES, "create")
def set_aside(incident_id: uuid.UUID) -> ResponseReturnValue:
    """It is known: with why, and of the facts that stood on the page."""
    incident = shell.incident_here(incident_id)
    asked = {name: request.form.get(name, "").strip() for name in ("rule", "about", "facts", "because")}
    form: dict[str, Any] = {name: value or None for name, value in asked.items()} | {"lifted": False}
    scope = incidents.scope(incident)
    try:
        change = set_asides.first(scope, incident.id, form)
        record_id = str(uuid.UUID(bytes=change.record))
        if row.get(shell.db(), ASIDES, record_id) is not None:
            fields = {name: form[name] for name in ("facts", "because", "lifted")}
            seen = shell.node().versions(ASIDES, scope, record_id)
            change = set_asides.edit(uuid.UUID(record_id), scope, fields, seen)
    except Invalid as error:
        return _page(incident, messages.faults_of(error), asked), 422
    shell.write(change)
    flash(messages.SET_ASIDE, "ok")
    return redirect(url_for(".index", incident_id=incident.id), 303)


@pages.post("/set-asides/<uuid:record_id>/lift")
@permission(ASIDES, "edit")
def lift(incident_id: uuid.UUID, record_id: uuid.UUID) -> ResponseReturnValue:
    incident = shell.incident_here(incident_id)
    found = row.get(shell.db(), ASIDES, str(record_id))
    if found is None or not joins.covers(shell.db(), incident.id, found):
        abort(404)
    seen = etag.read_versions(request.form.get("versions", ""))
    shell.write(set_asides.edit(record_id, bytes.fromhex(found.scope), {"lifted": True}, seen))
    return redirect(url_for(".index", incident_id=incident.id), 303)


def _page(incident: Record, faults: dict[str, str], typed: dict[str, str] | None = None) -> str:
    listed = queries.found(shell.db(), incident.id, shell.node().clock())
    part = request.method == "GET" and request.args.get("part") == "list"
    codes = catalog.table("contradictions").codes
    chosen = request.args.get("rule") if request.args.get("rule") in codes else None
    waiting = queries.waiting(listed)
    return render_template(
        "contradictions/_list.html" if part else "contradictions/index.html",
        waiting=[one for one in waiting if chosen in (None, one.rule)],
        known=[one for one in listed if one.aside is not None and chosen in (None, one.rule)],
        total=len(waiting),
        counts={code: sum(one.rule == code for one in waiting) for code in codes},
        chosen=chosen,
        faults=faults,
        typed=typed or {},
    )
