"""What is assumed at a position, over HTTP and on pages, on a hub that holds the layers of the invented city."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import birth
from app.config import Settings
from app.factory import create_app
from app.node import Node
from app.store.folder import DataFolder
from app.store.keys import read_keys
from maps.layers import PARTS_TYPE, Prepared, PreparedFile
from tests.unit.maps.parts import parts_of, shapes_of

CITY = Path(__file__).resolve().parents[2] / "hazard_data"
LAYERS = {
    "flood_depth": ("flood_depth.geojson", {"rank": "rank", "min_m": "low", "max_m": "high", "river": "river"}),
    "flood_duration": ("flood_duration.geojson", {"rank": "rank", "min_h": "low", "max_h": "high", "river": "river"}),
    "collapse_zone": ("collapse_zone.geojson", {"kind": "code", "river": "river"}),
}
SITES = json.loads((CITY / "shelters.json").read_text("utf-8"))["shelters"]
FAR = {"lon": 135.5, "lat": 34.7}


@dataclass
class Hub:
    node: Node
    client: FlaskClient
    token: str
    browser: FlaskClient
    incident: str

    def ask(self, path: str, **query: Any) -> Any:
        return self.client.get(path, query_string=query, headers={"Authorization": f"Bearer {self.token}"})

    def post(self, collection: str, body: dict[str, Any]) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = self.client.post(f"/api/v1/{collection}", json=body, headers=headers)
        assert answer.status_code == 201, answer.text
        return answer.json

    def page(self, path: str) -> str:
        answer = self.browser.get(path)
        assert answer.status_code == 200, answer.text
        return " ".join(answer.text.split())


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    home = tmp_path_factory.mktemp("hub")
    settings, folder = Settings(home=home, ballast_mb=0), DataFolder(home)
    birth.make_node(folder, "hub", "本部", settings, None)
    with folder.lock():
        node = Node.open(folder, read_keys(folder.keys, None), settings)
        app, _ = create_app(node)
        accounts = app.extensions["accounts"]
        person = accounts.add_user("本部の人", "hq_operator", None)
        browser = app.test_client()
        with browser.session_transaction() as session:
            session["token"] = accounts.open_session(person.id)
        found = Hub(node, app.test_client(), accounts.make_token("本部の人"), browser, "")
        found.incident = found.post("incidents", {"name": "訓練", "mode": "drill", "kind": "flood"})["id"]
        yield found
        node.close()


def publish(hub: Hub, folder: Path, kind: str) -> str:
    name, columns = LAYERS[kind]
    path = folder / f"{kind}.fgb"
    data = parts_of(shapes_of(CITY / name, columns))
    path.write_bytes(data)
    fields = {
        "key": f"{kind}:max:-", "layer_kind": kind, "title": name, "scenario": "max", "source": "訓練用(架空)",
        "data_date": "2017-03-31", "drill": True, "imported_at": 1_000,
    }  # fmt: skip
    file = PreparedFile("parts", path, PARTS_TYPE, hashlib.sha256(data).hexdigest(), len(data))
    return hub.node.layers.publish(Prepared(fields, (file,)), None)


@pytest.fixture(scope="module")
def layers(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("layers")
    return {kind: publish(hub, folder, kind) for kind in LAYERS}


def at(site: dict[str, Any]) -> dict[str, float]:
    return {"lon": site["location"][0], "lat": site["location"][1]}


def test_a_node_without_layers_says_null_and_never_dry(hub: Hub) -> None:
    # Before `layers`: pytest runs the tests of a file in their order.
    answer = hub.ask("/api/v1/hazard", **FAR)
    assert answer.status_code == 200
    assert answer.json == {"flood": None, "duration": None, "collapse": None, "landslide": None}


def test_a_position_in_the_flood_is_answered_with_its_source(hub: Hub, layers: dict[str, str]) -> None:
    answer = hub.ask("/api/v1/hazard", **at(SITES[0])).json
    flood = answer["flood"]
    assert flood["rank"] in (2, 3, 4) and flood["min_m"] < flood["max_m"]
    assert flood["label"] and flood["rivers"] == ["大葦川"] and flood["quality"] in ("inside", "edge")
    assert (flood["layer"], flood["data_date"], flood["source"]) == (
        layers["flood_depth"],
        "2017-03-31",
        "訓練用(架空)",
    )
    assert answer["duration"]["layer"] == layers["flood_duration"]
    assert answer["collapse"]["kinds"] in ([], ["flow"], ["erosion"], ["erosion", "flow"])
    assert answer["landslide"] is None


def test_a_position_outside_is_not_assessed(hub: Hub, layers: dict[str, str]) -> None:
    flood = hub.ask("/api/v1/hazard", **FAR).json["flood"]
    assert (flood["rank"], flood["min_m"], flood["max_m"], flood["quality"]) == (None, None, None, "outside")


def test_a_circle_over_several_classes_names_them_all_the_worst_first(hub: Hub, layers: dict[str, str]) -> None:
    flood = hub.ask("/api/v1/hazard", **at(SITES[0]), accuracy_m=2_000).json["flood"]
    ranks = [one["rank"] for one in flood["ranks"] if one["rank"] is not None]
    assert ranks == sorted(ranks, reverse=True) and len(ranks) > 1
    assert (flood["rank"], flood["quality"]) == (ranks[0], "edge")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "lat"),
        ({"lat": "35"}, "lon"),
        ({"lat": "", "lon": "139"}, "lat"),
        ({"lat": "200", "lon": "139"}, "lat"),
        ({"lat": "35", "lon": "-181"}, "lon"),
        ({"lat": "nan", "lon": "139"}, "lat"),
        ({"lat": "35", "lon": "inf"}, "lon"),
        ({"lat": "1e1", "lon": "139"}, "lat"),
        ({"lat": "３５", "lon": "139"}, "lat"),
        ({"lat": "35", "lon": "139", "accuracy_m": "-1"}, "accuracy_m"),
        ({"lat": "35", "lon": "139", "accuracy_m": "x"}, "accuracy_m"),
        ({"lat": "35", "lon": "139", "zoom": "3"}, "zoom"),
    ],
)
def test_a_wrong_position_is_refused_in_one_sentence(hub: Hub, query: dict[str, str], field: str) -> None:
    answer = hub.ask("/api/v1/hazard", **query)
    assert answer.status_code == 422
    assert answer.json["field"] == field and answer.json["hint"]


def test_the_catalogue_is_read_over_http_and_not_written(hub: Hub, layers: dict[str, str]) -> None:
    items = hub.ask("/api/v1/layers").json["items"]
    assert {item["id"] for item in items} == set(layers.values())
    assert {file["role"] for item in items for file in item["files"]} == {"parts"}
    headers = {"Authorization": f"Bearer {hub.token}"}
    assert hub.client.post("/api/v1/layers", json={}, headers=headers).status_code == 405
    assert hub.client.get("/api/v1/layers").status_code == 401
    assert hub.client.get("/api/v1/hazard?lat=35&lon=139").status_code == 401


def test_the_depth_stands_under_the_report(hub: Hub, layers: dict[str, str]) -> None:
    place = {"type": "Point", "coordinates": SITES[0]["location"]}
    report = {"incident_id": hub.incident, "category": "flood", "summary": "冠水", "location": place, "accuracy_m": 8}
    made = hub.post("damage-reports", report)
    page = hub.page(f"/incidents/{hub.incident}/damage-reports/{made['id']}")
    flood = hub.ask("/api/v1/hazard", **at(SITES[0]), accuracy_m=8).json["flood"]
    assert f"想定 {flood['label']}" in page
    assert "実際の深さではありません" in page and "2017-03-31" in page and "水が引くまで" in page


def test_a_report_outside_the_layer_is_not_called_safe(hub: Hub, layers: dict[str, str]) -> None:
    place = {"type": "Point", "coordinates": [FAR["lon"], FAR["lat"]]}
    report = {"incident_id": hub.incident, "category": "flood", "summary": "遠い", "location": place}
    page = hub.page(f"/incidents/{hub.incident}/damage-reports/{hub.post('damage-reports', report)['id']}")
    assert "評価なし" in page and "安全という意味ではありません" in page


def test_a_report_without_a_position_says_nothing_of_the_depth(hub: Hub, layers: dict[str, str]) -> None:
    report = {"incident_id": hub.incident, "category": "flood", "summary": "場所なし"}
    page = hub.page(f"/incidents/{hub.incident}/damage-reports/{hub.post('damage-reports', report)['id']}")
    assert "想定 " not in page and "評価なし" not in page


def test_a_tap_names_the_depth_the_grid_and_the_floors_of_the_nearest_shelters(
    hub: Hub, layers: dict[str, str]
) -> None:
    site = next(one for one in SITES if one["usable_floors"] == ["2F", "3F"])
    floors = {"usable_floors": [2, 3], "capacity_by_floor": {"2": 150, "3": 150}}
    place = {"type": "Point", "coordinates": site["location"]}
    hub.post("shelters", {"name": site["name"], "location": place, **floors})
    flood = hub.ask("/api/v1/hazard", **at(site), accuracy_m=15).json["flood"]
    said = hub.page(f"/incidents/{hub.incident}/hazard?lon={site['location'][0]}&lat={site['location'][1]}")
    assert site["name"] in said and "UTMグリッド" in said
    assert "1階" in said and "水没の想定" in said and "使える" in said
    assert ("2階・3階だけ使える" in said) == (flood["rank"] == 2)
    far = hub.page(f"/incidents/{hub.incident}/hazard?lon={FAR['lon']}&lat={FAR['lat']}")
    assert "1 km以内に避難所の登録はありません" in far and "評価なし" in far


def test_the_grid_is_read_as_people_write_it(hub: Hub, layers: dict[str, str]) -> None:
    found = hub.browser.get(f"/incidents/{hub.incident}/grid", query_string={"text": "５４ＳＵＥ　８０５６ ６４５４"})
    assert (found.status_code, found.json["text"], found.json["size_m"]) == (200, "54S UE 8056 6454", 10)
    refused = hub.browser.get(f"/incidents/{hub.incident}/grid", query_string={"text": "戸田市役所"})
    assert (refused.status_code, refused.json["code"], refused.json["field"]) == (422, "grid_unreadable", "text")
    assert refused.json["hint"]
