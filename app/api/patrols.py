"""Rounds: from a plan to a finish."""

from __future__ import annotations

from typing import Any

from app.api.collection import Collection
from app.queries import patrols
from app.records import NOUNS, shape


def collection(node: Any) -> Collection:
    noun = NOUNS["patrols"]
    return Collection(noun.kind, node, noun, filled=noun.given)


def incident_of_patrol(db: Any, patrol_id: Any) -> str:
    """The incident of the round that a body names; refuses one that is not here."""
    found = patrols.get(db, shape.record_id("patrol_id", patrol_id))
    if found is None or found.incident_id is None:
        hint = "Check the id; it may not have arrived yet."
        shape.refuse("unknown_patrol", "patrol_id", "is no round that is here", hint)
    return found.incident_id
