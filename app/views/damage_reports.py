"""Damage reports: the list, the form of three taps, what was saved, and one report with its history."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

import uuid6
from flask import Blueprint, abort, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app import catalog, messages, permissions, records
from app.errors import Invalid, TooLarge, UnsupportedMedia
from app.forms import damage_report as forms
from app.intake import naming, upload
from app.permissions import permission
from app.queries import (
    channels,
    chat_messages,
    damage_report_people,
    doubles,
    drafts,
    incidents,
    joins,
    report_phrases,
    report_rows,
)
from app.queries import damage_reports as queries
from app.queries.row import Record, Where
from app.records import etag
from app.records.shape import LINE_CHARS_MAX
from app.views import shell
from app.views.attachments import files_of_record, pictures_of, shown_files
from app.views.doubles import same_of
from sync.errors import NoScopeKey
from sync.operation import Change

KIND = "damage-reports"
PEOPLE = "damage-report-people"
UNDO_SECONDS = 10
CALL = "call"
PLACE = ("lon", "lat", "accuracy_m", "location_source", "located_at", "address")
PARTS = ("dots", "body", "files")
PREFILLED = ("category", *PLACE)

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
        total=report_rows.total(shell.db(), incident.id, narrowed) if len(rows) > report_rows.PAGE_ROWS_MAX else None,
        counted_max=report_rows.COUNTED_MAX,
        unsent_ids=shell.unsent_ids(),
        together=report_rows.together(shell.db(), incident.id, rows),
    )


@pages.get("/new")
@permission(KIND, "create")
def new(incident_id: uuid.UUID) -> str:
    """As it was left, also after a power cut; else with what the map, or the report before (続けて報告), brings."""
    incident = shell.incident_here(incident_id)
    draft = drafts.get(shell.db(), current_user.id, form_key(incident))
    typed = {"_id": str(uuid6.uuid7())} | (draft_of(draft) if draft else _of_report_before(incident))
    message = _message_asked(incident)
    files = draft.values.get("attachments", []) if draft else []
    if message is not None:
        typed |= _of_message(message)
        files = [*files, *(name for name in message["attachments"] or () if name not in files)]
    asked = {name: request.args[name] for name in PREFILLED if request.args.get(name)}
    if "lon" in asked:
        typed = {name: value for name, value in typed.items() if name not in PLACE}
    return _form(incident, typed | asked, {}, files=files, draft=draft)


@pages.get("/call")
@permission(KIND, "create")
def call(incident_id: uuid.UUID) -> str:
    """電話受付: what a citizen tells HQ by telephone, in the order of the talk. The caller is sealed."""
    incident = shell.incident_here(incident_id)
    draft = drafts.get(shell.db(), current_user.id, form_key(incident, CALL))
    typed = {"_id": str(uuid6.uuid7()), "certainty": "hearsay"} | (draft_of(draft) if draft else {})
    return _form(incident, typed, {}, files=[], draft=draft, page=CALL)


@pages.post("")
@permission(KIND, "create")
def create(incident_id: uuid.UUID) -> ResponseReturnValue:
    """The id was given when the form was drawn, so that a double tap makes one report."""
    incident = shell.incident_here(incident_id)
    scope, named = incidents.scope(incident), list[str]()
    page = CALL if request.form.get("_page") == CALL else "new"
    try:
        named = files_of_form()
        record_id = uuid.UUID(request.form.get("_id", ""))
        fields = forms.read_new(request.form)
        known = [naming.facts_of(shell.db(), sha256) or {} for sha256 in named]
        _of_this_incident(incident, fields.get("same_as"))
        fields |= forms.placed_by_photo(fields, known) | ({"attachments": named} if named else {})
        change = records.damage_reports.create(record_id, scope, fields, reporter_role=current_user.role)
        described = naming.describing(shell.db(), scope, named)
        people = people_of_form(change)
        who, key = current_user.id, form_key(incident, page)
        shell.write(*described, change, *people, local=lambda connection: drafts.clear(connection, who, key))
    except (Invalid, UnsupportedMedia, TooLarge, ValueError, NoScopeKey) as error:
        return _form(incident, request.form, messages.faults_of(error), files=named, page=page), 422
    return redirect(url_for(".saved", incident_id=incident.id, report_id=record_id), 303)


@pages.get("/near")
@permission(KIND, "read")
def near(incident_id: uuid.UUID) -> str:
    """Reports of this category that stand close to the place that is being reported: shown, never joined."""
    incident = shell.incident_here(incident_id)
    try:
        place = forms.position_of(request.args)
    except Invalid:
        place = None
    category = request.args.get("category", "")
    now = shell.node().clock()
    times = (now - doubles.NEAR_MS, now + doubles.NEAR_MS)
    found = doubles.near(shell.db(), incident.id, category, place, times) if place else []
    return render_template(
        "damage_reports/_near.html", reports=found, asked=bool(place and category), pictures=pictures_of(found)
    )


def _of_this_incident(incident: Record, same_as: str | None) -> None:
    """同じ被害ですか: only a report that is shown there can be named. Raises Invalid."""
    if same_as is None:
        return
    other = queries.get(shell.db(), same_as)
    if other is None or not joins.covers(shell.db(), incident.id, other):
        raise Invalid("unknown_report", "same_as is no report of this incident", "Leave it out.", "same_as")


def people_of_form(report: Change) -> list[Change]:
    """What the form's sealed part says, to be sealed beside the report. Raises as ``sealed_of_form``."""
    form, photos, described = sealed_of_form(report.scope)
    return [*described, *records.damage_report_people.beside(report, form, photos)]


