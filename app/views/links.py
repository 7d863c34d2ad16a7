"""What a record of any kind is called in a list of many kinds, and the page that shows it.

A kind whose pages follow the house (``<table>.show`` with the record's id in the path) is found by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import current_app, g, url_for
from werkzeug.routing import BuildError

from app import permissions
from app.queries import row
from app.queries.row import Record
from app.views import shell

TITLE_CHARS = 60
_TITLES = ("number", "meeting_no", "name", "title", "address", "summary", "text", "message", "label", "place")
_PARENTS = {
    "shelter-openings": ("shelters", "shelter_id"),
    "hq-meeting-decisions": ("hq-meetings", "hq_meeting_id"),
}  # which have no page of their own
_PAGES = {"incidents": "incidents.state"}


@dataclass(frozen=True, slots=True)
class Subject:
    title: str
    address: str | None  # None: no page shows it, or not to this person


def subject(record: Record) -> Subject:
    """The words by which people know a record, and where it is shown."""
    shown = record
    if record.kind in _PARENTS:
        kind, field = _PARENTS[record.kind]
        shown = row.get(shell.db(), kind, record[field] or "") or record
    said = [str(shown.fields[name]) for name in _TITLES if shown.fields.get(name)]
    title = " ".join(said[:2]).replace("\n", " ")
    return Subject(title if len(title) <= TITLE_CHARS else title[:TITLE_CHARS] + "…", _address(shown))


def name_of(record_id: str) -> str:
    """The name of a person, a team, a node, a shelter or an incident; empty where nobody here knows it."""
    names, bare = shell.names_here(), str(record_id).replace("-", "")
    known = names.user(record_id) or names.team(record_id)
    if known or bare in names.nodes:
        return known or names.label(bare)
    for kind in ("shelters", "incidents"):
        found = row.get(shell.db(), kind, record_id)
        if found is not None:
            return str(found["name"] or "")
    return ""


def _address(record: Record) -> str | None:
    endpoint = _PAGES.get(record.kind, f"{record.kind.replace('-', '_')}.show")
    view = current_app.view_functions.get(endpoint)
    mark = permissions.mark_of(view)
    if view is None or mark is None or not shell.may(mark[1], mark[0]):
        return None
    arguments = next(iter(current_app.url_map.iter_rules(endpoint))).arguments
    values: dict[str, Any] = dict.fromkeys(sorted(arguments - {"incident_id"})[:1], record.id)
    if "incident_id" in arguments:
        values["incident_id"] = record.incident_id or (record.id if record.kind == "incidents" else g.incident.id)
    try:
        return url_for(endpoint, **values)
    except BuildError:
        return None
