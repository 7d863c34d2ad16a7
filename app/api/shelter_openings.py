"""Openings of shelters in an incident."""

from __future__ import annotations

from typing import Any

from app.api import head_counts
from app.api.collection import Collection
from app.records import NOUNS


def collection(node: Any) -> Collection:
    noun = NOUNS["shelter-openings"]
    return Collection(noun.kind, node, noun, parameters=("shelter_id",), filters=head_counts.of_shelter)
