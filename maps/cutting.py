"""Polygons cut small for lookups, and the holes in what was assessed. Before: ``importers``. After: ``prepare``.

A tree over whole polygons tests whole polygons: one of 13,324 vertices made rating a city's roads take 35 s. Cut on a
grid of 0.0025° the same answers take 0.09 s.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

CELL_DEGREES = 0.0025
VERTICES_MAX = 256
VERTICES_FEW = 64  # cutting 50,000 rings of 60 as well took 22 s and made no lookup faster
HOLE_M2_MIN = 25.0  # a mesh cell of 5 m; smaller gaps are seams between two polygons
ROUNDS_MAX = 40

Step = Callable[[int, int], None]  # (done, of)


def cut(geometry: Array, on_step: Step = lambda done, of: None) -> tuple[Array, Array]:
    """(parts, index of the polygon each is of): single polygons, small in extent and in vertices."""
    import numpy as np

    done_parts: list[Array] = []
    done_index: list[Array] = []
    parts, index = geometry, np.arange(len(geometry))
    for round_number in range(ROUNDS_MAX):
        large, cells = _too_large(parts)
        if round_number == ROUNDS_MAX - 1:
            large[:] = False
        done_parts.append(parts[~large])
        done_index.append(index[~large])
        if not large.any():
            break
        parts, index = _halved(parts[large], index[large], cells[large])
        finished = sum(map(len, done_parts))
        on_step(finished, finished + len(parts))
    return np.concatenate(done_parts), np.concatenate(done_index)


def _too_large(parts: Array) -> tuple[Array, Array]:
    """Which parts must be cut again, and their extent in cells (width, height)."""
    import numpy as np
    import shapely

    bounds = shapely.bounds(parts).reshape(-1, 4)
    cells = np.column_stack([bounds[:, 2] - bounds[:, 0], bounds[:, 3] - bounds[:, 1]]) / CELL_DEGREES
    vertices = shapely.get_num_coordinates(parts)
    # What is small needs no cut where a line of the grid crosses it; what has few vertices is tested at once anyway.
    return (cells.max(axis=1) > 1.0) & (vertices > VERTICES_FEW) | (vertices > VERTICES_MAX), cells


def _halved(parts: Array, index: Array, cells: Array) -> tuple[Array, Array]:
    """Each part in two, across its longer side, on the line of the grid nearest its middle."""
    import numpy as np
    import shapely

    west, south, east, north = shapely.bounds(parts).T
    wide = cells[:, 0] >= cells[:, 1]
    low, high = np.where(wide, west, south), np.where(wide, east, north)
    middle = (low + high) / 2
    line = np.round(middle / CELL_DEGREES) * CELL_DEGREES
    line = np.where((line > low) & (line < high), line, middle)
    first = shapely.box(west, south, np.where(wide, line, east), np.where(wide, north, line))
    second = shapely.box(np.where(wide, line, west), np.where(wide, south, line), east, north)
    halves, of = [], []
    for box in (first, second):
        pieces, piece_of = shapely.get_parts(shapely.intersection(parts, box), return_index=True)
        area = shapely.get_type_id(pieces) == 3
        halves.append(pieces[area])
        of.append(index[piece_of[area]])
    return np.concatenate(halves), np.concatenate(of)


def holes(geometry: Array, m2_per_degree2: float) -> Array:
    """The ground that the layer surrounds and says nothing of: rings no polygon of the layer covers.

    The union is made of each group of polygons that touch, so a thousand separate areas cost little.
    """
    import numpy as np
    import shapely

    if not len(geometry):
        return np.empty(0, dtype=object)
    whole = shapely.get_parts(_union(geometry))
    rings, of = shapely.get_rings(whole, return_index=True)
    outer = np.diff(of, prepend=-1) != 0  # the first ring of an area goes around it
    found = shapely.polygons(rings[~outer])
    return _without_islands(found[shapely.area(found) * m2_per_degree2 >= HOLE_M2_MIN], whole)


def _union(geometry: Array) -> Any:
    import shapely

    try:
        return shapely.disjoint_subset_union_all(geometry)
    except (AttributeError, shapely.errors.UnsupportedGEOSVersionError):  # an older GEOS
        return shapely.union_all(geometry)


def _without_islands(found: Array, areas: Array) -> Array:
    """An area of the layer may lie inside a ring of another: what it covers is no hole."""
    import numpy as np
    import shapely

    ring, island = shapely.STRtree(areas).query(found, predicate="contains")
    found = found.copy()
    for number in np.unique(ring):
        found[number] = shapely.difference(found[number], shapely.union_all(areas[island[ring == number]]))
    pieces = shapely.get_parts(found)
    left: Array = pieces[(shapely.get_type_id(pieces) == 3) & ~shapely.is_empty(pieces)]
    return left
