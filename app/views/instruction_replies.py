"""Answers to instructions, with the inbox that they are given in; and which cards were on whose screen."""

from __future__ import annotations

import uuid
from typing import Any

import uuid6
from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app import messages, permissions, records
from app.errors import Invalid, TooLarge, UnsupportedMedia
from app.forms import instruction as forms
from app.intake import naming
from app.permissions import permission
from app.queries import incidents, joins, orders
from app.queries import instructions as queries
from app.queries.ladder import Ladder, Recipient, ladders
from app.queries.row import Record
from app.views import shell
from app.views.damage_reports import files_of_form
from sync.operation import Change

KIND, SIGHTINGS = "instruction-replies", "instruction-sightings"
SEEN_AT_ONCE_MAX = 100
SLIP_MS = 600_000  # so long a finished one can be taken back in the list; on its own page for ever

pages = Blueprint("instruction_replies", __name__, url_prefix="/incidents/<uuid:incident_id>/instructions")


@pages.post("/<uuid:instruction_id>/replies")
@permission(KIND, "create")
def create(incident_id: uuid.UUID, instruction_id: uuid.UUID) -> ResponseReturnValue:
    """An answer from the screen; or, from the call list, one that was got by voice."""
    incident = shell.incident_here(incident_id)
    instruction = instruction_here(incident, instruction_id)
    if request.form.get("on_behalf_of"):
        permissions.require(current_user, "edit", "instructions")
        if request.form["on_behalf_of"] not in instruction["recipients"]:
            abort(422)
    try:
        record_id = uuid.UUID(request.form.get("_id") or str(uuid6.uuid7()))
        named = files_of_form()
        fields = forms.read_reply(request.form, instruction.id) | ({"attachments": named} if named else {})
        if _said_already(instruction, fields):
            return _answered(incident)
        change = records.instruction_replies.create(record_id, incidents.scope(incident), fields)
    except (Invalid, UnsupportedMedia, TooLarge, ValueError) as error:
        flash(next(iter(messages.faults_of(error).values())), "danger")
        return redirect(_back(incident), 303)
    # Whoever answers it on a page has had it on the screen, also for less than the moment that a page waits to say so.
    seen = [] if request.form.get("on_behalf_of") else _first_sightings(incident, [instruction.id])
    shell.write(*naming.describing(shell.db(), incidents.scope(incident), named), change, *seen)
    return _answered(incident)


def _said_already(instruction: Record, fields: dict[str, Any]) -> bool:
    """A second tap: the same was answered here, or taken back, and there is nothing to add to it."""
    if fields.get("takes_back"):
        return queries.own_answer(shell.db(), instruction.id, fields["takes_back"], current_user.id) is None
    if fields.keys() - {"instruction_id", "state"}:
        return False
    here = queries.counting(queries.replies(shell.db(), [instruction.id])[instruction.id])
    mine = [one for one in here if one.author == current_user.id and one.node == shell.node().node_id]
    return any(one["state"] == fields["state"] and one["on_behalf_of"] is None for one in mine)


def _answered(incident: Record) -> ResponseReturnValue:
    if request.headers.get("HX-Request"):
        return render_template("instructions/_inbox.html", **inbox(incident))
    return redirect(_back(incident), 303)


@pages.post("/sightings")
@permission(SIGHTINGS, "create")
def see(incident_id: uuid.UUID) -> ResponseReturnValue:
    """The page tells which cards were really on its screen; each person's first time is kept."""
    incident = shell.incident_here(incident_id)
    changes = _first_sightings(incident, request.form.getlist("id")[:SEEN_AT_ONCE_MAX])
    if changes:
        shell.write(*changes)
    return "", 204


def _first_sightings(incident: Record, wanted: list[str]) -> list[Change]:
    """That this person has seen these, of those that are meant for them and that they had not seen."""
    who, now, changes = me(), shell.node().clock(), []
    known = queries.sightings(shell.db(), wanted)
    for name in wanted:
        instruction = queries.get(shell.db(), name)
        if (
            instruction is None
            or not joins.covers(shell.db(), incident.id, instruction)
            or not who.is_meant(instruction)
        ):
            continue
        if not any(user == current_user.id for user, _, _ in known[name]):
            changes.append(
                records.instruction_sightings.seen(
                    bytes.fromhex(instruction.scope), instruction.id, current_user.id, now
                )
            )
    return changes


def inbox(incident: Record) -> dict[str, Any]:
    """The cards of whoever looks: each with its one recipient that is meant here."""
    who = me()
    found = ladders(shell.db(), orders.mine(shell.db(), incident.id, who), shell.node().here())
    cards = [(ladder, best([one for one in ladder.recipients if one.id in who.names])) for ladder in found]
    closed = [card for card in cards if _is_closed(*card)]
    return {
        "cards": sorted(
            (card for card in cards if card not in closed),
            # Never by the answer: a card that moves when it is answered puts another one under the finger.
            key=lambda card: (card[0].instruction["priority"] != orders.URGENT, -card[0].instruction.created_at),
        ),
        "closed": closed,
        "slip_ms": SLIP_MS,
        "unsent_ids": shell.unsent_ids(),
    }


def best(meant: list[Recipient]) -> Recipient:
    """Who is addressed twice, as a person and as a team, has answered when one of them has."""
    return max(meant, key=lambda one: ("waiting", "ack", "started", "cannot", "done").index(one.state))


def _is_closed(ladder: Ladder, recipient: Recipient) -> bool:
    return recipient.state in ("done", "cannot") or ladder.instruction["withdrawn_at"] is not None


def instruction_here(incident: Record, instruction_id: uuid.UUID) -> Record:
    found = queries.get(shell.db(), str(instruction_id))
    if found is None or not shell.of_incident(incident, found):
        abort(404)
    return found


def me() -> orders.Me:
    return orders.Me.of(current_user.id, current_user.team, shell.node().node_id)


def _back(incident: Record) -> str:
    return shell.own_path(request.form.get("back"), url_for("instructions.index", incident_id=incident.id))
