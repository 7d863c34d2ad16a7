"""The chat as a page shows it: channels with what is unread, messages with how many have seen them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.queries import channels, chat_messages
from app.queries.row import Record

MESSAGES_MAX = 80
READERS_MAX = 500


@dataclass(frozen=True, slots=True)
class ChannelLine:
    channel: Record
    last: Record | None
    unread: int


@dataclass(frozen=True, slots=True)
class MessageLine:
    message: Record
    readers: int


def channel_lines(db: Any, incident_id: str, user_id: str, team_id: str | None = None) -> list[ChannelLine]:
    """The channels this person may see, the one with the newest message first."""
    unread = chat_messages.unread(db, incident_id, user_id)
    shown = [one for one in channels.listed(db, incident_id) if channels.visible_to(one, user_id, team_id)]
    newest = chat_messages.newest(db, [channel.id for channel in shown])
    lines = [ChannelLine(one, newest.get(one.id), unread.get(one.id, 0)) for one in shown]
    return sorted(lines, key=lambda line: -(line.last.order_key if line.last else 0))


def unread_count(db: Any, incident_id: str, user_id: str, team_id: str | None = None) -> int:
    unread = chat_messages.unread(db, incident_id, user_id)
    if not unread:
        return 0
    seen = {c.id for c in channels.listed(db, incident_id) if channels.visible_to(c, user_id, team_id)}
    return sum(number for channel_id, number in unread.items() if channel_id in seen)


def message_lines(db: Any, channel_id: str, limit: int = MESSAGES_MAX) -> list[MessageLine]:
    """The newest messages, oldest of them first, each with how many others have seen it."""
    marks = db.execute(
        "SELECT user_id, max(upto) FROM channel_reads WHERE channel_id = ? GROUP BY user_id LIMIT ?",
        (channel_id, READERS_MAX),
    ).fetchall()
    seen = [(user_id, upto or 0) for user_id, upto in map(tuple, marks)]
    return [
        MessageLine(message, sum(1 for user, upto in seen if user != message.author and upto >= message.order_key))
        for message in chat_messages.latest(db, channel_id, limit=limit)
    ]
