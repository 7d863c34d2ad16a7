"""A dataset as features: geometries in degrees and columns by name. Whatever GDAL reads, and KSJ GML.

Before: ``files`` found the dataset. After: ``hazard``, ``boundary`` and ``basemap`` say what its columns mean.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maps.errors import BadFile
from maps.importers import ksj_gml
from maps.importers.files import Dataset
from maps.importers.reference import EAST, NORTH, SOUTH, WEST, Reference, reference, refuse_elsewhere
from maps.layers import Fault

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

XML_SUFFIXES, JSON_SUFFIXES = (".xml", ".gml"), (".geojson", ".json")
FAULTS_MAX = 200  # of one kind in one layer: the rest is counted
HEAD_BYTES = 4_096
DBF_SAMPLE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Features:
    """What was read: ``lines`` are the numbers of the features in the file, from 1."""

    name: str
    geometry: Array
    columns: Mapping[str, Array]
    lines: Array
    crs: str
    read: int
    faults: Sequence[Fault] = ()
    head: Mapping[str, Any] = field(default_factory=dict)  # what the file says of itself: title, source, data_date


def read(dataset: Dataset, crs: str | None = None) -> Iterator[Features]:
    """The layers of a dataset that hold geometry. Raises BadFile, Unclear."""
    if dataset.suffix in XML_SUFFIXES:
        yield _placed(dataset, *ksj_gml.read(dataset.path, dataset.name), crs)
        return
    if dataset.suffix == ".shp":
        _refuse_incomplete_shapefile(dataset)
    for layer in _layers(dataset):
        yield _placed(dataset, *_gdal(dataset, layer), crs, layer)


def text(value: Any) -> str:
    """A value of a column as a text: empty where there is none, or where it is a list."""
    plain = isinstance(value, str | int | float) or getattr(value, "ndim", None) == 0
    if not plain:
        return ""
    return "" if value != value else str(value).strip()


def _layers(dataset: Dataset) -> list[str | None]:
    import pyogrio

    if dataset.suffix in JSON_SUFFIXES:
        return [None]  # it has one, and to ask for its name reads the whole file once more
    with _gdal_errors(dataset):
        return [str(name) for name, kind in pyogrio.list_layers(dataset.path) if kind is not None]


def _gdal(dataset: Dataset, layer: str | None) -> tuple[Array, dict[str, Array], str | None]:
    import numpy as np
    import pyogrio
    import shapely

    encoding = _dbf_encoding(dataset.path) if dataset.suffix == ".shp" else None
    with _gdal_errors(dataset):
        meta, _, wkb, data = pyogrio.raw.read(dataset.path, layer=layer, encoding=encoding, force_2d=True)
    if wkb is None:
        return np.empty(0, dtype=object), {}, meta["crs"]
    geometry = shapely.from_wkb(wkb, on_invalid="ignore")
    return geometry, dict(zip(map(str, meta["fields"]), data, strict=True)), meta["crs"]


class _gdal_errors:
    """GDAL's many errors become one sentence; its warnings (odd rings, odd dates) are ours to count, not to print."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._warnings = warnings.catch_warnings()

    def __enter__(self) -> None:
        self._warnings.__enter__()
        warnings.simplefilter("ignore")

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._warnings.__exit__(None, None, None)
        if error is not None and type(error).__module__.startswith("pyogrio"):
            said = str(error).splitlines()[0].replace(str(self._dataset.path), self._dataset.name)[:200]
            raise BadFile(
                "unreadable", f"{self._dataset.name} cannot be read: {said}", "It may be cut off: copy it again."
            ) from error
        if isinstance(error, UnicodeDecodeError):
            raise BadFile(
                "bad_encoding",
                f"the texts of {self._dataset.name} are in another encoding than it says",
                "Give the right one in its .cpg file (UTF-8 or CP932).",
            ) from error


