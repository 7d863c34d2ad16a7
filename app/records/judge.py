"""Does an operation count? A pure function of the operation and of what its device was certified for
(DESIGN §4).

Before: ``sync/verdict.py`` checked the chain, the certificate, revocations, the place and the shape of each
value. After: what does not count stays in the log and is shown to the administrator as quarantined. Roles
of people are no matter here: they are enforced where people act.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import Any

from app import catalog
from app.errors import Invalid
from app.records import KINDS, NOUNS
from sync.kinds import Field, Kind
from sync.operation import SET, Change, Operation

MALFORMED, NOT_CAPABLE = "malformed", "not_capable"

# Who may write a kind of the city's scope. Every kind of an incident is open to `field` and `command`.
_INCIDENT_WRITERS = ("field", "command")
_CITY_WRITERS: dict[str, tuple[str, ...]] = {"incidents": ("field", "command"), "nodes": ("enrol",)}
_CITY_DEFAULT = ("command",)

# Values that are more than a list of words: their noun's own check says whether they can be read.
_BUILT = {"layers": ("bbox", "zooms", "files"), "shelters": ("capacity_by_floor",)}


def judge(operation: Operation, node_id: str, capabilities: Collection[str]) -> str | None:
    """Why the operation does not count, or None. Of a kind that nobody here knows ``sync`` decides."""
    kind = KINDS.get(operation.kind)
    if kind is None:
        return None
    if not _readable(kind, operation):
        return MALFORMED
    return None if capable(kind, operation, node_id, capabilities) else NOT_CAPABLE


def capable(kind: Kind, written: Operation | Change, node_id: str, capabilities: Collection[str]) -> bool:
    """Whether a device with these capabilities may write this; asked of an own change before it is made."""
    writers = _CITY_WRITERS.get(kind.name, _CITY_DEFAULT) if kind.city else _INCIDENT_WRITERS
    if any(capability in capabilities for capability in writers):
        return True
    own_user = kind.name == "users" and written.type == SET and written.fields.get("home_node") == node_id
    return own_user and "field" in capabilities


def _readable(kind: Kind, operation: Operation) -> bool:
    """What ``sync`` cannot know: ids that are UUIDs, lists that are lists of words, a mode that is one."""
    for name, value in operation.fields.items():
        spec = kind.fields.get(name)
        if spec is None or value is None:
            continue
        if name == kind.mode_field and value not in catalog.table("incident_modes").codes:
            return False
        if name in _BUILT.get(kind.name, ()):
            if not _passes(kind, name, value):
                return False
        elif not _fits(spec, value):
            return False
    return True


def _passes(kind: Kind, name: str, value: Any) -> bool:
    try:
        NOUNS[kind.name].checks[name](name, value)
    except Invalid:
        return False
    return True


def _fits(spec: Field, value: Any) -> bool:
    if spec.merge == "set":
        return all(type(element) is str for element in value.get("add", ()))
    if spec.shape == "id":
        return _is_uuid(value)
    if spec.shape == "json":
        return isinstance(value, list) and all(type(element) in (str, int) for element in value)
    if spec.merge == "danger":
        return value in spec.order
    return True


def _is_uuid(value: Any) -> bool:
    try:
        return type(value) is str and str(uuid.UUID(value)) == value
    except ValueError:
        return False
