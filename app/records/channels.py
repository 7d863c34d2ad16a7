"""Channels of the chat. Without members a channel is open to everyone of the incident.

A *standing* channel is one that everybody expects: all, HQ, a shelter, a team, two persons. Its id follows from what it
is for, so that nodes that open it apart open the same one.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from app import catalog
from app.records import shape
from app.records.noun import Noun
from sync.kinds import Field, Kind
from sync.operation import Change

ALL, HQ, SHELTER, TEAM, DIRECT = STANDING = catalog.table("standing_channels").codes
NAMED_BY_THEMSELVES = (ALL, HQ)

KIND = Kind(
    "channels",
    lane="talk",
    fields={
        "name": Field("text"),
        "members": Field("ids", "set"),
        "standing": Field("text", "once"),
        "shelter_id": Field("id", "once"),
    },
)

NOUN = Noun(
    KIND,
    checks={
        "name": shape.text(shape.NAME_CHARS_MAX, lines=False),
        "members": shape.each(shape.an_id),  # users and teams
        "standing": shape.choice(STANDING),
        "shelter_id": shape.an_id,
    },
    needed=("name",),
    fixed=("standing", "shelter_id"),
)
create, edit = NOUN.create, NOUN.edit


def name_of(what: str) -> str:
    """The stored name of a channel that is named by itself: one and the same in every language."""
    return str(catalog.table("standing_channels").items[STANDING.index(what)].word)


def standing(scope: bytes, incident_id: str, what: str, name: str, about: Sequence[str] = ()) -> Change:
    """A standing channel; ``about`` is the shelter, the team, or both persons. Apart, two nodes write the same."""
    form = {"name": name, "standing": what} | _about(what, about)
    change = create(standing_id(incident_id, form) or uuid.UUID(int=0), scope, form)
    return Change(change.kind, change.record, scope, change.fields)


def standing_id(incident_id: str, form: Mapping[str, Any]) -> uuid.UUID | None:
    """The one id that every node gives to the standing channel that these fields say; None for any other channel.

    Raises Invalid where they do not say whose it is.
    """
    what, members = form.get("standing"), sorted(set(form.get("members") or ()))
    if what is None:
        return None
    shelter = form.get("shelter_id")
    about = [shelter] if what == SHELTER and shelter else members if what in (TEAM, DIRECT) else []
    wanted = {TEAM: 1, DIRECT: 2}.get(what, 0)
    if len(members) != wanted:
        shape.refuse("wrong_members", "members", "are not those of this standing channel", f"Send {wanted} of them.")
    if (shelter is None) == (what == SHELTER):
        shape.refuse("wrong_shelter", "shelter_id", "goes with the channel of a shelter", "Send it there, only there.")
    named = "channel" if what == ALL else ":".join(("channel", what, *about))
    return uuid.uuid5(uuid.UUID(incident_id), named)


def _about(what: str, about: Sequence[str]) -> dict[str, Any]:
    if what == SHELTER:
        return {"shelter_id": about[0] if about else None}
    return {"members": sorted(set(about))} if about else {}
