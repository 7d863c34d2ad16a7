from __future__ import annotations

from typing import Any

import pytest

from app.queries import report_rows
from tests.unit.queries.conftest import INCIDENT

NOW, HOUR_MS = 1_570_881_427_000, 3_600_000
HERE = (139.67, 35.81)


def report(insert: Any, lon: float, lat: float, **values: Any) -> Any:
    told = {"category": "flood", "summary": "水", "location": [lon, lat], "created_at": NOW - HOUR_MS, **values}
    return insert("damage-reports", **told)


def test_only_reports_of_the_category_within_50_m_and_two_hours_are_near(db: Any, insert: Any) -> None:
    wanted = report(insert, 139.6705, 35.81)  # 45 m
    report(insert, 139.6706, 35.81)  # 54 m
    report(insert, 139.6704, 35.8104)  # in the box, 57 m away
    report(insert, *HERE, category="road")
    report(insert, *HERE, created_at=NOW - 3 * HOUR_MS)
    assert [one.id for one in report_rows.near(db, INCIDENT, "flood", HERE, NOW)] == [wanted]


def test_metres_between_two_places_are_those_of_the_ground() -> None:
    assert report_rows.metres_between(HERE, (139.67, 35.82)) == pytest.approx(1113, abs=2)
    assert report_rows.metres_between(HERE, (139.68, 35.81)) == pytest.approx(903, abs=2)
