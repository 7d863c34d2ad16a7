"""Polygons made fit for answers and tiles: valid, single, without slivers; with counts of what changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

POLYGON, MULTIPOLYGON = 3, 6
M2_PER_DEGREE2 = 111_000.0 * 91_000.0  # at 35° N; only for "is this a sliver"
SLIVER_M2 = 1.0


@dataclass(frozen=True, slots=True)
class Cleaned:
    """Single valid polygons; ``index`` says of which feature each is."""

    geometry: Array
    index: Array
    repaired: int
    slivers: int


def polygons(geometry: Array) -> Cleaned:
    """The polygons of the features. What is no area (points, lines, collapsed rings) gives none."""
    import numpy as np
    import shapely

    broken = ~shapely.is_valid(geometry)
    repaired = int(broken.sum())
    if repaired:
        geometry = geometry.copy()
        geometry[broken] = shapely.make_valid(geometry[broken], method="structure", keep_collapsed=False)
    parts, index = shapely.get_parts(geometry, return_index=True)
    # make_valid may nest: a collection in a collection is opened twice at most.
    if (shapely.get_type_id(parts) == MULTIPOLYGON).any():
        parts, inner = shapely.get_parts(parts, return_index=True)
        index = index[inner]
    area = shapely.get_type_id(parts) == POLYGON
    large = shapely.area(parts) * M2_PER_DEGREE2 >= SLIVER_M2
    keep = np.asarray(area & large)
    return Cleaned(parts[keep], index[keep], repaired, int((area & ~large).sum()))
