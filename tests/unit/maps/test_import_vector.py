"""Where the numbers of a file lie: reference systems, encodings, incomplete and broken files, KSJ GML, zips."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import shapely

from maps.errors import BadFile, MapsError, Unclear
from maps.importers import files, geometry, ksj_gml, vector
from maps.importers.files import Dataset, datasets
from maps.importers.reference import reference
from tests.shared_data import shared_data

BOX = shapely.box(139.6, 35.8, 139.61, 35.81)


def shapefile(
    folder: Path, crs: str | None = "EPSG:6668", shape: Any = BOX, text: str = "荒川", encoding: str = "CP932"
) -> Path:
    path = folder / "layer.shp"
    pyogrio.raw.write(
        path, shapely.to_wkb(np.array([shape])), [np.array([text], dtype=object)], ["name"],
        driver="ESRI Shapefile", geometry_type=shape.geom_type, crs=crs or "EPSG:6668", encoding=encoding,
    )  # fmt: skip
    if crs is None:
        (folder / "layer.prj").unlink()
    return path


def geojson(folder: Path, geometry_of: dict[str, Any], crs: str | None = None, properties: Any = None) -> Dataset:
    document: dict[str, Any] = {"type": "FeatureCollection"}
    if crs:
        document["crs"] = {"type": "name", "properties": {"name": crs}}
    document["features"] = [{"type": "Feature", "properties": properties or {"a": 1}, "geometry": geometry_of}]
    path = folder / "layer.geojson"
    path.write_text(json.dumps(document), "utf-8")
    return Dataset(path, path.name)


def one(dataset: Dataset, crs: str | None = None) -> vector.Features:
    (found,) = vector.read(dataset, crs)
    return found


def of(path: Path) -> Dataset:
    return Dataset(path, path.name)


@pytest.mark.parametrize("code", ["EPSG:4326", "EPSG:4612", "EPSG:6668"])
def test_jgd_and_wgs_are_taken_as_they_are_and_the_code_is_kept(tmp_path: Path, code: str) -> None:
    found = one(of(shapefile(tmp_path, code)))
    assert found.crs == code
    assert found.geometry[0].bounds == pytest.approx(BOX.bounds, abs=1e-12)


def test_plane_coordinates_become_degrees(tmp_path: Path) -> None:
    plane = shapely.box(-14_000.0, -20_000.0, -13_000.0, -19_000.0)  # zone IX, near Toda
    found = one(of(shapefile(tmp_path, "EPSG:6677", plane)))
    assert found.crs == "EPSG:6677"
    west, south, _, _ = found.geometry[0].bounds
    assert (round(west, 2), round(south, 2)) == (139.68, 35.82)


def test_the_crs_member_of_a_geojson_is_honoured(tmp_path: Path) -> None:
    ring = [[-14_000, -20_000], [-13_000, -20_000], [-13_000, -19_000], [-14_000, -20_000]]
    dataset = geojson(tmp_path, {"type": "Polygon", "coordinates": [ring]}, "urn:ogc:def:crs:EPSG::6677")
    assert 139 < one(dataset).geometry[0].bounds[0] < 140


def test_the_tokyo_datum_is_taken_by_a_persons_word_only_and_then_moved_400_m(tmp_path: Path) -> None:
    path = shapefile(tmp_path, "EPSG:4301")
    with pytest.raises(Unclear, match="400 m") as refused:
        one(of(path))
    assert "--crs EPSG:4301" in refused.value.hint
    moved = one(of(path), "EPSG:4301").geometry[0].centroid
    metres = np.hypot((moved.x - BOX.centroid.x) * 90_000, (moved.y - BOX.centroid.y) * 111_000)
    assert 350 < metres < 500


def test_the_real_pair_of_one_list_in_two_datums_differs_where_the_old_one_is_read_as_new(tmp_path: Path) -> None:
    found = {dataset.name: dataset for dataset in datasets(shared_data("roads", "sabae_osm_shp.zip"), tmp_path)}
    right = one(found["sabae_aed_jgd2000.shp"])
    with pytest.raises(Unclear):
        one(found["sabae_aed_tokyo.shp"])
    moved = one(found["sabae_aed_tokyo.shp"], "EPSG:4301")
    assert len(right.geometry) == len(moved.geometry) == 134
    away = shapely.distance(right.geometry, moved.geometry) * 100_000
    assert np.median(away) < 10  # a few metres: the parameters of a whole country


def test_a_file_without_a_reference_system_is_refused_until_it_is_named(tmp_path: Path) -> None:
    path = shapefile(tmp_path, None)
    with pytest.raises(Unclear, match=r"\.prj"):
        one(of(path))
    assert one(of(path), "EPSG:6668").crs == "EPSG:6668"


def test_an_unknown_reference_system_is_refused() -> None:
    with pytest.raises(BadFile, match="unknown"):
        reference(None, "EPSG:nonsense", "layer")


@pytest.mark.parametrize("suffix", [".dbf", ".shx"])
def test_a_shapefile_without_its_other_files_is_refused(tmp_path: Path, suffix: str) -> None:
    path = shapefile(tmp_path)
    path.with_suffix(suffix).unlink()
    with pytest.raises(BadFile, match=f"without its {suffix}"):
        one(of(path))


@pytest.mark.parametrize(("encoding", "cpg"), [("CP932", True), ("CP932", False), ("UTF-8", True), ("UTF-8", False)])
def test_texts_of_a_shapefile_are_read_with_and_without_cpg(tmp_path: Path, encoding: str, cpg: bool) -> None:
    path = shapefile(tmp_path, text="浸水想定", encoding=encoding)
    if not cpg:
        path.with_suffix(".cpg").unlink()
        raw = bytearray(path.with_suffix(".dbf").read_bytes())
        raw[29] = 0  # the language mark of the table, which old programs leave empty
        path.with_suffix(".dbf").write_bytes(bytes(raw))
    assert one(of(path)).columns["name"].tolist() == ["浸水想定"]


@pytest.mark.parametrize("keep", [60, 120, 0.5])
def test_a_shapefile_that_is_cut_off_is_refused(tmp_path: Path, keep: float) -> None:
    path = shapefile(tmp_path)
    data = path.read_bytes()
    path.write_bytes(data[: int(keep if keep > 1 else len(data) * keep)])
    with pytest.raises(BadFile):
        one(of(path))


def test_a_geojson_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    dataset = geojson(tmp_path, shapely.geometry.mapping(BOX))
    dataset.path.write_bytes(dataset.path.read_bytes()[:-30])
    with pytest.raises(BadFile, match="cannot be read"):
        one(dataset)


@pytest.mark.parametrize(
    ("ring", "problem"),
    [
        ([[139, 200], [140, 200], [140, 201], [139, 200]], "not in Japan"),
        ([[35.8, 139.6], [35.9, 139.6], [35.9, 139.7], [35.8, 139.6]], "wrong order"),
        ([[2.3, 48.8], [2.4, 48.8], [2.4, 48.9], [2.3, 48.8]], "not in Japan"),
    ],
)
def test_what_lies_nowhere_or_in_the_wrong_order_is_refused(tmp_path: Path, ring: list[Any], problem: str) -> None:
    with pytest.raises(BadFile, match=problem):
        one(geojson(tmp_path, {"type": "Polygon", "coordinates": [ring]}))


def test_one_feature_that_lies_nowhere_is_a_fault_with_its_number(tmp_path: Path) -> None:
    path = tmp_path / "some.geojson"
    shapes = [BOX, BOX, shapely.box(139, 80, 140, 81)]
    features = [{"type": "Feature", "properties": {}, "geometry": shapely.geometry.mapping(shape)} for shape in shapes]
    features.append({"type": "Feature", "properties": {}, "geometry": None})
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), "utf-8")
    found = one(of(path))
    assert found.read == 4 and found.lines.tolist() == [1, 2]
    assert sorted(fault.line or 0 for fault in found.faults) == [3, 4]


def test_broken_rings_are_mended_and_counted_and_slivers_dropped() -> None:
    bow = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    sliver = shapely.box(5, 5, 5 + 1e-7, 5 + 1e-7)
    cleaned = geometry.polygons(np.array([bow, sliver, BOX, shapely.LineString([(0, 0), (1, 1)])], dtype=object))
    assert (cleaned.repaired, cleaned.slivers) == (1, 1)
    assert cleaned.index.tolist() == [0, 0, 2]
    assert shapely.is_valid(cleaned.geometry).all()


def test_the_third_dimension_is_dropped(tmp_path: Path) -> None:
    ring = [[139.6, 35.8, 3.0], [139.61, 35.8, 3.0], [139.61, 35.81, 3.0], [139.6, 35.8, 3.0]]
    assert not shapely.has_z(one(geojson(tmp_path, {"type": "Polygon", "coordinates": [ring]})).geometry).any()


def test_a_list_in_a_column_is_no_text() -> None:
    assert [vector.text(value) for value in (None, float("nan"), np.array([1, 2]), [1], "川 ", np.int32(3))] == [
        "", "", "", "", "川", "3",
    ]  # fmt: skip


# -- KSJ GML -----------------------------------------------------------------------------------------

HEAD = (
    '<?xml version="1.0" encoding="{encoding}"?>{before}<ksj:Dataset xmlns:gml="http://www.opengis.net/gml/3.2" '
    'xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:ksj="http://nlftp.mlit.go.jp/ksj/schemas/ksj-app">'
)


def curve(name: str, points: str) -> str:
    return (
        f'<gml:Curve gml:id="{name}"><gml:segments><gml:LineStringSegment><gml:posList>{points}</gml:posList>'
        "</gml:LineStringSegment></gml:segments></gml:Curve>"
    )


def gml(folder: Path, body: str, encoding: str = "UTF-8", before: str = "") -> Path:
    path = folder / "A31-12_11.xml"
    codec = "cp932" if encoding == "Shift_JIS" else encoding
    path.write_bytes((HEAD.format(encoding=encoding, before=before) + body + "</ksj:Dataset>").encode(codec))
    return path


BODY = (
    curve("C1", "35.80 139.60 35.80 139.61 35.81 139.61")
    + curve("c2", "35.80 139.60 35.81 139.60 35.81 139.61")
    + '<gml:OrientableCurve gml:id="o2" orientation="-"><gml:baseCurve xlink:href="#C2"/></gml:OrientableCurve>'
    + curve("c3", "35.802 139.602 35.804 139.602 35.804 139.604 35.802 139.602")
    + '<gml:Surface gml:id="A1"><gml:patches><gml:PolygonPatch><gml:exterior><gml:Ring>'
    '<gml:curveMember xlink:href="#c1"/><gml:curveMember xlink:href="#o2"/></gml:Ring></gml:exterior>'
    '<gml:interior><gml:Ring><gml:curveMember xlink:href="#C3"/></gml:Ring></gml:interior>'
    "</gml:PolygonPatch></gml:patches></gml:Surface>"
    '<ksj:ExpectedFloodArea gml:id="f1"><ksj:bounds xlink:href="#a1"/><ksj:waterDepth>13</ksj:waterDepth>'
    "<ksj:creatingBody>埼玉県</ksj:creatingBody></ksj:ExpectedFloodArea>"
)


@pytest.mark.parametrize("encoding", ["UTF-8", "Shift_JIS"])
def test_ksj_gml_is_joined_by_links_whatever_their_case_with_turned_curves_and_holes(
    tmp_path: Path, encoding: str
) -> None:
    shapes, columns, crs = ksj_gml.read(gml(tmp_path, BODY, encoding), "x.xml")
    assert crs == "EPSG:4612"
    assert shapes[0].is_valid and shapes[0].bounds == (139.6, 35.8, 139.61, 35.81) and len(shapes[0].interiors) == 1
    assert columns["waterDepth"].tolist() == ["13"] and columns["creatingBody"].tolist() == ["埼玉県"]


@pytest.mark.parametrize(
    "before",
    ['<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>', "<!DOCTYPE x>"],
)
def test_a_document_type_or_an_entity_is_refused_unread(tmp_path: Path, before: str) -> None:
    with pytest.raises(BadFile, match="document type"):
        ksj_gml.read(gml(tmp_path, BODY, before=before), "x.xml")


@pytest.mark.parametrize("body", ["<broken", BODY.replace('href="#C3"', 'href="#c9"'), "<ksj:nothing/>"])
def test_gml_that_is_broken_or_something_else_is_refused(tmp_path: Path, body: str) -> None:
    with pytest.raises(BadFile):
        ksj_gml.read(gml(tmp_path, body), "x.xml")


# -- zips --------------------------------------------------------------------------------------------


def zipped(path: Path, members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def test_the_better_form_of_a_zip_comes_first_and_its_parts_lie_together(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"a/x.kml": b"k", "a/X.SHP": b"s", "a/X.DBF": b"d", "readme.txt": b"r"})
    found = datasets(path, tmp_path / "out")
    assert [dataset.name for dataset in found] == ["X.SHP", "x.kml"]
    assert found[0].path.with_suffix(".dbf").exists()


@pytest.mark.parametrize(
    "name", ["../../evil.shp", "/etc/evil.shp", "a/../../evil.shp", "C:\\evil.shp", "..\\evil.shp"]
)
def test_a_zip_that_names_a_path_outside_itself_is_refused_and_writes_nothing(tmp_path: Path, name: str) -> None:
    path = zipped(tmp_path / "a.zip", {name: b"x"})
    with pytest.raises(BadFile, match="outside of itself"):
        datasets(path, tmp_path / "deep" / "out")
    assert not list((tmp_path / "deep").rglob("*.shp")) and not (tmp_path / "evil.shp").exists()


def test_bombs_are_refused_before_they_unpack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ratio = zipped(tmp_path / "ratio.zip", {"x.geojson": b" " * (2 << 20)})
    many = zipped(tmp_path / "many.zip", {f"{number}.shp": b"x" for number in range(50)})
    monkeypatch.setattr(files, "ZIP_MEMBERS_MAX", 40)
    for path in (ratio, many):
        with pytest.raises(BadFile) as refused:
            datasets(path, tmp_path / "out")
        assert refused.value.code == "zip_bomb"


@pytest.mark.parametrize("cut", [40, -30])
def test_a_zip_that_is_cut_off_is_refused(tmp_path: Path, cut: int) -> None:
    path = zipped(tmp_path / "a.zip", {"x.geojson": b"{}" * 100}, zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(BadFile):
        datasets(path, tmp_path / "out")


def test_files_that_are_empty_too_large_or_not_there_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty, large = tmp_path / "empty.geojson", tmp_path / "large.geojson"
    empty.touch()
    large.write_bytes(b"x" * 200)
    monkeypatch.setattr(files, "FILE_BYTES_MAX", 100)
    codes = []
    for path in (empty, large, tmp_path / "none.geojson", tmp_path):
        with pytest.raises(MapsError) as refused:
            datasets(path, tmp_path / "out")
        codes.append(refused.value.code)
        assert refused.value.hint
    assert codes == ["empty_file", "file_too_large", "no_such_file", "no_such_file"]