def sealed_of_form(scope: bytes) -> tuple[dict[str, Any], list[str], list[Change]]:
    """(fields, photos as the record names them, what describes their files). Raises Forbidden, and as the intake."""
    form, brought = forms.read_people(request.form), upload.files_of("sealed_files")
    if form or brought:
        permissions.require(current_user, "create", PEOPLE)
    photos, described = list[str](), list[Change]()
    for data in brought:
        facts, key, media_type = current_app.extensions["intake"].take_sealed(data)
        photos.append(records.damage_report_people.photo(facts["sha256"], key, media_type))
        described.append(records.attachments.described(scope, facts))
    return form, photos, described


def people_state(report: Record) -> str:
    """What a page says of the report's people: open (this person may, here), empty, no_key, sealed or nothing."""
    sealed = damage_report_people.sealed(shell.db(), report)
    if not shell.may("read", PEOPLE):
        return "sealed" if sealed else "nothing"
    if not sealed:
        return "empty"
    return "open" if shell.node().sealing.holds() else "no_key"


def files_of_form() -> list[str]:
    """The hashes that the form names, and those of files it brought itself (no scripts). Raises as the intake does."""
    named = forms.named_files(request.form.getlist("attachments"))
    brought = [current_app.extensions["intake"].take(data).sha256 for data in upload.files_of("files")]
    return forms.named_files([*named, *brought])


def form_key(incident: Record, page: str = "new") -> str:
    return f"{incident.id}:{CALL if page == CALL else 'report'}"


def draft_of(draft: drafts.Draft) -> dict[str, str]:
    """What was typed; the id it was typed under makes a second sending the same report."""
    return {name: draft.one(name) for name in draft.values if name != "attachments"}


def _message_asked(incident: Record) -> Record | None:
    """被害報告にする: the message of the chat that a report is made of, where this person may see it."""
    message = chat_messages.get(shell.db(), request.args.get("message", ""))
    channel = channels.get(shell.db(), message["channel_id"]) if message is not None else None
    if message is None or channel is None or not joins.covers(shell.db(), incident.id, channel):
        return None
    return message if channels.visible_to(channel, current_user) else None


