"""The same damage reported twice: what a report's page shows of it, and what a person who joins or parts writes.

Links are read when the button is pressed, not when the page was drawn: two people who join at once lose neither link.
Before: ``damage_report_edits`` took the button. No machine ever joins.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from app import records
from app.queries import damage_reports, doubles
from app.queries.row import Record, Where
from app.views import shell
from app.views.attachments import pictures_of
from sync.operation import Change

KIND = doubles.NAME
SHOWN_MAX = 12


@dataclass(frozen=True, slots=True)
class Same:
    """What a report's page says of its doubles: what is joined (the lead first), what may be, a picture of each."""

    lead: str
    joined: list[Record]
    more: int
    asked: list[Record]
    pictures: dict[str, str]


def same_of(report: Record) -> Same:
    found = doubles.read(shell.db(), report.incident_id or "")
    group = found.group(report.id)
    joined = doubles.members(shell.db(), group[:SHOWN_MAX]) if len(group) > 1 else []
    asked = doubles.candidates(shell.db(), report, found)
    shown = [*joined, *asked, report] if joined or asked else []
    return Same(group[0], joined, max(0, len(group) - SHOWN_MAX), asked, pictures_of(shown))


def changes_of(links: Mapping[str, str | None]) -> list[Change]:
    """The changes that write these ``same_as``."""
    return [_link(one, links[one.id]) for one in doubles.members(shell.db(), sorted(links))]


def named(report: Record, other_id: str, number: str) -> Record | None:
    """Another report of the incident by its id, else by the number that was typed; never the report itself."""
    where = Where().also("incident_id = ?", report.incident_id).also("id <> ?", report.id)
    where = where.also("upper(number) = upper(?)", number) if number else where.also("id = ?", other_id)
    return damage_reports.first(shell.db(), where)


def _link(report: Record, same_as: str | None) -> Change:
    scope = bytes.fromhex(report.scope)
    seen = shell.node().versions(KIND, scope, report.id)
    return records.damage_reports.edit(uuid.UUID(report.id), scope, {"same_as": same_as}, seen)
