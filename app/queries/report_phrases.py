"""Template sentences of damage reports: those of the city, and those of the catalogue where the city has none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app import catalog
from app.queries import row
from app.queries.row import Record, Where

NAME = "report-phrases"


@dataclass(frozen=True, slots=True)
class Phrase:
    """A sentence as a form offers it; ``category`` empty: for all."""

    text: str
    category: str


def get(db: Any, phrase_id: str) -> Record | None:
    return row.get(db, NAME, phrase_id)


def listed(db: Any) -> list[Record]:
    """All of the city's, also those that are no longer used: by category, those for all first."""
    return row.select(db, row.kind_of(NAME), Where(), "ORDER BY category IS NOT NULL, category, created_at, id")


def offered(db: Any) -> list[Phrase]:
    """What a form offers: of a category the city's own, where it has written any, else the catalogue's."""
    own = listed(db)
    written = {one["category"] or "" for one in own}
    found = [Phrase(one["text"], one["category"] or "") for one in own if one["active"] is not False]
    return found + [
        Phrase(item.word, item.group) for item in catalog.table("report_phrases") if item.group not in written
    ]
