"""Contradictions that somebody has said to be known. ``facts`` are those that ``/api/v1/contradictions`` gave."""

from __future__ import annotations

from typing import Any

from app.api.collection import Collection
from app.records import NOUNS


def collection(node: Any) -> Collection:
    noun = NOUNS["set-asides"]
    return Collection(noun.kind, node, noun)
