"""Parts of a layer made in a test: polygons with their columns, cut on a grid, as bytes of a FlatGeobuf."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from pyogrio.raw import write

from maps.layers import AREA, NO_RANK, PART_COLUMNS

GRID = 0.0025


def parts_of(shapes: Iterable[tuple[Any, Mapping[str, Any]]], grid: float | None = GRID) -> bytes:
    """Each shape with its columns; those left out are unknown."""
    empty = {"rank": NO_RANK, "low": math.nan, "high": math.nan, "river": "", "code": "", "part": AREA}
    pieces = [(piece, {**empty, **told}) for shape, told in shapes for piece in _cut(shape, grid)]
    columns = {name: [told[name] for _, told in pieces] for name in PART_COLUMNS}
    kinds = {"rank": np.int32, "low": np.float64, "high": np.float64}
    values = [np.array(column, dtype=kinds.get(name, object)) for name, column in columns.items()]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "parts.fgb"
        geometry = shapely.to_wkb([piece for piece, _ in pieces])
        write(
            path, geometry, values, list(columns), driver="FlatGeobuf", geometry_type="Polygon", crs="EPSG:4326",
            layer="parts", SPATIAL_INDEX="NO",
        )  # fmt: skip
        return path.read_bytes()


def shapes_of(path: Path, columns: Mapping[str, str]) -> list[tuple[Any, dict[str, Any]]]:
    """The features of a GeoJSON; ``columns`` says which property is which column."""
    found = []
    for feature in json.loads(path.read_text(encoding="utf-8"))["features"]:
        told = {column: feature["properties"][name] for name, column in columns.items()}
        found.append((shapely.from_geojson(json.dumps(feature["geometry"])), told))
    return found


def box(west: float, south: float, east: float, north: float, holes: Sequence[Any] = ()) -> Any:
    return shapely.difference(shapely.box(west, south, east, north), shapely.union_all(list(holes)))


def _cut(shape: Any, grid: float | None) -> list[Any]:
    polygons = [one for one in shapely.get_parts(shapely.make_valid(shape)) if one.geom_type == "Polygon"]
    if grid is None:
        return polygons
    west, south, east, north = shapely.bounds(shape)
    across = np.arange(math.floor(west / grid), math.ceil(east / grid))
    up = np.arange(math.floor(south / grid), math.ceil(north / grid))
    x, y = (axis.ravel() for axis in np.meshgrid(across * grid, up * grid))
    pieces = shapely.intersection(np.array(polygons)[:, None], shapely.box(x, y, x + grid, y + grid)).ravel()
    return [piece for piece in shapely.get_parts(pieces) if piece.geom_type == "Polygon" and not piece.is_empty]
