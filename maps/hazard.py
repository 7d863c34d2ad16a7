"""What a hazard layer says of a position: its class, its limits, its rivers, and how sure that is. Pure.

Before: ``prepare`` cut a layer into parts (``layers.PART_COLUMNS``), which travelled here as bytes. After: the app puts
the answers of several layers together. The parts are small on purpose: an index over the whole polygons of the real
layer of Toda (one has 13,324 vertices) answered 24,700 points a second, one over parts cut on a grid 2,170,000.

Where no part covers a position it is *not assessed*: rank None, quality outside or hole. That never means safe.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import shapely

from maps.cells import EMPTY, MIXED, Cells
from maps.errors import BadFile
from maps.layers import AREA, HOLE, NO_RANK, PART_COLUMNS, RankTable

Quality = Literal["inside", "edge", "hole", "outside"]

EDGE_M = 15.0  # the raster under a real layer has cells of 5 m and its lines were simplified by 8 m
REACH_M_MAX = 5_000.0  # a position that is less sure than this names no place
POINTS_AT_ONCE = 200_000
_METRES_PER_DEGREE = 111_320.0
_ANGLES = np.linspace(0, 2 * math.pi, 12, endpoint=False)
_RING = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1)
_INNER = np.stack([np.cos(_ANGLES[::2] + 0.26), np.sin(_ANGLES[::2] + 0.26)], axis=1) * 0.5
_AROUND = np.concatenate([[(0.0, 0.0)], _RING, _INNER])  # where a circle is asked what lies in it: first its middle
_AROUND_X, _AROUND_Y = np.ascontiguousarray(_AROUND.T)


@dataclass(frozen=True, slots=True)
class HazardClass:
    """A class of a layer; ``rank`` None where only its limits or its kind are known, ``high`` None where it is open."""

    rank: int | None
    low: float | None
    high: float | None
    label: str = ""
    code: str = ""

    @property
    def severity(self) -> tuple[float, float, float, str]:
        """The order from the least to the worst."""
        rank = NO_RANK if self.rank is None else self.rank
        open_high = self.low is not None and self.high is None
        return (rank, math.inf if open_high else self.high or 0.0, self.low or 0.0, self.code)


@dataclass(frozen=True, slots=True)
class HazardAnswer:
    """``worst`` within the position's circle (or at the point); ``classes`` all near it, the worst first.

    None among the classes is ground that was not assessed.
    """

    worst: HazardClass | None
    quality: Quality
    classes: tuple[HazardClass | None, ...]
    rivers: tuple[str, ...]
    codes: tuple[str, ...]


OUTSIDE = HazardAnswer(None, "outside", (None,), (), ())
HOLE_ANSWER = HazardAnswer(None, "hole", (None,), (), ())


class HazardLayer:
    """The parts of one layer, in an index, in metres around its middle."""

    def __init__(
        self,
        areas: Any,
        class_of: npt.NDArray[np.intp],
        rivers: Sequence[str],
        classes: Sequence[HazardClass],
        holes: Any,
    ) -> None:
        self.classes = tuple(classes)
        self._class_of, self._rivers = class_of, tuple(rivers)
        bounds = tuple(shapely.total_bounds(areas).tolist()) if len(areas) else (0.0, 0.0, 0.0, 0.0)
        self._lon, self._lat = (bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2
        self._per_lon, self._per_lat = _METRES_PER_DEGREE * math.cos(math.radians(self._lat)), _METRES_PER_DEGREE
        self._areas = shapely.transform(areas, self._metres) if len(areas) else areas
        shapely.prepare(self._areas)
        self._tree = shapely.STRtree(self._areas)
        self._cells = Cells(self._tree, class_of, bounds, self._metres)
        self._hole_cells = self._cells.mark(shapely.bounds(holes).reshape(-1, 4))
        self._holes = shapely.STRtree(shapely.transform(holes, self._metres)) if len(holes) else None
        ranks = [NO_RANK if one.rank is None else one.rank for one in self.classes]
        self._ranks = np.array([*ranks, NO_RANK], dtype=np.int16)  # the last one is found by the index -1
        self._plain = self._plain_answers()

    @staticmethod
    def load(parts: bytes, table: RankTable | None) -> HazardLayer:
        """Read parts. ``table`` gives the classes their words; None for kinds without classes (a collapse zone).

        Raises BadFile.
        """
        columns, geometry = _read(parts)
        drawn = _on_earth(geometry)
        holes = (columns["part"] == HOLE) & drawn
        areas = drawn & ~holes
        told = (columns[name][areas].tolist() for name in ("rank", "low", "high", "code"))
        rows = [
            (_number(rank), _number(low), _number(high), "" if table else str(code or ""))
            for rank, low, high, code in zip(*told, strict=True)
        ]
        known = {row: _class(*row, table) for row in set(rows)}
        found = [known[row] for row in rows]
        classes = sorted(set(found), key=lambda one: one.severity)
        places = {one: number for number, one in enumerate(classes)}
        class_of = np.array([places[one] for one in found], dtype=np.intp)
        rivers = [str(name or "") for name in columns["river"][areas]]
        return HazardLayer(geometry[areas], class_of, rivers, classes, geometry[holes])

    def ranks_at(self, lons: npt.ArrayLike, lats: npt.ArrayLike) -> npt.NDArray[np.int16]:
        """The worst rank at each point, over all rivers; -1 where nothing was assessed or no rank is known."""
        where = np.column_stack([np.asarray(lons, float), np.asarray(lats, float)])
        found = self._cells.alone_at(where)
        unclear = np.flatnonzero(found == MIXED)
        for begin in range(0, len(unclear), POINTS_AT_ONCE):
            asked = unclear[begin : begin + POINTS_AT_ONCE]
            points, parts = self._tree.query(shapely.points(self._metres(where[asked])), predicate="intersects")
            worst = np.full(len(asked), EMPTY, dtype=np.intp)
            np.maximum.at(worst, points, self._class_of[parts])
            found[asked] = worst
        ranks: npt.NDArray[np.int16] = self._ranks[found]
        return ranks

    def depth_at(self, lon: float, lat: float, accuracy_m: float | None = None) -> HazardAnswer:
        """The answer at a position; with an accuracy, the worst within its circle."""
        reach = min(max(accuracy_m or 0.0, 0.0), REACH_M_MAX)
        if reach <= EDGE_M and self._plain is not None:
            quiet = self._cells.quiet_at(lon, lat)
            if quiet >= 0 or (quiet == EMPTY and not self._cells.marked_at(self._hole_cells, lon, lat)):
                return self._plain[quiet]
        if not reach:
            return self._at_point(lon, lat)
        return self._within(lon, lat, reach)

    # -- below -----------------------------------------------------------------------------------

    def _metres(self, degrees: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return (degrees - (self._lon, self._lat)) * (self._per_lon, self._per_lat)

    def _plain_answers(self) -> tuple[HazardAnswer, ...] | None:
        """What is said far from every edge, by class; not where rivers overlap, which the geometry must name."""
        rivers = set(self._rivers)
        codes = {one.code for one in self.classes}
        if len(rivers) > 1 or len(codes) > 1:
            return None
        named = tuple(sorted(rivers - {""}))
        told = tuple(
            HazardAnswer(one, "inside", (one,), named, (one.code,) if one.code else ()) for one in self.classes
        )
        return (*told, OUTSIDE)  # the last one is found by EMPTY

    def _at_point(self, lon: float, lat: float) -> HazardAnswer:
        """The answer that the geometry gives at a point."""
        parts = self._cells.parts_near(lon, lat)
        if not parts:
            return self._nothing(lon, lat)
        around = np.array(parts, dtype=np.intp)
        met = self._met(around, lon, lat, EDGE_M)
        class_of = self._class_of[around]
        return self._told(around[met[:, 0]], _seen(met, class_of), lon, lat)

    def _within(self, lon: float, lat: float, reach: float) -> HazardAnswer:
        """The answer that the geometry gives in a circle around a position that is not sure."""
        near = max(reach, EDGE_M)
        point = shapely.points((lon - self._lon) * self._per_lon, (lat - self._lat) * self._per_lat)
        around = self._tree.query(point, predicate="dwithin", distance=near)
        if not len(around):
            return self._nothing(lon, lat)
        class_of = self._class_of[around]
        seen = _seen(self._met(around, lon, lat, near), class_of)
        seen.add(int(class_of.max()))  # exact: no sliver of a worse class hides between the places asked
        touched = around[shapely.dwithin(self._areas[around], point, reach)] if reach < near else around
        return self._told(touched, seen, lon, lat)

    def _met(self, parts: npt.NDArray[np.intp], lon: float, lat: float, radius: float) -> npt.NDArray[np.bool_]:
        """Which of the parts hold which places of a circle; the first of the places is the position itself."""
        x = _AROUND_X * radius + (lon - self._lon) * self._per_lon
        y = _AROUND_Y * radius + (lat - self._lat) * self._per_lat
        met: npt.NDArray[np.bool_] = shapely.intersects_xy(self._areas[parts][:, None], x, y)
        return met

    def _told(self, touched: npt.NDArray[np.intp], seen: set[int], lon: float, lat: float) -> HazardAnswer:
        classes = tuple(self.classes[number] if number >= 0 else None for number in sorted(seen, reverse=True))
        if not len(touched):
            return replace(self._nothing(lon, lat), classes=classes)
        parts = touched.tolist()
        numbers = {int(self._class_of[part]) for part in parts}
        return HazardAnswer(
            self.classes[max(numbers)],
            "edge" if len(classes) > 1 else "inside",
            classes,
            tuple(sorted({self._rivers[part] for part in parts} - {""})),
            tuple(sorted({self.classes[number].code for number in numbers} - {""})),
        )

    def _nothing(self, lon: float, lat: float) -> HazardAnswer:
        if self._holes is None:
            return OUTSIDE
        point = shapely.points((lon - self._lon) * self._per_lon, (lat - self._lat) * self._per_lat)
        return HOLE_ANSWER if len(self._holes.query(point, predicate="intersects")) else OUTSIDE


def _seen(met: npt.NDArray[np.bool_], class_of: npt.NDArray[np.intp]) -> set[int]:
    """The classes that count at the places of a circle, EMPTY among them where it leaves the assessed ground."""
    return set(np.where(met, class_of[:, None], EMPTY).max(axis=0).tolist())


def merge(answers: Iterable[HazardAnswer]) -> HazardAnswer:
    """Several layers of one hazard as one answer: the worst counts, and all rivers."""
    given = list(answers)
    assessed = [answer for answer in given if answer.worst is not None]
    classes = {one for answer in given for one in answer.classes if one is not None}
    in_order: list[HazardClass | None] = [*sorted(classes, key=lambda one: one.severity, reverse=True)]
    if not assessed:
        quality: Quality = "hole" if any(answer.quality == "hole" for answer in given) else "outside"
        return HazardAnswer(None, quality, (*in_order, None), (), ())
    worst = max((answer.worst for answer in given if answer.worst is not None), key=lambda one: one.severity)
    # A layer that covers the whole circle hides what is milder than its mildest class, and what was not assessed.
    mildest = [answer.classes[-1] for answer in assessed]
    covering = [one.severity for one in mildest if one is not None]
    if covering:
        in_order = [one for one in in_order if one is not None and one.severity >= max(covering)]
    else:
        in_order.append(None)
    return HazardAnswer(
        worst,
        "edge" if len(in_order) > 1 else "inside",
        tuple(in_order),
        tuple(sorted({river for answer in assessed for river in answer.rivers})),
        tuple(sorted({code for answer in assessed for code in answer.codes})),
    )


def _read(parts: bytes) -> tuple[dict[str, Any], Any]:
    """The columns of the parts, with a default for each that is not there, and their geometry."""
    from pyogrio.errors import DataLayerError, DataSourceError
    from pyogrio.raw import read

    try:
        meta, _, wkb, values = read(parts)
        geometry = shapely.from_wkb(wkb)
    except (DataSourceError, DataLayerError, shapely.GEOSException, ValueError, TypeError, IndexError) as error:
        hint = "Import the layer again."
        raise BadFile("layer_unreadable", f"the parts of a layer cannot be read ({error})", hint) from error
    count = len(geometry)
    given = dict(zip(meta["fields"], values, strict=True))
    defaults: dict[str, Any] = {"rank": NO_RANK, "low": math.nan, "high": math.nan, "part": AREA}
    columns = {
        name: given[name] if name in given else np.full(count, defaults.get(name), dtype=object)
        for name in PART_COLUMNS
    }
    return columns, geometry


def _on_earth(geometry: Any) -> npt.NDArray[np.bool_]:
    """Which geometries have a place; missing and empty ones have bounds that are no numbers, and never pass."""
    west, south, east, north = shapely.bounds(geometry).reshape(-1, 4).T
    with np.errstate(invalid="ignore"):
        found: npt.NDArray[np.bool_] = (west >= -180) & (east <= 180) & (south >= -90) & (north <= 90)
    return found


def _class(
    rank: float | None, low: float | None, high: float | None, code: str, table: RankTable | None
) -> HazardClass:
    """The class of a part; what the source left out comes from the table."""
    known = None if rank is None or rank < 0 else int(rank)
    row = table.of(known) if table is not None and known is not None else None
    if low is None and high is None and row is not None:
        low, high = row.low, row.high
    if known is None and low is not None and table is not None:
        known = table.worst(low, high)
        row = table.of(known)
    exact = row is not None and (low, high) == (row.low, row.high)
    label = row.word if row is not None and exact else _limits(low, high, table.unit if table is not None else "")
    return HazardClass(known, low, high, label, code)


def _number(value: Any) -> float | None:
    if value is None or isinstance(value, str):
        return None
    number = float(value)
    return number if math.isfinite(number) else None


def _limits(low: float | None, high: float | None, unit: str) -> str:
    """The limits of a class that the table does not have, in signs that every language reads."""
    if low is None and high is None:
        return ""
    if high is None:
        return f"≥{low:g}{unit}"
    return f"{low:g}–{high:g}{unit}" if low else f"<{high:g}{unit}"
