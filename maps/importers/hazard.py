"""Hazard layers of a file: the A31 family and plain files, dispatched by their fields, never by the file's name.

Before: ``vector`` read features. After: ``prepare`` cuts each ``Source``. Classes that a file does not explain are
faults with their line; classes of 2012 keep their own limits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from maps.errors import BadFile, Unclear
from maps.importers import geometry, hazard_values
from maps.importers.files import Dataset
from maps.importers.hazard_fields import (
    AS_DEPTH,
    AS_KIND,
    AS_RANK,
    DEPTH,
    DEPTH_TEXT,
    DURATION,
    Meaning,
    meanings,
)
from maps.importers.hazard_values import EROSION_WORDS, FLOW_WORDS
from maps.importers.source import About, Source
from maps.importers.vector import FAULTS_MAX, Features, text
from maps.layers import Fault, RankTable

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

VALUES = ("rank", "metres")
RIVERS_MAX = 64
# A31a-20-23_11_…: the family, the scenario's folder, the year, then prefecture or mesh. The rest is the group: next
# year's file of the same area takes the place of this one, another river's does not.
FILE_NAME = re.compile(r"^(A31[ab]?)-(\d\d)(?:-(\d\d))?_(.+?)(?:_SHP.*|_GML.*)?$", re.IGNORECASE)


def sources(
    features: Features,
    dataset: Dataset,
    tables: Mapping[str, RankTable],
    values: str | None = None,
    origin: str = "",
) -> Iterator[Source]:
    """The hazard layers among the features; none where no column says anything of a hazard.

    ``origin`` is the name of the file that was given: a zip's name groups the files of its rivers.
    """
    import shapely

    if not (shapely.get_type_id(features.geometry) >= geometry.POLYGON).any():
        return
    found = [meaning for meaning in meanings(features.columns) if _speaks(meaning, features.columns)]
    found = found or _by_texts(features.columns)
    merged: dict[str, Source] = {}
    cleaned = geometry.polygons(features.geometry) if found else None
    for meaning in found:
        assert cleaned is not None
        how = _settled(meaning, features.columns[meaning.column], values, dataset.name)
        source = _source(features, dataset, cleaned, replace(meaning, how=how), tables, origin)
        earlier = merged.get(source.key)
        merged[source.key] = source if earlier is None else joined(earlier, source)
    for source in merged.values():
        if not len(source.geometry):
            continue
        yield source
    if found and not any(len(source.geometry) for source in merged.values()):
        first = next((fault for source in merged.values() for fault in source.faults if fault.problem), None)
        told = f"; the first: line {first.line}, {first.value!r} {first.problem}" if first else ""
        raise BadFile("nothing_usable", f"no row of {dataset.name} says a class of hazard{told}", "See --dry-run.")


def _speaks(meaning: Meaning, columns: Mapping[str, Array]) -> bool:
    """A column `kind` is a word of many files: it speaks of collapse zones where one value names such a zone."""
    if meaning.family or meaning.how != AS_KIND:
        return True
    texts = {hazard_values.plain(value) for value in columns[meaning.column]}
    return any(word in text for text in texts for word in (*FLOW_WORDS, *EROSION_WORDS))


def _by_texts(columns: Mapping[str, Array]) -> list[Meaning]:
    """A column whose every text is a range of metres is a depth, whatever its name (SAFIELD001 of 越前市)."""
    for name, values in columns.items():
        texts = [str(value) for value in values[:1000] if value is not None and str(value).strip()]
        if texts and all(DEPTH_TEXT.match(text) for text in texts):
            return [Meaning(DEPTH, "max", name, AS_DEPTH)]
    return []


def _settled(meaning: Meaning, values: Array, person_says: str | None, name: str) -> str:
    """How a bare number is read. 「浸水深」 of 1 to 6 may be classes or metres: a person has to say which."""
    if meaning.how != AS_DEPTH:
        return meaning.how
    if person_says is not None:
        return AS_RANK if person_says == "rank" else AS_DEPTH
    texts = {hazard_values.plain(value) for value in values} - {"", "nan", "none"}
    if texts and all(text.isdecimal() and int(text) <= 6 for text in texts):
        raise Unclear(
            "rank_or_metres",
            f"{meaning.column} of {name} holds whole numbers up to {max(texts)}: classes or metres cannot be told",
            "Say which: --values rank or --values metres.",
        )
    return AS_DEPTH


def _source(
    features: Features,
    dataset: Dataset,
    cleaned: geometry.Cleaned,
    meaning: Meaning,
    tables: Mapping[str, RankTable],
    origin: str,
) -> Source:
    import numpy as np

    table = tables[DURATION if meaning.layer_kind == DURATION else DEPTH]
    kind_of_one = "erosion" if _says_erosion(dataset, features.name) else "flow"
    rows = len(features.geometry)
    rank, low, high = np.full(rows, -1, np.int32), np.full(rows, np.nan), np.full(rows, np.nan)
    code, usable = np.full(rows, "", dtype=object), np.zeros(rows, bool)
    faults = list(features.faults)
    if cleaned.slivers:
        faults.append(Fault(None, "geometry", None, f"{cleaned.slivers} slivers below 1 m² were left out"))
    known: dict[str, hazard_values.Value | hazard_values.Problem] = {}
    for row, raw in enumerate(features.columns[meaning.column]):
        text = str(raw)
        value = known.get(text)
        if value is None:
            value = known[text] = hazard_values.read(raw, meaning.how, table, kind_of_one)
        if isinstance(value, hazard_values.Value):
            rank[row], low[row], high[row], code[row], usable[row] = *_numbers(value), value.code, True
        elif value.text and len(faults) < FAULTS_MAX:
            faults.append(Fault(int(features.lines[row]), meaning.column, text, value.text, value.proposal))
    _own_limits(features.columns, meaning, low, high, usable)
    keep = usable[cleaned.index]
    index = cleaned.index[keep]
    river = _rivers(features.columns, meaning, rows)
    columns = {"rank": rank[index], "low": low[index], "high": high[index], "river": river[index], "code": code[index]}
    family, group = _of_name((origin, features.name, dataset.path.stem), meaning.family)
    return Source(
        meaning.layer_kind, cleaned.geometry[keep], columns, features.crs, meaning.scenario, group,
        tuple(sorted({name for name in columns["river"] if name}))[:RIVERS_MAX], _about(features), family,
        features.read, len(np.unique(index)), cleaned.repaired, faults,
    )  # fmt: skip


def _numbers(value: hazard_values.Value) -> tuple[int, float, float]:
    return value.rank, value.low, value.high


def _own_limits(columns: Mapping[str, Array], meaning: Meaning, low: Array, high: Array, usable: Array) -> None:
    """Limits that the file itself gives (min_m, max_m) stand; an empty upper one is open."""
    if meaning.low:
        low[usable] = columns[meaning.low][usable].astype(float)
    if meaning.high:
        high[usable] = columns[meaning.high][usable].astype(float)


def _rivers(columns: Mapping[str, Array], meaning: Meaning, rows: int) -> Array:
    import numpy as np

    names = np.full(rows, "", dtype=object)
    if meaning.river:
        names[:] = [text(value)[:200] for value in columns[meaning.river]]
    return names


def _says_erosion(dataset: Dataset, layer: str) -> bool:
    """The two zones of a river come in two files, 41 flow and 42 erosion; in the second a 1 may mean erosion."""
    names = f"{dataset.name} {layer} {dataset.path.parent.name}"
    return bool(re.search(r"(?<!\d)42(?!\d)|侵食|浸食|erosion", names))


def _of_name(names: tuple[str, ...], family: str) -> tuple[str, str]:
    """The family and the group of a KSJ file; a file of other origin has no group of its own."""
    for name in names:
        if told := FILE_NAME.match(name):
            return family or told[1], f"{family or told[1]}_{told[4]}"[:80]
    return family, "-"


def _about(features: Features) -> About:
    head = features.head
    return About(head.get("title"), head.get("source"), head.get("credit"), head.get("licence"), head.get("data_date"))


def joined(one: Source, two: Source) -> Source:
    """Two sources of one layer: the files of two rivers, the two kinds of collapse zone."""
    import numpy as np

    columns = {name: np.concatenate([one.columns[name], two.columns[name]]) for name in one.columns}
    return replace(
        one,
        geometry=np.concatenate([one.geometry, two.geometry]),
        columns=columns,
        rivers=tuple(sorted({*one.rivers, *two.rivers}))[:RIVERS_MAX],
        read=one.read + two.read,
        accepted=one.accepted + two.accepted,
        repaired=one.repaired + two.repaired,
        faults=(*one.faults, *two.faults),
    )
