"""Which column of a hazard file says what: the A31 family by its field names, plain files by common names.

Depth, duration and collapse zones are different layers; a file with several of them has several ``Meaning``s.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

DEPTH, DURATION, COLLAPSE = "flood_depth", "flood_duration", "collapse_zone"

# How the values of a column are to be read: `code` is the depth code of 2012, `rank` today's class, `depth` a text or
# number of metres, `kind` a kind of collapse zone, `flow`/`erosion` a flag of that kind.
AS_CODE, AS_RANK, AS_DEPTH, AS_KIND, AS_FLOW, AS_EROSION = "code", "rank", "depth", "kind", "flow", "erosion"


@dataclass(frozen=True, slots=True)
class Meaning:
    """One layer of a file: the column with its values, and the columns with its limits and rivers where there are."""

    layer_kind: str
    scenario: str | None
    column: str
    how: str
    river: str | None = None
    low: str | None = None
    high: str | None = None
    family: str = ""


# Group of an A31 field → the layer. 1 is the planned scale (計画規模), 2 the largest (想定最大規模), 3 the time under
# water, 4 the zones where houses may be lost.
GROUPS = {1: (DEPTH, "plan"), 2: (DEPTH, "max"), 3: (DURATION, "max"), 4: (COLLAPSE, "max")}

RANK_NAMES = ("rank", "gridcode", "grid_code", "depth_rank", "浸水ランク", "浸水深ランク", "ランク")
DEPTH_NAMES = (
    "depth", "water_depth", "waterdepth", "depth_m", "浸水深", "最大浸水深", "想定浸水深", "浸水深_m", "shinsuishin",
)  # fmt: skip
DURATION_NAMES = ("duration_rank", "浸水継続時間", "浸水継続時間ランク")
KIND_NAMES = ("kind", "zone", "区域区分", "家屋倒壊等氾濫想定区域")
RIVER_NAMES = ("river", "river_name", "河川名", "水系名", "対象河川")
# Texts like 「0.5-1.0」 in a column whose name says nothing: at least this share of the rows must read as depths.
DEPTH_TEXT = re.compile(
    r"^\s*(?:\d+(?:\.\d+)?)\s*[-~〜～－ー]\s*(?:\d+(?:\.\d+)?)\s*(?:m|ｍ|メートル)?(?:未満)?\s*$", re.IGNORECASE
)


def meanings(columns: Collection[str]) -> list[Meaning]:
    """The layers that the names of the columns show."""
    by_name = {column.lower(): column for column in columns}
    found = _a31(by_name)
    return found or _plain(by_name)


def _a31(by_name: dict[str, str]) -> list[Meaning]:
    found: list[Meaning] = []
    if "a31_001" in by_name:
        return [Meaning(DEPTH, "plan", by_name["a31_001"], AS_CODE, family="A31")]
    for family in ("A31a", "A31b", "A31"):
        prefix = family.lower() + "_"
        for group, (kind, scenario) in GROUPS.items():
            found += _group(by_name, prefix, group, kind, scenario, family)
    return found


def _group(by_name: dict[str, str], prefix: str, group: int, kind: str, scenario: str, family: str) -> list[Meaning]:
    by_river = by_name.get(f"{prefix}{group}05")
    river = by_name.get(f"{prefix}{group}02")
    how = AS_KIND if kind == COLLAPSE else AS_RANK
    if by_river:
        return [Meaning(kind, scenario, by_river, how, river, family=family)]
    one, two = by_name.get(f"{prefix}{group}01"), by_name.get(f"{prefix}{group}02")
    if kind == COLLAPSE and one and two:  # by mesh: 401 floods away, 402 washes away the bank
        return [
            Meaning(kind, scenario, one, AS_FLOW, family=family),
            Meaning(kind, scenario, two, AS_EROSION, family=family),
        ]
    return [Meaning(kind, scenario, one, how, family=family)] if one else []


def _plain(by_name: dict[str, str]) -> list[Meaning]:
    """Our own columns, GIS exports, and the words a city uses."""

    def first(names: tuple[str, ...]) -> str | None:
        return next((by_name[name] for name in names if name in by_name), None)

    river = first(RIVER_NAMES)
    if (rank := first(RANK_NAMES)) and "min_h" in by_name:
        return [Meaning(DURATION, "max", rank, AS_RANK, river, by_name["min_h"], by_name.get("max_h"))]
    if hours := first(DURATION_NAMES):
        return [Meaning(DURATION, "max", hours, AS_RANK, river)]
    if "waterdepth" in by_name:
        return [Meaning(DEPTH, "plan", by_name["waterdepth"], AS_CODE, river, family="A31")]
    if rank:
        return [Meaning(DEPTH, "max", rank, AS_RANK, river, by_name.get("min_m"), by_name.get("max_m"))]
    if depth := first(DEPTH_NAMES):
        return [Meaning(DEPTH, "max", depth, AS_DEPTH, river)]
    if kind := first(KIND_NAMES):
        return [Meaning(COLLAPSE, "max", kind, AS_KIND, river)]
    return []
