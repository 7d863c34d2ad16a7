"""Boundaries of municipalities and districts: N03 (国土数値情報), geolonia's files, our own.

Before: ``vector``. After: ``prepare``. A boundary also says where the city is: other imports are held against it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from maps.errors import BadFile
from maps.importers import geometry
from maps.importers.files import Dataset
from maps.importers.source import About, Source
from maps.importers.vector import Features, text
from maps.layers import Fault

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

NAME_COLUMNS = ("name", "名称", "市区町村名", "city_name")
CODE_COLUMNS = ("n03_007", "code", "市区町村コード", "jiscode")
N03_NAMES = ("n03_003", "n03_004")  # 郡・政令市, then the municipality


def source(features: Features, dataset: Dataset, municipality: str | None = None) -> Source:
    """The boundary layer of the features; of several municipalities the one whose code or name is given.

    Raises BadFile where none of them is an area, or where nothing bears the given code or name.
    """
    import numpy as np

    if municipality:
        features = _only(features, municipality, dataset)
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
        faults=(*features.faults, *_of_several(names, codes, kinds)),
    )


def _only(features: Features, wanted: str, dataset: Dataset) -> Features:
    """What bears the code, with or without its check digit, or the name, with or without prefecture and district."""
    rows = len(features.geometry)
    columns = {name.lower(): values for name, values in features.columns.items()}
    names, codes = _names(columns, rows), _texts(columns, CODE_COLUMNS, rows)
    asked = unicodedata.normalize("NFKC", wanted).strip()
    picked = codes == asked[:5] if asked.isdecimal() else _ends_with(names, asked)
    if not picked.any():
        listed = "、".join(sorted({str(name) for name in names if name})[:5])
        raise BadFile(
            "no_such_municipality",
            f"nothing in {dataset.name} bears the code or name {wanted}",
            f"Give the code of five digits or the name as the file has it, such as {listed}." if listed else
            "The file names no municipality; leave --municipality out.",
        )  # fmt: skip
    kept = {name: values[picked] for name, values in features.columns.items()}
    return replace(features, geometry=features.geometry[picked], columns=kept, lines=features.lines[picked])


def _ends_with(names: Array, asked: str) -> Array:
    import numpy as np

    return np.array([unicodedata.normalize("NFKC", str(name)).endswith(asked) for name in names], dtype=bool)


def _of_several(names: Array, codes: Array, kinds: Array) -> tuple[Fault, ...]:
    """A whole prefecture becomes the city in silence, unless somebody is told how to name one."""
    outer = {str(code) or str(name) for name, code, kind in zip(names, codes, kinds, strict=True) if kind == "boundary"}
    if len(outer) < 2:
        return ()
    told = f"holds {len(outer)} municipalities, and all of them together count as this city"
    return (Fault(None, None, None, told, f"--municipality {min(outer)}"),)


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
