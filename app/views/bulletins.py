"""Notices (情報共有): the list, the form, one notice with who has read it, pinning and withdrawal."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

import uuid6
from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app import catalog, messages, records
from app.errors import Invalid, TooLarge, UnsupportedMedia
from app.forms import bulletin as forms
from app.intake import naming
from app.permissions import permission
from app.queries import bulletins as queries
from app.queries import incidents, joins
from app.queries.row import Record, Where
from app.records import etag
from app.views import shell
from app.views.attachments import files_of_record, shown_files
from app.views.damage_reports import files_of_form
from sync.operation import Change

KIND, SIGHTINGS = "bulletins", "bulletin-sightings"
SEEN_AT_ONCE_MAX = 20

pages = Blueprint("bulletins", __name__, url_prefix="/incidents/<uuid:incident_id>/bulletins")


@pages.get("")
@permission(KIND, "read")
def index(incident_id: uuid.UUID) -> str:
    incident = shell.incident_here(incident_id)
    narrowed = _narrowed()
    found = queries.listing(shell.db(), incident.id, current_user.id, narrowed)
    shown = found[: queries.PAGE_ROWS_MAX]
    return render_template(
        "bulletins/_list.html" if request.args.get("part") == "list" else "bulletins/index.html",
        lines=queries.lines(shell.db(), shown, current_user.id),
        more=shown[-1].created_at if len(found) > len(shown) else None,
        narrowed=narrowed,
        counts=queries.counts(shell.db(), incident.id, current_user.id),
        unsent_ids=shell.unsent_ids(),
    )


@pages.get("/pinned")
@permission(KIND, "read")
def pinned(incident_id: uuid.UUID) -> str:
    """The strip of the front page."""
    return render_template("bulletins/_pinned.html", pinned=pinned_lines(shell.incident_here(incident_id)))


@pages.get("/new")
@permission(KIND, "create")
def new(incident_id: uuid.UUID) -> str:
    """Empty, or with the words of one that is to be written anew."""
    incident = shell.incident_here(incident_id)
    typed = {"_id": str(uuid6.uuid7()), "audience": "internal"}
    before = queries.get(shell.db(), request.args.get("like", ""))
    if before is not None and joins.covers(shell.db(), incident.id, before):
        typed |= {name: before[name] for name in forms.TEXTS if before[name]}
    return _form(typed, {}, [])


@pages.post("")
@permission(KIND, "create")
def create(incident_id: uuid.UUID) -> ResponseReturnValue:
    """The id was given when the form was drawn, so that a double tap makes one notice."""
    incident = shell.incident_here(incident_id)
    scope, named = incidents.scope(incident), list[str]()
    try:
        named = files_of_form()
        record_id = uuid.UUID(request.form.get("_id", ""))
        fields = forms.read_new(request.form) | ({"attachments": named} if named else {})
        change = records.bulletins.create(record_id, scope, fields)
        described = naming.describing(shell.db(), scope, named)
    except (Invalid, UnsupportedMedia, TooLarge, ValueError) as error:
        return _form(request.form, _faults(error), named), 422
    shell.write(*described, change)
    flash(messages.saved_here(shell.node()), "ok")
    return redirect(url_for(".show", incident_id=incident.id, bulletin_id=record_id), 303)


@pages.get("/<uuid:bulletin_id>")
@permission(KIND, "read")
def show(incident_id: uuid.UUID, bulletin_id: uuid.UUID) -> str:
    incident = shell.incident_here(incident_id)
    bulletin = _bulletin_here(incident, bulletin_id)
    for file in (files := files_of_record(bulletin)):
        if not (file.here if file.is_voice else file.view_here):
            shell.node().blobs.want(file.view)  # somebody looks at it now
    return render_template(
        "bulletins/_body.html" if request.args.get("part") == "body" else "bulletins/show.html",
        line=queries.lines(shell.db(), [bulletin], current_user.id)[0],
        files=files,
        edited=bulletin["withdrawn_at"] is None and (bulletin["edition"] or 1) > 1,
        versions=etag.make_etag(shell.node().versions(KIND, incidents.scope(incident), bulletin.id)),
        unsent_ids=shell.unsent_ids(),
    )


@pages.post("/<uuid:bulletin_id>/pin")
@permission(KIND, "edit")
def pin(incident_id: uuid.UUID, bulletin_id: uuid.UUID) -> ResponseReturnValue:
    """To the top of the front page, or away from there; nobody has to read it again for that."""
    incident = shell.incident_here(incident_id)
    return _change(incident, _bulletin_here(incident, bulletin_id), {"pinned": request.form.get("pinned") == "yes"})


@pages.post("/<uuid:bulletin_id>/withdraw")
@permission(KIND, "edit")
def withdraw(incident_id: uuid.UUID, bulletin_id: uuid.UUID) -> ResponseReturnValue:
    """It stays, struck through, with who, when and why; whoever has read it is told."""
    incident = shell.incident_here(incident_id)
    bulletin = _bulletin_here(incident, bulletin_id)
    reason = request.form.get("reason", "").strip() or None
    form = {"withdrawn_at": shell.node().clock(), "withdrawn_reason": reason}
    if bulletin["withdrawn_at"] is not None:  # on another window, or another node: the first withdrawal stands
        return redirect(url_for(".show", incident_id=incident.id, bulletin_id=bulletin.id), 303)
    return _change(incident, bulletin, form)


@pages.post("/sightings")
@permission(SIGHTINGS, "create")
def see(incident_id: uuid.UUID) -> ResponseReturnValue:
    """The page tells which notice was really on its screen, in which edition: ``id.edition``."""
    incident, me = shell.incident_here(incident_id), current_user.id
    wanted = dict(told for one in request.form.getlist("id")[:SEEN_AT_ONCE_MAX] if (told := _told(one)))
    known = queries.edition_seen(shell.db(), wanted, me)
    changes: list[Change] = []
    for name, edition in wanted.items():
        bulletin = queries.get(shell.db(), name)
        if bulletin is None or not joins.covers(shell.db(), incident.id, bulletin):
            continue
        edition = min(edition, bulletin["edition"] or 1)
        if edition > known.get(name, 0):
            scope, now = bytes.fromhex(bulletin.scope), shell.node().clock()
            changes.append(records.bulletin_sightings.seen(scope, bulletin.id, me, edition, now))
    if changes:
        shell.write(*changes)
    return "", 204


def where_here(incident: Record) -> Where:
    """What the page's address narrows the list to."""
    narrowed = replace(_narrowed(), before=None)
    return queries.where(shell.db(), incident.id, current_user.id, narrowed)


