"""The front page of an incident: people and counts, the map, what waits, the feed; at HQ the chat under it."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.permissions import permission
from app.queries import conflicts, head_counts, joins, report_rows, shelters, talk
from app.queries import front as queries
from app.views import chat_messages, shell
from app.views.bulletins import pinned_lines
from app.views.shelters import last_opened

FEED_ROWS_MAX = 24
MESSAGES_MAX = 20  # of the chat that stands folded; its own page has more

pages = Blueprint("front", __name__)


@pages.get("/incidents/<uuid:incident_id>")
@permission("damage-reports", "read")
def show(incident_id: uuid.UUID) -> ResponseReturnValue:
    incident = shell.incident_here(incident_id)
    lead = joins.Joins.read(shell.db()).lead(incident.id)
    if lead != incident.id:
        return redirect(url_for(".show", incident_id=lead))
    lines = shelters.listed(shell.db(), incident.id)
    counted = _counts(incident.id, lines)
    channels = talk.channel_lines(shell.db(), incident.id, current_user)
    channel = channels[0].channel if channels else None
    return render_template(
        "front/show.html",
        channels=channels,
        channel=channel,
        messages=chat_messages.messages_of(channel)[-MESSAGES_MAX:] if channel else [],
        waiting=queries.waiting(shell.db(), incident.id, counted["counts"].people, _sight(), lines),
        pinned=pinned_lines(incident),
        **chat_messages.composer(),
        last_shelter=last_opened(),
        **counted,
        **_feed(incident.id),
    )


@pages.get("/incidents/<uuid:incident_id>/counts")
@permission("damage-reports", "read")
def counts(incident_id: uuid.UUID) -> str:
    incident = shell.incident_here(incident_id)
    return render_template("front/_counts.html", **_counts(incident.id))


@pages.get("/incidents/<uuid:incident_id>/feed")
@permission("damage-reports", "read")
def feed(incident_id: uuid.UUID) -> str:
    incident = shell.incident_here(incident_id)
    return render_template("front/_feed.html", **_feed(incident.id))


@pages.get("/incidents/<uuid:incident_id>/unread")
@permission("chat-messages", "read")
def unread(incident_id: uuid.UUID) -> str:
    """The row that leads into the chat; and for HQ, whose chat stands folded, how much of it is unread."""
    incident = shell.incident_here(incident_id)
    channels = talk.channel_lines(shell.db(), incident.id, current_user)
    return render_template("front/_chat_row.html", channels=channels)


@pages.get("/incidents/<uuid:incident_id>/menu")
@permission("damage-reports", "read")
def menu(incident_id: uuid.UUID) -> str:
    shell.incident_here(incident_id)
    return render_template("_nav.html", menu_at=request.args.get("at", "")[:40])


@pages.get("/incidents/<uuid:incident_id>/order-strip")
@permission("instructions", "read")
def order_strip(incident_id: uuid.UUID) -> str:
    shell.incident_here(incident_id)
    return render_template("instructions/_strip.html", menu_at=request.args.get("at", "")[:40])


@pages.get("/incidents/<uuid:incident_id>/waiting")
@permission("damage-reports", "read")
def waiting(incident_id: uuid.UUID) -> str:
    incident = shell.incident_here(incident_id)
    lines = shelters.listed(shell.db(), incident.id)
    people = head_counts.people(shell.db(), incident.id, shell.node().clock(), lines)
    found = queries.waiting(shell.db(), incident.id, people, _sight(), lines)
    return render_template("front/_waiting.html", waiting=found)


def _sight() -> conflicts.Sight:
    return conflicts.Sight(current_user.id, current_user.team, current_user.role)


def _counts(incident_id: str, lines: list[shelters.ShelterLine] | None = None) -> dict[str, Any]:
    return {"counts": queries.counts(shell.db(), incident_id, shell.node().clock(), lines)}


def _feed(incident_id: str) -> dict[str, object]:
    groups = tuple(group for group in request.args.getlist("group") if group in ("open", "in_progress", "done"))
    filters = report_rows.Narrowed(groups=groups)
    rows = report_rows.listing(shell.db(), incident_id, filters, FEED_ROWS_MAX)
    return {
        "reports": rows[:FEED_ROWS_MAX],
        "together": report_rows.together(shell.db(), incident_id, rows),
        "more": len(rows) > FEED_ROWS_MAX,
        "total": report_rows.total(shell.db(), incident_id, filters),
        "groups": groups or ("open", "in_progress", "done"),
        "unsent_ids": shell.unsent_ids(),
    }