def _placed(
    dataset: Dataset,
    geometry: Array,
    columns: Mapping[str, Array],
    file_crs: str | None,
    person_crs: str | None,
    layer: str | None = None,
) -> Features:
    """The features that have a place in Japan, in degrees; the others as faults."""
    import numpy as np
    import shapely

    total = len(geometry)
    lines = np.arange(1, total + 1)
    found = reference(file_crs, person_crs, dataset.name) if total else Reference("EPSG:4326")
    none = shapely.is_missing(geometry) | shapely.is_empty(geometry)
    faults = [*_each(lines[none], "has no geometry, or one that cannot be read")]
    kept, at = geometry[~none], lines[~none]
    if len(kept):
        kept = found.degrees(kept)
        refuse_elsewhere(tuple(float(value) for value in _bounds(kept)), dataset.name)  # type: ignore[arg-type]
    bounds = shapely.bounds(kept).reshape(-1, 4)
    inside = (bounds[:, 0] >= WEST) & (bounds[:, 1] >= SOUTH) & (bounds[:, 2] <= EAST) & (bounds[:, 3] <= NORTH)
    faults += _each(at[~inside], "lies outside Japan", "Check the longitude and latitude of this feature.")
    keep = np.flatnonzero(~none)[inside]
    head = _head(dataset.path) if dataset.suffix in JSON_SUFFIXES else {}
    return Features(
        layer or head.get("name") or dataset.path.stem,
        kept[inside],
        {name: values[keep] for name, values in columns.items()},
        at[inside],
        found.code,
        total,
        faults,
        head,
    )


def _bounds(geometry: Array) -> Array:
    """The middle of the data: one feature far off must not speak for all."""
    import numpy as np
    import shapely

    each = shapely.bounds(geometry)
    middle: Array = np.median(each[np.isfinite(each).all(axis=1)], axis=0) if len(each) else each
    return middle


def _each(lines: Array, problem: str, proposal: str | None = None) -> Iterator[Fault]:
    for line in lines[:FAULTS_MAX]:
        yield Fault(int(line), "geometry", None, problem, proposal)
    if len(lines) > FAULTS_MAX:
        yield Fault(None, "geometry", None, f"{len(lines) - FAULTS_MAX} more: {problem}", proposal)


def _refuse_incomplete_shapefile(dataset: Dataset) -> None:
    path = dataset.path
    for suffix, what in ((".dbf", "its attributes"), (".shx", "its index")):
        if _sibling(path, suffix) is None:
            raise BadFile(
                "incomplete_shapefile",
                f"{dataset.name} comes without its {suffix} file ({what})",
                "Give the .shp, .shx, .dbf and .prj files together, best as one zip.",
            )
    with path.open("rb") as file:
        head = file.read(28)
    said = int.from_bytes(head[24:28], "big") * 2
    if head[:4] != b"\0\0\x27\x0a" or path.stat().st_size < said:
        raise BadFile("truncated", f"{dataset.name} is cut off, or no Shapefile", "Copy or download it again.")


def _sibling(path: Path, suffix: str) -> Path | None:
    return next((path.with_suffix(way) for way in (suffix, suffix.upper()) if path.with_suffix(way).exists()), None)


def _dbf_encoding(path: Path) -> str | None:
    """None where .cpg says it. Without one the file is CP932, unless its texts are good UTF-8."""
    if _sibling(path, ".cpg") is not None:
        return None
    dbf = _sibling(path, ".dbf")
    with dbf.open("rb") if dbf else path.open("rb") as file:
        sample = file.read(DBF_SAMPLE_BYTES)
    start = int.from_bytes(sample[8:10], "little")
    try:
        sample[start:].rsplit(b" ", 1)[0].decode("utf-8")
    except UnicodeDecodeError:
        return "CP932"
    return "UTF-8"


def _head(path: Path) -> dict[str, Any]:
    """What stands before the features of a GeoJSON."""
    with path.open("rb") as file:
        start = file.read(HEAD_BYTES).decode("utf-8-sig", "ignore")
    before = re.split(r'"features"\s*:', start, maxsplit=1)[0].rstrip().rstrip(",")
    try:
        found = json.loads(before + "}")
    except ValueError:
        return {}
    return {name: value for name, value in found.items() if isinstance(value, str)}
