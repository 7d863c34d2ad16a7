"""The chat: channels of an incident, messages with how far each has got, quick replies."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import uuid6
from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app import messages, records
from app.errors import Invalid
from app.permissions import permission
from app.queries import channels as channel_queries
from app.queries import chat_messages as message_queries
from app.queries import incidents, talk
from app.queries.row import Record
from app.views import shell

LATE_MS = 60_000
KIND = "chat-messages"

pages = Blueprint("chat_messages", __name__, url_prefix="/incidents/<uuid:incident_id>/chat")


@dataclass(frozen=True, slots=True)
class ShownMessage:
    """A message with what this node knows of it; ``late_ms`` is when it came here, if that was late."""

    message: Record
    own: bool
    own_node: bool
    readers: int
    at_hub: bool
    unread: bool
    late_ms: int | None


@pages.get("")
@permission(KIND, "read")
def index(incident_id: uuid.UUID) -> str:
    incident = shell.incident_here(incident_id)
    return render_template("chat_messages/index.html", lines=_lines(incident), channel=None, faults={}, typed={})


@pages.post("")
@permission("channels", "create")
def create_channel(incident_id: uuid.UUID) -> ResponseReturnValue:
    incident = shell.incident_here(incident_id)
    record_id = uuid6.uuid7()
    try:
        form = {"name": request.form.get("name", "").strip() or None}
        change = records.channels.create(uuid.UUID(bytes=record_id.bytes), incidents.scope(incident), form)
    except Invalid as error:
        return render_template(
            "chat_messages/index.html",
            lines=_lines(incident),
            channel=None,
            faults=messages.faults_of(error),
            typed=request.form,
        ), 422
    shell.write(change)
    return redirect(url_for(".show", incident_id=incident.id, channel_id=record_id), 303)


@pages.get("/<uuid:channel_id>")
@permission(KIND, "read")
def show(incident_id: uuid.UUID, channel_id: uuid.UUID) -> str:
    incident = shell.incident_here(incident_id)
    channel = _channel_here(incident, channel_id)
    return render_template(
        "chat_messages/show.html",
        lines=_lines(incident),
        channel=channel,
        messages=messages_of(incident, channel.id),
    )


@pages.get("/<uuid:channel_id>/messages")
@permission(KIND, "read")
def listing(incident_id: uuid.UUID, channel_id: uuid.UUID) -> str:
    incident = shell.incident_here(incident_id)
    return _messages_part(incident, _channel_here(incident, channel_id))


@pages.post("/<uuid:channel_id>/messages")
@permission(KIND, "create")
def create(incident_id: uuid.UUID, channel_id: uuid.UUID) -> ResponseReturnValue:
    """A quick reply is sent by its own button, so what was being typed stays where it is."""
    incident = shell.incident_here(incident_id)
    channel = _channel_here(incident, channel_id)
    text = (request.form.get("phrase") or request.form.get("text") or "").strip()
    record_id = uuid.UUID(bytes=uuid6.uuid7().bytes)
    if text:
        form = {"channel_id": channel.id, "text": text}
        shell.write(records.chat_messages.create(record_id, incidents.scope(incident), form))
    if request.headers.get("HX-Request"):
        return _messages_part(incident, channel)
    return redirect(url_for(".show", incident_id=incident.id, channel_id=channel.id, _anchor=f"m-{record_id}"), 303)


@pages.post("/<uuid:channel_id>/reads")
@permission("channel-reads", "create")
def mark_read(incident_id: uuid.UUID, channel_id: uuid.UUID) -> ResponseReturnValue:
    """The page tells how far its visible messages went; the mark only grows."""
    incident = shell.incident_here(incident_id)
    channel = _channel_here(incident, channel_id)
    upto = request.form.get("upto", "")
    if not (upto.isascii() and upto.isdigit() and len(upto) < 20):
        abort(422)
    shell.write(records.channel_reads.mark(incidents.scope(incident), channel.id, current_user.id, int(upto)))
    return "", 204


def messages_of(incident: Record, channel_id: str) -> list[ShownMessage]:
    node, unsent = shell.node(), shell.unsent_ids()
    seen_upto = message_queries.read_upto(shell.db(), current_user.id).get(channel_id, 0)
    shown = []
    for line in talk.message_lines(shell.db(), channel_id):
        message = line.message
        here = message.node == node.node_id
        shown.append(
            ShownMessage(
                message,
                own=message.author == current_user.id,
                own_node=here,
                readers=line.readers,
                at_hub=message.id not in unsent,
                unread=message.order_key > seen_upto,
                late_ms=None if here else _late(message),
            )
        )
    return shown


def _late(message: Record) -> int | None:
    """When the message came here, where that was more than a minute after it was written."""
    arrived = shell.received_at(KIND, bytes.fromhex(message.scope), message.id)
    return arrived if arrived is not None and arrived - message.created_at > LATE_MS else None


def _messages_part(incident: Record, channel: Record) -> str:
    return render_template("chat_messages/_messages.html", channel=channel, messages=messages_of(incident, channel.id))


def _lines(incident: Record) -> list[talk.ChannelLine]:
    return talk.channel_lines(shell.db(), incident.id, current_user.id, current_user.team)


def _channel_here(incident: Record, channel_id: uuid.UUID) -> Record:
    channel = channel_queries.get(shell.db(), str(channel_id))
    if channel is None or not shell.of_incident(incident, channel):
        abort(404)
    if not channel_queries.visible_to(channel, current_user.id, current_user.team):
        abort(404)
    return channel
