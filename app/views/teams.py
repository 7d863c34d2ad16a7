"""Teams (班): who leads, who belongs to them, where they are, and what they have to do in the incident."""

from __future__ import annotations

import uuid
from typing import Any

import uuid6
from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app import messages, permissions, records
from app.errors import Forbidden, Invalid
from app.permissions import permission
from app.queries import handover_notes, instructions, row
from app.queries import teams as queries
from app.queries.ladder import ladders
from app.queries.row import Record
from app.queries.teams import Team
from app.records import CITY, NOUNS, etag
from app.views import shell
from app.views.conflicts import device_may

KIND = "teams"
MEMBERS = ("users", "staff")
WRITTEN = ("name", "place", "call_by")

pages = Blueprint("teams", __name__, url_prefix="/incidents/<uuid:incident_id>/teams")


@pages.get("")
@permission(KIND, "read")
def index(incident_id: uuid.UUID) -> str:
    shell.incident_here(incident_id)
    return _list({"_id": str(uuid6.uuid7())}, {})


@pages.post("")
@permission(KIND, "create")
def create(incident_id: uuid.UUID) -> ResponseReturnValue:
    incident, typed = shell.incident_here(incident_id), request.form
    try:
        _only_where_it_counts(KIND)
        record_id = uuid.UUID(typed.get("_id", ""))
        form = {name: typed.get(name, "").strip() or None for name in WRITTEN}
        change = records.teams.create(record_id, CITY, form)
    except (Invalid, ValueError) as error:
        return _list(typed, messages.faults_of(error)), 422
    shell.write(change)
    flash(messages.saved_here(shell.node()), "ok")
    return redirect(url_for(".show", incident_id=incident.id, team_id=record_id), 303)


@pages.get("/<uuid:team_id>")
@permission(KIND, "read")
def show(incident_id: uuid.UUID, team_id: uuid.UUID) -> str:
    incident = shell.incident_here(incident_id)
    return _team_page(incident, _team(team_id), {})


@pages.post("/<uuid:team_id>")
@permission(KIND, "edit")
def change(incident_id: uuid.UUID, team_id: uuid.UUID) -> ResponseReturnValue:
    """Only what was changed on this page is written, over the versions that it was drawn from."""
    incident, found = shell.incident_here(incident_id), _team(team_id)
    typed = {name: request.form.get(name, "").strip() or None for name in (*WRITTEN, "leader")}
    form = {name: value for name, value in typed.items() if value != found.team[name]}
    if not form:
        flash(messages.NOTHING_CHANGED, "plain")
        return _back(incident, found)
    try:
        _only_where_it_counts(KIND)
        if form.get("leader") and form["leader"] not in {one.id for one in (*found.users, *found.staff)}:
            raise Invalid("unknown_member", "no member of the team", "Choose one of its members.", "leader")
        seen = etag.read_versions(request.form.get("versions", ""))
        change_ = records.teams.edit(team_id, CITY, form, seen)
    except Invalid as error:
        return _team_page(incident, found, messages.faults_of(error)), 422
    shell.write(change_)
    flash(messages.saved_here(shell.node()), "ok")
    return _back(incident, found)


@pages.post("/<uuid:team_id>/members")
@permission(KIND, "edit")
def assign(incident_id: uuid.UUID, team_id: uuid.UUID) -> ResponseReturnValue:
    """Into the team, or (``out``) out of it. Who may edit people decides about logins, HQ about its staff."""
    incident, found = shell.incident_here(incident_id), _team(team_id)
    kind, _, member = request.form.get("member", "").partition(" ")
    person = row.get(shell.db(), kind, member) if kind in MEMBERS else None
    if person is None:
        abort(404)
    permissions.require(current_user, "edit", kind)
    _only_where_it_counts(kind)
    out = request.form.get("out") == "yes"
    if (person["team"] == found.team.id) is not out:
        flash(messages.NOTHING_CHANGED, "plain")
        return _back(incident, found)
    seen = shell.node().versions(kind, CITY, person.id)
    shell.write(NOUNS[kind].edit(uuid.UUID(person.id), CITY, {"team": None if out else found.team.id}, seen))
    flash(messages.saved_here(shell.node()), "ok")
    return _back(incident, found)


def _list(typed: Any, faults: dict[str, str]) -> str:
    return render_template("teams/index.html", teams=queries.with_members(shell.db()), typed=typed, faults=faults)


def _team_page(incident: Record, found: Team, faults: dict[str, str]) -> str:
    db, here = shell.db(), shell.node().here()
    part = request.args.get("part") == "work"
    meant = {found.team.id, *(user.id for user in found.users)}
    given = [one for one in instructions.listed(db, incident.id) if meant.intersection(one["recipients"] or ())]
    others = [one for kind in MEMBERS if shell.may("edit", kind) and device_may(kind) for one in _others(found, kind)]
    notes = [one for one in handover_notes.listed(db, incident.id) if one["team"] == found.team.id]
    return render_template(
        "teams/_work.html" if part else "teams/show.html",
        found=found,
        faults=faults,
        ladders=[one for one in ladders(db, given, here) if one.group != "done"],
        reports=queries.reports_of(db, incident.id, found.team.id),
        notes=notes[:5],
        others=others,
        unsent_ids=shell.unsent_ids(),
    )


def _others(found: Team, kind: str) -> list[Record]:
    inside = {one.id for one in (*found.users, *found.staff)}
    every = row.select(shell.db(), row.kind_of(kind), row.Where().also("active IS NOT 0"), "ORDER BY name, id")
    return [one for one in every if one.id not in inside]


def _team(team_id: uuid.UUID) -> Team:
    found = next((one for one in queries.with_members(shell.db()) if one.team.id == str(team_id)), None)
    if found is None:
        abort(404)
    return found


def _only_where_it_counts(kind: str) -> None:
    if not device_may(kind):
        raise Forbidden("device_not_capable", f"This device may not write {kind}.", "Do it on the hub.")


def _back(incident: Record, found: Team) -> ResponseReturnValue:
    return redirect(url_for(".show", incident_id=incident.id, team_id=found.team.id), 303)
