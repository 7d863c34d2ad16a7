"""Answers to a call-out, a ledger. Without `user` of whoever asks. Safety and reason are sealed beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import g

from app.api.collection import Collection, Sealed
from app.api.musters import incident_of_muster, of_muster
from app.queries import staff, users
from app.queries.row import Record
from app.records import NOUNS, muster_safety, shape
from app.records.muster_replies import BY_LINK


def collection(node: Any) -> Collection:
    noun = NOUNS["muster-replies"]
    return Collection(
        noun.kind,
        node,
        noun,
        parameters=("muster_id",),
        given=_given,
        check=_check,
        filters=of_muster,
        incident_of=incident_of_muster,
        sealed=Sealed(muster_safety.NOUN, node, node.read_audit),
    )


def _given(collection: Collection, form: Mapping[str, Any]) -> dict[str, Any]:
    return {} if form.get("user") else {"user": g.person.id}


def _check(collection: Collection, form: Mapping[str, Any], record_id: str, record: Record | None) -> None:
    clean, db = collection.noun.clean(form) if collection.noun else {}, collection.node.reader()
    if clean.get("means") == BY_LINK:
        shape.refuse("unknown_code", "means", "is of the answer link alone", "Send phone, radio or in_person.")
    named = clean.get("user")
    if named is not None and staff.get(db, named) is None and users.get(db, named) is None:
        shape.refuse("unknown_user", "user", "is nobody that is known here", "Send an id of the staff register.")
