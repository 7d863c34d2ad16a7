"""Who has been shown which messages of a channel. What came late counts as unread, whatever was read above it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from app.queries.row import Record
from app.records.channel_reads import ORIGIN_BYTES

MARKS_MAX = 2_000
Place = tuple[bytes, int]  # of a message in its writer's log

# Each (channel, writer) that has messages, with the newest: a step in the index for each, not one for each message.
_WRITERS = (
    "WITH RECURSIVE pair(channel, origin) AS ("
    " SELECT value, (SELECT min(origin) FROM chat_messages WHERE channel_id = value) FROM json_each(?)"
    " UNION ALL SELECT channel, (SELECT min(origin) FROM chat_messages m WHERE m.channel_id = pair.channel"
    " AND m.origin > pair.origin) FROM pair WHERE origin IS NOT NULL)"
    " SELECT channel, origin, (SELECT max(seq) FROM chat_messages m WHERE m.channel_id = pair.channel"
    " AND m.origin = pair.origin) FROM pair WHERE origin IS NOT NULL"
)
_UNREAD = (
    "SELECT j.value ->> 0, (SELECT count(*) FROM (SELECT 1 FROM chat_messages m WHERE m.channel_id = j.value ->> 0"
    " AND m.origin = unhex(j.value ->> 1) AND m.seq > j.value ->> 2 AND m.order_key > j.value ->> 3"
    " AND m.hidden = 0 AND m.author IS NOT ? LIMIT ?)) FROM json_each(?) j"
)


@dataclass(slots=True)
class Seen:
    """What one person was shown of a channel, at whatever node; ``floor`` is of marks that say no more."""

    by_writer: dict[bytes, int] = field(default_factory=dict)
    floor: int = 0

    def covers(self, order_key: int, place: Place) -> bool:
        return order_key <= self.floor or self.by_writer.get(place[0][:ORIGIN_BYTES], 0) >= place[1]

    def add(self, upto: int | None, packed: bytes | None) -> None:
        if packed is None:
            self.floor = max(self.floor, upto or 0)
            return
        for origin, seq in msgspec.msgpack.decode(packed):
            self.by_writer[origin] = max(seq, self.by_writer.get(origin, 0))


def of_channel(db: Any, channel_id: str) -> dict[str, Seen]:
    """By person."""
    sql = "SELECT user_id, upto, seen FROM channel_reads WHERE channel_id = ? AND hidden = 0 LIMIT ?"
    return _by(db.execute(sql, (channel_id, MARKS_MAX)))


def of_person(db: Any, user_id: str) -> dict[str, Seen]:
    """By channel."""
    return _by(db.execute("SELECT channel_id, upto, seen FROM channel_reads WHERE user_id = ?", (user_id,)))


def unread(db: Any, channel_ids: Sequence[str], user_id: str, most: int) -> dict[str, int]:
    """Messages of others that this person was not shown, ``most`` of a channel; channels without any are left out."""
    mine, asked = of_person(db, user_id), list[tuple[str, str, int, int]]()
    for channel_id, origin, last in map(tuple, db.execute(_WRITERS, (json.dumps(list(channel_ids)),))):
        seen = mine.get(channel_id) or Seen()
        known = seen.by_writer.get(bytes(origin)[:ORIGIN_BYTES], 0)
        if known < last:
            asked.append((channel_id, bytes(origin).hex(), known, seen.floor))
    found: Counter[str] = Counter()
    for channel_id, number in map(tuple, db.execute(_UNREAD, (user_id, most, json.dumps(asked))) if asked else ()):
        found[channel_id] += number
    return {channel_id: min(number, most) for channel_id, number in found.items() if number}


def places(db: Any, messages: Sequence[Record]) -> dict[str, Place]:
    """Where each message stands in its writer's log, by its id."""
    if not messages:
        return {}
    marks = ", ".join("?" for _ in messages)
    sql = f"SELECT id, origin, seq FROM chat_messages WHERE id IN ({marks})"
    return {id_: (bytes(origin), seq) for id_, origin, seq in db.execute(sql, [message.id for message in messages])}


def shown(seen: Seen | None, found: Iterable[Place]) -> dict[bytes, int]:
    """What a mark says once these messages were shown, too."""
    known = dict(seen.by_writer) if seen else {}
    for origin, seq in found:
        known[origin[:ORIGIN_BYTES]] = max(seq, known.get(origin[:ORIGIN_BYTES], 0))
    return known


def _by(rows: Iterable[Any]) -> dict[str, Seen]:
    found: dict[str, Seen] = {}
    for whose, upto, packed in map(tuple, rows):
        found.setdefault(whose, Seen()).add(upto, None if packed is None else bytes(packed))
    return found
