"""Shelters with their state in an incident.

A city designates emergency sites (指定緊急避難場所) and shelters (指定避難所) on two lists: 「戸田東中学校 校庭」 and
「校舎(3階・4階)」 on the one are parts of 「戸田東中学校」 on the other. Both are kept as they were imported; here a
site stands inside its building, and the building has the floors that its flood sites name.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app import catalog
from app.queries import row
from app.queries.row import Record, Where
from app.records import search

GROUPS = ("open", "closed", "preparing", "unknown")
COMMON_ID_CHARS, PLACE_CHARS = 14, 11  # E11224 00001 1 11: municipality, place, which list, which of them
NAME_CHARS_MIN = 3
FLOORS_AT = "floors_at"  # where the floors are that a flood site names: the lists put one building up to 100 m apart
_IN_LISTS = ("open", "preparing", "unknown", "closed")


@dataclass(frozen=True, slots=True)
class ShelterLine:
    """A shelter and what was last said of it in an incident; unknown where nobody has spoken."""

    shelter: Record
    status: str
    opening: Record | None
    sites: tuple[Record, ...] = ()  # emergency sites inside it

    @property
    def parts(self) -> list[tuple[str, Record]]:
        """The sites by the name of their part: 校庭, 校舎(3階・4階)."""
        words = [((site["name"] or "").split(maxsplit=1), site) for site in self.sites]
        return [(said[1] if len(said) > 1 else site["name"] or "", site) for said, site in words]

    @property
    def group(self) -> str:
        """What the front page counts it as: open, closed, preparing or unknown."""
        return catalog.table("shelter_statuses").group(self.status) or "unknown"


def get(db: Any, shelter_id: str) -> Record | None:
    """A shelter, with the floors that its flood sites name where it names none itself."""
    found = row.get(db, "shelters", shelter_id)
    return _with_floors(found, sites_of(db, found)) if found is not None and not _is_site(found) else found


def sites_of(db: Any, shelter: Record) -> tuple[Record, ...]:
    """The emergency sites inside a shelter's building."""
    if _is_site(shelter):
        return ()
    where = Where().also("instr(designations, 'emergency')")
    sites = [one for one in row.select(db, row.kind_of("shelters"), where, "ORDER BY name, id") if _is_site(one)]
    return tuple(_in_houses([shelter, *sites], ())[1].get(shelter.id, ()))


def listed(db: Any, incident_id: str) -> list[ShelterLine]:
    where = Where().also("incident_id = ?", incident_id)
    openings = row.select(db, row.kind_of("shelter-openings"), where, "ORDER BY created_at, id")
    newest = {opening["shelter_id"]: opening for opening in openings}
    records = row.select(db, row.kind_of("shelters"), Where(), "ORDER BY name, id")
    houses, sites = _in_houses(records, newest)
    return [_line(shelter, newest.get(shelter.id), sites.get(shelter.id, ())) for shelter in houses]


def line_of(db: Any, incident_id: str, shelter: Record) -> ShelterLine:
    """One shelter's line."""
    where = Where().also("incident_id = ?", incident_id).also("shelter_id = ?", shelter.id)
    newest = row.select(db, row.kind_of("shelter-openings"), where, "ORDER BY created_at DESC, id DESC LIMIT 1")
    return _line(shelter, newest[0] if newest else None, sites_of(db, shelter))


def narrowed(lines: Sequence[ShelterLine], group: str | None = None, words: str | None = None) -> list[ShelterLine]:
    """The lines that a person asked for: the open ones first, then by name."""
    found = [line for line in lines if group in (None, line.group) and _speaks_of(line.shelter, words)]
    return sorted(found, key=lambda line: (_IN_LISTS.index(line.group), line.shelter["name"] or "", line.shelter.id))


def counts(db: Any, incident_id: str) -> dict[str, int]:
    """{open, closed, preparing, unknown} of all shelters of the city."""
    return grouped(listed(db, incident_id))


def grouped(lines: Sequence[ShelterLine]) -> dict[str, int]:
    found = dict.fromkeys(GROUPS, 0)
    for line in lines:
        found[line.group] += 1
    return found


def _speaks_of(shelter: Record, asked: str | None) -> bool:
    return search.speaks_of(search.text_of("shelters", shelter.fields), search.words_of(asked))


def _line(shelter: Record, opening: Record | None, sites: Sequence[Record]) -> ShelterLine:
    status = (opening and opening["opening_status"]) or "unknown"
    return ShelterLine(_with_floors(shelter, sites), status, opening, tuple(sites))


# -- emergency sites inside a building ---------------------------------------------------------------


def _in_houses(records: Sequence[Record], opened: Collection[str]) -> tuple[list[Record], dict[str, list[Record]]]:
    """What stands in the list, and the sites inside each of those; a site that was opened itself stands by itself."""
    homes: dict[str, list[Record]] = {}
    for record in records:
        if not _is_site(record):
            for key in _house_keys(record):
                homes.setdefault(key, []).append(record)
    houses: list[Record] = []
    sites: dict[str, list[Record]] = {}
    for record in records:
        home = _home_of(record, homes) if _is_site(record) and record.id not in opened else None
        if home is None:
            houses.append(record)
        else:
            sites.setdefault(home.id, []).append(record)
    return houses, sites


def _is_site(record: Record) -> bool:
    return list(record["designations"] or ()) == ["emergency"]


def _house_keys(record: Record) -> Iterator[str]:
    """What one building has on both lists: the number of the place in its common id, and its address."""
    common_id, address = record["common_id"], record["address"]
    if common_id and len(common_id) == COMMON_ID_CHARS:
        yield common_id[:PLACE_CHARS]
    if address:
        yield _plain(address)


def _home_of(site: Record, homes: dict[str, list[Record]]) -> Record | None:
    """Two schools may share an address, so the name decides; lists write it with the city's name and without."""
    building = _plain((site["name"] or "").split()[0] if (site["name"] or "").split() else "")
    for key in _house_keys(site):
        for home in homes.get(key, ()):
            name = _plain(home["name"] or "")
            if min(len(name), len(building)) >= NAME_CHARS_MIN and (name.endswith(building) or building.endswith(name)):
                return home
    return None


def _plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split()).casefold()


def _with_floors(shelter: Record, sites: Sequence[Record]) -> Record:
    dry = [site for site in sites if site["usable_floors"] and "flood" in (site["hazards"] or ())]
    if shelter["usable_floors"] or not dry:
        return shelter
    labels = dict.fromkeys(site["usable_floors_label"] for site in dry if site["usable_floors_label"])
    floors = sorted({floor for site in dry for floor in site["usable_floors"]})
    named = {"usable_floors": floors, "usable_floors_label": "、".join(labels) or None, FLOORS_AT: dry[0]["location"]}
    return replace(shelter, fields={**shelter.fields, **named})
