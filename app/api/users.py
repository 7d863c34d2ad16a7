"""People: made here, they belong to this node. Credentials are never in a collection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.api.collection import Collection
from app.errors import Conflict
from app.queries import users
from app.queries.row import Record
from app.records import NOUNS


def collection(node: Any) -> Collection:
    noun = NOUNS["users"]
    return Collection(noun.kind, node, noun, given=_given, edited=_edited, check=_check, filled=("home_node",))


def _given(collection: Collection, form: Mapping[str, Any]) -> dict[str, Any]:
    return {"home_node": collection.node.node_id}


def _edited(collection: Collection, record: Record) -> dict[str, Any]:
    """A device without `command` must say in each operation that the person is its own."""
    own = record["home_node"] == collection.node.node_id
    return {"home_node": record["home_node"]} if own else {}


def _check(collection: Collection, form: Mapping[str, Any], record_id: str, record: Record | None) -> None:
    name = form.get("name")
    if not isinstance(name, str):
        return
    if any(other.id != record_id for other in users.by_name(collection.node.reader(), name.strip())):
        raise Conflict("name_taken", "Somebody else has this name here.", "Add a team or a number to it.", "name")
