"""The chronology: GET lists what people wrote; POST adds a line, which may correct another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.api.collection import Collection
from app.queries import row
from app.queries.row import Record
from app.records import NOUNS, shape


def collection(node: Any) -> Collection:
    noun = NOUNS["chronicle"]
    return Collection(noun.kind, node, noun, check=_check)


def _check(collection: Collection, form: Mapping[str, Any], record_id: str, record: Record | None) -> None:
    target = form.get("corrects")
    if (
        target is not None
        and row.get(collection.node.reader(), "chronicle", shape.record_id("corrects", target)) is None
    ):
        shape.refuse("unknown_line", "corrects", "is no line that is here", "Send the id of a line of the chronology.")
