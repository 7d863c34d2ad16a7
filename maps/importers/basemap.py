"""Lines and areas of a city as a basemap of our own schema: kind, class and name.

Read from our own columns, OpenStreetMap exports and 国土数値情報. Before: ``vector``. After: ``prepare`` makes tiles.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from maps.errors import BadFile
from maps.importers.files import Dataset
from maps.importers.source import About, Source
from maps.importers.vector import Features, text
from maps.layers import Fault

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

KINDS = ("water", "waterway", "road", "railway", "building", "boundary", "district", "place", "station")
OWN_KINDS = {**{kind: kind for kind in KINDS}, "city": "boundary", "centre_line": "waterway"}
OWN_CLASSES = ("main", "street", "lane")
MAIN = ("motorway", "trunk", "primary", "secondary")
STREET = ("tertiary", "unclassified", "residential", "living_street", "road")
NAMES = ("name", "name_ja", "名称", "n02_005", "n03_004")


def source(several: Sequence[Features], dataset: Dataset) -> Source:
    """One basemap of all the layers of a file. Raises BadFile where nothing in it has a kind."""
    import numpy as np
    import shapely

    shapes, columns = [], []
    for features in several:
        kinds, classes, names = _columns(features)
        known = kinds != ""
        geometry = features.geometry[known]
        broken = ~shapely.is_valid(geometry)
        geometry[broken] = shapely.make_valid(geometry[broken])
        halts = (kinds[known] == "station") & (shapely.get_type_id(geometry) != 0)
        geometry[halts] = shapely.point_on_surface(geometry[halts])  # N02 draws a station as its platform
        shapes.append(geometry)
        columns.append((kinds[known], classes[known], names[known]))
    geometry = np.concatenate(shapes) if shapes else np.empty(0, dtype=object)
    read = sum(features.read for features in several)
    if not len(geometry):
        raise BadFile(
            "no_basemap",
            f"{dataset.name} says of nothing whether it is a road, water, railway or boundary",
            "Give columns `kind` and `class`, or an export of OpenStreetMap with `highway` and `name`.",
        )
    kinds, classes, names = (np.concatenate(column) for column in zip(*columns, strict=True))
    faults = [*(fault for features in several for fault in features.faults), *_left_out(several, read - len(geometry))]
    head = next((features.head for features in several if features.head.get("title")), {})
    about = About(head.get("title"), head.get("source"), head.get("credit"), head.get("licence"), head.get("data_date"))
    return Source(
        "basemap", geometry, {"kind": kinds, "class": classes, "name": names}, several[0].crs, about=about,
        family=_family(several), read=read, accepted=len(geometry), faults=faults,
    )  # fmt: skip


def _left_out(several: Sequence[Features], count: int) -> Iterator[Fault]:
    unread = sum(len(features.faults) for features in several)
    if count > unread:
        yield Fault(None, "kind", None, f"{count - unread} features say not what they are", "a column `kind`")


def _columns(features: Features) -> tuple[Array, Array, Array]:
    import numpy as np

    by_name = {name.lower(): values for name, values in features.columns.items()}
    rows = len(features.geometry)
    kinds, classes, names = (np.full(rows, "", dtype=object) for _ in range(3))
    for row in range(rows):
        tags = {name: text(values[row]) for name, values in by_name.items()}
        kinds[row], classes[row] = _kind(tags)
        names[row] = next((tags[name] for name in NAMES if tags.get(name)), "")[:200]
    return kinds, classes, names


def _kind(tags: Mapping[str, str]) -> tuple[str, str]:
    """(kind, class) of a feature by its columns; empty where they say nothing."""
    own = tags.get("class", "")
    if own in OWN_CLASSES:
        return "road", own
    if own == "railway" or ("n02_003" in tags and "n02_005" not in tags):
        return "railway", ""
    if tags.get("kind", "") in OWN_KINDS:
        return OWN_KINDS[tags["kind"]], ""
    if highway := tags.get("highway", "").removesuffix("_link"):
        return "road", "main" if highway in MAIN else "street" if highway in STREET else "lane"
    if "n02_005" in tags or tags.get("railway") == "station":
        return "station", ""
    if tags.get("railway"):
        return "railway", ""
    if tags.get("waterway"):
        return "waterway", ""
    if tags.get("natural") == "water" or tags.get("water"):
        return "water", ""
    if tags.get("building"):
        return "building", ""
    if tags.get("place"):
        return "place", ""
    return ("boundary", "") if "n03_004" in tags or tags.get("boundary") == "administrative" else ("", "")


def _family(several: Sequence[Features]) -> str:
    names = {name.lower() for features in several for name in features.columns}
    if "highway" in names or any(name == "osm_id" for name in names):
        return "OSM"
    return "N02" if "n02_003" in names else "N03" if "n03_004" in names else ""
