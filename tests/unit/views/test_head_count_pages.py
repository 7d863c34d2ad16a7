"""The counter at a node that is there: what it sends is a count, and a slip of the finger is asked for once more."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from uuid6 import uuid7

from tests.house import House, built


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    yield from built(tmp_path_factory.mktemp("house"))


def test_a_slip_of_the_finger_is_asked_for_once_more_and_then_taken(house: House) -> None:
    incident = house.ids["incident_id"]
    school = house.made("shelters", name="柳橋小学校", capacity=320)
    counts = f"/incidents/{incident}/shelters/{school}/head-counts"
    listed = f"/api/v1/head-counts?incident_id={incident}&shelter_id={school}"

    def report(total: str, **more: str) -> tuple[int, str]:
        answer = house.ask("shelter_staff", "POST", counts, {"_id": str(uuid7()), "total": total, **more})
        return answer.status_code, answer.text

    def held() -> list[int]:
        return [one["total"] for one in house.ask("viewer", "GET", listed).get_json()["items"]]

    assert report("246")[0] == 303
    status, page = report("3120")
    assert status == 422 and held() == [246]
    assert "定員は320人、前回は246人、3,120人で合っていれば、もう一度報告してください" in page
    assert 'name="sure" value="3120"' in page and 'value="3120"' in page
    assert report("31200", sure="3120")[0] == 422, "it was asked for another number"
    assert report("312", sure="3120")[0] == 303
    assert report("3120", sure="3120")[0] == 303
    assert sorted(held()) == [246, 312, 3120]
