"""A layer cut into parts and tiles: nothing of its area is lost, holes are told, and a run gives the same bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import shapely

from maps import cutting, prepare
from maps.errors import BadFile
from maps.importers.geometry import M2_PER_DEGREE2
from maps.importers.source import About, Source
from maps.layers import HOLE, PART_COLUMNS, PARTS_TYPE, TILES_TYPE
from maps.tiles import make, packages


def ragged(vertices: int, radius: float = 0.02) -> Any:
    angle = np.linspace(0, 2 * np.pi, vertices, endpoint=False)
    away = radius * np.where(np.arange(vertices) % 2, 1.0, 0.7)
    return shapely.Polygon(np.column_stack([139.65 + away * np.cos(angle), 35.81 + away * np.sin(angle)]))


def source(shapes: list[Any], ranks: list[int], layer_kind: str = "flood_depth") -> Source:
    count = len(shapes)
    columns = {
        "rank": np.array(ranks, np.int32),
        "low": np.full(count, 0.5),
        "high": np.where(np.array(ranks) == 6, np.nan, 3.0),
        "river": np.full(count, "大葦川", dtype=object),
        "code": np.array([str(rank) for rank in ranks], dtype=object),
    }
    about = About(title="試し")
    return Source(layer_kind, np.array(shapes, dtype=object), columns, "EPSG:6668", "max", about=about, accepted=count)


RING = shapely.box(139.60, 35.80, 139.64, 35.84).difference(shapely.box(139.61, 35.81, 139.63, 35.83))


@pytest.mark.parametrize("vertices", [8, 300, 5_000])
def test_parts_are_small_valid_and_cover_the_same_ground(vertices: int) -> None:
    whole = np.array([ragged(vertices), RING], dtype=object)
    parts, index = cutting.cut(whole)
    assert shapely.get_num_coordinates(parts).max() <= cutting.VERTICES_MAX
    assert shapely.is_valid(parts).all() and set(shapely.get_type_id(parts)) == {3}
    for number, shape in enumerate(whole):
        assert shapely.area(parts[index == number]).sum() == pytest.approx(shape.area, rel=1e-9)
        assert shapely.union_all(parts[index == number]).symmetric_difference(shape).area < 1e-12
    large = shapely.get_num_coordinates(parts) > cutting.VERTICES_FEW
    extent = shapely.bounds(parts[large]).reshape(-1, 4)
    assert not large.any() or (extent[:, 2:] - extent[:, :2]).max() <= cutting.CELL_DEGREES * 1.001


def test_a_hole_is_ground_that_no_polygon_of_the_layer_covers() -> None:
    def holes(*shapes: Any) -> float:
        found = cutting.holes(np.array(shapes, dtype=object), M2_PER_DEGREE2)
        return float(shapely.area(found).sum())

    inner = shapely.box(139.61, 35.81, 139.63, 35.83)
    half, island = shapely.box(139.61, 35.81, 139.62, 35.83), shapely.box(139.615, 35.815, 139.62, 35.82)
    assert holes(RING) == pytest.approx(inner.area)
    assert holes(RING, inner) == 0
    assert holes(RING, half) == pytest.approx(inner.area / 2)
    assert holes(RING, island) == pytest.approx(inner.area - island.area)
    # Two that surround a gap only together.
    left, right = (
        RING.intersection(shapely.box(139, 35, 139.62, 36)),
        RING.intersection(shapely.box(139.62, 35, 140, 36)),
    )
    assert holes(left, right) == pytest.approx(inner.area)
    assert holes(shapely.box(139.6, 35.8, 139.61, 35.81)) == 0


def test_a_seam_of_a_few_square_metres_is_no_hole() -> None:
    seam = shapely.box(139.60, 35.80, 139.61, 35.81).difference(shapely.box(139.605, 35.805, 139.60501, 35.80501))
    assert len(cutting.holes(np.array([seam], dtype=object), M2_PER_DEGREE2)) == 0


def test_the_parts_and_tiles_of_a_layer_have_the_schema_that_others_read(tmp_path: Path) -> None:
    layer = prepare.prepare(source([RING, ragged(400)], [2, 6]), tmp_path)
    files = {file.role: file for file in layer.files}
    assert [(role, file.media_type) for role, file in files.items()] == [("parts", PARTS_TYPE), ("tiles", TILES_TYPE)]
    meta, _, wkb, data = pyogrio.raw.read(files["parts"].path)
    assert tuple(meta["fields"]) == PART_COLUMNS and meta["crs"] == "EPSG:4326"
    columns = dict(zip(meta["fields"], data, strict=True))
    assert HOLE in columns["part"] and len(wkb) == len(columns["rank"])
    assert (
        np.isnan(columns["high"][columns["rank"] == 6]).all() and (columns["rank"][columns["part"] == HOLE] == -1).all()
    )
    package = packages.tested(files["tiles"].path, "tiles")
    assert package.ours and not package.raster and list(package.zooms) == layer.fields["zooms"]
    assert layer.fields["key"] == "flood_depth:max:-" and layer.fields["default_on"] is True
    assert layer.fields["bbox"] == pytest.approx([139.6, 35.79, 139.67, 35.84], abs=0.002)


def test_a_run_gives_the_same_bytes(tmp_path: Path) -> None:
    made = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        made.append(prepare.prepare(source([RING, ragged(400)], [2, 6]), tmp_path / name))
    assert [file.sha256 for file in made[0].files] == [file.sha256 for file in made[1].files]


def test_a_collapse_zone_has_no_holes_and_its_tiles_no_class(tmp_path: Path) -> None:
    layer = prepare.prepare(source([RING], [-1], "collapse_zone"), tmp_path)
    _, _, _, data = pyogrio.raw.read(layer.files[0].path, columns=["part"])
    assert HOLE not in data[0]


def test_a_larger_layer_is_tiled_for_the_city_only_and_one_from_elsewhere_where_it_lies(tmp_path: Path) -> None:
    shapes = [shapely.box(139.6, 35.8, 139.61, 35.81), shapely.box(139.9, 35.9, 139.91, 35.91)]
    for name, within, west in (
        ("near", (139.6, 35.8, 139.62, 35.82), 139.6),
        ("far", (130.0, 33.0, 130.1, 33.1), 139.6),
    ):
        (tmp_path / name).mkdir()
        layer = prepare.prepare(source(shapes, [1, 2]), tmp_path / name, within=within)
        package = packages.tested(layer.files[1].path, name)
        assert package.bounds[0] == pytest.approx(west, abs=0.001)
        assert package.bounds[2] == pytest.approx(139.61 if name == "near" else 139.91, abs=0.03)


@pytest.mark.parametrize(
    ("extent", "basemap", "wanted"),
    [(0.05, False, (10, 15)), (0.05, True, (8, 15)), (1.2, False, (7, 14)), (40, True, (4, 14))],
)
def test_zooms_fit_the_extent(extent: float, basemap: bool, wanted: tuple[int, int]) -> None:
    assert make.zooms((135, 35, 135 + extent, 35.01), basemap=basemap) == wanted


def test_a_layer_without_an_area_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="no usable area"):
        prepare.prepare(source([], []), tmp_path)
    assert not list(tmp_path.iterdir())
