"""Incidents: opened with a mode that is set once; two may be joined where the mode is the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.api.collection import Collection
from app.queries import incidents
from app.queries.row import Record
from app.records import NOUNS, shape


def collection(node: Any) -> Collection:
    noun = NOUNS["incidents"]
    return Collection(noun.kind, node, noun, given=_given, check=_check, filled=("opened_at",))


def _given(collection: Collection, form: Mapping[str, Any]) -> dict[str, Any]:
    return {} if form.get("opened_at") is not None else {"opened_at": collection.node.clock()}


def _check(collection: Collection, form: Mapping[str, Any], record_id: str, record: Record | None) -> None:
    target = form.get("same_as")
    if target is None:
        return
    other = incidents.get(collection.node.reader(), shape.record_id("same_as", target))
    if other is None or other.id == record_id:
        shape.refuse("unknown_incident", "same_as", "is no other incident", "List /api/v1/incidents.")
    if other["mode"] != (record["mode"] if record else form.get("mode")):
        shape.refuse("other_mode", "same_as", "is an incident of another mode", "Join a drill with a drill only.")
