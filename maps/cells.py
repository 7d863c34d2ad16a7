"""A coarse grid over the parts of a layer: where a whole cell has one answer, no geometry is asked.

Before: ``hazard`` holds the parts. The cells are aligned with the grid that parts are cut on (0.0025 degrees), so that
no cut runs through a cell: most of the ground of Toda then needs no geometry, and a point costs a look into an array.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

EMPTY, MIXED = -1, -2
CELLS_MAX = 250_000
CELLS_AT_ONCE = 4_096  # the index holds the interpreter while it is asked: 10 ms here, 200 for a whole city
SIDES = (0.00025, 0.0005, 0.00125, 0.0025, 0.005, 0.0125, 0.025, 0.05, 0.1, 0.5, 1.0)  # degrees; the first is 28 m high

Degrees = npt.NDArray[np.float64]


class Cells:
    """``alone``: the class that covers the cell, EMPTY or MIXED. ``quiet``: the same with all eight cells around it."""

    def __init__(
        self, tree: shapely.STRtree, classes: npt.NDArray[np.intp], bounds: tuple[float, float, float, float],
        metres: Callable[[Degrees], Degrees],
    ) -> None:  # fmt: skip
        self._side, self._left, self._bottom, across, up = _frame(bounds)
        self.across, self.up = across, up
        x, y = (axis.ravel() for axis in np.meshgrid(np.arange(across) + self._left, np.arange(up) + self._bottom))
        corner: Degrees = np.column_stack([x, y]).astype(np.float64)
        low, high = metres(corner * self._side), metres((corner + 1) * self._side)
        boxes = shapely.box(low[:, 0], low[:, 1], high[:, 0], high[:, 1])
        alone, cells, parts = _classes(tree, classes, boxes)
        self.alone = alone.reshape(up, across)
        self.quiet = _with_neighbours(self.alone)
        order = np.argsort(cells, kind="stable")
        self._parts: list[int] = parts[order].tolist()  # of all cells, in the order of the cells
        self._begins = np.searchsorted(cells[order], np.arange(across * up + 1)).tolist()

    def quiet_at(self, lon: float, lat: float) -> int:
        """The class of a point and of everything within a cell of it, EMPTY or MIXED."""
        column, row = int(lon // self._side) - self._left, int(lat // self._side) - self._bottom
        if 0 <= column < self.across and 0 <= row < self.up:
            return int(self.quiet[row, column])
        return EMPTY  # beyond the rim, a whole cell away from the nearest part

    def mark(self, bounds: Degrees) -> npt.NDArray[np.bool_]:
        """The cells that boxes (west, south, east, north) touch."""
        found = np.zeros((self.up, self.across), dtype=np.bool_)
        places = np.floor_divide(bounds, self._side).astype(np.intp)
        places -= (self._left, self._bottom, self._left, self._bottom)
        for west, south, east, north in np.maximum(places, 0).tolist():
            found[south : north + 1, west : east + 1] = True
        return found

    def marked_at(self, marks: npt.NDArray[np.bool_], lon: float, lat: float) -> bool:
        column, row = int(lon // self._side) - self._left, int(lat // self._side) - self._bottom
        return 0 <= column < self.across and 0 <= row < self.up and bool(marks[row, column])

    def parts_near(self, lon: float, lat: float) -> list[int]:
        """The parts in the cell of a point and in those around it: more than the point itself may touch."""
        column, row = int(lon // self._side) - self._left, int(lat // self._side) - self._bottom
        first, last = max(column - 1, 0), min(column + 2, self.across)
        begins = self._begins
        found: set[int] = set()
        for line in range(max(row - 1, 0), min(row + 2, self.up)):
            place = line * self.across
            if first < last:
                found.update(self._parts[begins[place + first] : begins[place + last]])
        return list(found)

    def alone_at(self, degrees: Degrees) -> npt.NDArray[np.intp]:
        """The class of each point, EMPTY, or MIXED where its cell does not tell."""
        places = np.floor_divide(degrees, self._side)
        columns, rows = places[:, 0] - self._left, places[:, 1] - self._bottom
        inside = (columns >= 0) & (columns < self.across) & (rows >= 0) & (rows < self.up)
        found = np.full(len(degrees), EMPTY, dtype=np.intp)
        found[inside] = self.alone[rows[inside].astype(np.intp), columns[inside].astype(np.intp)]
        return found


def _frame(bounds: tuple[float, float, float, float]) -> tuple[float, int, int, int, int]:
    """(side, first column, first row, columns, rows) of the finest grid that is not too large, with a rim of a cell."""
    west, south, east, north = bounds
    for side in SIDES:
        left, bottom = int(west // side) - 1, int(south // side) - 1
        across, up = int(east // side) + 2 - left, int(north // side) + 2 - bottom
        if across * up <= CELLS_MAX:
            break
    return side, left, bottom, across, up


def _classes(
    tree: shapely.STRtree, classes: npt.NDArray[np.intp], boxes: Any
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Of each cell the class that covers it whole, where no part in it is worse; then which cells touch which parts."""
    worst = np.full(len(boxes), EMPTY, dtype=np.intp)
    covered = worst.copy()
    touching: list[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]] = [(worst[:0], worst[:0])]
    for begin in range(0, len(boxes), CELLS_AT_ONCE):
        near, parts = tree.query(boxes[begin : begin + CELLS_AT_ONCE])
        cells, geometries = near + begin, tree.geometries[parts]
        covers = shapely.covers(geometries, boxes[cells])
        touched = covers.copy()
        touched[~covers] = shapely.intersects(geometries[~covers], boxes[cells[~covers]])
        np.maximum.at(worst, cells[touched], classes[parts[touched]])
        np.maximum.at(covered, cells[covers], classes[parts[covers]])
        touching.append((cells[touched], parts[touched]))
    cells, parts = (np.concatenate(column) for column in zip(*touching, strict=True))
    return np.where(worst == covered, covered, MIXED), cells, parts


def _with_neighbours(alone: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    around = np.pad(alone, 1, constant_values=EMPTY)
    up, across = alone.shape
    quiet = alone.copy()
    for dy in range(3):
        for dx in range(3):
            quiet[around[dy : dy + up, dx : dx + across] != alone] = MIXED
    return quiet
