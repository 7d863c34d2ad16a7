"""Nodes: written by enrolment, read by everyone."""

from __future__ import annotations

from typing import Any

from app.api.collection import Collection
from app.records import nodes


def collection(node: Any) -> Collection:
    return Collection(nodes.KIND, node)
