from __future__ import annotations

import itertools
from typing import Any

import pytest

from app.queries import damage_reports, doubles, front, head_counts
from app.queries.doubles import Doubles
from tests.unit.queries.conftest import INCIDENT

NOW, HOUR_MS = 1_570_881_427_000, 3_600_000
HERE = (139.67, 35.81)
A, B, C, D = (f"00000000-0000-7000-8000-00000000000{number}" for number in range(1, 5))


def report(insert: Any, lon: float, lat: float, **values: Any) -> Any:
    told = {"category": "flood", "summary": "水", "location": [lon, lat], "created_at": NOW - HOUR_MS, **values}
    return insert("damage-reports", **told)


def joined(links: dict[str, str], **statuses: str) -> Doubles:
    return Doubles.of(
        links, dict.fromkeys((A, B, C, D), "open") | {globals()[one]: said for one, said in statuses.items()}
    )


def put(insert: Any, record_id: str, **values: Any) -> str:
    return str(insert("damage-reports", record_id, **{"category": "flood", "summary": "水", **values}))


def test_only_reports_of_the_category_within_50_m_and_two_hours_are_near(db: Any, insert: Any) -> None:
    wanted = report(insert, 139.6705, 35.81)  # 45 m
    report(insert, 139.6706, 35.81)  # 54 m
    report(insert, 139.6704, 35.8104)  # in the box, 57 m away
    report(insert, *HERE, category="road")
    report(insert, *HERE, created_at=NOW - 3 * HOUR_MS)
    times = (NOW - doubles.NEAR_MS, NOW)
    assert [one.id for one in doubles.near(db, INCIDENT, "flood", HERE, times)] == [wanted]


def test_a_report_asks_for_those_before_and_after_it_but_not_for_what_is_joined(db: Any, insert: Any) -> None:
    one = report(insert, *HERE)
    before, after = (report(insert, *HERE, created_at=NOW - HOUR_MS + by * HOUR_MS) for by in (-1.5, 1.5))
    report(insert, *HERE, same_as=one)
    report(insert, *HERE, created_at=NOW + 2 * HOUR_MS)
    found = damage_reports.get(db, one)
    assert found is not None
    asked = doubles.candidates(db, found, doubles.read(db, INCIDENT))
    assert [found.id for found in asked] == [after, before]


def test_metres_between_two_places_are_those_of_the_ground() -> None:
    assert doubles.metres_between(HERE, (139.67, 35.82)) == pytest.approx(1113, abs=2)
    assert doubles.metres_between(HERE, (139.68, 35.81)) == pytest.approx(903, abs=2)


def test_the_smallest_id_that_is_no_duplicate_stands_for_all() -> None:
    assert joined({B: A, C: B}).groups == {A: (A, B, C)}
    assert joined({B: A, C: B}, A="duplicate").groups == {B: (B, A, C)}
    assert joined({A: B, B: A}).groups == {A: (A, B)}
    assert joined({A: A}).groups == {}


def test_a_link_to_what_is_not_shown_here_joins_nothing() -> None:
    assert Doubles.of({B: A}, {B: "open"}).groups == {}


@pytest.mark.parametrize("links", [{}, {B: A}, {D: C}, {B: A, D: C}, {A: B, B: A}, {A: B, B: A, C: D, D: C}])
def test_joining_any_two_puts_both_groups_into_one_and_parts_nobody(links: dict[str, str]) -> None:
    for one, other in itertools.permutations((A, B, C, D), 2):
        found = joined(links)
        wanted = set(found.group(one)) | set(found.group(other))
        after = joined({**links, **found.joining(one, other)})
        assert set(after.group(one)) == wanted
        assert {end for end in (A, B, C, D) if len(after.group(end)) > 1} >= set(found.leads)


def test_joining_what_is_joined_writes_nothing() -> None:
    assert joined({B: A, C: A}).joining(B, C) == {}


@pytest.mark.parametrize("links", [{B: A, C: A, D: B}, {B: A, C: B, D: C}, {A: B, B: A, C: A}, {A: D, B: D, C: D}])
def test_parting_leaves_one_alone_and_the_others_together(links: dict[str, str]) -> None:
    for one in (end for end in (A, B, C, D) if end in joined(links).leads):
        changed = {**links, **joined(links).parting(one)}
        after = joined({end: other for end, other in changed.items() if other})
        assert after.group(one) == (one,)
        rest = set(joined(links).group(one)) - {one}
        assert set(after.group(min(rest))) == rest


@pytest.mark.parametrize(
    ("lead", "behind", "waits"),
    [
        ({"urgency": "yellow"}, {"urgency": "red"}, 1),
        ({"urgency": "red"}, {"urgency": "red"}, 1),
        ({"urgency": "yellow", "team": C}, {"urgency": "red"}, 0),
        ({"urgency": "yellow", "response_status": "done"}, {"urgency": "red"}, 0),
        ({"urgency": "yellow"}, {"urgency": "white"}, 0),
        ({"urgency": "yellow", "response_status": "duplicate"}, {"urgency": "red", "response_status": "open"}, 1),
    ],
)
def test_a_link_takes_no_red_report_away_from_what_waits(
    db: Any, insert: Any, lead: dict[str, str], behind: dict[str, str], waits: int
) -> None:
    put(insert, A, **lead), put(insert, B, same_as=A, **behind)
    assert damage_reports.red_total(db, INCIDENT) == waits
    assert front.waiting(db, INCIDENT, head_counts.people(db, INCIDENT, NOW, [])).red_count == waits
    assert len(front.waiting(db, INCIDENT, head_counts.people(db, INCIDENT, NOW, [])).red) == waits
