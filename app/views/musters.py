"""Call-outs (参集情報): who was called, who has not answered, and one tap to answer, for oneself or for a colleague.

Safety and reasons are sealed: the board never reads them. ``safety`` opens them all, and says so in the reading log.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

import uuid6
from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app import catalog, messages, permissions, records
from app.errors import Invalid
from app.forms import muster as forms
from app.mail import spool
from app.permissions import permission
from app.queries import incidents, staff, teams, users
from app.queries import musters as queries
from app.queries.musters import Board, Line
from app.queries.row import Record
from app.records import etag, muster_safety
from app.views import shell
from sync.errors import NoScopeKey

KIND, REPLIES, SAFETY, CONTACTS = "musters", "muster-replies", "muster-safety", "staff-contacts"
TO_CALL = (queries.WAITING, "missing")  # whom the phone tree is for

pages = Blueprint("musters", __name__, url_prefix="/incidents/<uuid:incident_id>/musters")


@dataclass(frozen=True, slots=True)
class Told:
    """One person's line with what was opened of it."""

    line: Line
    safety: Record | None


@pages.get("")
@permission(KIND, "read")
def index(incident_id: uuid.UUID) -> str:
    incident = shell.incident_here(incident_id)
    boards = queries.boards(shell.db(), queries.listed(shell.db(), incident.id))
    part = request.args.get("part") == "list"
    return render_template("musters/_index.html" if part else "musters/index.html", boards=boards, me=_me())


@pages.get("/new")
@permission(KIND, "create")
def new(incident_id: uuid.UUID) -> str:
    shell.incident_here(incident_id)
    return _form({"_id": str(uuid6.uuid7())}, [], {})


@pages.post("")
@permission(KIND, "create")
def create(incident_id: uuid.UUID) -> ResponseReturnValue:
    incident = shell.incident_here(incident_id)
    chosen = request.form.getlist("teams")
    try:
        record_id = uuid.UUID(request.form.get("_id", ""))
        fields = forms.read_new(request.form, chosen, shell.node().clock())
        change = records.musters.create(record_id, incidents.scope(incident), fields)
    except (Invalid, ValueError) as error:
        return _form(request.form, chosen, messages.faults_of(error)), 422
    shell.write(change)
    shell.sent(f"{incident.id}:muster")
    flash(messages.saved_here(shell.node()), "ok")
    return redirect(url_for(".show", incident_id=incident.id, muster_id=record_id), 303)


@pages.get("/<uuid:muster_id>")
@permission(KIND, "read")
def show(incident_id: uuid.UUID, muster_id: uuid.UUID) -> str:
    """The board: who has not answered stands first."""
    incident = shell.incident_here(incident_id)
    board = queries.boards(shell.db(), [_muster_here(incident, muster_id)])[0]
    group = request.args.get("group") if request.args.get("group") in catalog.table("muster_groups").codes else None
    team, words = request.args.get("team") or None, shell.asked_words()
    kept = {one.id for one in staff.narrowed((line.person for line in board.lines), words, team)}
    return render_template(
        "musters/_board.html" if request.args.get("part") == "list" else "musters/show.html",
        board=board,
        muster=board.muster,
        lines=[line for line in board.lines if line.person.id in kept and group in (None, line.group)],
        group=group,
        team=team,
        words=words,
        teams=teams.names(shell.db()),
        me=_me(),
        mine=_line_of(board, _me()),
        unsent_ids=shell.unsent_ids(),
        letters=spool.of_muster(shell.db(), board.muster.id),
        versions=etag.make_etag(shell.node().versions(KIND, board.muster.scope, board.muster.id)),
    )


@pages.get("/<uuid:muster_id>/people/<uuid:person_id>")
@permission(KIND, "read")
def person(incident_id: uuid.UUID, muster_id: uuid.UUID, person_id: uuid.UUID) -> str:
    """One person: the buttons to answer for them, and all that was said before."""
    incident = shell.incident_here(incident_id)
    muster, who = _muster_here(incident, muster_id), _person_here(person_id)
    return _person_page(muster, who, {})


@pages.post("/<uuid:muster_id>/people/<uuid:person_id>")
@permission(REPLIES, "create")
def reply(incident_id: uuid.UUID, muster_id: uuid.UUID, person_id: uuid.UUID) -> ResponseReturnValue:
    """One tap: the answer of who looks, or of a colleague who was asked. Nobody loses what they typed."""
    incident = shell.incident_here(incident_id)
    muster, who = _muster_here(incident, muster_id), _person_here(person_id)
    try:
        record_id = uuid.UUID(request.form.get("_id") or str(uuid6.uuid7()))
        fields, told = forms.read_answer(request.form, muster.id, who.id, shell.node().clock())
        if told:
            permissions.require(current_user, "create", SAFETY)
        change = records.muster_replies.create(record_id, bytes.fromhex(muster.scope), fields)
        shell.write(change, *muster_safety.beside(change, told))
    except NoScopeKey:
        return _person_page(muster, who, {"reason": messages.no_key()}), 422
    except (Invalid, ValueError) as error:
        return _person_page(muster, who, messages.faults_of(error)), 422
    flash(messages.saved_here(shell.node()), "ok")
    back = url_for(".show", incident_id=incident.id, muster_id=muster.id)
    return redirect(shell.own_path(request.form.get("back"), back), 303)


