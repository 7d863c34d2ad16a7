"""Every search form posts here: the words go sealed into the address of the page that lists what was found.

Without a list of its own, the search page lists what every kind of record says of the words.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from werkzeug.routing import BuildError

from app import words
from app.permissions import permission
from app.queries import instructions, row, search
from app.queries.row import Record, Where
from app.records.search import marked, text_of, words_of
from app.views import shell

LISTS = (
    "search.index", "damage_reports.index", "shelters.index", "chronicle.index", "staff.index", "bulletins.index",
    "musters.show",
)  # fmt: skip
SHOWN_CHARS = 120
_PARENTS = {
    "instruction-replies": ("instruction_id", "instructions"),
    "head-counts": ("shelter_id", "shelters"),
    "chat-messages": ("channel_id", "channels"),
    "hq-meeting-decisions": ("hq_meeting_id", "hq-meetings"),
}

pages = Blueprint("search", __name__, url_prefix="/incidents/<uuid:incident_id>/search")


@dataclass(frozen=True, slots=True)
class ShownRecord:
    """A record that was found, with what it belongs to and where in its text the words stand."""

    record: Record
    parent: Record | None
    parts: list[tuple[str, bool]]
    taken_back: bool = False  # an answer that its author has taken back


@dataclass(frozen=True, slots=True)
class ShownKind:
    kind: str
    rows: list[ShownRecord]
    more: bool


@pages.get("")
@permission("incidents", "read")
def index(incident_id: uuid.UUID) -> str:
    incident = shell.incident_here(incident_id)
    asked = shell.asked_words()
    return render_template(
        "search/index.html",
        words=asked,
        found=_found(incident, asked) if words_of(asked) else [],
        waiting=search.waiting(shell.db()),
    )


@pages.post("")
@permission("incidents", "read")
def go(incident_id: uuid.UUID) -> ResponseReturnValue:
    """To the list that the form names, with everything else that it was narrowed to."""
    incident = shell.incident_here(incident_id)
    asked: dict[str, Any] = {
        name: values[0] if len(values) == 1 else values
        for name, values in request.form.lists()
        if name not in ("csrf_token", "list", "words")
    }
    typed = request.form.get("words", "").strip()
    if typed:
        asked["words"] = [words.seal(shell.node().keys.data_key, typed)]
    wanted = request.form.get("list", "")
    endpoint = wanted if wanted in LISTS else LISTS[0]
    try:
        address = url_for(endpoint, incident_id=incident.id, **asked)
    except BuildError:
        address = url_for(LISTS[0], incident_id=incident.id)
    return redirect(address, 303)


def _found(incident: Record, asked: str) -> list[ShownKind]:
    here = shell.db()
    kinds = [kind for kind in search.KINDS if shell.may("read", kind)]
    found = search.everywhere(here, incident.id, asked, current_user, kinds)
    return [
        ShownKind(
            one.kind,
            [
                ShownRecord(
                    record,
                    parents.get(_parent_id(record) or ""),
                    marked(_text(record), asked, SHOWN_CHARS),
                    record.id in taken_back,
                )
                for record in one.records
            ],
            one.more,
        )
        for one in found
        for parents in [_parents(here, one)]
        for taken_back in [_taken_back(here, one)]
    ]


def _taken_back(here: Any, found: search.Found) -> set[str]:
    if found.kind != "instruction-replies":
        return set()
    return instructions.taken_back(here, [record.id for record in found.records])


def _text(record: Record) -> str:
    return text_of(record.kind, record.fields).replace("\n", " ")


def _parent_id(record: Record) -> str | None:
    return record[_PARENTS[record.kind][0]] if record.kind in _PARENTS else None


def _parents(here: Any, found: search.Found) -> dict[str, Record]:
    ids = sorted({wanted for record in found.records if (wanted := _parent_id(record))})
    if not ids:
        return {}
    where = Where().also(f"id IN ({', '.join('?' for _ in ids)})", *ids)
    return {record.id: record for record in row.select(here, row.kind_of(_PARENTS[found.kind][1]), where)}
