"""Meetings of HQ. The number is the writer's own: of two that are the same pages show A and B."""

from __future__ import annotations

from typing import Any

from app.api.collection import Collection
from app.records import NOUNS


def collection(node: Any) -> Collection:
    noun = NOUNS["hq-meetings"]
    return Collection(noun.kind, node, noun)
