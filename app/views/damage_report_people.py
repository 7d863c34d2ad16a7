"""The callers and casualties of a report: opened by a tap of their own, which is written down before anything is shown.

The report's page tells only that something is sealed there, so no page that renews itself ever reads it.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app import messages
from app.errors import Invalid
from app.forms import damage_report as forms
from app.permissions import permission
from app.queries import damage_report_people as queries
from app.queries import incidents
from app.queries.row import Record
from app.records import damage_report_people, etag
from app.views import shell
from app.views.damage_reports import report_here
from sync import seal
from sync.errors import NoScopeKey

KIND = damage_report_people.KIND.name

pages = Blueprint(
    "damage_report_people", __name__, url_prefix="/incidents/<uuid:incident_id>/damage-reports/<uuid:report_id>/people"
)


@pages.get("")
@permission(KIND, "read")
def show(incident_id: uuid.UUID, report_id: uuid.UUID) -> ResponseReturnValue:
    incident = shell.incident_here(incident_id)
    report = report_here(incident, report_id)
    people = _opened(report, "show")
    typed = {name: (people.fields[name] if people else None) or "" for name in damage_report_people.FIELDS}
    typed |= {f"{forms.WAS}{name}": value for name, value in typed.items()}
    photos = damage_report_people.named_photos(people.fields["photos"] or ()) if people else []
    return _page(incident, report, typed | {"versions": _versions(report) if people else ""}, {}, photos)


@pages.get("/photos/<sha256>")
@permission(KIND, "read")
def photo(incident_id: uuid.UUID, report_id: uuid.UUID, sha256: str) -> ResponseReturnValue:
    """A sealed photo, opened with the key that the record holds: the reading is written down like that of the page."""
    report = report_here(shell.incident_here(incident_id), report_id)
    people, blobs = _opened(report, "show"), shell.node().blobs
    named = damage_report_people.key_of(people.fields["photos"] or (), sha256) if people else None
    if named is None:
        abort(404)
    if not blobs.has(sha256):
        blobs.want(sha256)
        abort(404)
    data = seal.open_file(blobs.read(sha256), named[0])
    return Response(data, mimetype=named[1], headers={"Cache-Control": "no-store"}) if data else abort(404)


@pages.post("")
@permission(KIND, "edit")
def save(incident_id: uuid.UUID, report_id: uuid.UUID) -> ResponseReturnValue:
    """What was changed is sealed anew; it replaces the values that stood on the page."""
    incident = shell.incident_here(incident_id)
    report = report_here(incident, report_id)
    back = redirect(url_for(".show", incident_id=incident.id, report_id=report.id), 303)
    try:
        fields = forms.read_people_edit(request.form)
        if not fields:
            flash(messages.NOTHING_CHANGED, "plain")
            return back
        named = request.form.get("versions", "")
        seen = etag.read_versions(named) if named else ()
        change = damage_report_people.edited(uuid.UUID(report.id), incidents.scope(incident), fields, seen)
        shell.write(change)
    except (Invalid, NoScopeKey) as error:
        return _page(incident, report, request.form, messages.faults_of(error)), 422
    flash(messages.SEALED, "ok")
    return back


def _opened(report: Record, page: str) -> Record | None:
    if not queries.sealed(shell.db(), report) or not shell.node().sealing.holds():
        return None
    shell.node().read_audit.before_reading(current_user.id, "damage-reports", report, page)
    return queries.get(shell.db(), report)


def _versions(report: Record) -> str:
    return etag.make_etag(shell.node().versions(KIND, report.scope, report.id))


def _page(incident: Record, report: Record, typed: Any, faults: dict[str, str], photos: Sequence[str] = ()) -> str:
    heads = shell.node().heads(KIND, report.scope, report.id) if typed.get("versions") else {}
    return render_template(
        "damage_reports/people.html", report=report, typed=typed, faults=faults, heads=heads,
        holds=shell.node().sealing.holds(), closed=shell.node().sealing.closed, photos=photos,
    )  # fmt: skip
