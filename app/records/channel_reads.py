"""How far a person has read a channel: one record a channel and person, whose mark only grows."""

from __future__ import annotations

import uuid

from app.records import shape
from sync.kinds import Field, Kind
from sync.operation import Change

KIND = Kind(
    "channel-reads",
    lane="talk",
    fields={"channel_id": Field("id"), "user_id": Field("id"), "upto": Field("integer", "max")},
)


def record_of(channel_id: str, user_id: str) -> uuid.UUID:
    """The one id that every node gives to this pair."""
    return uuid.uuid5(uuid.UUID(channel_id), user_id)


def mark(scope: bytes, channel_id: str, user_id: str, upto: int) -> Change:
    """This person has seen the channel's messages up to this order key."""
    if type(upto) is not int or not 0 <= upto < 1 << 63:
        shape.refuse("out_of_range", "upto", "is no place in a channel", "Send the order key of a message.")
    fields = {"channel_id": channel_id, "user_id": user_id, "upto": upto}
    return Change(KIND.name, record_of(channel_id, user_id).bytes, scope, fields, replaces=None)
