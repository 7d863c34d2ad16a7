"""Response instructions: to nodes, people or teams. Each recipient is one that this node knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.api import paging
from app.api.collection import Collection
from app.queries import instructions, nodes, teams, users
from app.queries.row import Record, Where
from app.records import NOUNS, shape


def collection(node: Any) -> Collection:
    noun = NOUNS["instructions"]
    return Collection(
        noun.kind, node, noun, parameters=("damage_report_id",), check=_check, filters=_filters, filled=noun.given
    )


def _check(collection: Collection, form: Mapping[str, Any], record_id: str, record: Record | None) -> None:
    db = collection.node.reader()
    clean = collection.noun.clean(form) if collection.noun else {}
    if clean.get("recipients") == []:
        shape.refuse("required", "recipients", "is empty", "Name a node, a person or a team.")
    for name in clean.get("recipients") or ():
        if not is_recipient(db, name):
            hint = "Name a node, a person or a team of this city."
            shape.refuse("unknown_recipient", "recipients", f"holds {name}, which is nobody here", hint)


def is_recipient(db: Any, name: str) -> bool:
    """Whether an id is one of a node, a person or a team."""
    return any(found is not None for found in (users.get(db, name), teams.get(db, name), nodes.get(db, name)))


def incident_of_instruction(db: Any, body: Mapping[str, Any]) -> str:
    """The incident of the instruction that a body names; refuses one that is not here."""
    if body.get("instruction_id") is None:
        shape.refuse("required", "instruction_id", "is needed", "Send the id of an instruction.")
    found = instructions.get(db, shape.record_id("instruction_id", body["instruction_id"]))
    if found is None or found.incident_id is None:
        hint = "Check the id; it may not have arrived yet."
        shape.refuse("unknown_instruction", "instruction_id", "is no instruction that is here", hint)
    return found.incident_id


def _filters(args: Any, where: Where) -> Where:
    report = paging.record_id(args, "damage_report_id")
    return where if report is None else where.also("damage_report_id = ?", report)
