"""The chat: channels of an incident, messages with how far each has got, replies, quick replies."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import uuid6
from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app import messages, records
from app.errors import Invalid, TooLarge, UnsupportedMedia
from app.forms import position
from app.intake import naming
from app.permissions import permission
from app.queries import channel_reads, incidents, talk
from app.queries import channels as channel_queries
from app.queries import chat_messages as message_queries
from app.queries.row import Record
from app.records.shape import TEXT_CHARS_MAX
from app.views import channels, shell
from app.views.attachments import ShownFile, shown_files
from app.views.damage_reports import files_of_form
from sync.authoring import Exists

LATE_MS = 60_000
KIND = "chat-messages"
_SHOWN = re.compile("[0-9a-f]{16}:[0-9]{1,18}")

pages = Blueprint("chat_messages", __name__, url_prefix="/incidents/<uuid:incident_id>/chat")


@dataclass(frozen=True, slots=True)
class ShownMessage:
    """A message with what this node knows of it; ``late_ms`` is when it came here, if that was late."""

    message: Record
    own: bool
    own_node: bool
    place: channel_reads.Place
    readers: int
    audience: int
    at_hub: bool
    unread: bool
    late_ms: int | None
    reply_to: Record | None
    files: list[ShownFile]


@pages.get("")
@permission(KIND, "read")
def index(incident_id: uuid.UUID) -> str:
    incident = shell.incident_here(incident_id)
    return render_template("chat_messages/index.html", **_aside(incident), channel=None)


@pages.post("")
@permission("channels", "create")
def create_channel(incident_id: uuid.UUID) -> ResponseReturnValue:
    incident = shell.incident_here(incident_id)
    record_id = uuid6.uuid7()
    try:
        form = {"name": request.form.get("name", "").strip() or None}
        change = records.channels.create(uuid.UUID(bytes=record_id.bytes), incidents.scope(incident), form)
    except Invalid as error:
        aside = _aside(incident) | {"faults": messages.faults_of(error), "typed": request.form}
        return render_template("chat_messages/index.html", **aside, channel=None), 422
    shell.write(change)
    return redirect(url_for(".show", incident_id=incident.id, channel_id=record_id), 303)


@pages.post("/standing")
@permission(KIND, "read")
def open_standing(incident_id: uuid.UUID) -> ResponseReturnValue:
    """To the channel with a shelter, a team, a person: it begins with its first message."""
    incident = shell.incident_here(incident_id)
    what, _, about = request.form.get("with", "").partition(":")
    channel = channels.standing(incident, what, about) or abort(404)
    known = channel_queries.get(shell.db(), channel.id)
    place = url_for(".show", incident_id=incident.id, channel_id=channel.id)
    return redirect(place if known else f"{place}?{urlencode({'standing': what, 'about': about})}", 303)


@pages.get("/groups")
@permission(KIND, "read")
def groups(incident_id: uuid.UUID) -> str:
    """The list beside the chat, drawn anew as messages come; ``open`` is the channel that the page shows."""
    incident = shell.incident_here(incident_id)
    lines = talk.channel_lines(shell.db(), incident.id, current_user)
    return render_template("chat_messages/_groups.html", lines=lines, channel=None)


@pages.get("/<uuid:channel_id>")
@permission(KIND, "read")
def show(incident_id: uuid.UUID, channel_id: uuid.UUID) -> str:
    incident = shell.incident_here(incident_id)
    return _page(incident, channels.channel_here(incident, channel_id), typed=request.args)


@pages.get("/<uuid:channel_id>/messages")
@permission(KIND, "read")
def listing(incident_id: uuid.UUID, channel_id: uuid.UUID) -> Response:
    incident = shell.incident_here(incident_id)
    return _messages_part(incident, channels.channel_here(incident, channel_id))


@pages.post("/<uuid:channel_id>/messages")
@permission(KIND, "create")
def create(incident_id: uuid.UUID, channel_id: uuid.UUID) -> ResponseReturnValue:
    """A quick reply is sent by its own button, so what was being typed stays where it is."""
    incident = shell.incident_here(incident_id)
    channel = channels.channel_here(incident, channel_id)
    record_id = _new_id()
    try:
        form = _read(channel)
        if form["text"]:
            record_id = _send(incident, channel, record_id, form)
    except (Invalid, UnsupportedMedia, TooLarge) as error:
        return _refused(incident, channel, error), 422
    anew = not channel.created_at or "attachments" in form  # the whole page is drawn anew
    in_place = request.headers.get("HX-Request") and not anew
    if not in_place and not request.form.get("phrase"):
        shell.sent(f"{incident.id}:chat:{channel.id}")
    if request.headers.get("HX-Request"):
        return _messages_part(incident, channel, drawn_anew=anew)
    return redirect(url_for(".show", incident_id=incident.id, channel_id=channel.id, _anchor=f"m-{record_id}"), 303)


@pages.post("/<uuid:channel_id>/reads")
@permission("channel-reads", "create")
def mark_read(incident_id: uuid.UUID, channel_id: uuid.UUID) -> ResponseReturnValue:
    """The page tells which of its messages were on a visible screen: all that it was drawn with."""
    incident = shell.incident_here(incident_id)
    channel = channels.channel_here(incident, channel_id)
    upto, shown = (
        request.form.get("upto", ""),
        request.form.get("shown", "").split()[: records.channel_reads.WRITERS_MAX],
    )
    if not (upto.isascii() and upto.isdigit() and len(upto) < 20 and all(_SHOWN.fullmatch(one) for one in shown)):
        abort(422)
    places = [(bytes.fromhex(one.partition(":")[0]), int(one.partition(":")[2])) for one in shown]
    seen = channel_reads.shown(channel_reads.of_person(shell.db(), current_user.id).get(channel.id), places)
    change = records.channel_reads.mark(
        incidents.scope(incident), channel.id, current_user.id, int(upto), shell.node().node_id, seen
    )
    shell.node().read_marks.say(current_user.id, change)
    return "", 204


@pages.get("/<uuid:channel_id>/messages/<uuid:message_id>")
@permission(KIND, "read")
def reached(incident_id: uuid.UUID, channel_id: uuid.UUID, message_id: uuid.UUID) -> str:
    """Whom a message has reached: who was shown it, whose device has receipted it."""
    incident = shell.incident_here(incident_id)
    channel = channels.channel_here(incident, channel_id)
    message = message_queries.get(shell.db(), str(message_id))
    if message is None or message["channel_id"] != channel.id:
        abort(404)
    return render_template(
        "chat_messages/_reached.html" if request.args.get("part") == "body" else "chat_messages/reached.html",
        channel=channel,
        message=message,
        reach=talk.reach_of(shell.db(), channel, message, shell.node().here()),
    )


# -- sending -----------------------------------------------------------------------------------------


def _read(channel: Record) -> dict[str, Any]:
    """The fields of a message. Raises Invalid where it answers something that was said elsewhere, and as the intake."""
    phrase = request.form.get("phrase")
    files = [] if phrase else files_of_form()
    said = (phrase or request.form.get("text") or "").replace("\r\n", "\n").strip()
    form: dict[str, Any] = {"channel_id": channel.id, "text": said or (str(messages.PICTURE_SAID) if files else "")}
    if files:
        form["attachments"] = sorted(files)
    form |= position.stood_at(request.form) if phrase else {}
    reply_to = request.form.get("_reply_to")
    if reply_to:
        answered = message_queries.get(shell.db(), records.shape.record_id("reply_to", reply_to))
        if answered is not None and answered["channel_id"] != channel.id:
            records.shape.refuse("wrong_channel", "reply_to", "was said in another channel", "Answer it there.")
        form["reply_to"] = reply_to
    return form


def _send(incident: Record, channel: Record, record_id: uuid.UUID, form: Mapping[str, Any]) -> uuid.UUID:
    """Write a message, and its standing channel with the first one. The same sent again is one message.

    The id was given when the composer was drawn; a quick reply that overtakes its redrawing has another text.
    """
    scope = incidents.scope(incident)
    opening = [] if channel.created_at else [channels.opening(incident, channel)]
    wanted = _drawn_id() or record_id
    opening += naming.describing(shell.db(), scope, form.get("attachments", ()))
    result = shell.write(*opening, records.chat_messages.create(wanted, scope, form))
    if not isinstance(result, Exists):
        return wanted
    known = message_queries.get(shell.db(), str(wanted))
    if known is not None and all(known[name] == value for name, value in form.items()):
        return wanted
    shell.write(*opening, records.chat_messages.create(record_id, scope, form))
    return record_id


def _drawn_id() -> uuid.UUID | None:
    try:
        found = uuid.UUID(request.form.get("_id", ""))
    except ValueError:
        return None
    return found if found.version == 7 else None


def _refused(incident: Record, channel: Record, error: Exception) -> str:
    """What is wrong, beside the text that is still there."""
    fault = next(iter(messages.faults_of(error).values()), "")
    if getattr(error, "code", "") == "too_long":
        fault = messages.too_long(len(request.form.get("text", "").strip()), TEXT_CHARS_MAX)
    if request.headers.get("HX-Request"):
        return render_template("chat_messages/_fault.html", fault=fault)
    return _page(incident, channel, typed=request.form, fault=fault)


# -- what a page shows -------------------------------------------------------------------------------


def _page(incident: Record, channel: Record, typed: Any, fault: str = "") -> str:
    around = _around(channel)
    return render_template(
        "chat_messages/show.html",
        **_aside(incident),
        channel=channel,
        messages=messages_of(channel, around),
        around=around,
        **composer(
            fault, typed.get("text", ""), _answered(channel, typed.get("_reply_to") or typed.get("reply_to", ""))
        ),
    )


def composer(fault: str = "", said: str = "", answered: Record | None = None) -> dict[str, Any]:
    """What the form for the next message is drawn with."""
    return {
        "fault": fault,
        "said": said,
        "answered": answered,
        "fresh_id": _new_id(),
        "chars_max": TEXT_CHARS_MAX,
    }


def _answered(channel: Record, reply_to: str) -> Record | None:
    found = message_queries.get(shell.db(), reply_to)
    return found if found is not None and found["channel_id"] == channel.id else None


def messages_of(channel: Record, around: Record | None = None) -> list[ShownMessage]:
    node, unsent = shell.node(), shell.unsent_ids()
    audience = talk.audience_of(shell.db(), channel)
    shown = []
    for line in talk.message_lines(shell.db(), channel.id, around):
        message = line.message
        here = message.node == node.node_id
        shown.append(
            ShownMessage(
                message,
                own=message.author == current_user.id,
                own_node=here,
                place=line.place,
                readers=len((line.seen_by & audience) - {message.author}),
                audience=len(audience - {message.author}),
                at_hub=message.id not in unsent,
                unread=current_user.id not in line.seen_by,
                late_ms=None if here else _late(message),
                reply_to=line.reply_to,
                files=shown_files(message["attachments"] or ()),
            )
        )
    return shown


def _late(message: Record) -> int | None:
    """When the message came here, where that was more than a minute after it was written."""
    arrived = shell.received_at(KIND, bytes.fromhex(message.scope), message.id)
    return arrived if arrived is not None and arrived - message.created_at > LATE_MS else None


def _messages_part(incident: Record, channel: Record, *, drawn_anew: bool = False) -> Response:
    """The messages, and the composer's next id beside them; ``drawn_anew`` where the whole page is."""
    around, sent = _around(channel), request.method == "POST"
    answer = make_response(
        render_template(
            "chat_messages/_messages.html",
            channel=channel,
            messages=messages_of(channel, around),
            around=around,
            sent=sent,
            fresh_id=_new_id(),
        )
    )
    if sent:  # what was answered, and that the channel stands now, goes out of the address
        place = url_for(".show", incident_id=incident.id, channel_id=channel.id)
        answer.headers["HX-Redirect" if drawn_anew else "HX-Replace-Url"] = place
    return answer


def _around(channel: Record) -> Record | None:
    """The message that the page is asked to show, where it is one of this channel."""
    found = message_queries.get(shell.db(), request.args.get("at", ""))
    return found if found is not None and found["channel_id"] == channel.id else None


def _aside(incident: Record) -> dict[str, Any]:
    """The channels beside every page of the chat, and whom else this person may write to."""
    return {
        "lines": talk.channel_lines(shell.db(), incident.id, current_user),
        "others": channels.others(incident),
        "faults": {},
        "typed": {},
    }


def _new_id() -> uuid.UUID:
    return uuid.UUID(bytes=uuid6.uuid7().bytes)


@pages.app_template_global("shown_of")
def shown_of(shown: list[ShownMessage]) -> str:
    """The writers of a page's messages, each with the number of the last one, as the page says them back."""
    known = channel_reads.shown(None, (line.place for line in shown))
    return " ".join(f"{origin.hex()}:{seq}" for origin, seq in sorted(known.items()))
