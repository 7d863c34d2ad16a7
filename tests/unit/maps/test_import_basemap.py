"""Boundaries and basemaps: names, codes, kinds and classes out of the columns of others."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import hazard_data
from maps.errors import BadFile
from maps.importers import basemap, boundary, vector
from maps.importers.files import Dataset, datasets
from tests.shared_data import shared_data

CITY = Path(hazard_data.__file__).parent
LINE = {"type": "LineString", "coordinates": [[139.6, 35.8], [139.61, 35.81]]}
AREA = {"type": "Polygon", "coordinates": [[[139.6, 35.8], [139.61, 35.8], [139.61, 35.81], [139.6, 35.8]]]}


def of(path: Path) -> Dataset:
    return Dataset(path, path.name)


def written(folder: Path, rows: list[dict[str, Any]], geometry: dict[str, Any]) -> Dataset:
    features = [{"type": "Feature", "properties": row, "geometry": geometry} for row in rows]
    path = folder / "layer.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), "utf-8")
    return of(path)


def based(dataset: Dataset) -> Any:
    return basemap.source(list(vector.read(dataset)), dataset)


@pytest.mark.parametrize(
    ("tags", "kind", "road"),
    [
        ({"class": "main"}, "road", "main"),
        ({"class": "railway"}, "railway", ""),
        ({"kind": "centre_line"}, "waterway", ""),
        ({"kind": "city"}, "boundary", ""),
        ({"highway": "primary_link"}, "road", "main"),
        ({"highway": "residential"}, "road", "street"),
        ({"highway": "footway"}, "road", "lane"),
        ({"waterway": "river"}, "waterway", ""),
        ({"natural": "water"}, "water", ""),
        ({"building": "yes"}, "building", ""),
        ({"N02_003": "埼京線", "N02_005": "戸田公園"}, "station", ""),
        ({"N02_003": "埼京線"}, "railway", ""),
    ],
)
def test_the_columns_say_what_a_feature_is(tmp_path: Path, tags: dict[str, str], kind: str, road: str) -> None:
    source = based(written(tmp_path, [tags | {"name": "名"}], LINE))
    assert (source.columns["kind"].tolist(), source.columns["class"].tolist()) == ([kind], [road])


def test_features_that_say_nothing_are_counted_and_a_file_of_only_such_refused(tmp_path: Path) -> None:
    source = based(written(tmp_path, [{"highway": "primary"}, {"colour": "red"}], LINE))
    assert (source.read, source.accepted, len(source.faults)) == (2, 1, 1)
    with pytest.raises(BadFile, match="says of nothing"):
        based(written(tmp_path, [{"colour": "red"}], LINE))


def test_the_real_roads_of_sabae_are_all_roads(tmp_path: Path) -> None:
    found = {dataset.name: dataset for dataset in datasets(shared_data("roads", "sabae_osm_shp.zip"), tmp_path)}
    source = based(found["sabae_way.shp"])
    assert source.accepted == 2_034 and set(source.columns["kind"]) == {"road"} and source.family == "OSM"
    assert set(source.columns["class"]) == {"main", "street", "lane"}


def test_the_real_stations_of_japan_become_points() -> None:
    source = based(of(shared_data("rail", "N02-22_Station.geojson")))
    assert source.accepted == 10_220 and set(source.columns["kind"]) == {"station"} and source.family == "N02"
    assert {shape.geom_type for shape in source.geometry[:100]} == {"Point"}


def bounded(dataset: Dataset) -> Any:
    return boundary.source(next(iter(vector.read(dataset))), dataset)


@pytest.mark.parametrize("code", ["11224", "11223", "11203", "11229", "13119", "13117"])
def test_a_municipality_is_a_layer_of_its_own_code(code: str) -> None:
    source = bounded(of(shared_data("boundary", f"{code}.json")))
    assert source.key == f"boundary:-:{code}" and source.accepted == 1 and source.about.title


def test_the_72_municipalities_of_a_prefecture_are_one_layer_with_names_and_codes() -> None:
    source = bounded(of(shared_data("boundary", "N03-21_11_210101_s0010.json")))
    assert (source.key, source.accepted, source.family) == ("boundary:-:11", 72, "N03")
    named = dict(zip(source.columns["code"], source.columns["name"], strict=True))
    assert named["11224"] == "戸田市" and named["11101"] == "さいたま市西区"


def of_prefecture(municipality: str | None) -> Any:
    dataset = of(shared_data("boundary", "N03-21_11_210101_s0010.json"))
    return boundary.source(next(iter(vector.read(dataset))), dataset, municipality)


def test_a_prefecture_as_a_city_is_told_how_to_name_one() -> None:
    (fault,) = of_prefecture(None).faults
    assert "72 municipalities" in fault.problem and fault.proposal == "--municipality 11101"


@pytest.mark.parametrize("said", ["11224", "112241", "戸田市", "１１２２４"])
def test_of_a_prefecture_the_city_is_taken_by_its_code_or_name(said: str) -> None:
    source = of_prefecture(said)
    assert (source.key, source.accepted, source.read, list(source.faults)) == ("boundary:-:11224", 1, 72, [])


def test_a_city_that_the_prefecture_does_not_have_is_refused_with_those_that_it_has() -> None:
    with pytest.raises(BadFile, match="bears the code or name 横浜市") as caught:
        of_prefecture("横浜市")
    assert "さいたま市" in caught.value.hint


def test_the_invented_city_has_one_boundary_and_eight_districts() -> None:
    source = bounded(of(CITY / "boundary.geojson"))
    assert source.key == "boundary:-:99999" and Counter(source.columns["kind"]) == {"boundary": 1, "district": 8}


def test_lines_are_no_boundary(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="no areas"):
        bounded(written(tmp_path, [{"name": "川"}], LINE))
    assert bounded(written(tmp_path, [{"name": "市"}], AREA)).columns["name"].tolist() == ["市"]
