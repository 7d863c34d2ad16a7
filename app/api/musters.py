"""Call-outs. One without `called_at` is as old as its record; `lifted_at` ends it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.api import paging
from app.api.collection import Collection
from app.queries import musters, teams
from app.queries.row import Record
from app.records import NOUNS, shape


def collection(node: Any) -> Collection:
    noun = NOUNS["musters"]
    return Collection(noun.kind, node, noun, check=_check, filled=noun.given)


def _check(collection: Collection, form: Mapping[str, Any], record_id: str, record: Record | None) -> None:
    clean, db = collection.noun.clean(form) if collection.noun else {}, collection.node.reader()
    for name in clean.get("teams") or ():
        if teams.get(db, name) is None:
            shape.refuse("unknown_team", "teams", f"holds {name}, which is no team here", "List the teams.")


def incident_of_muster(db: Any, body: Mapping[str, Any]) -> str:
    """The incident of the call-out that a body names; refuses one that is not here."""
    if body.get("muster_id") is None:
        shape.refuse("required", "muster_id", "is needed", "Send the id of a call-out.")
    found = musters.get(db, shape.record_id("muster_id", body["muster_id"]))
    if found is None or found.incident_id is None:
        hint = "Check the id; it may not have arrived yet."
        shape.refuse("unknown_muster", "muster_id", "is no call-out that is here", hint)
    return found.incident_id


def of_muster(args: Any, where: Any) -> Any:
    muster_id = paging.record_id(args, "muster_id")
    return where if muster_id is None else where.also("muster_id = ?", muster_id)
