"""Messages of a channel in the ledger's order, and how many a person has not read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from app.queries import channel_reads, joins, row
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


def unread(db: Any, incident_id: str, user_id: str) -> dict[str, int]:
    """Messages of others that this person has not read, by channel; channels without any are left out.

    Counted up to 999: whoever has not looked for a whole night waits no longer for each page than the others do.
    """
    rows = joins.ask(db, "SELECT id FROM channels WHERE incident_id = ? AND hidden = 0", (incident_id,))
    return channel_reads.unread(db, [channel_id for (channel_id,) in map(tuple, rows)], user_id, UNREAD_MAX)
