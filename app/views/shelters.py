"""Shelters: the list, one shelter with its state and its people, and its state changed by one tap."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import catalog, messages
from app.errors import Invalid
from app.permissions import permission
from app.queries import head_counts, incidents, row
from app.queries import shelters as queries
from app.queries.head_counts import Source
from app.queries.row import Record
from app.queries.shelters import ShelterLine
from app.records import etag, shelter_openings
from app.views import shell

KIND, OPENINGS = "shelters", "shelter-openings"
STATES = ("old", "silent")
LAST_OPENED = "tomoshibi_shelter"
LAST_OPENED_SECONDS = 30 * 24 * 3600

pages = Blueprint("shelters", __name__, url_prefix="/incidents/<uuid:incident_id>/shelters")


@dataclass(frozen=True, slots=True)
class ShelterRow:
    """A row of the list."""

    line: ShelterLine
    source: Source | None  # None: neither open nor counted

    @property
    def share(self) -> int | None:
        """How full it is, in per cent of its places; None where either is not known."""
        capacity, total = self.line.shelter["capacity"], self.source.total if self.source else None
        return total * 100 // capacity if capacity and total is not None else None


@pages.get("")
@permission(KIND, "read")
def index(incident_id: uuid.UUID) -> str:
    incident = shell.incident_here(incident_id)
    rows, told = rows_here(incident)
    template = "shelters/_list.html" if request.args.get("part") == "list" else "shelters/index.html"
    last = next((row for row in rows if row.line.shelter.id == last_opened()), None)
    return render_template(template, rows=rows, last=last, **told)


def rows_here(incident: Record) -> tuple[list[ShelterRow], dict[str, Any]]:
    """The rows that the address asks for, and what the page says of them."""
    here, now = shell.db(), shell.node().clock()
    group = request.args.get("group") if request.args.get("group") in queries.GROUPS else None
    state = request.args.get("state") if request.args.get("state") in STATES else None
    words = shell.asked_words()
    lines = queries.listed(here, incident.id)
    people = head_counts.people(here, incident.id, now, lines)
    sources = {source.shelter_id: source for source in people.sources}
    rows = [ShelterRow(line, sources.get(line.shelter.id)) for line in queries.narrowed(lines, group, words)]
    if state is not None:
        rows = [row for row in rows if row.source is not None and row.source.state == state]
    counts = queries.grouped(lines)
    return rows, {"people": people, "group": group, "state": state, "words": words, "group_counts": counts}


@pages.get("/<uuid:shelter_id>")
@permission(KIND, "read")
def show(incident_id: uuid.UUID, shelter_id: uuid.UUID) -> Response:
    incident = shell.incident_here(incident_id)
    shelter = shelter_here(shelter_id)
    part = request.args.get("part") == "body"
    template = "shelters/_body.html" if part else "shelters/show.html"
    answer = make_response(render_template(template, **_page(incident, shelter)))
    if not part:
        answer.set_cookie(
            LAST_OPENED, shelter.id, max_age=LAST_OPENED_SECONDS, samesite="Lax", httponly=True,
            secure=request.is_secure,
        )  # fmt: skip
    return answer


@pages.post("/<uuid:shelter_id>/openings")
@permission(OPENINGS, "edit")
def say(incident_id: uuid.UUID, shelter_id: uuid.UUID) -> ResponseReturnValue:
    """The state of the shelter, by one tap. The page says which versions it was drawn from; none: nothing was said."""
    incident = shell.incident_here(incident_id)
    shelter = shelter_here(shelter_id)
    status = request.form.get("opening_status", "")
    line = queries.line_of(shell.db(), incident.id, shelter)
    if line.opening is not None and line.status == status and not line.opening.conflicts:
        flash(messages.NOTHING_CHANGED, "plain")
        return _back(incident, shelter)
    _write_status(incident, shelter, status)
    flash(messages.saved_here(shell.node()), "ok")
    return _back(incident, shelter)


def shelter_here(shelter_id: uuid.UUID) -> Record:
    shelter = queries.get(shell.db(), str(shelter_id))
    if shelter is None:
        abort(404)
    return shelter


def last_opened() -> str | None:
    """The shelter that was opened last on this device: whose staff hold it, mostly."""
    return request.cookies.get(LAST_OPENED)


def _page(incident: Record, shelter: Record) -> dict[str, Any]:
    here, now = shell.db(), shell.node().clock()
    line = queries.line_of(here, incident.id, shelter)
    posts = tuple(head_counts.of_shelter(here, incident.id, shelter.id, now))
    source = Source(shelter.id, shelter["name"], line.status, posts)
    return {
        "shelter": shelter,
        "line": line,
        "source": source,
        "share": ShelterRow(line, source).share,
        "counts": head_counts.history(here, incident.id, shelter.id),
        "unsent_ids": shell.unsent_ids(),
        **_opening(line.opening),
    }


def _opening(opening: Record | None) -> dict[str, Any]:
    """The opening with the versions that the page is drawn from, and its history."""
    if opening is None:
        return {"opening_id": "", "versions": "", "said": []}
    node, scope = shell.node(), bytes.fromhex(opening.scope)
    return {
        "opening_id": opening.id,
        "versions": etag.make_etag(node.versions(OPENINGS, scope, opening.id)),
        "said": node.history(OPENINGS, scope, opening.id),
    }


def _write_status(incident: Record, shelter: Record, status: str) -> None:
    if status not in catalog.table("shelter_statuses").codes:
        raise Invalid("unknown_code", "no such state of a shelter", "Open the shelter again.", "opening_status")
    opening_id = request.form.get("opening_id", "")
    if not opening_id:
        shell.write(shelter_openings.first(incidents.scope(incident), incident.id, shelter.id, status))
        return
    try:
        record_id = uuid.UUID(opening_id)
    except ValueError as error:
        raise Invalid("bad_id", "no such opening", "Open the shelter again.", "opening_id") from error
    seen = etag.read_versions(request.form.get("versions", ""))
    said = row.get(shell.db(), OPENINGS, str(record_id))  # of an incident that is the same, where that was said first
    scope = bytes.fromhex(said.scope) if said is not None else incidents.scope(incident)
    shell.write(shelter_openings.edit(record_id, scope, {"opening_status": status}, seen))


def _back(incident: Record, shelter: Record) -> ResponseReturnValue:
    return redirect(url_for(".show", incident_id=incident.id, shelter_id=shelter.id), 303)
