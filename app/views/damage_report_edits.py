"""Changes of a damage report: its fields, its response, a report taken back."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app import messages, records
from app.errors import Forbidden, Invalid, TooLarge, UnsupportedMedia
from app.forms import damage_report as forms
from app.intake import naming
from app.permissions import allowed, permission
from app.queries import damage_reports as queries
from app.queries import doubles, incidents, report_phrases
from app.queries.row import Record
from app.records import etag, shape
from app.views import doubles as doubles_of
from app.views import shell
from app.views.attachments import files_of_record, shown_files
from app.views.damage_reports import KIND, files_of_form, report_here, sealed_of_form, versions_of
from sync.errors import NoScopeKey
from sync.operation import REMOVE, Change

pages = Blueprint(
    "damage_report_edits", __name__, url_prefix="/incidents/<uuid:incident_id>/damage-reports/<uuid:report_id>"
)


@pages.get("/edit")
@permission(KIND, "edit")
def edit(incident_id: uuid.UUID, report_id: uuid.UUID) -> str:
    incident = shell.incident_here(incident_id)
    report = report_here(incident, report_id)
    typed = forms_of(report)
    return _form(
        report,
        typed
        | {f"{forms.WAS}{name}": value for name, value in typed.items()}
        | {"versions": versions_of(incident, report)},
        {},
    )


@pages.post("/edit")
@permission(KIND, "edit")
def save(incident_id: uuid.UUID, report_id: uuid.UUID) -> ResponseReturnValue:
    incident = shell.incident_here(incident_id)
    report = report_here(incident, report_id)
    try:
        fields = forms.read_edit(request.form)
        files = _files_change(incident, report)
        have = report.fields.get("attachments") or ()
        fresh = [sha256 for sha256 in files.get("attachments", ()) if sha256 not in have]
        described = naming.describing(shell.db(), incidents.scope(incident), fresh)
        fields |= files
        people = _people_added(incident, report)
        if not fields and not people:
            flash(messages.NOTHING_CHANGED, "plain")
            return _back(incident, report)
        changes = [_change(incident, report, fields)] if fields else []
        shell.write(*described, *changes, *people)
    except (Invalid, UnsupportedMedia, TooLarge, NoScopeKey) as error:
        return _form(report, request.form, messages.faults_of(error)), 422
    flash(messages.saved_here(shell.node()), "ok")
    return _back(incident, report)


@pages.post("/response")
@permission(KIND, "edit")
def respond(incident_id: uuid.UUID, report_id: uuid.UUID) -> ResponseReturnValue:
    """The response status, by one tap on the report's page."""
    incident = shell.incident_here(incident_id)
    report = report_here(incident, report_id)
    shell.write(_change(incident, report, {"response_status": request.form.get("response_status") or None}))
    flash(messages.saved_here(shell.node()), "ok")
    return _back(incident, report)


@pages.post("/assignment")
@permission(KIND, "edit")
def assign(incident_id: uuid.UUID, report_id: uuid.UUID) -> ResponseReturnValue:
    """Which team, and who, sees to it. Only what was chosen anew is written."""
    incident = shell.incident_here(incident_id)
    report = report_here(incident, report_id)
    fields = forms.read_assignment(request.form)
    known: dict[str, Mapping[str, Any]] = {"team": shell.names_here().teams, "assignee": shell.names_here().users}
    if any(value is not None and value not in known[name] for name, value in fields.items()):
        flash(messages.NOBODY_SO_CALLED, "danger")
        return _back(incident, report)
    if fields:
        shell.write(_change(incident, report, fields))
    flash(messages.saved_here(shell.node()) if fields else messages.NOTHING_CHANGED, "ok" if fields else "plain")
    return _back(incident, report)


@pages.post("/doubles")
@permission(KIND, "edit")
def join(incident_id: uuid.UUID, report_id: uuid.UUID) -> ResponseReturnValue:
    """The report of the page and the one that was tapped, or whose number was typed, are the same damage."""
    incident = shell.incident_here(incident_id)
    report = report_here(incident, report_id)
    other = doubles_of.named(report, request.form.get("other", ""), request.form.get("number", "").strip())
    if other is None:
        flash(messages.NO_SUCH_REPORT, "danger")
        return _back(incident, report)
    return _linked(
        incident, report, doubles.read(shell.db(), incident.id).joining(report.id, other.id), messages.SAME_DAMAGE
    )


