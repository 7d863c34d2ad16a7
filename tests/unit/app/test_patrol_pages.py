"""The pages of a round, from 開始 to 終了, asked in this process."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from uuid6 import uuid7

from tests.house import House, built


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    yield from built(tmp_path_factory.mktemp("house"))


@pytest.fixture
def patrol(house: House) -> Any:
    return Patrol(house, house.browser("patrol"))


class Patrol:
    """Somebody of the patrol in a browser."""

    def __init__(self, house: House, browser: Any) -> None:
        self.house, self.browser = house, browser
        self.here = f"/incidents/{house.ids['incident_id']}"

    def begin(self, **more: str) -> str:
        answer = self.post("/patrols", _id=str(uuid7()), start="1", **more)
        assert answer.status_code == 303, answer.text
        return re.search(r"/patrols/([0-9a-f-]{36})", answer.location)[1]  # type: ignore[index]

    def post(self, path: str, **form: str) -> Any:
        return self.browser.post(self.here + path, data=form)

    def tap(self, round_id: str, tap: str, **more: str) -> Any:
        return self.post(f"/patrols/{round_id}/points", _id=str(uuid7()), tap=tap, **more)

    def page(self, path: str) -> str:
        answer = self.browser.get(self.here + path)
        assert answer.status_code == 200, answer.text
        return str(answer.text)

    def records(self, collection: str, **asked: str) -> list[Any]:
        query = "&".join(f"{name}={value}" for name, value in asked.items())
        answer = self.house.ask("commander", "GET", f"/api/v1/{collection}?{query}")
        return list(answer.get_json()["items"])

    def version(self, round_id: str) -> str:
        return re.search(r'name="versions" value="([^"]*)"', self.page(f"/patrols/{round_id}"))[1].replace(  # type: ignore[index]
            "&#34;", '"'
        )


def test_one_tap_begins_a_round_and_one_ends_it(patrol: Patrol) -> None:
    one = patrol.begin(name="左岸", route="[[136.0, 31.5], [136.01, 31.5]]")
    page = patrol.page(f"/patrols/{one}")
    assert "巡回中" in page and "左岸" in page and 'name="tap"' in page
    assert patrol.post(f"/patrols/{one}/finish", versions=patrol.version(one)).status_code == 303
    found = next(item for item in patrol.records("patrols") if item["id"] == one)
    assert found["started_at"] and found["finished_at"] and found["route"] == [[136.0, 31.5], [136.01, 31.5]]
    assert 'name="tap"' not in patrol.page(f"/patrols/{one}")
    assert patrol.page("/patrols").index("終わった巡回")


def test_a_plan_waits_until_somebody_starts_it(house: House) -> None:
    hq, field = Patrol(house, house.browser("hq_operator")), Patrol(house, house.browser("patrol"))
    planned = str(uuid7())
    assert hq.post("/patrols", _id=planned, name="明け方の北回り").status_code == 303
    listed = field.page("/patrols")
    row = listed[listed.index(f'id="patrol-{planned}"') :]
    versions = re.search(r'name="versions" value="([^"]*)"', row)[1].replace("&#34;", '"')  # type: ignore[index]
    assert field.post(f"/patrols/{planned}/start", versions=versions).status_code == 303
    assert "巡回中" in field.page(f"/patrols/{planned}")


def test_a_point_is_one_tap_and_a_closure_says_so(patrol: Patrol) -> None:
    one = patrol.begin()
    assert patrol.tap(one, "safe", lon="136.01", lat="31.51", accuracy_m="8").status_code == 303
    assert patrol.tap(one, "closed", note="柳橋の下が冠水").status_code == 303
    assert patrol.tap(one, "danger").status_code == 422
    closed, safe = patrol.records("patrol-points", patrol_id=one)
    assert (safe["status"], safe["location"]["coordinates"], safe["accuracy_m"]) == ("safe", [136.01, 31.51], 8.0)
    assert (closed["status"], closed["passability"], closed["location"]) == ("caution", "impassable", None)
    assert "通行止め" in patrol.page("/chronicle")


def test_a_tap_twice_is_one_point_and_another_tap_on_an_old_form_is_another(patrol: Patrol) -> None:
    one, point = patrol.begin(), str(uuid7())
    for tap in ("safe", "safe", "caution"):
        patrol.post(f"/patrols/{one}/points", _id=point, tap=tap)
    assert [item["status"] for item in patrol.records("patrol-points", patrol_id=one)] == ["caution", "safe"]


def test_a_caution_is_cleared_with_a_reason_or_a_photo_and_not_without(patrol: Patrol, house: House) -> None:
    one = patrol.begin()
    patrol.tap(one, "closed", lon="136.01", lat="31.51")
    (caution,) = patrol.records("patrol-points", patrol_id=one)
    path = f"/patrol-points/{caution['id']}/clear"
    refused = patrol.post(path, _id=str(uuid7()))
    assert refused.status_code == 422 and "写真を撮るか、理由を" in refused.text
    assert patrol.post(path, _id=str(uuid7()), attachments=house.ids["sha256"]).status_code == 303
    cleared = patrol.records("patrol-points", patrol_id=one)[0]
    assert (cleared["clears"], cleared["location"]) == (caution["id"], caution["location"])
    assert cleared["attachments"] == [house.ids["sha256"]]
    assert "解消" in patrol.page("/chronicle")


def test_a_track_is_kept_for_the_time_of_the_round_alone(patrol: Patrol) -> None:
    one = patrol.begin()
    now = patrol.house.node.clock()

    def send(*times: int, **more: str) -> int:
        points = json.dumps([[136.0, 31.5, at, 8] for at in times])
        return int(patrol.post(f"/patrols/{one}/tracks", _id=str(uuid7()), points=points, **more).status_code)

    assert send(now - 3_600_000, now + 1_000) == 204
    assert send(now - 3_600_000) == 204
    assert send(now + 2_000, gap="paused") == 204
    assert send(now + 2_000, gap="nonsense") == 422
    found = patrol.records("patrol-tracks", patrol_id=one)
    assert [(len(item["points"]), item["gap"]) for item in found] == [(1, "paused"), (1, None)]
    page = patrol.page(f"/patrols/{one}")
    assert "記録を止めていた" in page and "終えたあとの位置は記録しません" in page


def test_the_browser_of_who_started_records_and_no_other(house: House, patrol: Patrol) -> None:
    one = patrol.begin()
    hq = Patrol(house, house.browser("commander"))
    assert "この端末で軌跡を記録する" not in patrol.page(f"/patrols/{one}")
    assert "この端末で軌跡を記録する" in hq.page(f"/patrols/{one}")
    by_phone = hq.begin(happened="00:01")
    assert "この端末で軌跡を記録する" in hq.page(f"/patrols/{by_phone}")
    assert hq.post(f"/patrols/{one}/record").status_code == 303
    assert "この端末で軌跡を記録する" not in hq.page(f"/patrols/{one}")


def test_maps_are_told_of_the_running_rounds_and_a_viewer_is_not(house: House, patrol: Patrol) -> None:
    one = patrol.begin(route="[[136.0, 31.5], [136.01, 31.5]]")
    now = house.node.clock()
    patrol.post(f"/patrols/{one}/tracks", _id=str(uuid7()), points=json.dumps([[136.0, 31.5, now, 8]]))
    told = {item["id"]: item for item in patrol.browser.get(patrol.here + "/map/rounds").get_json()}
    assert told[one]["last"] == [136.0, 31.5, now] and told[one]["route"] == [[136.0, 31.5], [136.01, 31.5]]
    patrol.post(f"/patrols/{one}/finish", versions=patrol.version(one))
    assert one not in {item["id"] for item in patrol.browser.get(patrol.here + "/map/rounds").get_json()}
    assert patrol.browser.get(f"{patrol.here}/map/rounds?round={one}").get_json()[0]["state"] == "finished"
    assert house.browser("viewer").get(patrol.here + "/map/rounds").status_code == 403
