"""Channels of the chat. Without members a channel is open to everyone of the incident."""

from __future__ import annotations

from app.records import shape
from app.records.noun import Noun
from sync.kinds import Field, Kind

KIND = Kind("channels", lane="talk", fields={"name": Field("text"), "members": Field("ids", "set")})

NOUN = Noun(
    KIND,
    checks={
        "name": shape.text(shape.NAME_CHARS_MAX, lines=False),
        "members": shape.each(shape.an_id),  # users and teams
    },
    needed=("name",),
)
create, edit = NOUN.create, NOUN.edit
