"""Damage reports as a page lists them: narrowed by what a person taps or types. Read by views only."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app import catalog
from app.queries import damage_reports, doubles, joins, row, search
from app.queries.doubles import Doubles
from app.queries.row import Record, Where

PAGE_ROWS_MAX = 60
COUNTED_MAX = 200
GROUPS = ("open", "in_progress", "done")
_NAME = "damage-reports"


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What the list is narrowed to; empty means everything."""

    groups: tuple[str, ...] = ()
    urgency: str | None = None
    category: str | None = None
    team: str | None = None
    words: str | None = None
    before: int | None = None


ALL = Narrowed()


@dataclass(frozen=True, slots=True)
class Together:
    """What a row says for all the reports that stand under it."""

    count: int
    worst: Mapping[str, Any]


def listing(db: Any, incident_id: str, narrowed: Narrowed = ALL, limit: int = PAGE_ROWS_MAX) -> list[Record]:
    """Newest first, the same damage once; one row more than ``limit`` tells that there are more."""
    where = _once(db, incident_id, narrowed, doubles.read(db, incident_id))
    return search.newest(db, row.kind_of(_NAME), where, narrowed.words, limit + 1)


def together(db: Any, incident_id: str, shown: Sequence[Record]) -> dict[str, Together]:
    """Of the rows that speak for others: for how many, and the worst that any of them says. One question more."""
    joined = doubles.read(db, incident_id)
    groups = {one.id: members for one in shown if (members := joined.groups.get(one.id))}
    found = {one.id: one for one in doubles.members(db, [one for members in groups.values() for one in members])}
    return {
        lead: Together(len(members), doubles.worst(found[one] for one in members if one in found))
        for lead, members in groups.items()
    }


def total(db: Any, incident_id: str, narrowed: Narrowed = ALL) -> int:
    """How many rows the list has; of those that speak of words no more than ``COUNTED_MAX`` are counted."""
    if narrowed == ALL:
        return damage_reports.total(db, incident_id) - sum(1 for _ in doubles.read(db, incident_id).behind())
    if narrowed == Narrowed(groups=narrowed.groups):
        counted = damage_reports.counts(db, incident_id)
        return sum(counted[group] for group in narrowed.groups)
    where = _once(db, incident_id, narrowed, doubles.read(db, incident_id))
    if narrowed.words:
        return search.count(db, row.kind_of(_NAME), where, narrowed.words, COUNTED_MAX)
    return row.count(db, _NAME, where)


def _once(db: Any, incident_id: str, narrowed: Narrowed, joined: Doubles) -> Where:
    """The same damage once: a report stands under its lead where the lead is listed; the lead's status is that of all.

    What a lead does not say itself, as an urgency that is asked for, is found by the report that says it. The words
    themselves are left to ``search``.
    """
    where = where_of(db, incident_id, replace(narrowed, words=None))
    behind = list(joined.behind())
    if not behind:
        return where
    codes = {code for group in narrowed.groups for code in damage_reports.in_group(group)}
    listed = {lead for _, lead in behind if not codes or joined.statuses[lead] in codes}
    wanted = where_of(db, incident_id, replace(narrowed, groups=(), before=None, words=None))
    shown = search.speaking(db, _NAME, _ids(db, wanted, listed), narrowed.words)
    away = [one for one, lead in behind if lead in shown or lead not in listed]
    return where.also("id NOT IN (SELECT value FROM json_each(?))", json.dumps(away))


def _ids(db: Any, where: Where, among: Collection[str]) -> set[str]:
    """Which of these reports meet ``where``."""
    where = where.also("id IN (SELECT value FROM json_each(?))", json.dumps(sorted(among)))
    return {found for (found,) in joins.ask(db, f"SELECT id FROM damage_reports WHERE {where.sql()}", where.values)}


def where_of(db: Any, incident_id: str, narrowed: Narrowed) -> Where:
    where = Where().also("incident_id = ?", incident_id)
    if narrowed.groups:
        words = catalog.table("response_statuses")
        codes = [code for group in narrowed.groups for code in words.in_group(group)]
        where = where.also(f"coalesce(response_status, 'open') IN ({', '.join('?' for _ in codes)})", *codes)
    for column in ("urgency", "category", "team"):
        value = getattr(narrowed, column)
        if value:
            where = where.also(f"{column} = ?", value)
    if narrowed.before is not None:
        where = where.also("created_at < ?", narrowed.before)
    return search.narrowed(db, where, _NAME, narrowed.words)
