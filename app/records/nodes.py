"""Nodes that were enrolled: written by enrolment, read by everyone. The record's id is the node id."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from app.records import shape
from app.records.noun import Noun
from sync.kinds import Field, Kind
from sync.operation import CITY, Change

KIND = Kind(
    "nodes",
    city=True,
    fields={
        "name": Field("text"),
        "label": Field("text"),
        "role": Field("text"),  # hub | terminal: what it was enrolled as
        "capabilities": Field("json"),
        "woke_at": Field("integer"),  # an heir that has taken its sleeping certificate into use, ms since 1970
        "owner": Field("text"),  # 持ち主: the person, team or place that keeps it, in words
        "call_by": Field("text"),  # 呼出先: the telephone or the radio beside it
    },
)
NOUN = Noun(
    KIND,
    checks={name: shape.text(shape.NAME_CHARS_MAX, lines=False) for name in ("owner", "call_by")},
    given=("name", "label", "role", "capabilities", "woke_at"),
)
edit = NOUN.edit


def woke(node_id: str, capabilities: Sequence[str], at: int) -> Change:
    """An heir goes on with its sleeping certificate."""
    fields = {"capabilities": sorted(capabilities), "woke_at": at}
    return Change(KIND.name, uuid.UUID(hex=node_id).bytes, CITY, fields, replaces=None)


def enrolled(node_id: str, name: str, label: str, role: str, capabilities: Sequence[str]) -> Change:
    """A node has been given a certificate."""
    fields = {"name": name, "label": label, "role": role, "capabilities": sorted(capabilities)}
    return Change(KIND.name, uuid.UUID(hex=node_id).bytes, CITY, fields, replaces=None)
