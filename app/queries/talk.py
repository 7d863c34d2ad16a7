"""The chat as a page shows it: channels with what is unread, messages with how many have seen them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.queries import channels, chat_messages, row
from app.queries.channels import Who
from app.queries.row import Record, Where

MESSAGES_MAX = 80
AROUND = 40
READERS_MAX = 500


@dataclass(frozen=True, slots=True)
class ChannelLine:
    channel: Record
    last: Record | None
    unread: int


@dataclass(frozen=True, slots=True)
class MessageLine:
    """``reply_to`` is the message that this one answers, where it is here."""

    message: Record
    readers: int
    reply_to: Record | None = None


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
    marks = db.execute(
        "SELECT user_id, max(upto) FROM channel_reads WHERE channel_id = ? GROUP BY user_id LIMIT ?",
        (channel_id, READERS_MAX),
    ).fetchall()
    seen = [(user_id, upto or 0) for user_id, upto in map(tuple, marks)]
    if around is None:
        found = chat_messages.latest(db, channel_id, limit=MESSAGES_MAX)
    else:
        found = [
            *chat_messages.latest(db, channel_id, before=around.order_key, limit=AROUND),
            *chat_messages.after(db, channel_id, around.order_key - 1, limit=AROUND),
        ]
    answered = _answered(db, found)
    return [
        MessageLine(
            message,
            sum(1 for user, upto in seen if user != message.author and upto >= message.order_key),
            answered.get(message["reply_to"]),
        )
        for message in found
    ]


def _answered(db: Any, found: Sequence[Record]) -> dict[str, Record]:
    wanted = sorted({message["reply_to"] for message in found if message["reply_to"]})
    if not wanted:
        return {}
    where = Where().also(f"id IN ({', '.join('?' for _ in wanted)})", *wanted)
    return {message.id: message for message in row.select(db, row.kind_of(chat_messages.NAME), where)}
