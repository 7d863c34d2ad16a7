"""Layers of the map: the catalogue, read only. An import writes it."""

from __future__ import annotations

from typing import Any

from app.api.collection import Collection
from app.records import layers


def collection(node: Any) -> Collection:
    return Collection(layers.KIND, node)
