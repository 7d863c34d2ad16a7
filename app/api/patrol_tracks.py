"""The ways that rounds took, in batches of points: a ledger."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.api.collection import Collection
from app.api.patrol_points import of_patrol
from app.api.patrols import incident_of_patrol
from app.records import NOUNS, shape


def collection(node: Any) -> Collection:
    noun = NOUNS["patrol-tracks"]
    return Collection(noun.kind, node, noun, parameters=("patrol_id",), filters=of_patrol, incident_of=_incident)


def _incident(db: Any, body: Mapping[str, Any]) -> str:
    if body.get("patrol_id") is None:
        shape.refuse("required", "patrol_id", "is needed", "Send the id of a round.")
    return incident_of_patrol(db, body["patrol_id"])
