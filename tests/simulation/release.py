"""An older release of the same program: it knows fewer kinds and fewer fields, and keeps what it does not know."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from app.records import KINDS
from app.records.judge import judge
from sync.kinds import OF_SYNC, Kind, Kinds
from sync.operation import Operation

UNKNOWN_KINDS = ("attachments", "patrol-points", "channel-reads")
UNKNOWN_FIELDS = {
    "damage-reports": ("casualties", "description", "water_depth_cm", "attachments"),
    "head-counts": ("note", "counted_at"),
    "shelters": ("kana", "capacity"),
}


def _older(kind: Kind) -> Kind:
    gone = UNKNOWN_FIELDS.get(kind.name, ())
    return replace(kind, fields={name: spec for name, spec in kind.fields.items() if name not in gone})


OLDER = Kinds.of(
    KINDS.schema - 1,
    *(_older(kind) for kind in KINDS if kind.name not in UNKNOWN_KINDS and kind not in OF_SYNC),
)


def older_judge(operation: Operation, node: str, capabilities: Collection[str]) -> str | None:
    """The judge as it was: what it did not know it could not refuse."""
    kind = OLDER.get(operation.kind)
    if kind is None:
        return None
    known = {name: value for name, value in operation.fields.items() if name in kind.fields}
    return judge(replace(operation, fields=known), node, capabilities)
