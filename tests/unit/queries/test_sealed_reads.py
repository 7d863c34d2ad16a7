"""Who has read so much of what is sealed that somebody should ask why."""

from __future__ import annotations

from typing import Any

import pytest

from app.queries import sealed_reads

INCIDENT = "01920000-0000-7000-8000-000000000001"
WHO = "00000000-0000-7000-8000-000000000001"
NOW = 100_000_000


@pytest.mark.parametrize(
    ("collection", "page", "rings"),
    [("damage-reports", "export", True), ("musters", "show", True), ("musters", "print", False)],
)
def test_a_table_of_many_rings_and_the_phone_tree_of_a_call_out_does_not(
    db: Any, insert: Any, collection: str, page: str, rings: bool
) -> None:
    """The tree is printed to be telephoned through: an alarm at each call-out would teach everybody to ignore it."""
    insert("sealed-reads", collection=collection, record=WHO, count=40, page=page, author=WHO, created_at=NOW)
    assert bool(sealed_reads.alarms(db, INCIDENT, NOW)) is rings
