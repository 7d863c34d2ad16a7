"""The tables of the field, read from the TOML files beside this module: words, codes, groups, orders of
danger.

Each file has a version and names its source. Nothing here changes after it was read; no file is read before
it is asked for. ``records`` takes the codes from here, templates the words, ``queries`` the groups.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from maps.layers import Rank, RankTable

TABLES = (
    "damage_categories",
    "damage_details",
    "damage_degrees",
    "report_phrases",
    "reception_means",
    "press_flags",
    "water_flows",
    "river_states",
    "river_banks",
    "casualty_transports",
    "lifeline_states",
    "response_statuses",
    "urgencies",
    "certainties",
    "passabilities",
    "casualties",
    "shelter_statuses",
    "patrol_statuses",
    "track_gaps",
    "incident_kinds",
    "incident_modes",
    "phases",
    "roles",
    "reply_phrases",
    "standing_channels",
    "priorities",
    "reply_states",
    "cannot_reasons",
    "voice_means",
    "chronicle_sources",
    "contradictions",
    "bulletin_categories",
    "audiences",
    "meeting_roles",
    "location_sources",
    "staffing_levels",
    "staff_roles",
    "muster_states",
    "muster_groups",
    "muster_reasons",
    "safety_states",
    "hazard_types",
    "depth_ranks",
    "duration_ranks",
    "collapse_kinds",
    "layer_kinds",
    "layer_scenarios",
    "layer_credits",
)


@dataclass(frozen=True, slots=True)
class Item:
    """One row: ``word`` for lists, ``short`` for tiles and badges, ``group`` for what is counted together."""

    code: str
    word: str
    short: str
    english: str
    icon: str = ""
    group: str = ""
    tile: int = 0
    forms: tuple[str, ...] = ()  # of a damage category: the parts of the form that belong to it
    meaning: str = ""  # of a hazard's class: what it does on the ground; of a staffing level: when, who, what opens
    low: float | None = None
    high: float | None = None  # None: open
    colour: str = ""
    hatch: str = ""  # beside the colour, which never speaks alone

    @staticmethod
    def from_row(row: dict[str, Any]) -> Item:
        return Item(**{"short": row["word"], **row, "forms": tuple(row.get("forms", ()))})


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the catalogue, in the order of its file."""

    name: str
    version: int
    source: str
    items: tuple[Item, ...]

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(item.code for item in self.items)

    def get(self, code: str | None) -> Item | None:
        return next((item for item in self.items if item.code == code), None)

    def group(self, code: str | None) -> str:
        item = self.get(code)
        return item.group if item else ""

    def in_group(self, group: str) -> tuple[str, ...]:
        return tuple(item.code for item in self.items if item.group == group)

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)


@dataclass(frozen=True, slots=True)
class FieldWords:
    """What a field is called, and how its values are said: by the codes of ``table``, or as ``says`` names it."""

    word: str
    english: str
    table: str = ""
    says: str = ""


@dataclass(frozen=True, slots=True)
class KindWords:
    """What a kind of record and each of its fields are called on a page."""

    word: str
    english: str
    fields: dict[str, FieldWords]


@functools.cache
def kind_words() -> dict[str, KindWords]:
    """The words of every kind, by its name; see ``kind_words.toml``."""
    return {
        name: KindWords(
            row["word"], row["english"], {field: FieldWords(**said) for field, said in row["fields"].items()}
        )
        for name, row in _read("kind_words").items()
        if isinstance(row, dict)
    }


@functools.cache
def table(name: str) -> Table:
    """The table of that name; see ``TABLES``."""
    if name not in TABLES:
        raise KeyError(name)
    raw = _read(name)
    return Table(name, raw["version"], raw["source"], tuple(Item.from_row(row) for row in raw["item"]))


@functools.cache
def danger_order(field: str) -> tuple[Any, ...]:
    """The values of a field from the most to the least dangerous, ``None`` among them."""
    return tuple(None if value == "null" else value for value in _read("danger")["orders"][field])


@functools.cache
def danger_fields() -> tuple[str, ...]:
    return tuple(_read("danger")["orders"])


def depth() -> RankTable:
    """The classes of flood depth in metres, with the codes of 2012 that have other limits."""
    return _ranks("depth_ranks")


def durations() -> RankTable:
    """The classes of the time under water, in hours."""
    return _ranks("duration_ranks")


@functools.cache
def _ranks(name: str) -> RankTable:
    raw = _read(name)
    ranks = tuple(Rank(int(row["code"]), row["low"], row.get("high"), row["word"]) for row in raw["item"])
    codes = {row["code"]: (row["low"], row.get("high")) for row in raw.get("source_code", ())}
    return RankTable(name, raw["unit"], ranks, codes)


def tiles(first: int = 6) -> tuple[tuple[Item, ...], tuple[Item, ...]]:
    """Damage categories in the order of the form: (those on its first page, the rest)."""
    ordered = tuple(sorted(table("damage_categories"), key=lambda item: item.tile))
    return ordered[:first], ordered[first:]


@functools.cache
def columns(name: str) -> dict[str, tuple[str, ...]]:
    """The columns of a list that is written out, in their order: (Japanese, English, how)."""
    return {column: tuple(told) for column, told in _read("columns")[name].items()}


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(files(__name__).joinpath(f"{name}.toml").read_text("utf-8"))
