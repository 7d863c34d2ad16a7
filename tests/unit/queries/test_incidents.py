from __future__ import annotations

from typing import Any

from app.queries import incidents

INCIDENT = "01920000-0000-7000-8000-000000000001"
OTHER = "01920000-0000-7000-8000-000000000002"


def test_the_list_shows_what_goes_on_first_with_its_counts(db: Any, insert: Any) -> None:
    insert("incidents", OTHER, name="前の台風", mode="real", closed_at=5, created_at=9)
    insert("incidents", INCIDENT, name="訓練", mode="drill", created_at=3)
    for status in (None, "accepted", "done"):
        insert("damage-reports", response_status=status)
    lines = incidents.listed(db)
    assert [(line.incident.id, line.reports, line.open_reports) for line in lines] == [
        (INCIDENT, 3, 2),
        (OTHER, 0, 0),
    ]
    assert [found.id for found in incidents.ongoing(db)] == [INCIDENT]


def test_the_scope_carries_the_mode(db: Any, insert: Any) -> None:
    insert("incidents", INCIDENT, name="訓練", mode="drill")
    found = incidents.get(db, INCIDENT)
    assert found is not None
    assert incidents.scope(found).hex() == "64" + INCIDENT.replace("-", "")
