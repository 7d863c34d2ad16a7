"""Head counts: a ledger. Of each post of a shelter the latest entry stands; a wrong one is corrected by another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.api import paging
from app.api.collection import Collection
from app.queries.row import Record, Where
from app.records import NOUNS, head_counts


def collection(node: Any) -> Collection:
    noun = NOUNS["head-counts"]
    return Collection(noun.kind, node, noun, parameters=("shelter_id",), check=_check, filters=of_shelter)


def _check(collection: Collection, form: Mapping[str, Any], record_id: str, record: Record | None) -> None:
    head_counts.check_parts(head_counts.NOUN.clean(form))


def of_shelter(args: Any, where: Where) -> Where:
    """Only what is of this shelter. One that this node has not heard of is no fault: its master data may come later."""
    shelter_id = paging.record_id(args, "shelter_id")
    return where if shelter_id is None else where.also("shelter_id = ?", shelter_id)
