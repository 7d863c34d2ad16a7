"""Points of the rounds: a ledger. A point may stand outside any round."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.api import paging
from app.api.collection import Collection
from app.api.patrols import incident_of_patrol
from app.queries.row import Record, Where
from app.records import NOUNS, patrol_points


def collection(node: Any) -> Collection:
    noun = NOUNS["patrol-points"]
    return Collection(
        noun.kind,
        node,
        noun,
        parameters=("patrol_id",),
        check=_check,
        filters=of_patrol,
        incident_of=lambda db, body: incident_of_patrol(db, body["patrol_id"]) if body.get("patrol_id") else None,
    )


def _check(collection: Collection, form: Mapping[str, Any], record_id: str, record: Record | None) -> None:
    patrol_points.check_clearing(patrol_points.NOUN.clean(form))


def of_patrol(args: Any, where: Where) -> Where:
    """Only what is of this round. One that this node has not heard of is no fault: it may come later."""
    patrol_id = paging.record_id(args, "patrol_id")
    return where if patrol_id is None else where.also("patrol_id = ?", patrol_id)
