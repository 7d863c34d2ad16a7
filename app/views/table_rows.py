"""The rows of the lists that are written out (``tables``): records, or what the page shows of each beside its fields.

Before: the list's own view or query says what it is narrowed to. After: ``tables`` puts the cells into words.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from flask import render_template, request
from flask_login import current_user
from markupsafe import Markup

from app import catalog
from app.chronology import Narrowed as NarrowedLines
from app.queries import (
    channels,
    conflicts,
    contradictions,
    incidents,
    ladder,
    musters,
    patrols,
    row,
    sealed_reads,
    staff,
)
from app.queries.row import Record, Where
from app.views import bulletins, chronicle, damage_reports, hq_meetings, instructions, saying, shell, shelters
from app.views.translations import is_english

PAGE_ROWS = 500
Row = Record | Mapping[str, Any]


def every(kind: str, where: Callable[[Record], Where] | None = None) -> Callable[[Record], Iterator[Record]]:
    """The rows of a list that shows records of one kind: all of the incident, or those of the list's own ``where``."""

    def rows(incident: Record) -> Iterator[Record]:
        wanted = Where().also("incident_id = ?", incident.id) if where is None else where(incident)
        cursor = None
        while True:
            page = row.page(shell.db(), kind, wanted, PAGE_ROWS, cursor)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return
            time.sleep(0)  # a long table lets the others in between

    return rows


def report_rows(incident: Record) -> Iterator[Row]:
    """What nobody has looked at yet has a status as well: 未対応."""
    for one in every("damage-reports", damage_reports.where_here)(incident):
        yield {**one.fields, **_head(one), "response_status": one["response_status"] or "open"}


def instruction_rows(incident: Record) -> Iterator[Row]:
    """One row a recipient, with the time of each rung that is proved."""
    group = request.args.get("group")
    listed = every("instructions")(incident)
    while part := list(itertools.islice(listed, PAGE_ROWS)):
        for one in ladder.ladders(shell.db(), part, shell.node().here()):
            if group in instructions.GROUPS and one.group != group:
                continue
            given = {
                **one.instruction.fields,
                "author": one.instruction.author,
                "created_at": one.instruction.created_at,
            }
            for recipient in one.recipients:
                rungs = {f"{rung}_at": recipient.at.get(rung) for rung in ladder.RUNGS}
                state = None if recipient.state == "waiting" else recipient.state
                yield {**given, **rungs, "recipient": recipient.name, "state": state, "reason": recipient.reason}


def shelter_rows(incident: Record) -> Iterator[Row]:
    for one in shelters.rows_here(incident)[0]:
        source = one.source
        counted = {"total": source.total, "counted_at": source.counted_at} if source else {}
        yield {**one.line.shelter.fields, **counted, "status": one.line.status, "share": one.share}


def chronicle_rows(incident: Record) -> Iterator[Row]:
    narrowed, before = chronicle.narrowed_here(incident), None
    while True:
        asked = NarrowedLines(**{**_fields(narrowed), "before": before})
        found = shell.node().chronology.lines(incident.id, asked, PAGE_ROWS)
        shown = chronicle.shown_lines(found)
        said = render_template("chronicle/_table.html", lines=shown).split("\x1e")
        for one, what in zip(shown, said, strict=False):
            line = one.line
            who = shell.names_here().user(line.author) or shell.names_here().label(line.node)
            told = {"what": Markup(what).striptags(), "who": who, "source": line.fields.get("source")}  # nosec B704  # its tags are taken off
            yield {"at": line.at, "received_at": line.received_at, "node": line.node, **told}
        if len(found) < PAGE_ROWS:
            return
        before = (found[-1].at, found[-1].origin, found[-1].seq)
        time.sleep(0)


def message_rows(incident: Record) -> Iterator[Row]:
    """Of the channel that is named, else of every one that this person may see."""
    where = channels.leave_out(shell.db(), Where().also("incident_id = ?", incident.id), "channel_id", current_user)
    if request.args.get("channel"):
        where = where.also("channel_id = ?", request.args["channel"])
    known = {channel.id: channel["name"] for channel in channels.listed(shell.db(), incident.id)}
    for one in every("chat-messages", lambda _: where)(incident):
        yield {**one.fields, **_head(one), "channel": known.get(one["channel_id"])}