def _of_message(message: Record) -> dict[str, str]:
    """Its words, and the place that was sent with it: that is where the report is of."""
    text, place = message["text"] or "", message["location"]
    typed = {"summary": text} if len(text) <= LINE_CHARS_MAX else {"description": text}
    if place:
        typed |= {"lon": str(place[0]), "lat": str(place[1]), "location_source": "gps"}
        typed |= {"accuracy_m": str(message["accuracy_m"])} if message["accuracy_m"] is not None else {}
    return typed


def _of_report_before(incident: Record) -> dict[str, str]:
    """続けて報告: category and place of the report before; one tap clears them."""
    try:
        before = queries.get(shell.db(), str(uuid.UUID(request.args.get("after", ""))))
    except ValueError:
        before = None
    if before is None or not shell.of_incident(incident, before):
        return {}
    names = ("category", "address", "accuracy_m", "location_source")
    kept = {name: str(before[name]) for name in names if before[name]}
    if before["location"]:
        kept["lon"], kept["lat"] = (str(part) for part in before["location"])
    return kept | {"_kept": before["number"] or "1"}


def _form(
    incident: Record,
    typed: Any,
    faults: dict[str, str],
    files: list[str],
    draft: drafts.Draft | None = None,
    page: str = "new",
) -> str:
    first, rest = catalog.tiles()
    return render_template(
        f"damage_reports/{page}.html",
        typed=typed,
        faults=faults,
        first=first,
        rest=rest,
        files=shown_files(files, only_known=True),
        phrases=report_phrases.offered(shell.db()),
        form_key=form_key(incident, page),
        draft_at=draft.updated_at if draft else None,
    )


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
        files=files_of_record(report),
        sealed=damage_report_people.sealed(shell.db(), report),
    )


@pages.get("/<uuid:report_id>")
@permission(KIND, "read")
def show(incident_id: uuid.UUID, report_id: uuid.UUID) -> str:
    incident = shell.incident_here(incident_id)
    report = report_here(incident, report_id)
    scope = incidents.scope(incident)
    part = request.args.get("part")
    template = f"damage_reports/_{part}.html" if part in PARTS else "damage_reports/show.html"
    return render_template(
        template,
        report=report,
        versions=versions_of(incident, report),
        history=shell.node().history(KIND, scope, report.id),
        same=same_of(report),
        delivery=delivery_of(incident, report),
        files=files_of_record(report),
        people=people_state(report),
        said_fields=[name for name in forms.SAID if report[name] is not None],
        unsent_ids=shell.unsent_ids(),
    )


def report_here(incident: Record, report_id: uuid.UUID) -> Record:
    report = queries.get(shell.db(), str(report_id))
    if report is None or not shell.of_incident(incident, report):
        abort(404)
    return report


def versions_of(incident: Record, report: Record) -> str:
    return etag.make_etag(shell.node().versions(KIND, incidents.scope(incident), report.id))


def delivery_of(incident: Record, report: Record) -> dict[str, Any] | None:
    """How far this node's own record got; a record of another node reached us through the hub or a peer."""
    if report.node != shell.node().node_id:
        return None
    return shell.node().delivery(KIND, incidents.scope(incident), report.id) or None


def where_here(incident: Record) -> Where:
    """What the address of the list asks for, all of it."""
    return report_rows.where_of(shell.db(), incident.id, replace(_narrowed(), before=None))


def _narrowed() -> report_rows.Narrowed:
    asked = request.args
    before = asked.get("before", "")
    return report_rows.Narrowed(
        groups=tuple(group for group in report_rows.GROUPS if group in asked.getlist("group")),
        urgency=asked.get("urgency") if asked.get("urgency") in catalog.table("urgencies").codes else None,
        team=asked.get("team") if asked.get("team") in shell.names_here().teams else None,
        category=asked.get("category") if asked.get("category") in catalog.table("damage_categories").codes else None,
        words=shell.asked_words() or None,
        before=int(before) if before.isascii() and before.isdigit() and len(before) < 16 else None,
    )
