"""Response instructions: HQ's list with the delivery ladder, the form, the call list; the inbox of who is addressed."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

import uuid6
from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app import messages, records
from app.errors import Invalid
from app.forms import instruction as forms
from app.permissions import permission
from app.queries import (
    channels,
    chat_messages,
    damage_reports,
    hq_meetings,
    incidents,
    joins,
    nodes,
    orders,
    teams,
    users,
)
from app.queries import instructions as queries
from app.queries.ladder import Ladder, Recipient, ladders
from app.queries.row import Record
from app.records import etag
from app.views import shell
from app.views.attachments import files_of_record
from app.views.instruction_replies import best, inbox, instruction_here, me

KIND = "instructions"
GROUPS = ("waiting", "cannot", "in_progress", "done")
BAR_FROM = 5  # recipients from which a bar says more than rows
SHOWN_FIRST = 40

pages = Blueprint("instructions", __name__, url_prefix="/incidents/<uuid:incident_id>/instructions")


@dataclass(frozen=True, slots=True)
class Call:
    """Somebody who is to be called by voice: the instruction has not been acknowledged in the time the city gives."""

    ladder: Ladder
    recipient: Recipient
    minutes: int


@pages.get("")
@permission(KIND, "read")
def index(incident_id: uuid.UUID) -> str:
    incident = shell.incident_here(incident_id)
    group = request.args.get("group") if request.args.get("group") in GROUPS else None
    part = request.args.get("part") == "list"
    if not _commands() or request.args.get("view") == "mine":
        return render_template("instructions/_inbox.html" if part else "instructions/inbox.html", **inbox(incident))
    found = ladders(shell.db(), queries.listed(shell.db(), incident.id), shell.node().here())
    groups = [ladder.group for ladder in found]
    shown = [ladder for ladder, its in zip(found, groups, strict=True) if group in (None, its)]
    return render_template(
        "instructions/_list.html" if part else "instructions/index.html",
        ladders=shown[: queries.LISTED_MAX if request.args.get("all") else SHOWN_FIRST],
        more=max(0, len(shown) - SHOWN_FIRST) if not request.args.get("all") else 0,
        group=group,
        counts={name: groups.count(name) for name in GROUPS},
        calls=calls_of(found),
        voices=_voices(found),
        bar_from=BAR_FROM,
    )


@pages.get("/calls")
@permission(KIND, "read")
def calls(incident_id: uuid.UUID) -> str:
    """The call list, for the printer."""
    incident = shell.incident_here(incident_id)
    found = ladders(shell.db(), queries.listed(shell.db(), incident.id), shell.node().here())
    return render_template("instructions/calls.html", calls=calls_of(found))


@pages.get("/new")
@permission(KIND, "create")
def new(incident_id: uuid.UUID) -> str:
    """From a damage report or a message its words are there already: the recipient and 送る are left."""
    incident = shell.incident_here(incident_id)
    typed = {"_id": str(uuid6.uuid7()), "priority": "normal"} | _of_report(incident) | _of_message(incident)
    decision = _decision_here(incident, request.args.get("decision"))
    if decision is None:
        return _form(typed, _team_of_report(typed), {})
    team = [decision["team"]] if decision["team"] else []
    return _form(typed | {"decision_id": decision.id, "text": decision["text"]}, team, {})


@pages.post("")
@permission(KIND, "create")
def create(incident_id: uuid.UUID) -> ResponseReturnValue:
    incident = shell.incident_here(incident_id)
    chosen = request.form.getlist("recipients")
    try:
        record_id = uuid.UUID(request.form.get("_id", ""))
        fields = forms.read_new(request.form, chosen, shell.node().clock())
        change = records.instructions.create(record_id, incidents.scope(incident), fields)
    except (Invalid, ValueError) as error:
        return _form(request.form, chosen, messages.faults_of(error)), 422
    shell.write(change)
    shell.sent(f"{incident.id}:instruction")
    flash(messages.saved_here(shell.node()), "ok")
    return redirect(url_for(".show", incident_id=incident.id, instruction_id=record_id), 303)


@pages.get("/<uuid:instruction_id>")
@permission(KIND, "read")
def show(incident_id: uuid.UUID, instruction_id: uuid.UUID) -> str:
    incident = shell.incident_here(incident_id)
    instruction = instruction_here(incident, instruction_id)
    report = damage_reports.get(shell.db(), instruction["damage_report_id"] or "")
    replies = queries.replies(shell.db(), [instruction.id])[instruction.id]
    return render_template(
        "instructions/_body.html" if request.args.get("part") == "body" else "instructions/show.html",
        ladder=(found := ladders(shell.db(), [instruction], shell.node().here())[0]),
        mine=_mine(found),
        replies=replies,
        counting={one.id for one in queries.counting(replies)},
        files={one.id: files_of_record(one) for one in replies if one["attachments"]},
        report=report,
        meeting=_meeting_of(incident, instruction["decision_id"]),
        versions=etag.make_etag(shell.node().versions(KIND, incidents.scope(incident), instruction.id)),
    )


@pages.post("/<uuid:instruction_id>/withdraw")
@permission(KIND, "edit")
def withdraw(incident_id: uuid.UUID, instruction_id: uuid.UUID) -> ResponseReturnValue:
    """It stays, struck through, with when and why; who has answered it keeps the answer."""
    incident = shell.incident_here(incident_id)
    instruction = instruction_here(incident, instruction_id)
    reason = request.form.get("reason", "").strip() or None
    form = {"withdrawn_at": shell.node().clock()} | ({"withdrawn_reason": reason} if reason else {})
    try:
        seen = etag.read_versions(request.form.get("versions", ""))
        change = records.instructions.edit(instruction_id, incidents.scope(incident), form, seen)
    except Invalid as error:
        flash(next(iter(messages.faults_of(error).values())), "danger")
    else:
        shell.write(change)
        flash(messages.WITHDRAWN, "ok")
    return redirect(url_for(".show", incident_id=incident.id, instruction_id=instruction.id), 303)


def calls_of(found: list[Ladder]) -> list[Call]:
    """Who is to be called now: the longest urgent first."""
    settings, now = shell.node().settings, shell.node().clock()
    listed = []
    for ladder in found:
        instruction = ladder.instruction
        if instruction["withdrawn_at"] is not None:
            continue
        urgent = instruction["priority"] == orders.URGENT
        limit = settings.call_after_urgent if urgent else settings.call_after_normal
        minutes = (now - instruction.created_at) // 60_000
        if minutes >= limit:
            listed += [Call(ladder, one, minutes) for one in ladder.recipients if one.state == "waiting"]
    return sorted(listed, key=lambda call: (call.ladder.instruction["priority"] != orders.URGENT, -call.minutes))


def _voices(found: list[Ladder]) -> list[tuple[Ladder, Recipient]]:
    heard = [(ladder, one) for ladder in found for one in ladder.recipients if one.voice is not None]
    return sorted(heard, key=lambda pair: -pair[1].voice.created_at if pair[1].voice else 0)


def _mine(ladder: Ladder) -> Recipient | None:
    """The recipient that whoever looks is meant by, if any."""
    meant = [one for one in ladder.recipients if one.id in me().names]
    return best(meant) if meant else None


def _form(typed: Any, chosen: list[str], faults: dict[str, str]) -> str:
    here = shell.db()
    return render_template(
        "instructions/new.html",
        typed=typed,
        chosen=chosen,
        faults=faults,
        teams=teams.listed(here),
        nodes=[node for node in nodes.listed(here) if node["role"] != "hub"],
        people=[user for user in users.listed(here) if user["active"] is not False],
        due_minutes=forms.DUE_MINUTES,
        report=damage_reports.get(here, typed.get("damage_report_id") or ""),
        decided=meeting.number if (meeting := _meeting_of(g.incident, typed.get("decision_id"))) else None,
    )


def _decision_here(incident: Record, decision_id: str | None) -> Record | None:
    found = hq_meetings.decision(shell.db(), decision_id or "")
    return found if found is not None and joins.covers(shell.db(), incident.id, found) else None


def _meeting_of(incident: Record, decision_id: str | None) -> hq_meetings.Line | None:
    """The meeting whose decision an instruction carries out."""
    decision = _decision_here(incident, decision_id)
    meeting = hq_meetings.get(shell.db(), decision["hq_meeting_id"]) if decision is not None else None
    return hq_meetings.line(shell.db(), meeting) if meeting is not None else None


def _team_of_report(typed: dict[str, str]) -> list[str]:
    """The team that a report was given to is the recipient already: 対応指示にする and 送る are the two clicks."""
    report = damage_reports.get(shell.db(), typed.get("damage_report_id", ""))
    return [report["team"]] if report is not None and report["team"] and teams.get(shell.db(), report["team"]) else []


def _of_report(incident: Record) -> dict[str, str]:
    report = damage_reports.get(shell.db(), request.args.get("report", ""))
    if report is None or not shell.of_incident(incident, report):
        return {}
    place = f"{report['address']} " if report["address"] else ""
    urgent = {"priority": orders.URGENT} if report["urgency"] == "red" or report["rescue_needed"] else {}
    return {"damage_report_id": report.id, "text": f"{place}{report['summary']}"} | urgent


def _of_message(incident: Record) -> dict[str, str]:
    message = chat_messages.get(shell.db(), request.args.get("message", ""))
    channel = channels.get(shell.db(), message["channel_id"]) if message is not None else None
    if message is None or channel is None or not shell.of_incident(incident, message):
        return {}
    if not channels.visible_to(channel, current_user):
        return {}
    return {"chat_message_id": message.id, "text": message["text"] or ""}


def _commands() -> bool:
    return shell.may("create", KIND) or current_user.role == "viewer"
