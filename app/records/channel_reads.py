"""How far a person has read a channel at a node: a mark that only grows, and which messages it really stands for.

``upto`` is the greatest place that was shown. A message that comes late stands below it and was not shown: ``seen``
says of each writer how far their messages were. One record a channel, person and node, so that nobody writes beside it.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from app.records import shape
from sync.kinds import Field, Kind
from sync.operation import Change

ORIGIN_BYTES = 8  # of a writer's sixteen: enough to tell the writers of one channel apart
WRITERS_MAX = 400  # that fit into one operation

KIND = Kind(
    "channel-reads",
    lane="talk",
    fields={
        "channel_id": Field("id"),
        "user_id": Field("id"),
        "upto": Field("integer", "max"),
        "seen": Field("packed"),  # [[origin, seq]]
    },
)


def record_of(channel_id: str, user_id: str, node_id: str = "") -> uuid.UUID:
    """The one id that every node gives to these three."""
    return uuid.uuid5(uuid.UUID(channel_id), f"{user_id}:{node_id}" if node_id else user_id)


def mark(
    scope: bytes, channel_id: str, user_id: str, upto: int, node_id: str = "", seen: Mapping[bytes, int] | None = None
) -> Change:
    """This person has been shown the channel's messages up to this order key, and of each writer up to a number."""
    if type(upto) is not int or not 0 <= upto < 1 << 63:
        shape.refuse("out_of_range", "upto", "is no place in a channel", "Send the order key of a message.")
    fields = {"channel_id": channel_id, "user_id": user_id, "upto": upto}
    more = {} if seen is None else {"seen": [[origin, seq] for origin, seq in sorted(seen.items())[:WRITERS_MAX]]}
    return Change(KIND.name, record_of(channel_id, user_id, node_id).bytes, scope, fields | more, replaces=None)
