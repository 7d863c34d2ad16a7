"""Cuts a layer into the files that travel: *parts* for answers, *tiles* for the map. The schema is ``layers``'.

Before: ``importers`` made a ``Source``. After: ``app.layers`` keeps the files and writes the catalogue's entry. What is
made stands in a folder that the caller gives, and is nothing until the caller takes it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maps import cutting
from maps.errors import BadFile
from maps.importers.geometry import M2_PER_DEGREE2
from maps.importers.source import Source
from maps.layers import AREA, HOLE, NO_RANK, PART_COLUMNS, PARTS_TYPE, TILES_TYPE, Prepared, PreparedFile
from maps.tiles import make
from maps.tiles.packages import Package

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

Progress = Callable[[str, int, int], None]

ASSESSED = ("flood_depth", "flood_duration", "inland_flood", "storm_surge", "tsunami")  # whose holes are not "dry"
DRAWN_ONLY = ("basemap",)  # nothing is asked of it: no parts
DEFAULT_ON = ("flood_depth", "boundary", "basemap")


def prepare(
    source: Source,
    folder: Path,
    *,
    within: make.Bounds | None = None,
    tiles: bool = True,
    on_progress: Progress = lambda what, done, of: None,
) -> Prepared:
    """The layer's files in ``folder``, and what the catalogue says of them. ``within``: tiles of this extent only."""
    import shapely

    if not len(source.geometry):
        raise BadFile("nothing_usable", "the layer has no usable area", "See the faults with --dry-run.")
    bounds = _bounds(shapely.total_bounds(source.geometry))
    if within is not None and not _meet(within, bounds):
        within = None  # forced in from elsewhere: its tiles are made where it lies
    files: list[PreparedFile] = []
    if source.layer_kind not in DRAWN_ONLY:
        on_progress("parts", 0, 1)
        parts = folder / f"{_name(source)}.fgb"
        write_parts(source, parts, on_progress)
        files.append(_file("parts", parts, PARTS_TYPE))
    zoom = make.zooms(within or bounds, basemap=source.layer_kind in DRAWN_ONLY)
    if tiles:
        on_progress("tiles", 0, 1)
        package = folder / f"{_name(source)}.pmtiles"
        make.write(package, source.geometry, _tile_columns(source), zoom, within)
        files.append(_file("tiles", package, TILES_TYPE))
        on_progress("tiles", 1, 1)
    return Prepared(_fields(source, bounds, zoom if tiles else None), tuple(files))


def packaged(package: Package, source: Source, path: Path, media_type: str) -> Prepared:
    """A package of tiles from elsewhere as a layer; it was tested before."""
    zooms = {"zooms": [float(zoom) for zoom in package.zooms]}
    role = "raster" if package.raster else "tiles"
    return Prepared({**_fields(source, package.bounds, None), **zooms}, (_file(role, path, media_type),))


def write_parts(source: Source, path: Path, on_progress: Progress = lambda what, done, of: None) -> int:
    """Write the parts of a layer as FlatGeobuf; how many there are."""
    import numpy as np
    import pyogrio
    import shapely

    parts, index = cutting.cut(source.geometry, lambda done, of: on_progress("parts", done, of))
    columns = _part_columns(source, index)
    if source.layer_kind in ASSESSED:
        on_progress("holes", 0, 1)
        gaps = cutting.holes(source.geometry, M2_PER_DEGREE2)
        gaps, _ = cutting.cut(gaps)
        parts = np.concatenate([parts, gaps])
        columns = {name: np.concatenate([values, _of_hole(name, len(gaps))]) for name, values in columns.items()}
    on_progress("writing", 0, 1)
    pyogrio.raw.write(
        path, shapely.to_wkb(parts), list(columns.values()), list(columns),
        layer="parts", driver="FlatGeobuf", geometry_type="Polygon", crs="EPSG:4326", nan_as_null=True,
    )  # fmt: skip
    return len(parts)


def _part_columns(source: Source, index: Array) -> dict[str, Array]:
    """The columns of ``PART_COLUMNS``: what a layer has none of says so in the way a reader expects."""
    import numpy as np

    empty = {
        "rank": np.full(len(index), NO_RANK, np.int32),
        "low": np.full(len(index), np.nan),
        "high": np.full(len(index), np.nan),
        "river": np.full(len(index), "", dtype=object),
        "code": np.full(len(index), "", dtype=object),
        "part": np.full(len(index), AREA, dtype=object),
    }
    return {name: source.columns[name][index] if name in source.columns else empty[name] for name in PART_COLUMNS}


def _of_hole(name: str, count: int) -> Array:
    import numpy as np

    if name == "rank":
        return np.full(count, NO_RANK, np.int32)
    if name in ("low", "high"):
        return np.full(count, np.nan)
    return np.full(count, HOLE if name == "part" else "", dtype=object)


def _tile_columns(source: Source) -> Mapping[str, Array]:
    """A collapse zone has no class: its tiles carry the kind only."""
    columns = dict(source.columns)
    if "rank" in columns and (columns["rank"] == NO_RANK).all():
        del columns["rank"]
    return columns


def _fields(source: Source, bounds: make.Bounds, zoom: tuple[int, int] | None) -> dict[str, Any]:
    about = source.about
    return {
        "key": source.key,
        "layer_kind": source.layer_kind,
        "title": about.title,
        "scenario": source.scenario,
        "rivers": list(source.rivers) or None,
        "source": about.source,
        "credit": about.credit,
        "licence": about.licence,
        "data_date": about.data_date,
        "crs": source.crs,
        "feature_count": source.accepted,
        "repaired": source.repaired,
        "bbox": [round(value, 7) for value in bounds],
        "zooms": None if zoom is None else [float(value) for value in zoom],
        "default_on": source.layer_kind in DEFAULT_ON and source.scenario != "plan",
    }


def _file(role: str, path: Path, media_type: str) -> PreparedFile:
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return PreparedFile(role, path, media_type, sha256, path.stat().st_size)


def _name(source: Source) -> str:
    return hashlib.sha256(source.key.encode()).hexdigest()[:16]


def _meet(one: make.Bounds, two: make.Bounds) -> bool:
    return one[0] <= two[2] and two[0] <= one[2] and one[1] <= two[3] and two[1] <= one[3]


def _bounds(values: Any) -> make.Bounds:
    west, south, east, north = (float(value) for value in values)
    return west, south, east, north
