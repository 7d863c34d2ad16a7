"""The people of the city (利用者): who they are, and on a node with `command` who has a login here.

Names, roles and teams travel as operations; codes, resets and logins are this node's alone.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app import catalog, messages
from app.errors import AppError, Conflict, Invalid
from app.permissions import permission
from app.queries import teams
from app.queries import users as queries
from app.queries.row import Record
from app.records import CITY, etag
from app.views import shell

pages = Blueprint("users", __name__, url_prefix="/users")


@dataclass(frozen=True, slots=True)
class Line:
    user: Record
    active: bool
    has_login: bool
    last_login: int | None


@pages.get("")
@permission("accounts", "read")
def index() -> str:
    return _list({}, {})


@pages.post("")
@permission("users", "create")
def create() -> ResponseReturnValue:
    """The one-time code is shown once, to be read aloud or printed."""
    typed = request.form
    _only_where_commanded()
    try:
        team = _team(typed.get("team", ""))
        added = _people().add_user(typed.get("name", "").strip(), typed.get("role", ""), None, current_user.id, team)
    except (Invalid, Conflict) as error:
        return _list(typed, _faults(error)), error.status
    return _code_page(added.id, added.code or "")


@pages.get("/<uuid:user_id>")
@permission("accounts", "read")
def show(user_id: uuid.UUID) -> str:
    return _person_page(user_id, {})


@pages.post("/<uuid:user_id>")
@permission("users", "edit")
def change(user_id: uuid.UUID) -> ResponseReturnValue:
    """Role, team, active: the versions that the page was drawn from come back, so nobody is overwritten unseen."""
    user = _user(user_id)
    _only_where_commanded()
    try:
        form = {"role": request.form.get("role", ""), "team": _team(request.form.get("team", "")),
                "active": request.form.get("active") != "no"}  # fmt: skip
        form = {name: value for name, value in form.items() if value != _now(user, name)}
        if not form:
            flash(messages.NOTHING_CHANGED, "plain")
            return redirect(url_for(".show", user_id=user_id), 303)
        seen = etag.read_versions(request.form.get("versions", ""))
        _people().roster.change(user.id, form, seen, current_user.id)
    except Invalid as error:
        return _person_page(user_id, messages.faults_of(error)), error.status
    flash(messages.USER_CHANGED, "ok")
    return redirect(url_for(".show", user_id=user_id), 303)


@pages.post("/<uuid:user_id>/code")
@permission("accounts", "edit")
def new_code(user_id: uuid.UUID) -> str:
    """For somebody who has no login on this node yet, or lost the first code."""
    user = _user(user_id)
    code, keep = _people().codes.make(user_id=user.id)
    shell.node().local_write(keep)
    return _code_page(user.id, code)


@pages.post("/<uuid:user_id>/reset")
@permission("accounts", "edit")
def reset(user_id: uuid.UUID) -> str:
    """Passphrase, second factor and paper are gone on this node; the person begins anew with the code."""
    return _code_page(str(user_id), _people().reset(_user(user_id).id, current_user.id))


def _people() -> Any:
    return current_app.extensions["accounts"]


def _only_where_commanded() -> None:
    certificate = shell.node().certificate
    if certificate is None or "command" not in certificate.capabilities:
        raise Conflict("field_node", "People of the city are added at HQ.", "Use a node of HQ, or vouch for somebody.")


def _user(user_id: uuid.UUID) -> Record:
    user = queries.get(shell.db(), str(user_id))
    if user is None:
        abort(404)
    return user


def _now(user: Record, name: str) -> Any:
    return user["active"] not in (False, 0) if name == "active" else user[name]


def _team(team_id: str) -> str | None:
    if team_id and team_id not in teams.names(shell.db()):
        raise Invalid("unknown_team", "There is no such team.", "Choose one of the list.", "team")
    return team_id or None


def _faults(error: AppError) -> dict[str, str]:
    return {"name": str(messages.NAME_TAKEN)} if error.code == "name_taken" else messages.faults_of(error)


def _list(typed: Any, faults: dict[str, str]) -> str:
    known, logins = _people().passphrases.known(), _people().sessions.last_logins()
    lines = [
        Line(user, user["active"] not in (False, 0), user.id in known, logins.get(user.id))
        for user in queries.listed(shell.db())
    ]
    lines.sort(key=lambda line: (not line.active, catalog.table("roles").codes.index(_role(line)), line.user["name"]))
    return render_template("users/index.html", lines=lines, typed=typed, faults=faults, teams=teams.names(shell.db()))


def _role(line: Line) -> str:
    codes = catalog.table("roles").codes
    return line.user["role"] if line.user["role"] in codes else codes[-1]


def _person_page(user_id: uuid.UUID, faults: dict[str, str]) -> str:
    user = _user(user_id)
    versions = shell.node().versions("users", CITY, user.id)
    return render_template(
        "users/show.html", user=user, faults=faults, versions=etag.make_etag(versions), teams=teams.names(shell.db()),
        active=_now(user, "active"), has_login=user.id in _people().passphrases.known(),
        has_second=_people().second_factor.is_set_up(user.id), last_login=_people().sessions.last_logins().get(user.id),
    )  # fmt: skip


def _code_page(user_id: str, code: str) -> str:
    user = queries.get(shell.db(), user_id)
    return render_template("users/code.html", user=user, code=code)
