"""Damage reports: the list, the form of three taps, what was saved, and one report with its history."""

from __future__ import annotations

import json
import uuid
from typing import Any

import uuid6
from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app import catalog, messages, records
from app.errors import Invalid
from app.forms import damage_report as forms
from app.permissions import permission
from app.queries import damage_reports as queries
from app.queries import incidents, report_rows
from app.queries.row import Record
from app.records import etag
from app.views import shell

KIND = "damage-reports"
UNDO_SECONDS = 10

pages = Blueprint("damage_reports", __name__, url_prefix="/incidents/<uuid:incident_id>/damage-reports")


@pages.get("")
@permission(KIND, "read")
def index(incident_id: uuid.UUID) -> str:
    incident = shell.incident_here(incident_id)
    narrowed = _narrowed()
    rows = report_rows.listing(shell.db(), incident.id, narrowed)
    template = "damage_reports/_list.html" if request.args.get("part") == "list" else "damage_reports/index.html"
    return render_template(
        template,
        reports=rows[: report_rows.PAGE_ROWS_MAX],
        more=len(rows) > report_rows.PAGE_ROWS_MAX,
        narrowed=narrowed,
        group_counts=queries.counts(shell.db(), incident.id),
        total=report_rows.total(shell.db(), incident.id, narrowed),
        unsent_ids=shell.unsent_ids(),
    )


@pages.get("/new")
@permission(KIND, "create")
def new(incident_id: uuid.UUID) -> str:
    shell.incident_here(incident_id)
    typed = {"_id": str(uuid6.uuid7()), "category": request.args.get("category", "")}
    return _form(typed, {})


@pages.post("")
@permission(KIND, "create")
def create(incident_id: uuid.UUID) -> ResponseReturnValue:
    """The id was given when the form was drawn, so that a double tap makes one report."""
    incident = shell.incident_here(incident_id)
    try:
        record_id = uuid.UUID(request.form.get("_id", ""))
        fields = forms.read_new(request.form)
        given = {"reporter_role": current_user.role}
        change = records.damage_reports.create(record_id, incidents.scope(incident), fields, **given)
    except (Invalid, ValueError) as error:
        return _form(request.form, messages.faults_of(error)), 422
    shell.write(change)
    return redirect(url_for(".saved", incident_id=incident.id, report_id=record_id), 303)


def _form(typed: Any, faults: dict[str, str]) -> str:
    first, rest = catalog.tiles()
    return render_template("damage_reports/new.html", typed=typed, faults=faults, first=first, rest=rest)


@pages.get("/<uuid:report_id>/saved")
@permission(KIND, "read")
def saved(incident_id: uuid.UUID, report_id: uuid.UUID) -> str:
    incident = shell.incident_here(incident_id)
    report = report_here(incident, report_id)
    age_s = (shell.node().clock() - report.created_at) // 1000
    own = report.author == current_user.id and report.node == shell.node().node_id
    return render_template(
        "damage_reports/saved.html",
        report=report,
        versions=versions_of(incident, report),
        undo_seconds=max(0, UNDO_SECONDS - age_s) if own else 0,
        delivery=delivery_of(incident, report),
    )


@pages.get("/<uuid:report_id>")
@permission(KIND, "read")
def show(incident_id: uuid.UUID, report_id: uuid.UUID) -> str:
    incident = shell.incident_here(incident_id)
    report = report_here(incident, report_id)
    scope = incidents.scope(incident)
    part = request.args.get("part")
    template = {"dots": "damage_reports/_dots.html", "body": "damage_reports/_body.html"}.get(
        part or "", "damage_reports/show.html"
    )
    return render_template(
        template,
        report=report,
        versions=versions_of(incident, report),
        heads=_sides(shell.node().heads(KIND, scope, report.id), report),
        history=shell.node().history(KIND, scope, report.id),
        delivery=delivery_of(incident, report),
        unsent_ids=shell.unsent_ids(),
    )


def report_here(incident: Record, report_id: uuid.UUID) -> Record:
    report = queries.get(shell.db(), str(report_id))
    if report is None or report.incident_id != incident.id:
        abort(404)
    return report


def versions_of(incident: Record, report: Record) -> str:
    return etag.make_etag(shell.node().versions(KIND, incidents.scope(incident), report.id))


def delivery_of(incident: Record, report: Record) -> dict[str, Any] | None:
    """How far this node's own record got; a record of another node reached us through the hub or a peer."""
    if report.node != shell.node().node_id:
        return None
    return shell.node().delivery(KIND, incidents.scope(incident), report.id) or None


def _sides(heads: dict[str, list[dict[str, Any]]], report: Record) -> list[dict[str, Any]]:
    """Fields with two values or more, the one in force first; equal values of several people stand as one."""
    found: list[dict[str, Any]] = []
    for field, values in heads.items():
        sides: dict[str, dict[str, Any]] = {}
        for head in values:
            key = json.dumps(head["value"], sort_keys=True)
            in_force = head["value"] == report.fields.get(field)
            sides.setdefault(key, {**head, "key": key, "in_force": in_force})
        if len(sides) > 1:
            in_order = sorted(sides.values(), key=lambda side: not side["in_force"])
            found.append({"field": field, "sides": in_order})
    return found


def _narrowed() -> report_rows.Narrowed:
    asked = request.args
    before = asked.get("before", "")
    return report_rows.Narrowed(
        groups=tuple(group for group in report_rows.GROUPS if group in asked.getlist("group")),
        urgency=asked.get("urgency") if asked.get("urgency") in catalog.table("urgencies").codes else None,
        category=asked.get("category") if asked.get("category") in catalog.table("damage_categories").codes else None,
        words=asked.get("words", "").strip()[:100] or None,
        before=int(before) if before.isascii() and before.isdigit() and len(before) < 16 else None,
    )
