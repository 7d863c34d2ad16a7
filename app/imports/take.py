"""What a node does with what the child made: layers are published, lists written. In the process with the store.

Before: ``commands.import_``, through the control socket or with the store open. After: ``node.layers``, ``node.write``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.errors import CommandFailed
from app.imports import shelters as shelter_rows
from app.imports import staff as staff_rows
from app.imports.work import as_prepared

if TYPE_CHECKING:
    from app.node import Node
    from maps.layers import Prepared

MUNICIPALITY = re.compile(r"^boundary:[^:]*:\d{5}$")


def may(node: Node) -> bool:
    """Whether this device may write the city's master data."""
    return node.certificate is not None and "command" in node.certificate.capabilities


def city(node: Node) -> list[float] | None:
    """The extent of the boundaries in use; of single municipalities where there are such."""
    boundaries = [layer for layer in node.layers.in_use() if layer.kind == "boundary" and layer.bbox]
    boxes = [layer.bbox for layer in boundaries if MUNICIPALITY.match(layer.key)] or [
        layer.bbox for layer in boundaries
    ]
    known = [box for box in boxes if box is not None]
    if not known:
        return None
    west, south, east, north = zip(*known, strict=True)
    return [min(west), min(south), max(east), max(north)]


def take(
    node: Node,
    layers: Sequence[dict[str, Any]],
    shelters: Path | None,
    staff: Path | None = None,
    *,
    dry_run: bool = False,
) -> dict[str, Any]:
    """Publish the layers and write the shelters and people; a layer is there as a whole or not at all."""
    if not (dry_run or may(node)):
        raise CommandFailed("not_the_hub", "this node may not change the city's own data", "Import at the hub.")
    replaced = []
    for layer in layers:
        prepared = as_prepared({**layer, "fields": {**layer["fields"], "imported_at": node.clock()}})
        replaced += _given_way(node, prepared)
        node.layers.publish(prepared, None)
    if staff is not None:
        return staff_rows.take(node, json.loads(staff.read_text("utf-8")), dry_run=dry_run)
    if shelters is None:
        return {"faults": [], "replaced": replaced}
    return shelter_rows.take(node, json.loads(shelters.read_text("utf-8")), dry_run=dry_run)


def _given_way(node: Node, new: Prepared) -> list[dict[str, Any]]:
    """The layer in use whose place another takes: of the same key, made of other files."""
    files = {file.sha256 for file in new.files}
    return [
        {"key": old.key, "kind": old.kind, "title": old.title}
        for old in node.layers.in_use()
        if old.key == new.fields["key"] and {sha256 for sha256, _ in old.files.values()} != files
    ]
