"""The staff register. How somebody is reached is taken with the person, sealed, and read on a page only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.api import paging
from app.api.collection import Collection, Sealed
from app.queries import teams, users
from app.queries.row import Record, Where
from app.records import NOUNS, shape, staff_contacts


def collection(node: Any) -> Collection:
    noun = NOUNS["staff"]
    return Collection(
        noun.kind,
        node,
        noun,
        parameters=("team",),
        given=_given,
        edited=_edited,
        check=_check,
        filters=_filters,
        filled=noun.given,
        sealed=Sealed(staff_contacts.NOUN, node, None),
    )


def _given(collection: Collection, form: Mapping[str, Any]) -> dict[str, Any]:
    return {"home_node": collection.node.node_id}


def _edited(collection: Collection, record: Record) -> dict[str, Any]:
    """A device without `command` must say in each operation that the person is its own."""
    own = record["home_node"] == collection.node.node_id
    return {"home_node": record["home_node"]} if own else {}


def _check(collection: Collection, form: Mapping[str, Any], record_id: str, record: Record | None) -> None:
    clean, db = collection.noun.clean(form) if collection.noun else {}, collection.node.reader()
    for name, known in (("team", teams.get), ("user", users.get)):
        if clean.get(name) is not None and known(db, clean[name]) is None:
            shape.refuse(f"unknown_{name}", name, "is nobody that is known here", "Check the id.")


def _filters(args: Any, where: Where) -> Where:
    team = paging.record_id(args, "team")
    return where if team is None else where.also("team = ?", team)
