"""The chat as a page shows it: channels with what is unread, messages with how many have seen them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.queries import arrivals, channel_reads, channels, chat_messages, nodes, row, users
from app.queries.arrivals import Here
from app.queries.channel_reads import Place
from app.queries.channels import Who
from app.queries.row import Record, Where

MESSAGES_MAX = 80
AROUND = 40


@dataclass(frozen=True, slots=True)
class ChannelLine:
    channel: Record
    last: Record | None
    unread: int


@dataclass(frozen=True, slots=True)
class MessageLine:
    """``seen_by``: the persons who were shown it. ``reply_to``: the message that it answers, where it is here."""

    message: Record
    place: Place
    seen_by: frozenset[str]
    reply_to: Record | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """Persons by id; devices by node id with when they hold it, None where nothing proves it."""

    read: frozenset[str]
    unread: frozenset[str]
    devices: dict[str, int | None]
    hub_at: int | None


def channel_lines(db: Any, incident_id: str, who: Who) -> list[ChannelLine]:
    """The channels this person may see, the one with the newest message first."""
    unread = chat_messages.unread(db, incident_id, who.id)
    shown = [one for one in channels.listed(db, incident_id) if channels.visible_to(one, who)]
    newest = chat_messages.newest(db, [channel.id for channel in shown])
    lines = [ChannelLine(one, newest.get(one.id), unread.get(one.id, 0)) for one in shown]
    return sorted(lines, key=lambda line: -(line.last.order_key if line.last else 0))


def unread_count(db: Any, incident_id: str, who: Who) -> int:
    unread = chat_messages.unread(db, incident_id, who.id)
    if not unread:
        return 0
    seen = {c.id for c in channels.listed(db, incident_id) if channels.visible_to(c, who)}
    return sum(number for channel_id, number in unread.items() if channel_id in seen)


def message_lines(db: Any, channel_id: str, around: Record | None = None) -> list[MessageLine]:
    """The newest messages, or those around one, oldest first, each with how many others have seen it."""
    if around is None:
        found = chat_messages.latest(db, channel_id, limit=MESSAGES_MAX)
    else:
        found = [
            *chat_messages.latest(db, channel_id, before=around.order_key, limit=AROUND),
            *chat_messages.after(db, channel_id, around.order_key - 1, limit=AROUND),
        ]
    answered, places, seen = (
        _answered(db, found),
        channel_reads.places(db, found),
        channel_reads.of_channel(db, channel_id),
    )
    return [
        MessageLine(
            message,
            places[message.id],
            frozenset(user for user, one in seen.items() if one.covers(message.order_key, places[message.id])),
            answered.get(message["reply_to"]),
        )
        for message in found
        if message.id in places
    ]


def audience_of(db: Any, channel: Record) -> frozenset[str]:
    """The persons who may read a channel."""
    people = [user for user in users.listed(db) if user["active"] not in (False, 0)]
    return frozenset(user.id for user in channels.readers(channel, people))


def reach_of(db: Any, channel: Record, message: Record, here: Here) -> Reach:
    """Whom a message has reached. A device is proved by its receipt; the writer's own and this one hold it."""
    place, seen = channel_reads.places(db, [message])[message.id], channel_reads.of_channel(db, channel.id)
    readers = audience_of(db, channel) - {message.author}
    shown = frozenset(user for user in readers if user in seen and seen[user].covers(message.order_key, place))
    known = arrivals.places(db, "chat_messages", [message], here).get(message.id)
    devices = [_hex(node.id) for node in nodes.listed(db)]
    asked = [(bytes.fromhex(one), known) for one in devices if known is not None]
    held: dict[str, int | None] = dict(zip(devices, arrivals.receipts(db, asked), strict=False))
    hub = arrivals.at_hub(db, {message.id: known}, here).get(message.id) if known is not None else None
    if here.hub is not None and hub is not None:
        held[here.hub.hex()] = hub
    if known is not None:
        held[here.node_id.hex()] = known.received_at
    held[message.node] = message.created_at
    return Reach(shown, readers - shown, {one: held.get(one) for one in devices}, hub)


def _hex(record_id: str) -> str:
    return uuid.UUID(record_id).hex


def _answered(db: Any, found: Sequence[Record]) -> dict[str, Record]:
    wanted = sorted({message["reply_to"] for message in found if message["reply_to"]})
    if not wanted:
        return {}
    where = Where().also(f"id IN ({', '.join('?' for _ in wanted)})", *wanted)
    return {message.id: message for message in row.select(db, row.kind_of(chat_messages.NAME), where)}
