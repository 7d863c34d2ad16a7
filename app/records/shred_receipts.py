"""A node's word that it has carried out a shred order: the keys and what they had opened are gone there."""

from __future__ import annotations

import uuid

from sync.kinds import Field, Kind
from sync.operation import CITY, Change

KIND = Kind("shred-receipts", city=True, fields={"order": Field("id"), "by_node": Field("text")})


def carried_out(order_id: str, node_id: str) -> Change:
    """One record an order and node, however often it is said."""
    record = uuid.uuid5(uuid.UUID(order_id), node_id)
    return Change(KIND.name, record.bytes, CITY, {"order": order_id, "by_node": node_id}, replaces=None)
