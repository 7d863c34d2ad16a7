"""Does an operation count? A pure function of the operation and of what its device was certified for
(DESIGN §4).

Before: ``sync/verdict.py`` checked the chain, the certificate, revocations, the place and the shape of each
value. After: what does not count stays in the log and is shown to the administrator as quarantined. Roles
of people are no matter here: they are enforced where people act.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Collection
from typing import Any

from app import catalog
from app.errors import Invalid
from app.records import KINDS, NOUNS
from sync import seal
from sync.kinds import OF_SEALING, Field, Kind
from sync.operation import SET, Change, Operation

Check = Callable[[Any], bool]
MALFORMED, NOT_CAPABLE = "malformed", "not_capable"

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

# Who may write a kind of the city's scope. Every kind of an incident is open to `field` and `command`.
_INCIDENT_WRITERS = ("field", "command")
_CITY_WRITERS: dict[str, tuple[str, ...]] = {
    "incidents": ("field", "command"),
    "nodes": ("enrol",),
    "heirs": ("enrol",),
    "shred-receipts": (),
    "staff-contacts": ("field", "command"),  # sealed: who cannot open what stands there only adds
    **{kind.name: ("enrol",) for kind in OF_SEALING},
}
_CITY_DEFAULT = ("command",)
# What a device writes of itself alone: the field that holds its node id.
_OF_ITSELF = {"users": "home_node", "staff": "home_node", "shred-receipts": "by_node"}

# Values that are more than a list of words: their noun's own check says whether they can be read.
_BUILT = {"layers": ("bbox", "zooms", "files"), "shelters": ("capacity_by_floor",), "patrols": ("route",),
          "patrol-tracks": ("points",)}  # fmt: skip


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
    if kind.name == "users" and written.type == SET and set(written.fields) == {"access"}:
        return "field" in capabilities  # a word for the history of somebody else's person, which gives no rights
    own = _OF_ITSELF.get(kind.name)
    if own is None or written.type != SET or written.fields.get(own) != node_id:
        return False
    return any(capability in capabilities for capability in _INCIDENT_WRITERS)


def _readable(kind: Kind, operation: Operation) -> bool:
    """What ``sync`` cannot know: ids that are UUIDs, lists that are lists of words, a mode that is one."""
    fields = operation.fields
    if kind.sealed and fields.keys() == seal.OUTER:
        return True  # it is asked again about what was sealed, where that is opened
    for name, passes in _CHECKS[kind.name]:
        value = fields.get(name)
        if value is not None and not passes(value):
            return False
    return True


def _check_of(kind: Kind, name: str, spec: Field) -> Check | None:
    """What a field's value must pass; None where every value that ``sync`` lets through can be read."""
    if name == kind.mode_field:
        return catalog.table("incident_modes").codes.__contains__
    if name in _BUILT.get(kind.name, ()):
        return functools.partial(_passes, NOUNS[kind.name].checks[name], name)
    if spec.merge == "set":
        return lambda value: all(type(element) is str for element in value.get("add", ()))
    if spec.shape == "id":
        return lambda value: type(value) is str and _UUID.fullmatch(value) is not None
    if spec.shape == "json":
        return lambda value: isinstance(value, list) and all(type(element) in (str, int) for element in value)
    return spec.order.__contains__ if spec.merge == "danger" else None


def _passes(check: Callable[[str, Any], Any], name: str, value: Any) -> bool:
    try:
        check(name, value)
    except Invalid:
        return False
    return True


_CHECKS: dict[str, tuple[tuple[str, Check], ...]] = {
    kind.name: tuple(
        (name, check) for name, spec in kind.fields.items() if (check := _check_of(kind, name, spec)) is not None
    )
    for kind in KINDS
}