def bulletin_rows(incident: Record) -> Iterator[Row]:
    """Narrowed as the page is, with how many have read each."""
    listed = every("bulletins", bulletins.where_here)(incident)
    while part := list(itertools.islice(listed, PAGE_ROWS)):
        for line in bulletins.queries.lines(shell.db(), part, current_user.id):
            told = {"read": line.read, "readers": len(line.readers)}
            yield {**line.bulletin.fields, **_head(line.bulletin), **told}


def meeting_rows(incident: Record) -> Iterator[Row]:
    """One row a decision, with how far its instructions have got; a meeting that decided nothing is one row."""
    for line in hq_meetings.queries.lines(shell.db(), incident.id):
        meeting = {**line.meeting.fields, **_head(line.meeting), "number": line.number}
        roles = [saying.word(code, "meeting_roles") for code in line.meeting["attendees"] or ()]
        meeting["attendees"] = [*roles, *filter(None, [line.meeting["others"]])]
        decided = hq_meetings.queries.decisions(shell.db(), line.meeting.id, shell.node().here())
        for one in decided:
            given = [ladder.instruction["number"] or "" for ladder in one.ladders]
            done = sum(ladder.count("done") for ladder in one.ladders)
            told = {"text": one.decision["text"], "team": one.decision["team"], "given": given, "done": done}
            yield meeting | told
        if not decided:
            yield meeting


def sealed_read_rows(incident: Record) -> Iterator[Row]:
    numbers = sealed_reads.numbers(shell.db(), incident.id)
    for one in every("sealed-reads")(incident):
        yield {**one.fields, **_head(one), "report": numbers.get(one["record"] or "")}


def incident_rows(_: None) -> Iterator[Row]:
    for line in incidents.listed(shell.db()):
        counted = {"reports": line.reports, "open_reports": line.open_reports}
        yield {**line.incident.fields, **_head(line.incident), **counted}


def patrol_rows(incident: Record) -> Iterator[Row]:
    for one in patrols.listed(shell.db(), incident.id, shell.node().clock()):
        counted = {f"points_{status}": one.counts.get(status, 0) for status in ("safe", "caution", "cleared")}
        yield {**one.patrol.fields, **_head(one.patrol), **counted}


def staff_rows(_: Record) -> Iterator[Row]:
    """As the register is narrowed; how to reach somebody is sealed, and in no table."""
    yield from staff.narrowed(
        staff.listed(shell.db(), resting=True), shell.asked_words(), request.args.get("team") or None
    )


def muster_rows(incident: Record) -> Iterator[Row]:
    """One row a person and call-out: of the one that is named, else of all; safety and reasons are sealed."""
    asked, words, team = request.args.get("muster"), shell.asked_words(), request.args.get("team") or None
    found = [one for one in musters.listed(shell.db(), incident.id) if asked in (None, one.id)]
    for board in musters.boards(shell.db(), found):
        kept = {one.id for one in staff.narrowed((line.person for line in board.lines), words, team)}
        for line in board.lines:
            if line.person.id in kept and request.args.get("group") in (None, "", line.group):
                answered = line.reply.fields if line.reply else {}
                at = {"answered_at": line.reply.created_at, "author": line.reply.author} if line.reply else {}
                called = {"muster": board.muster["number"], "level": board.muster["level"]}
                told = {"group": line.group, "number": board.muster["number"]}
                yield {**line.person.fields, **called, **at, **answered, **told}


def conflict_rows(incident: Record) -> Iterator[Row]:
    sight = conflicts.Sight(current_user.id, current_user.team, current_user.role)
    for one in conflicts.listed(shell.db(), incident.id, sight=sight):
        told = {"kind": _kind_word(one.kind), "said": one.fields.get("number") or one.fields.get("name") or one.id}
        yield {**told, **_head(one), "updated_at": one.updated_at, "conflicts": one.conflicts}


def contradiction_rows(incident: Record) -> Iterator[Row]:
    for one in contradictions.found(shell.db(), incident.id, shell.node().clock()):
        other = one.other.fields.get("number") if one.other is not None else None
        said = one.record.fields.get("number") or one.record.fields.get("name")
        because = one.aside["because"] if one.aside is not None else None
        yield {"rule": one.rule, "said": said, "other": other, "facts": one.seen, "because": because}


def _head(record: Record) -> dict[str, Any]:
    return {"created_at": record.created_at, "author": record.author, "node": record.node}


def _fields(narrowed: NarrowedLines) -> dict[str, Any]:
    return {name: getattr(narrowed, name) for name in narrowed.__dataclass_fields__}


def _kind_word(kind: str) -> str:
    words = catalog.kind_words()[kind]
    return words.english if is_english() else words.word
