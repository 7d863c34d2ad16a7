"""Messages of a channel in the ledger's order, and how many a person has not read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from app.queries import joins, row
from app.queries.row import Record, Where

NAME = "chat-messages"
PAGE = 50
UNREAD_MAX = 999


def get(db: Any, message_id: str) -> Record | None:
    return row.get(db, NAME, message_id)


def latest(db: Any, channel_id: str, before: int | None = None, limit: int = PAGE) -> list[Record]:
    """The newest messages of a channel (below the order key ``before``), oldest of them first."""
    where = Where().also("channel_id = ?", channel_id)
    if before is not None:
        where = where.also("order_key < ?", before)
    tail = f"ORDER BY order_key DESC, origin DESC, seq DESC LIMIT {int(limit)}"
    return row.select(db, row.kind_of(NAME), where, tail)[::-1]


def newest(db: Any, channel_ids: Sequence[str]) -> dict[str, Record]:
    """The newest message of each channel that has one, in one query however many there are."""
    where = Where().also(
        "id IN (SELECT (SELECT m.id FROM chat_messages m WHERE m.channel_id = c.value AND m.hidden = 0"
        " ORDER BY m.order_key DESC, m.origin DESC, m.seq DESC LIMIT 1) FROM json_each(?) c)",
        json.dumps(list(channel_ids)),
    )
    return {message["channel_id"]: message for message in row.select(db, row.kind_of(NAME), where)}


def after(db: Any, channel_id: str, order_key: int, limit: int = PAGE) -> list[Record]:
    """The messages that follow an order key, oldest first."""
    where = Where().also("channel_id = ?", channel_id).also("order_key > ?", order_key)
    return row.select(db, row.kind_of(NAME), where, f"ORDER BY order_key, origin, seq LIMIT {int(limit)}")


def read_upto(db: Any, user_id: str) -> dict[str, int]:
    """How far this person has read, by channel."""
    sql = "SELECT channel_id, max(upto) FROM channel_reads WHERE user_id = ? GROUP BY channel_id"
    return {channel_id: upto or 0 for channel_id, upto in db.execute(sql, (user_id,))}


def unread(db: Any, incident_id: str, user_id: str) -> dict[str, int]:
    """Messages of others that this person has not read, by channel; channels without any are left out.

    Counted up to 999: whoever has not looked for a whole night waits no longer for each page than the others do.
    """
    rows = joins.ask(
        db,
        "SELECT id, number FROM (SELECT c.id AS id, (SELECT count(*) FROM (SELECT 1 FROM chat_messages m"
        "  WHERE m.channel_id = c.id AND m.order_key > coalesce("
        "   (SELECT max(r.upto) FROM channel_reads r WHERE r.channel_id = c.id AND r.user_id = ?), 0)"
        f"  AND m.hidden = 0 AND m.author IS NOT ? LIMIT {UNREAD_MAX})) AS number"
        " FROM channels c WHERE c.incident_id = ? AND c.hidden = 0) WHERE number > 0",
        (user_id, user_id, incident_id),
    )
    return dict(rows.fetchall())


def seen_by(db: Any, channel_id: str, order_key: int) -> list[str]:
    """The users who have read the channel up to this message or further."""
    rows = db.execute(
        "SELECT DISTINCT user_id FROM channel_reads WHERE channel_id = ? AND upto >= ? ORDER BY user_id",
        (channel_id, order_key),
    )
    return [user_id for (user_id,) in map(tuple, rows)]
