"""The heirs of the city, as the newest list says that its root has signed."""

from __future__ import annotations

from typing import Any

from app.records import KINDS
from app.store.projection import SqlProjection
from sync import merge, signing
from sync.heirs import Heir, HeirList
from sync.operation import CITY

_NONE = HeirList(0, (), b"")


def current(db: Any, root_public: bytes | None) -> HeirList:
    """The list of the highest number among those that hold; whoever wrote it, the root's signature counts."""
    if root_public is None:
        return _NONE
    kind = KINDS.by_name["heirs"]
    row = SqlProjection(db, KINDS).load(kind, CITY, signing.root_fingerprint(root_public))
    if row is None:
        return _NONE
    heads = merge.unpack(kind, row.state, row.values).heads.get("ordered", ())
    found = [listed for head in heads if (listed := HeirList.read(head[3], root_public)) is not None]
    return max(found, key=lambda listed: (listed.number, listed.signature), default=_NONE)


def own(db: Any, root_public: bytes | None, node: bytes) -> Heir | None:
    return next((heir for heir in current(db, root_public).heirs if heir.node == node), None)
