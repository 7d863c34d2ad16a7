"""Template sentences of damage reports."""

from __future__ import annotations

from typing import Any

from app.api.collection import Collection
from app.records import NOUNS


def collection(node: Any) -> Collection:
    noun = NOUNS["report-phrases"]
    return Collection(noun.kind, node, noun)
