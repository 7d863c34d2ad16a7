"""Hazard files by their fields: the A31 family, plain columns, and what is refused because nobody can tell."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from app import catalog
from maps.errors import BadFile, Unclear
from maps.importers import hazard, hazard_values, vector
from maps.importers.files import Dataset, datasets
from maps.importers.hazard_fields import AS_CODE, AS_DEPTH, AS_KIND, AS_RANK, meanings
from maps.importers.hazard_values import Problem, Value
from maps.importers.source import Source
from tests.shared_data import shared_data

TABLES = {"flood_depth": catalog.depth(), "flood_duration": catalog.durations()}


def square(east: float = 0.0) -> dict[str, Any]:
    west = 139.6 + east
    ring = [[west, 35.8], [west + 0.001, 35.8], [west + 0.001, 35.801], [west, 35.801], [west, 35.8]]
    return {"type": "Polygon", "coordinates": [ring]}


def written(folder: Path, rows: list[Mapping[str, Any]], name: str = "layer.geojson") -> Dataset:
    features = [
        {"type": "Feature", "properties": dict(row), "geometry": square(number / 100)}
        for number, row in enumerate(rows)
    ]
    path = folder / name
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), "utf-8")
    return Dataset(path, name)


def layers_of(dataset: Dataset, values: str | None = None, origin: str = "") -> list[Source]:
    found = [hazard.sources(features, dataset, TABLES, values, origin) for features in vector.read(dataset)]
    return [source for several in found for source in several]


@pytest.mark.parametrize(
    ("columns", "wanted"),
    [
        ("A31_001 A31_002 A31_003", [("flood_depth", "plan")]),
        ("A31a_101 A31a_102 A31a_105", [("flood_depth", "plan")]),
        ("A31a_201 A31a_202 A31a_205", [("flood_depth", "max")]),
        ("a31a_301 a31a_302 a31a_305", [("flood_duration", "max")]),
        ("A31a_401 A31a_402 A31a_405", [("collapse_zone", "max")]),
        ("A31b_101", [("flood_depth", "plan")]),
        ("A31b_101 A31b_201 A31b_301", [("flood_depth", "plan"), ("flood_depth", "max"), ("flood_duration", "max")]),
        ("A31b_401 A31b_402", [("collapse_zone", "max"), ("collapse_zone", "max")]),
        ("A31_201", [("flood_depth", "max")]),
        ("rank min_m max_m river note", [("flood_depth", "max")]),
        ("rank min_h max_h river note", [("flood_duration", "max")]),
        ("kind title river", [("collapse_zone", "max")]),
        ("GRIDCODE Id", [("flood_depth", "max")]),
        ("名称 浸水深", [("flood_depth", "max")]),
        ("name lat lon", []),
    ],
)
def test_the_fields_say_which_layers_a_file_has(columns: str, wanted: list[tuple[str, str]]) -> None:
    assert [(found.layer_kind, found.scenario) for found in meanings(columns.split())] == wanted


@pytest.mark.parametrize(
    ("raw", "how", "rank", "low", "high"),
    [
        ("4", AS_RANK, 4, 5, 10),
        (6.0, AS_RANK, 6, 20, None),
        (14, AS_CODE, 3, 2, 5),
        ("22", AS_CODE, 2, 0.5, 1),
        ("15", AS_CODE, 6, 5, None),
        (2, AS_CODE, 2, 0.5, 3),
        ("0.5-1.0", AS_DEPTH, 2, 0.5, 1),
        ("２．０～５．０ｍ", AS_DEPTH, 3, 2, 5),
        ("0.5m未満", AS_DEPTH, 1, 0, 0.5),
        ("3m以上5m未満", AS_DEPTH, 3, 3, 5),
        ("20m以上", AS_DEPTH, 6, 20, None),
        ("2.4", AS_DEPTH, 2, 2.4, 2.4),
        (3.0, AS_DEPTH, 3, 3, 3),
    ],
)
def test_a_value_becomes_limits_and_the_worst_class_they_touch(
    raw: Any, how: str, rank: int, low: float, high: float | None
) -> None:
    found = hazard_values.read(raw, how, catalog.depth())
    assert isinstance(found, Value)
    assert (found.rank, found.low) == (rank, low)
    assert np.isnan(found.high) if high is None else found.high == high


@pytest.mark.parametrize(
    ("raw", "how"),
    [
        ("9", AS_RANK),
        ("deep", AS_RANK),
        ("16", AS_CODE),
        ("よくわからない", AS_DEPTH),
        ("5-2", AS_DEPTH),
        ("3", AS_KIND),
    ],
)
def test_a_value_that_says_nothing_is_a_problem_never_a_guess(raw: str, how: str) -> None:
    found = hazard_values.read(raw, how, catalog.depth())
    assert isinstance(found, Problem) and found.text and found.proposal


def test_depth_duration_and_zones_of_one_file_are_layers_of_their_own(tmp_path: Path) -> None:
    rows = [
        {"A31b_101": 1, "A31b_201": 3, "A31b_301": 2, "A31b_401": 1, "A31b_402": 0},
        {"A31b_101": 0, "A31b_201": 4, "A31b_301": 7, "A31b_401": 0, "A31b_402": 1},
    ]
    found = {source.key: source for source in layers_of(written(tmp_path, rows))}
    assert set(found) == {"flood_depth:plan:-", "flood_depth:max:-", "flood_duration:max:-", "collapse_zone:max:-"}
    assert found["flood_depth:max:-"].columns["rank"].tolist() == [3, 4]
    assert found["flood_duration:max:-"].columns["low"].tolist() == [12, 672]
    assert found["collapse_zone:max:-"].columns["code"].tolist() == ["flow", "erosion"]
    assert found["flood_depth:plan:-"].accepted == 1


def test_an_unknown_class_is_a_fault_with_its_line(tmp_path: Path) -> None:
    (source,) = layers_of(written(tmp_path, [{"A31b_201": 2}, {"A31b_201": 9}, {"A31b_201": 0}]))
    assert (source.read, source.accepted) == (3, 1)
    (fault,) = source.faults
    assert (fault.line, fault.field, fault.value) == (2, "A31b_201", "9")


def test_a_file_without_one_usable_row_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="no row of layer"):
        layers_of(written(tmp_path, [{"A31b_201": 9}]))


def test_whole_numbers_of_a_depth_column_are_classes_or_metres_only_by_a_persons_word(tmp_path: Path) -> None:
    dataset = written(tmp_path, [{"浸水深": 2}, {"浸水深": 4}])
    with pytest.raises(Unclear, match="classes or metres"):
        layers_of(dataset)
    assert layers_of(dataset, "rank")[0].columns["low"].tolist() == [0.5, 5]
    assert layers_of(dataset, "metres")[0].columns["low"].tolist() == [2, 4]


def test_a_second_zone_file_of_a_river_is_erosion_where_it_numbers_from_one(tmp_path: Path) -> None:
    rows = [{"A31a_401": "8303", "A31a_402": "荒川", "A31a_405": 1}]
    flow = layers_of(written(tmp_path, rows, "A31a-23_11_41.geojson"))[0]
    erosion = layers_of(written(tmp_path, rows, "A31a-23_11_42.geojson"))[0]
    assert (flow.columns["code"][0], erosion.columns["code"][0]) == ("flow", "erosion")
    assert flow.rivers == ("荒川",)


@pytest.mark.parametrize(
    ("origin", "group"),
    [
        ("A31a-20-23_11", "A31a_11"),
        ("A31a-20-24_11", "A31a_11"),
        ("A31a-23_11_10", "A31a_11_10"),
        ("A31a-23_11_20_SHP", "A31a_11_20"),
        ("city", "-"),
    ],
)
def test_next_years_file_of_an_area_has_the_same_key_and_another_area_its_own(
    tmp_path: Path, origin: str, group: str
) -> None:
    (source,) = layers_of(written(tmp_path, [{"A31a_201": "1", "A31a_202": "荒川", "A31a_205": 3}]), origin=origin)
    assert source.group == group


def test_the_real_toda_has_the_same_ranks_in_each_form_it_came_in(tmp_path: Path) -> None:
    flood = shared_data("flood", "derived")
    read = []
    for name in ("toda_A31b-20-23_style.geojson", "A31a-20-23_11_derived_toda_SHP_cp932.zip"):
        (dataset,) = datasets(flood / name, tmp_path / name)
        (source,) = layers_of(dataset)
        read.append(source)
    counted = [Counter(source.columns["rank"].tolist()) for source in read]
    assert counted[0] == counted[1] and sum(counted[0].values()) == 1_039
    assert set(counted[0]) <= {1, 2, 3, 4, 5, 6}
    areas = [shapely.area(source.geometry).sum() for source in read]
    assert areas[0] == pytest.approx(areas[1], rel=1e-6)
    assert read[1].rivers == ("荒川水系（A31b-2023より作成）",)


def test_echizen_has_the_same_codes_as_gml_and_as_shapefile(tmp_path: Path) -> None:
    flood = shared_data("flood", "derived")
    counted = []
    for name in ("A31-12_18_derived_echizen_west.xml", "A31-12_18_derived_echizen_west_SHP_cp932.zip"):
        (dataset,) = datasets(flood / name, tmp_path / name)
        (source,) = layers_of(dataset)
        assert (source.scenario, source.crs, source.accepted) == ("plan", "EPSG:4612", 286)
        counted.append(Counter(source.columns["code"].tolist()))
    assert counted[0] == counted[1] == {"12": 175, "13": 70, "11": 27, "14": 14}


def test_depth_texts_are_found_in_a_column_whose_name_says_nothing(tmp_path: Path) -> None:
    found = datasets(shared_data("flood", "echizen_shp_kml.zip"), tmp_path)
    by_form = {}
    for dataset in found:
        if dataset.name.startswith("flood_assumed_area"):
            (source,) = layers_of(dataset)
            by_form[dataset.suffix] = Counter(zip(source.columns["low"], source.columns["high"], strict=True))
            assert source.accepted == 4
    assert by_form[".shp"] == by_form[".kml"]
    assert set(by_form[".shp"]) == {(0.0, 0.5), (0.5, 1.0), (1.0, 2.0), (2.0, 5.0)}
