"""Which channel a page of the chat is in: one that is there, or a standing one that begins with its first message."""

from __future__ import annotations

import uuid
from typing import Any

from flask import abort, request
from flask_login import current_user

from app import records
from app.errors import Invalid
from app.permissions import HQ
from app.queries import channels as queries
from app.queries import incidents, shelters, teams, users
from app.queries.row import Record
from app.views import saying, shell
from sync.operation import Change

ADDRESSED = ("standing", "about")  # in the address of a standing channel that nobody has opened yet


def channel_here(incident: Record, channel_id: uuid.UUID) -> Record:
    """The channel of the address; a standing one also before anybody has opened it (``created_at`` is 0)."""
    channel = queries.get(shell.db(), str(channel_id))
    if channel is None:
        meant = standing(incident, *(request.values.get(name, "") for name in ADDRESSED))
        channel = meant if meant is not None and meant.id == str(channel_id) else None
    if channel is None or not shell.of_incident(incident, channel):
        abort(404)
    if not queries.visible_to(channel, current_user):
        abort(404)
    return channel


def opening(incident: Record, channel: Record) -> Change:
    about = [channel["shelter_id"]] if channel["shelter_id"] else channel["members"]
    return records.channels.standing(
        incidents.scope(incident), channel.incident_id or incident.id, channel["standing"], channel["name"], about
    )


def others(incident: Record) -> dict[str, list[tuple[str, str]]]:
    """Standing channels to choose from, by group: (what the form sends, the name)."""
    here = shell.db()
    everyone = [(what, saying.word(what, "standing_channels")) for what in records.channels.NAMED_BY_THEMSELVES]
    places = [(f"shelter:{line.shelter.id}", line.shelter["name"]) for line in shelters.listed(here, incident.id)]
    return {
        "": everyone if current_user.role in HQ else everyone[:1],
        "shelters": places,
        "teams": [
            (f"team:{team.id}", team["name"])
            for team in teams.listed(here)
            if current_user.role in HQ or team.id == current_user.team
        ],
        "people": [
            (f"direct:{user.id}", user["name"])
            for user in users.listed(here)
            if user.id != current_user.id and user["active"] not in (False, 0)
        ],
    }


def standing(incident: Record, what: str, about: str) -> Record | None:
    """A standing channel as it will be; None where there is nothing like it, or not for this person."""
    name, fields = _fields_of(what, about)
    if name is None:
        return None
    everything = dict.fromkeys(records.channels.KIND.fields) | {"members": []} | fields | {"name": name}
    try:
        channel_id = records.channels.standing_id(incident.id, everything)
    except Invalid:
        return None
    scope = incidents.scope(incident).hex()
    found = Record("channels", str(channel_id), scope, incident.id, 0, 0, None, "", 0, 0, everything)
    return found if queries.visible_to(found, current_user) else None


def _fields_of(what: str, about: str) -> tuple[str | None, dict[str, Any]]:
    """(name, fields); without a name where what it is about is not known here."""
    here, fields = shell.db(), {"standing": what}
    if what in records.channels.NAMED_BY_THEMSELVES:
        return records.channels.name_of(what), fields
    find = {"shelter": shelters.get, "team": teams.get, "direct": users.get}.get(what)
    subject = find(here, about) if find else None
    if subject is None:
        return None, fields
    if what == "shelter":
        return subject["name"], fields | {"shelter_id": subject.id}
    if what == "team":
        return subject["name"], fields | {"members": [subject.id]}
    pair = sorted((current_user.id, subject.id))
    names = "・".join(shell.names_here().user(one) for one in pair)
    return names[: records.shape.NAME_CHARS_MAX], fields | {"members": pair}
