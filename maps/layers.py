"""What is known of a layer, from the file a city has to what every node keeps. Values only.

Before: ``importers`` read a file into a ``Source``. ``prepare`` cuts it into files that travel (``Prepared``). After:
``hazard`` answers from the *parts*, the map page draws the *tiles*.

*Parts* are a FlatGeobuf, EPSG:4326, single polygons cut on a grid, with the columns of ``PART_COLUMNS``. *Tiles* are a
PMTiles of vector tiles with one layer, ``TILE_LAYER``, whose attributes are those of ``TILE_ATTRIBUTES``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Of a part: the rank (1 is the least; NO_RANK where the source gives none), its limits in metres or hours (NaN: open),
# the river, the kind of a collapse zone (flow, erosion), and whether it is assessed ground or a hole in it.
PART_COLUMNS = ("rank", "low", "high", "river", "code", "part")
AREA, HOLE = "area", "hole"
NO_RANK = -1

TILE_LAYER = "data"
# hazard layers: rank, low, high, river, code. basemap and boundary: kind (water, waterway, road, railway, building,
# boundary, district, place, station), class (of a road: main, street, lane), name.
TILE_ATTRIBUTES = ("rank", "low", "high", "river", "code", "kind", "class", "name")

PARTS_TYPE = "application/vnd.flatgeobuf"
TILES_TYPE = "application/vnd.pmtiles"


@dataclass(frozen=True, slots=True)
class Rank:
    """One class of a table: ``low`` and ``high`` in the table's unit, ``high`` None where it is open."""

    rank: int
    low: float
    high: float | None
    word: str = ""


@dataclass(frozen=True, slots=True)
class RankTable:
    """The classes of one quantity (depth in metres, duration in hours), and source codes that mean other limits."""

    name: str
    unit: str
    ranks: tuple[Rank, ...]
    codes: Mapping[str, tuple[float, float | None]] = field(default_factory=dict)  # A31_001 "14" → (2.0, 5.0)

    def of(self, rank: int) -> Rank | None:
        return next((found for found in self.ranks if found.rank == rank), None)

    def worst(self, low: float, high: float | None) -> int:
        """The greatest rank that [low, high) touches: classes of 2012 do not fit today's, and the worse counts."""
        touched = [rank.rank for rank in self.ranks if high is None or rank.low < high]
        return max(touched, default=self.ranks[0].rank)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one line of a file. ``proposal`` is what a person may want; nothing is guessed silently."""

    line: int | None
    field: str | None
    value: str | None
    problem: str
    proposal: str | None = None

    def as_dict(self) -> dict[str, Any]:
        return {
            "line": self.line,
            "field": self.field,
            "value": self.value,
            "problem": self.problem,
            "proposal": self.proposal,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """What an import found: {read, accepted, skipped, faults}."""

    read: int
    accepted: int
    skipped: int
    faults: Sequence[Fault] = ()

    def as_dict(self) -> dict[str, Any]:
        return {
            "read": self.read,
            "accepted": self.accepted,
            "skipped": self.skipped,
            "faults": [fault.as_dict() for fault in self.faults],
        }


@dataclass(frozen=True, slots=True)
class PreparedFile:
    """A file of a layer, on the disk of whoever prepared it."""

    role: str
    path: Path
    media_type: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Prepared:
    """One layer, ready to be published: ``fields`` are those of the catalogue's record, without ``files``."""

    fields: Mapping[str, Any]
    files: tuple[PreparedFile, ...]
