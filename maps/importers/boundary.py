"""Boundaries of municipalities and districts: N03 (国土数値情報), geolonia's files, our own.

Before: ``vector``. After: ``prepare``. A boundary also says where the city is: other imports are held against it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from maps.errors import BadFile
from maps.importers import geometry
from maps.importers.files import Dataset
from maps.importers.source import About, Source
from maps.importers.vector import Features, text

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

NAME_COLUMNS = ("name", "名称", "市区町村名", "city_name")
CODE_COLUMNS = ("n03_007", "code", "市区町村コード", "jiscode")
N03_NAMES = ("n03_003", "n03_004")  # 郡・政令市, then the municipality


def source(features: Features, dataset: Dataset) -> Source:
    """The boundary layer of the features. Raises BadFile where none of them is an area."""
    import numpy as np

    cleaned = geometry.polygons(features.geometry)
    if not len(cleaned.geometry):
        raise BadFile("no_areas", f"{dataset.name} holds no areas", "Give polygons of municipalities or districts.")
    columns = {name.lower(): values for name, values in features.columns.items()}
    names, codes = _names(columns, len(features.geometry)), _texts(columns, CODE_COLUMNS, len(features.geometry))
    kinds = np.array(
        ["district" if kind == "district" else "boundary" for kind in _texts(columns, ("kind",), len(names))],
        dtype=object,
    )
    told = {str(code) for code in codes if code}
    head = features.head
    outer = [str(name) for name, kind in zip(names, kinds, strict=True) if kind == "boundary" and name]
    title = head.get("title") or (outer[0] if len(outer) == 1 else None)
    return Source(
        "boundary",
        cleaned.geometry,
        {"kind": kinds[cleaned.index], "name": names[cleaned.index], "code": codes[cleaned.index]},
        features.crs,
        group=_group(told, dataset),
        about=About(title, head.get("source"), head.get("credit"), head.get("licence"), head.get("data_date")),
        family="N03" if any(name.startswith("n03_") for name in columns) else "",
        read=features.read,
        accepted=len(np.unique(cleaned.index)),
        repaired=cleaned.repaired,
        faults=features.faults,
    )


def _names(columns: Mapping[str, Array], rows: int) -> Array:
    import numpy as np

    if any(name in columns for name in N03_NAMES):
        parts = [_texts(columns, (name,), rows) for name in N03_NAMES]
        return np.array(["".join(row) for row in zip(*parts, strict=True)], dtype=object)
    return _texts(columns, NAME_COLUMNS, rows)


def _texts(columns: Mapping[str, Array], names: tuple[str, ...], rows: int) -> Array:
    import numpy as np

    found = next((columns[name] for name in names if name in columns), None)
    texts = np.full(rows, "", dtype=object)
    if found is not None:
        texts[:] = [text(value)[:200] for value in found]
    return texts


def _group(codes: set[str], dataset: Dataset) -> str:
    """The code of the one municipality, the prefecture's of several; else what the file's name says."""
    if len(codes) == 1:
        return next(iter(codes))
    prefectures = {code[:2] for code in codes}
    if len(prefectures) == 1:
        return next(iter(prefectures))
    told = re.fullmatch(r"(\d{5})\d?", dataset.path.stem)
    return told[1] if told else "-"