@pages.post("/<uuid:muster_id>/lift")
@permission(KIND, "edit")
def lift(incident_id: uuid.UUID, muster_id: uuid.UUID) -> ResponseReturnValue:
    """解除: it stays, with its answers; the bell is quiet."""
    incident = shell.incident_here(incident_id)
    muster = _muster_here(incident, muster_id)
    try:
        seen = etag.read_versions(request.form.get("versions", ""))
        form = {"lifted_at": shell.node().clock()}
        shell.write(records.musters.edit(muster_id, bytes.fromhex(muster.scope), form, seen))
    except Invalid as error:
        flash(next(iter(messages.faults_of(error).values())), "danger")
    return redirect(url_for(".show", incident_id=incident.id, muster_id=muster.id), 303)


@pages.get("/<uuid:muster_id>/safety")
@permission(SAFETY, "read")
def safety(incident_id: uuid.UUID, muster_id: uuid.UUID) -> str:
    """安否 and reasons of all who told them; the reading is durable before the answer is sent."""
    incident = shell.incident_here(incident_id)
    muster = _muster_here(incident, muster_id)
    holds = shell.node().sealing.holds()
    board = queries.boards(shell.db(), [muster])[0]
    answered = [line for line in board.lines if line.reply is not None]
    opened: dict[str, Record] = {}
    if holds and answered:
        shell.node().read_audit.before_reading(current_user.id, KIND, muster, "show", count=len(answered))
        opened = queries.safety(shell.db(), [line.reply for line in answered if line.reply])
    told = [Told(line, opened.get(line.reply.id) if line.reply else None) for line in answered]
    return render_template("musters/safety.html", muster=muster, told=sorted(told, key=_worst_first), holds=holds)


@pages.get("/<uuid:muster_id>/tree")
@permission(CONTACTS, "read")
def tree(incident_id: uuid.UUID, muster_id: uuid.UUID) -> str:
    """電話連絡網, for the printer: who has not answered, by team, with telephones. The reading is noted before."""
    incident = shell.incident_here(incident_id)
    muster, everybody = _muster_here(incident, muster_id), bool(request.args.get("all"))
    board, holds = queries.boards(shell.db(), [muster])[0], shell.node().sealing.holds()
    lines = [line for line in board.lines if everybody or line.group in TO_CALL]
    contacts: dict[str, Record] = {}
    if holds and lines:
        shell.node().read_audit.before_reading(current_user.id, KIND, muster, "print", count=len(lines))
        contacts = staff.contacts(shell.db())
    groups: dict[str | None, list[Line]] = {}
    for line in lines:
        groups.setdefault(line.person["team"], []).append(line)
    return render_template(
        "musters/tree.html",
        muster=muster,
        everybody=everybody,
        holds=holds,
        contacts=contacts,
        listed=len(lines),
        groups=sorted(groups.items(), key=lambda pair: teams.names(shell.db()).get(pair[0] or "", "~")),
    )


def _worst_first(told: Told) -> int:
    said = {told.safety[name] for name in ("own_safety", "family_safety")} if told.safety else set()
    return 0 if "hurt" in said else 1 if "unknown" in said else 2 if told.safety else 3


def _me() -> Record | None:
    """Who of the staff register looks, if anybody."""
    return staff.of_user(staff.listed(shell.db()), users.get(shell.db(), current_user.id))


def _line_of(board: Board, person: Record | None) -> Line | None:
    return next((line for line in board.lines if person is not None and line.person.id == person.id), None)


def _muster_here(incident: Record, muster_id: uuid.UUID) -> Record:
    found = queries.get(shell.db(), str(muster_id))
    if found is None or not shell.of_incident(incident, found):
        abort(404)
    return found


def _person_here(person_id: uuid.UUID) -> Record:
    found = staff.get(shell.db(), str(person_id))
    if found is None:
        abort(404)
    return found


def _form(typed: Any, chosen: list[str], faults: dict[str, str]) -> str:
    everybody = staff.listed(shell.db())
    calls = {code: len(staff.called_at(everybody, code)) for code in catalog.table("staffing_levels").codes}
    return render_template(
        "musters/new.html", typed=typed, chosen=chosen, faults=faults, calls=calls, teams=teams.listed(shell.db())
    )


def _person_page(muster: Record, who: Record, faults: dict[str, str]) -> str:
    me = _me()
    return render_template(
        "musters/person.html",
        muster=muster,
        person=who,
        said=queries.of_person(shell.db(), muster, who),
        is_me=me is not None and me.id == who.id,
        typed=request.form,
        faults=faults,
        late_minutes=forms.LATE_MINUTES,
    )