def pinned_lines(incident: Record) -> list[queries.Line]:
    return queries.lines(shell.db(), queries.pinned(shell.db(), incident.id), current_user.id)


def _change(incident: Record, bulletin: Record, form: dict[str, Any]) -> ResponseReturnValue:
    told = records.bulletins.told_again(form, bulletin["edition"], current_user.id)
    try:
        seen = etag.read_versions(request.form.get("versions", ""))
        change = records.bulletins.edit(uuid.UUID(bulletin.id), incidents.scope(incident), form, seen, **told)
    except Invalid as error:
        flash(next(iter(messages.faults_of(error).values())), "danger")
    else:
        shell.write(change)
        flash(messages.saved_here(shell.node()), "ok")
    return redirect(url_for(".show", incident_id=incident.id, bulletin_id=bulletin.id), 303)


def _faults(error: Exception) -> dict[str, str]:
    found = messages.faults_of(error)
    return found | messages.fault_in("headline", "title") if "title" in found else found


def _form(typed: Any, faults: dict[str, str], files: list[str]) -> str:
    return render_template("bulletins/new.html", typed=typed, faults=faults, files=shown_files(files, only_known=True))


def _bulletin_here(incident: Record, bulletin_id: uuid.UUID) -> Record:
    found = queries.get(shell.db(), str(bulletin_id))
    if found is None or not shell.of_incident(incident, found):
        abort(404)
    return found


def _told(text: str) -> tuple[str, int] | None:
    """``id.edition`` of a page, or None for what no page of ours says."""
    name, _, edition = text.partition(".")
    if len(name) != 36 or not (edition.isascii() and edition.isdigit() and len(edition) < 10):
        return None
    return name, int(edition)


def _narrowed() -> queries.Narrowed:
    asked, before = request.args, request.args.get("before", "")
    known = catalog.table("bulletin_categories").codes
    return queries.Narrowed(
        state=asked.get("state") if asked.get("state") in queries.STATES else None,
        category=asked.get("category") if asked.get("category") in known else None,
        words=shell.asked_words() or None,
        before=int(before) if before.isascii() and before.isdigit() and len(before) < 16 else None,
    )
