"""Damage reports: with the role of whoever filed them, filtered by status, place and time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import g

from app import catalog
from app.api import paging
from app.api.collection import Collection, Sealed
from app.queries import damage_reports
from app.queries.row import Record, Where
from app.records import NOUNS, damage_report_people, shape


def collection(node: Any) -> Collection:
    noun = NOUNS["damage-reports"]
    return Collection(
        noun.kind,
        node,
        noun,
        parameters=("status", "bbox"),
        given=_given,
        check=_check,
        filters=_filters,
        filled=noun.given,
        sealed=Sealed(damage_report_people.NOUN, node, node.read_audit),
    )


def _given(collection: Collection, form: Mapping[str, Any]) -> dict[str, Any]:
    return {"reporter_role": g.person.role}


def _check(collection: Collection, form: Mapping[str, Any], record_id: str, record: Record | None) -> None:
    target = form.get("same_as")
    if target is not None:
        other = damage_reports.get(collection.node.reader(), shape.record_id("same_as", target))
        if other is None or other.id == record_id:
            shape.refuse("unknown_report", "same_as", "is no other report", "Send the id of another report.")


def _filters(args: Any, where: Where) -> Where:
    statuses = paging.codes(args, "status", catalog.table("response_statuses").codes)
    return damage_reports.narrowed(where, statuses, paging.bbox(args))
