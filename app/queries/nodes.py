"""Nodes that were enrolled, by node id (32 hex digits)."""

from __future__ import annotations

import uuid
from typing import Any

from app.queries import row
from app.queries.row import Record, Where


def get(db: Any, node_id: str) -> Record | None:
    return row.get(db, "nodes", str(uuid.UUID(hex=node_id)))


def listed(db: Any) -> list[Record]:
    return row.select(db, row.kind_of("nodes"), Where(), "ORDER BY label, id")


def names(db: Any) -> dict[str, str]:
    """The name of each node by its node id, as it stands in the ``node`` of a record."""
    return {uuid.UUID(node.id).hex: node["name"] for node in listed(db)}