@pages.post("/partings")
@permission(KIND, "edit")
def part(incident_id: uuid.UUID, report_id: uuid.UUID) -> ResponseReturnValue:
    """One of them is another damage after all. Nothing else was changed by joining, so nothing else is now."""
    incident = shell.incident_here(incident_id)
    report = report_here(incident, report_id)
    found, one = doubles.read(shell.db(), incident.id), request.form.get("other", "")
    links = found.parting(one) if one in found.group(report.id) else {}
    return _linked(incident, report, links, messages.OTHER_DAMAGE)


def _linked(incident: Record, report: Record, links: Mapping[str, str | None], words: Any) -> ResponseReturnValue:
    changes = doubles_of.changes_of(links)
    if changes:
        shell.write(*changes)
    flash(words if changes else messages.NOTHING_CHANGED, "ok" if changes else "plain")
    return _back(incident, report)


@pages.post("/removal")
@permission(KIND, "remove")
def remove(incident_id: uuid.UUID, report_id: uuid.UUID) -> ResponseReturnValue:
    """Take one's own report back. It stays in the history; an unanswered rescue stays visible."""
    incident = shell.incident_here(incident_id)
    report = report_here(incident, report_id)
    if not allowed(current_user.role, "remove", KIND, own=report.author == current_user.id):
        raise Forbidden("not_own", "Only who wrote a report takes it back.", "Set its response status instead.")
    seen = etag.read_versions(request.form.get("versions", ""))
    shell.write(Change(KIND, uuid.UUID(report.id).bytes, incidents.scope(incident), {}, REMOVE, seen, "present"))
    if queries.get(shell.db(), report.id) is None:
        flash(messages.UNDONE, "plain")
        return redirect(url_for("damage_reports.index", incident_id=incident.id), 303)
    flash(messages.UNDO_KEPT, "plain")
    return _back(incident, report)


def forms_of(report: Record) -> dict[str, str]:
    """The report's values as the form shows them."""
    typed = {name: "" if report[name] is None else str(report[name]) for name in forms.EDITED}
    typed |= {name: {None: "", True: "yes", False: "no"}[report[name]] for name in forms.FLAGS}
    typed |= {name: forms.typed_moment(report[name]) for name in forms.TIMES}
    typed |= forms.shown_depth(typed)
    if report["location"]:
        typed["lon"], typed["lat"] = (str(part) for part in report["location"])
    typed["accuracy_m"] = "" if report["accuracy_m"] is None else str(report["accuracy_m"])
    return typed


def _files_change(incident: Record, report: Record) -> dict[str, list[str]]:
    """{attachments: all that the record is to have}: somebody else's photo that came meanwhile is not dropped."""
    added, taken_off = files_of_form(), set(request.form.getlist("taken_off"))
    # A device that means ill may have written what is no file: nobody's edit must be refused for it.
    have = [name for name in report.fields.get("attachments") or [] if shape.is_sha256(name)]
    wanted = [sha256 for sha256 in have if sha256 not in taken_off]
    wanted += [sha256 for sha256 in added if sha256 not in wanted]
    return {"attachments": wanted} if set(wanted) != set(have) else {}


def _people_added(incident: Record, report: Record) -> list[Change]:
    """What is sealed beside it. The form shows nothing of what stands there, so it adds and replaces none."""
    scope = incidents.scope(incident)
    form, photos, described = sealed_of_form(scope)
    if not form and not photos:
        return []
    return [*described, records.damage_report_people.edited(uuid.UUID(report.id), scope, form, (), photos)]


def _change(incident: Record, report: Record, fields: dict[str, Any]) -> Change:
    seen, scope = etag.read_versions(request.form.get("versions", "")), incidents.scope(incident)
    elements = shell.node().elements(KIND, scope, report.id) if "attachments" in fields else None
    return records.damage_reports.edit(uuid.UUID(report.id), scope, fields, seen, elements)


def _form(report: Record, typed: Any, faults: dict[str, str]) -> str:
    added = shown_files(request.form.getlist("attachments"), only_known=True)
    files = files_of_record(report)
    return render_template(
        "damage_reports/edit.html",
        report=report,
        typed=typed,
        faults=faults,
        files=files,
        added=added,
        taken_off=request.form.getlist("taken_off"),
        phrases=report_phrases.offered(shell.db()),
    )


def _back(incident: Record, report: Record) -> ResponseReturnValue:
    return redirect(url_for("damage_reports.show", incident_id=incident.id, report_id=report.id), 303)
