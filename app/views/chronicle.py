"""The chronology: the lines of an incident, quick entry by one key, correction by a new line, and its print."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

import uuid6
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app import catalog, messages, records
from app.chronology import GROUPS, Line, Narrowed
from app.errors import Invalid
from app.forms import chronicle as forms
from app.permissions import permission
from app.queries import channels, incidents, instructions, joins, musters, row
from app.queries.row import Record, Where
from app.views import shell

KIND, REPLIES = "chronicle", "instruction-replies"
ROWS, PRINTED_MAX = 60, 2_000
LATE_MS = 60_000
USUAL = tuple(group for group in GROUPS if group != "chat")

pages = Blueprint("chronicle", __name__, url_prefix="/incidents/<uuid:incident_id>/chronicle")


@dataclass(frozen=True, slots=True)
class ShownLine:
    """A line with the record it is about as it is today (None: removed), and who corrected it."""

    line: Line
    record: Record | None
    parent: Record | None
    corrected: bool  # by another line; an answer: taken back by whoever gave it
    late: bool
    counts: list[tuple[str, int]]  # of a call-out: how many have answered what by now
    taken_back: Record | None = None  # the answer that this one takes back


@pages.get("")
@permission(KIND, "read")
def index(incident_id: uuid.UUID) -> str:
    incident = shell.incident_here(incident_id)
    template = "chronicle/_list.html" if request.args.get("part") == "list" else "chronicle/index.html"
    typed = {"_id": str(uuid6.uuid7())} | _of_corrected(incident)
    return render_template(template, **_listed(incident, ROWS), typed=typed, faults={})


@pages.get("/print")
@permission(KIND, "read")
def printed(incident_id: uuid.UUID) -> str:
    """For A4, oldest first."""
    incident = shell.incident_here(incident_id)
    listed = _listed(incident, PRINTED_MAX)
    return render_template("chronicle/print.html", **listed | {"lines": listed["lines"][::-1]})


@pages.post("")
@permission(KIND, "create")
def create(incident_id: uuid.UUID) -> ResponseReturnValue:
    """The id was given when the form was drawn, so that Enter pressed twice makes one line."""
    incident = shell.incident_here(incident_id)
    try:
        record_id = uuid.UUID(request.form.get("_id", ""))
        change = records.chronicle.create(
            record_id, incidents.scope(incident), forms.read(request.form, shell.node().clock())
        )
    except (Invalid, ValueError) as error:
        faults = messages.faults_of(error)
        return render_template(
            "chronicle/index.html", **_listed(incident, ROWS), typed=request.form, faults=faults
        ), 422
    shell.write(change)
    shell.sent(f"{incident.id}:chronicle{request.form.get('corrects', '')}")
    flash(messages.saved_here(shell.node()), "ok")
    return redirect(url_for(".index", incident_id=incident.id), 303)


def _listed(incident: Record, limit: int) -> dict[str, Any]:
    narrowed = narrowed_here(incident)
    found = shell.node().chronology.lines(incident.id, narrowed, limit + 1)
    return {
        "lines": shown_lines(found[:limit]),
        "more": found[limit - 1].place if len(found) > limit else None,
        "narrowed": narrowed,
        "group_counts": shell.node().chronology.counts(incident.id, narrowed.without),
        "groups": tuple(GROUPS),
        "usual": USUAL,
    }


def _of_corrected(incident: Record) -> dict[str, str]:
    """The line that a new one is to correct, as it stands: what was wrong is changed, and the rest is not lost."""
    line = row.get(shell.db(), KIND, request.args.get("corrects", ""))
    if line is None or not joins.covers(shell.db(), incident.id, line):
        return {}
    at = line["happened_at"] or line.created_at
    return {
        "text": line["text"] or "",
        "source": line["source"] or "",
        "happened": forms.written(at, shell.node().clock()),
    }


def shown_lines(found: list[Line]) -> list[ShownLine]:
    """With the records that the lines are about: one query a kind, however many lines there are."""
    about = {
        kind: _by_id(kind, {line.record for line in found if line.kind == kind}) for kind in {f.kind for f in found}
    }
    parents = _parents(found, about)
    counted = _muster_counts(about.get(musters.NAME, {}))
    answers = about.get(REPLIES, {})
    corrected = _corrected([line.record for line in found if line.kind == KIND])
    corrected |= instructions.taken_back(shell.db(), answers)
    taken = {one.id: one["takes_back"] for one in answers.values() if one["takes_back"]}
    took_back = _by_id(REPLIES, set(taken.values()))
    return [
        ShownLine(
            line,
            about[line.kind].get(line.record),
            parents.get((line.kind, line.record)),
            line.record in corrected,
            line.received_at - line.at > LATE_MS and line.node != shell.node().node_id,
            counted.get(line.record, []),
            took_back.get(taken.get(line.record, "")),
        )
        for line in found
    ]


def _muster_counts(found: dict[str, Record]) -> dict[str, list[tuple[str, int]]]:
    """Of each call-out the counts, without a name."""
    boards, order = musters.boards(shell.db(), list(found.values())), catalog.table("muster_groups").codes
    return {board.muster.id: [(code, board.counts[code]) for code in order if board.counts[code]] for board in boards}


_PARENT = {
    "instruction-replies": ("instruction_id", "instructions"),
    "shelter-openings": ("shelter_id", "shelters"),
    "hq-meeting-decisions": ("hq_meeting_id", "hq-meetings"),
    "head-counts": ("shelter_id", "shelters"),
    "chat-messages": ("channel_id", "channels"),
}


def _parents(found: list[Line], about: dict[str, dict[str, Record]]) -> dict[tuple[str, str], Record]:
    wanted: dict[str, set[str]] = {}
    named = []
    for line in found:
        record = about[line.kind].get(line.record)
        if record is not None and line.kind in _PARENT:
            name, kind = _PARENT[line.kind]
            named.append((line.kind, line.record, kind, record[name]))
            wanted.setdefault(kind, set()).add(record[name])
    known = {kind: _by_id(kind, ids) for kind, ids in wanted.items()}
    return {(kind, record): known[of][one] for kind, record, of, one in named if one in known[of]}


def _by_id(kind: str, ids: set[str]) -> dict[str, Record]:
    if not ids:
        return {}
    where = Where().also(f"id IN ({', '.join('?' for _ in ids)})", *ids)
    return {record.id: record for record in row.select(shell.db(), row.kind_of(kind), where)}


def narrowed_here(incident: Record) -> Narrowed:
    asked = request.args
    hidden = [
        channel.id
        for channel in channels.listed(shell.db(), incident.id)
        if not channels.visible_to(channel, current_user)
    ]
    groups = tuple(group for group in GROUPS if group in asked.getlist("group"))
    return Narrowed(
        groups=groups or USUAL,
        author=asked.get("author") if asked.get("author") in shell.names_here().users else None,
        source=asked.get("source") if asked.get("source") in catalog.table("chronicle_sources").codes else None,
        since=_moment(asked.get("since")),
        until=_moment(asked.get("until")),
        words=shell.asked_words() or None,
        before=_place(asked.get("before")),
        without=tuple(hidden),
    )


def _moment(typed: str | None) -> int | None:
    """A time of the filter, written as in the quick entry; what is none narrows nothing."""
    try:
        return forms.moment(typed or "", shell.node().clock())
    except Invalid:
        return None


def _corrected(written: list[str]) -> set[str]:
    """Those of these lines that another one corrects, also one of another page."""
    if not written:
        return set()
    where = Where().also(f"corrects IN ({', '.join('?' for _ in written)})", *written)
    return {record["corrects"] for record in row.select(shell.db(), row.kind_of(KIND), where)}


def _place(text: str | None) -> tuple[int, bytes, int] | None:
    try:
        at, origin, seq = (text or "").split(".")
        return int(at), bytes.fromhex(origin), int(seq)
    except ValueError:
        return None
