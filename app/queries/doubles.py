"""Damage reports that are one thing: joined by ``same_as``, shown and counted once. Nothing here joins anything.

Before: a person has said that two reports are of the same damage. After: counts, lists and the record's page show them
as one, under the lead: the smallest id of those that are not themselves called a duplicate. Only links between two
reports that are shown in the incident hold, and a link joins both ways, so the order of arrival decides nothing.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app import catalog
from app.queries import joins, row
from app.queries.row import Record, Where

NEAR_M, NEAR_MS = 50, 2 * 3600 * 1000
METRES_A_DEGREE = 111_320
NAME = "damage-reports"
_WORST = ("urgency", "passability", "rescue_needed", "casualties", "people_at_risk")


@dataclass(frozen=True, slots=True)
class Doubles:
    """The joined reports of an incident: ``links`` {id: same_as}, ``groups`` {lead: members, the lead first}."""

    links: Mapping[str, str] = field(default_factory=dict)
    statuses: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    leads: Mapping[str, str] = field(default_factory=dict)  # of each joined report

    @staticmethod
    def of(links: Mapping[str, str], statuses: Mapping[str, str]) -> Doubles:
        """``statuses`` of every report that a link names and that is shown."""
        held = {one: other for one, other in links.items() if one in statuses and other in statuses and one != other}
        parent = {end: end for link in held.items() for end in link}
        for one, other in held.items():
            parent[_root(parent, one)] = _root(parent, other)
        found: dict[str, list[str]] = {}
        for end in sorted(parent):
            found.setdefault(_root(parent, end), []).append(end)
        groups = {}
        for members in found.values():
            lead = next((one for one in members if statuses[one] != "duplicate"), members[0])
            groups[lead] = (lead, *(one for one in members if one != lead))
        return Doubles(held, statuses, groups, {one: lead for lead, members in groups.items() for one in members})

    def group(self, report_id: str) -> tuple[str, ...]:
        """The report and all that are the same, the lead first."""
        return self.groups.get(self.leads.get(report_id, ""), (report_id,))

    def behind(self) -> Iterable[tuple[str, str]]:
        """(report, lead) of each that stands under another one."""
        return ((one, lead) for one, lead in self.leads.items() if one != lead)

    def joining(self, one: str, other: str) -> dict[str, str]:
        """The ``same_as`` to write so that two groups are one: the one that began later is put under the other."""
        first, second = sorted((self.group(one), self.group(other)), key=min)
        if min(first) == min(second):
            return {}
        seen, end = set[str](), second[0]
        while end in self.links and end not in seen:
            seen.add(end)
            end = self.links[end]
        return {end: min(first)}

    def parting(self, one: str) -> dict[str, str | None]:
        """The ``same_as`` to write so that this one stands alone and the others stay together."""
        orphans = sorted(end for end, other in self.links.items() if other == one)
        heir = self.links.get(one) or next(iter(orphans), None)
        changed: dict[str, str | None] = {one: None} if one in self.links else {}
        return changed | {orphan: None if orphan == heir else heir for orphan in orphans}


def read(db: Any, incident_id: str) -> Doubles:
    """Two questions, however many reports there are; one where nothing is joined, which is usual."""
    links = joins.ask(
        db,
        "SELECT id, same_as FROM damage_reports WHERE incident_id = ? AND same_as IS NOT NULL AND hidden = 0",
        (incident_id,),
    ).fetchall()
    if not links:
        return Doubles()
    ends = {end for link in links for end in link}
    # The + keeps SQLite from walking the whole incident for each id (400 ms instead of 2 at 10,000 reports).
    statuses = joins.ask(
        db,
        "SELECT id, coalesce(response_status, 'open') FROM damage_reports"
        " WHERE id IN (SELECT value FROM json_each(?)) AND +incident_id = ? AND +hidden = 0",
        (json.dumps(sorted(ends)), incident_id),
    )
    return Doubles.of(dict(map(tuple, links)), dict(map(tuple, statuses)))


def members(db: Any, ids: Sequence[str]) -> list[Record]:
    """These reports, in the order asked for, by one question."""
    where = Where().also("id IN (SELECT value FROM json_each(?))", json.dumps(list(ids)))
    found = {one.id: one for one in row.select(db, row.kind_of(NAME), where)}
    return [found[one] for one in ids if one in found]


def number(db: Any, report_id: str) -> str:
    """The number of the report that a link names: nobody reads an id. Empty where it is not here."""
    found = db.execute("SELECT number FROM damage_reports WHERE id = ? AND hidden = 0", (report_id,)).fetchone()
    return (found[0] or "") if found else ""


def worst(records: Iterable[Record]) -> dict[str, Any]:
    """Of each field with an order of danger the most dangerous value: one row speaks for all of them."""
    listed = list(records)
    return {name: min((one[name] for one in listed), key=catalog.danger_order(name).index) for name in _WORST}


def red_behind(db: Any, incident_id: str, open_codes: Collection[str]) -> list[str]:
    """A red report of each group that nobody was given and whose lead does not say itself that it is red.

    A link must not take the red one away from what waits (``red_total`` counts reports that name no other).
    """
    found = read(db, incident_id)
    listed = {one.id: one for one in members(db, list(found.leads))}
    red = []
    for lead, group in found.groups.items():
        given = listed[lead]["team"] is not None or found.statuses[lead] not in open_codes
        reds = [one for one in group if listed[one]["urgency"] == "red" and listed[one]["team"] is None]
        counted = any(listed[one]["same_as"] is None and found.statuses[one] in open_codes for one in reds)
        red += reds[:1] if not given and not counted else []
    return red


def near(
    db: Any, incident_id: str, category: str, place: Sequence[float], times: tuple[int, int], limit: int = 3
) -> list[Record]:
    """Reports of the category within 50 m of [lon, lat] that were made between two times (ms), the newest first."""
    lon, lat = place
    north, east = NEAR_M / METRES_A_DEGREE, NEAR_M / (METRES_A_DEGREE * max(0.01, math.cos(math.radians(lat))))
    where = Where().also("incident_id = ?", incident_id).also("category = ?", category)
    where = where.also("created_at BETWEEN ? AND ?", *times)
    where = where.also("json_extract(location, '$[0]') BETWEEN ? AND ?", lon - east, lon + east)
    where = where.also("json_extract(location, '$[1]') BETWEEN ? AND ?", lat - north, lat + north)
    found = row.select(db, row.kind_of(NAME), where, f"ORDER BY created_at DESC LIMIT {int(limit) * 4}")
    return [one for one in found if metres_between(place, one["location"]) <= NEAR_M][:limit]


def candidates(db: Any, report: Record, found: Doubles, limit: int = 3) -> list[Record]:
    """What may be the same damage: category, 50 m, two hours before or after; without what is joined already."""
    if report["location"] is None or report.incident_id is None:
        return []
    times = (report.created_at - NEAR_MS, report.created_at + NEAR_MS)
    joined = {report.id, *found.group(report.id)}
    beside = near(db, report.incident_id, report["category"], report["location"], times, limit + len(joined))
    return [one for one in beside if one.id not in joined][:limit]


def metres_between(one: Sequence[float], other: Sequence[float]) -> float:
    """The distance of two [lon, lat] that lie close together."""
    flat = math.cos(math.radians((one[1] + other[1]) / 2))
    return math.hypot((one[0] - other[0]) * flat, one[1] - other[1]) * METRES_A_DEGREE


def _root(parent: dict[str, str], end: str) -> str:
    while parent[end] != end:
        parent[end] = parent[parent[end]]
        end = parent[end]
    return end
