"""The projection tables, made from the kinds. Only ``projection.py`` writes them; only ``queries/`` reads them."""

from __future__ import annotations

from app.store import search, tally
from sync.kinds import Kind, Kinds

# Columns keep the type that is written (no affinity): a row must give back exactly what was hashed.
_COLUMN_OF_SHAPE = {
    "text": "TEXT",
    "id": "TEXT",
    "integer": "INTEGER",
    "flag": "INTEGER",
    "real": "REAL",
    "point": "TEXT",  # JSON [lon, lat]
    "ids": "TEXT",  # JSON list
    "json": "TEXT",
    "bytes": "BLOB",
    "packed": "BLOB",  # msgpack
}

_HEAD = ["id TEXT NOT NULL", "scope TEXT NOT NULL", "incident_id TEXT"]
_TAIL = [
    "created_at INTEGER NOT NULL",  # ms since 1970, UTC, from the first operation's stamp
    "updated_at INTEGER NOT NULL",
    "author TEXT",  # users.id
    "node TEXT NOT NULL",  # node id, hex
    "hidden INTEGER NOT NULL DEFAULT 0",
    "conflicts INTEGER NOT NULL DEFAULT 0",  # fields with two or more different values
    "order_key INTEGER NOT NULL DEFAULT 0",  # ledgers: the place in the order
    "origin BLOB NOT NULL",  # of the first operation
    "seq INTEGER NOT NULL",
    "merge_state BLOB NOT NULL",  # not `state`, which a noun may call a field
    "row_hash BLOB NOT NULL",
]

# What the pages ask most often, beyond the list of an incident: (table, name, columns and condition).
_MORE_INDEXES = (
    ("damage_reports", "joined", "(incident_id, hidden, same_as) WHERE same_as IS NOT NULL"),
    ("damage_reports", "red", "(incident_id, hidden, urgency, created_at) WHERE urgency = 'red'"),
    ("damage_reports", "impassable", "(incident_id, hidden, created_at) WHERE passability = 'impassable'"),
    (
        "damage_reports",
        "put_aside",
        "(incident_id, hidden, response_status, created_at) WHERE response_status IN ('not_needed', 'duplicate')",
    ),
    (
        "damage_reports",
        "rescue_put_aside",
        "(incident_id, hidden, created_at) WHERE response_status = 'not_needed' AND rescue_needed = 1",
    ),
    ("head_counts", "by_post", "(incident_id, hidden, shelter_id, post, order_key, origin, seq, total, id)"),
    ("shelter_openings", "by_shelter", "(incident_id, hidden, shelter_id, created_at)"),
    ("chat_messages", "by_channel", "(channel_id, order_key)"),
    ("chat_messages", "by_writer", "(channel_id, origin, seq)"),
    ("channel_reads", "by_channel", "(channel_id)"),
    ("instruction_replies", "by_instruction", "(instruction_id, order_key)"),
    ("instruction_sightings", "by_instruction", "(instruction_id, user_id, seen_at)"),
    ("patrol_points", "by_patrol", "(patrol_id, order_key)"),
    ("patrol_points", "clearing", "(clears) WHERE clears IS NOT NULL"),
    ("patrol_tracks", "by_patrol", "(patrol_id, order_key)"),
    ("hq_meeting_decisions", "by_meeting", "(hq_meeting_id)"),
    ("instructions", "by_decision", "(decision_id) WHERE decision_id IS NOT NULL"),
    ("bulletin_sightings", "by_bulletin", "(bulletin_id, user_id, edition, seen_at)"),
    ("channel_reads", "by_user", "(user_id, channel_id, upto)"),
)


def create_statements(kinds: Kinds) -> list[str]:
    """The CREATE statements of every projection table and index; safe to run again."""
    statements: list[str] = []
    for kind in kinds:
        statements += _table(kind)
    known = {kind.table for kind in kinds}
    statements += [tally.CREATE, *search.CREATE] if tally.COUNTED in kinds.by_name else []
    return statements + [
        f"CREATE INDEX IF NOT EXISTS {table}_{name} ON {table} {what}"
        for table, name, what in _MORE_INDEXES
        if table in known
    ]


def columns(kind: Kind) -> list[str]:
    return [f'"{name}" {_COLUMN_OF_SHAPE[field.shape]}' for name, field in kind.fields.items()]


def _table(kind: Kind) -> list[str]:
    body = ", ".join([*_HEAD, *columns(kind), *_TAIL, "PRIMARY KEY (id, scope)"])
    table = kind.table
    order = "order_key" if kind.entry else "hidden, created_at"  # every list leaves out what is hidden
    return [
        f"CREATE TABLE IF NOT EXISTS {table} ({body})",
        f"CREATE INDEX IF NOT EXISTS {table}_by_incident ON {table} (incident_id, {order})",
        f"CREATE INDEX IF NOT EXISTS {table}_in_conflict"
        f" ON {table} (hidden, incident_id, conflicts) WHERE conflicts > 0",
    ]
