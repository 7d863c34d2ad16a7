"""What people said of a record since the last import is theirs: a list overwrites it only with a new value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.queries.row import Record
from app.records import CITY
from maps.layers import Fault

if TYPE_CHECKING:
    from app.node import Node

_NEVER = object()


def without_what_people_said(
    node: Node, here: Record, wanted: dict[str, Any], line: int
) -> tuple[list[Fault], dict[str, Any]]:
    """Leave out each field whose imported value is the one of last time: then a person changed it here since."""
    imported: dict[str, Any] = {}
    for operation in node.history(here.kind, CITY, here.id):
        if operation["author"] is None and operation["counts"]:
            imported |= operation["fields"]
    kept = {name: value for name, value in wanted.items() if imported.get(name, _NEVER) == value}
    faults = [
        Fault(line, name, _shown(here[name]), "was changed here since the last import, and stays", _shown(value))
        for name, value in kept.items()
    ]
    return faults, {name: value for name, value in wanted.items() if name not in kept}


def _shown(value: Any) -> str:
    return "-" if value is None else str(value)[:200]
