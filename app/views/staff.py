"""The staff register (職員名簿): who may be called out. How to reach somebody is opened by a tap of its own.

The register is the city's; it is opened within an incident, in whose ledger each reading of what is sealed is noted.
"""

from __future__ import annotations

import uuid
from typing import Any

import uuid6
from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app import messages, permissions, records
from app.errors import Conflict, Invalid
from app.forms import staff as forms
from app.permissions import permission
from app.queries import incidents, musters, teams, users
from app.queries import staff as queries
from app.queries.row import Record
from app.records import CITY, etag, staff_contacts
from app.records.judge import capable
from app.views import shell
from sync.errors import NoScopeKey
from sync.operation import Change

KIND, CONTACTS = "staff", "staff-contacts"

pages = Blueprint("staff", __name__, url_prefix="/incidents/<uuid:incident_id>/staff")


@pages.get("")
@permission(KIND, "read")
def index(incident_id: uuid.UUID) -> str:
    shell.incident_here(incident_id)
    everybody, words = queries.listed(shell.db(), resting=True), shell.asked_words()
    team = request.args.get("team") or None
    return render_template(
        "staff/_list.html" if request.args.get("part") == "list" else "staff/index.html",
        people=queries.narrowed(everybody, words, team),
        everybody=len([person for person in everybody if person["active"] is not False]),
        words=words,
        team=team,
        teams=teams.names(shell.db()),
    )


@pages.get("/new")
@permission(KIND, "create")
def new(incident_id: uuid.UUID) -> str:
    """``support``: somebody who came from elsewhere, as it is filled in at the door."""
    shell.incident_here(incident_id)
    support = "yes" if request.args.get("support") else ""
    typed = {"_id": str(uuid6.uuid7()), "support": support, "muster": request.args.get("muster", "")}
    return _form("staff/new.html", typed, {})


@pages.post("")
@permission(KIND, "create")
def create(incident_id: uuid.UUID) -> ResponseReturnValue:
    incident = shell.incident_here(incident_id)
    try:
        record_id = uuid.UUID(request.form.get("_id", ""))
        fields, contacts = forms.read_new(request.form)
        if contacts:
            permissions.require(current_user, "create", CONTACTS)
        change = records.staff.create(record_id, CITY, fields, home_node=shell.node().node_id)
        _require_capable(change)
        shell.write(change, *staff_contacts.beside(record_id, contacts), *_on_duty(incident, record_id))
    except (Invalid, NoScopeKey, ValueError) as error:
        return _form("staff/new.html", request.form, _faults(error)), 422
    flash(messages.saved_here(shell.node()), "ok")
    return redirect(url_for(".show", incident_id=incident.id, person_id=record_id), 303)


@pages.get("/<uuid:person_id>")
@permission(KIND, "read")
def show(incident_id: uuid.UUID, person_id: uuid.UUID) -> str:
    """What is sealed is not read here: the page says only that something is."""
    shell.incident_here(incident_id)
    return _person_page(_person(person_id), {}, {}, None)


@pages.get("/<uuid:person_id>/contacts")
@permission(CONTACTS, "read")
def contacts(incident_id: uuid.UUID, person_id: uuid.UUID) -> str:
    """Telephone and mail; the reading is durable before the answer is sent."""
    incident, person = shell.incident_here(incident_id), _person(person_id)
    return _person_page(person, {}, {}, _opened(incident, person))


@pages.post("/<uuid:person_id>")
@permission(KIND, "edit")
def save(incident_id: uuid.UUID, person_id: uuid.UUID) -> ResponseReturnValue:
    incident, person = shell.incident_here(incident_id), _person(person_id)
    back = redirect(url_for(".show", incident_id=incident.id, person_id=person.id), 303)
    try:
        fields, reached = forms.read_edit(request.form)
        changes = [*_edited(person, fields), *_contacts_edited(person, reached)]
        if not changes:
            flash(messages.NOTHING_CHANGED, "plain")
            return back
        shell.write(*changes)
    except (Invalid, NoScopeKey) as error:
        return _person_page(person, request.form, _faults(error), None), 422
    flash(messages.saved_here(shell.node()), "ok")
    return back


def _on_duty(incident: Record, person_id: uuid.UUID) -> list[Change]:
    """Who is added from the page of a call-out is there already, and works."""
    muster = musters.get(shell.db(), request.form.get("muster", ""))
    if muster is None or not shell.of_incident(incident, muster):
        return []
    fields = {"muster_id": muster.id, "user": str(person_id), "state": "on_duty", "happened_at": shell.node().clock()}
    return [records.muster_replies.create(uuid6.uuid7(), bytes.fromhex(muster.scope), fields)]


def _edited(person: Record, fields: dict[str, Any]) -> list[Change]:
    if not fields:
        return []
    seen = etag.read_versions(request.form.get("versions", ""))
    own = {"home_node": person["home_node"]} if person["home_node"] == shell.node().node_id else {}
    change = records.staff.edit(uuid.UUID(person.id), CITY, fields, seen, **own)
    _require_capable(change)
    return [change]


def _contacts_edited(person: Record, fields: dict[str, Any]) -> list[Change]:
    if not fields:
        return []
    permissions.require(current_user, "edit", CONTACTS)
    named = request.form.get("contact_versions", "")
    return [staff_contacts.edited(uuid.UUID(person.id), fields, etag.read_versions(named) if named else ())]


def _opened(incident: Record, person: Record) -> Record | None:
    if not shell.node().sealing.holds():
        return None
    shell.node().read_audit.before_reading(current_user.id, KIND, person, "show", scope=incidents.scope(incident))
    return queries.contact(shell.db(), person.id)


def _person(person_id: uuid.UUID) -> Record:
    person = queries.get(shell.db(), str(person_id))
    if person is None:
        abort(404)
    return person


def _require_capable(change: Change) -> None:
    certificate = shell.node().certificate
    if certificate and not capable(records.staff.KIND, change, shell.node().node_id, certificate.capabilities):
        raise Conflict("field_node", "The register is kept at HQ.", "Use a node of HQ; 応援職員 can be added here.")


def _faults(error: Exception) -> dict[str, str]:
    return {"phone": messages.no_key()} if isinstance(error, NoScopeKey) else messages.faults_of(error)


def _form(template: str, typed: Any, faults: dict[str, str], **more: Any) -> str:
    here = shell.db()
    logins = [user for user in users.listed(here) if user["active"] is not False]
    return render_template(template, typed=typed, faults=faults, teams=teams.listed(here), logins=logins, **more)


def _person_page(person: Record, typed: Any, faults: dict[str, str], contact: Record | None) -> str:
    if not typed:
        typed = {name: person[name] or "" for name in (*forms.TEXTS, *forms.CHOSEN)}
        typed |= {
            "support": "yes" if person["support"] else "no",
            "active": "no" if person["active"] is False else "yes",
        }
        typed |= {name: (contact[name] if contact else None) or "" for name in staff_contacts.FIELDS}
        typed |= {f"{forms.WAS}{name}": value for name, value in typed.items()}
        typed["versions"] = etag.make_etag(shell.node().versions(KIND, CITY, person.id))
        known = contact and shell.node().versions(CONTACTS, CITY, person.id)
        typed["contact_versions"] = etag.make_etag(known) if known else ""
    return _form(
        "staff/show.html", typed, faults, person=person, contact=contact,
        sealed=queries.sealed(shell.db(), person), holds=shell.node().sealing.holds(),
        asked=request.endpoint == "staff.contacts",
    )  # fmt: skip
