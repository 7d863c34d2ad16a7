"""書き出し: every list as CSV or XLSX, narrowed as its page is, in its words. A new list adds one row of ``LISTS``, a
section of ``catalog/columns.toml``, and ``export("name")`` of ``_export.html`` on its page.

Before: the list's page, whose address carries what it is narrowed to. After: ``spreadsheet`` writes the rows. What a
person may not read of the list, and whatever is sealed, is in no table.
"""

from __future__ import annotations

import itertools
import json
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from flask import Blueprint, Flask, Response, render_template, request, stream_with_context
from flask_login import current_user
from markupsafe import Markup

from app import catalog, spreadsheet
from app.chronology import Narrowed as NarrowedLines
from app.errors import TooLarge
from app.permissions import permission
from app.queries import channels, incidents, ladder, row, sealed_reads, users
from app.queries.row import Record, Where
from app.spreadsheet import Cell
from app.threads import in_native_thread
from app.views import bulletins, chronicle, damage_reports, hq_meetings, instructions, shell, shelters
from app.views.translations import is_english

WORKBOOK_ROWS_MAX = 20_000  # it is held in memory; a CSV goes out as it is read
PAGE_ROWS = 500
MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
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


def _instructions(incident: Record) -> Iterator[Row]:
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


def _shelters(incident: Record) -> Iterator[Row]:
    for one in shelters.rows_here(incident)[0]:
        source = one.source
        counted = {"total": source.total, "counted_at": source.counted_at} if source else {}
        yield {**one.line.shelter.fields, **counted, "status": one.line.status, "share": one.share}


def _chronicle(incident: Record) -> Iterator[Row]:
    narrowed, before = chronicle.narrowed_here(incident), None
    while True:
        asked = NarrowedLines(**{**_fields(narrowed), "before": before})
        found = shell.node().chronology.lines(incident.id, asked, PAGE_ROWS)
        shown = chronicle.shown_lines(found)
        said = render_template("chronicle/_table.html", lines=shown).split("\x1e")
        for one, what in zip(shown, said, strict=False):
            line = one.line
            who = shell.names_here().user(line.author) or shell.names_here().label(line.node)
            told = {"what": Markup(what).striptags(), "who": who, "source": line.fields.get("source")}
            yield {"at": line.at, "received_at": line.received_at, "node": line.node, **told}
        if len(found) < PAGE_ROWS:
            return
        before = (found[-1].at, found[-1].origin, found[-1].seq)
        time.sleep(0)


def _messages(incident: Record) -> Iterator[Row]:
    """Of the channel that is named, else of every one that this person may see."""
    where = channels.leave_out(shell.db(), Where().also("incident_id = ?", incident.id), "channel_id", current_user)
    if request.args.get("channel"):
        where = where.also("channel_id = ?", request.args["channel"])
    known = {channel.id: channel["name"] for channel in channels.listed(shell.db(), incident.id)}
    for one in every("chat-messages", lambda _: where)(incident):
        yield {**one.fields, **_head(one), "channel": known.get(one["channel_id"])}


def _bulletins(incident: Record) -> Iterator[Row]:
    """Narrowed as the page is, with how many have read each."""
    listed = every("bulletins", bulletins.where_here)(incident)
    while part := list(itertools.islice(listed, PAGE_ROWS)):
        for line in bulletins.queries.lines(shell.db(), part, current_user.id):
            told = {"read": line.read, "readers": len(line.readers)}
            yield {**line.bulletin.fields, **_head(line.bulletin), **told}


def _meetings(incident: Record) -> Iterator[Row]:
    """One row a decision, with how far its instructions have got; a meeting that decided nothing is one row."""
    for line in hq_meetings.queries.lines(shell.db(), incident.id):
        meeting = {**line.meeting.fields, **_head(line.meeting), "number": line.number}
        roles = [shell.word(code, "meeting_roles") for code in line.meeting["attendees"] or ()]
        meeting["attendees"] = [*roles, *filter(None, [line.meeting["others"]])]
        decided = hq_meetings.queries.decisions(shell.db(), line.meeting.id, shell.node().here())
        for one in decided:
            given = [ladder.instruction["number"] or "" for ladder in one.ladders]
            done = sum(ladder.count("done") for ladder in one.ladders)
            told = {"text": one.decision["text"], "team": one.decision["team"], "given": given, "done": done}
            yield meeting | told
        if not decided:
            yield meeting


def _sealed_reads(incident: Record) -> Iterator[Row]:
    numbers = sealed_reads.numbers(shell.db(), incident.id)
    for one in every("sealed-reads")(incident):
        yield {**one.fields, **_head(one), "report": numbers.get(one["record"] or "")}


def _incidents(_: None) -> Iterator[Row]:
    for line in incidents.listed(shell.db()):
        counted = {"reports": line.reports, "open_reports": line.open_reports}
        yield {**line.incident.fields, **_head(line.incident), **counted}


def _head(record: Record) -> dict[str, Any]:
    return {"created_at": record.created_at, "author": record.author, "node": record.node}


def _fields(narrowed: NarrowedLines) -> dict[str, Any]:
    return {name: getattr(narrowed, name) for name in narrowed.__dataclass_fields__}


# (name of its columns and address, collection whose read permission it asks for, rows); `city`: of no incident.
@dataclass(frozen=True, slots=True)
class Listed:
    name: str
    collection: str
    rows: Callable[[Any], Iterable[Row]]
    city: bool = False


LISTS = (
    Listed("damage-reports", "damage-reports", every("damage-reports", damage_reports.where_here)),
    Listed("instructions", "instructions", _instructions),
    Listed("shelters", "shelters", _shelters),
    Listed("chronicle", "chronicle", _chronicle),
    Listed("chat-messages", "chat-messages", _messages),
    Listed("bulletins", "bulletins", _bulletins),
    Listed("hq-meetings", "hq-meetings", _meetings),
    Listed("sealed-reads", "sealed-reads", _sealed_reads),
    Listed("incidents", "incidents", _incidents, city=True),
    Listed("users", "accounts", lambda _: users.listed(shell.db()), city=True),
)


def register_tables(app: Flask) -> None:
    """Two addresses a list, each marked with the permission of the list."""
    pages = Blueprint("tables", __name__)
    for one in LISTS:
        for form in MEDIA:
            rule = f"{'' if one.city else '/incidents/<uuid:incident_id>'}/tables/{one.name}.{form}"
            view = permission(one.collection, "read")(_view(one, form))
            pages.add_url_rule(rule, f"{one.name.replace('-', '_')}_{form}", view)
    app.register_blueprint(pages)


def _view(listed: Listed, form: str) -> Callable[..., Response]:
    return lambda incident_id=None: _answer(listed, form, incident_id)


def _answer(listed: Listed, form: str, incident_id: uuid.UUID | None = None) -> Response:
    incident = shell.incident_here(incident_id) if incident_id is not None else None
    columns = [_Column(name, *told) for name, told in catalog.columns(listed.name).items()]
    head, tail = [column.word for column in columns], _incident_cells(incident)
    rows = (_cells(columns, one) + [cell for _, cell in tail] for one in listed.rows(incident))
    head += [word for word, _ in tail]
    if form == "csv":
        lines = spreadsheet.csv_lines(head, rows)
        body: Any = stream_with_context(line.encode("utf-8", "replace") for line in lines)
    else:
        found = list(itertools.islice(rows, WORKBOOK_ROWS_MAX + 1))
        if len(found) > WORKBOOK_ROWS_MAX:
            hint = "Narrow the list, or take the CSV."
            raise TooLarge("too_many_rows", f"More than {WORKBOOK_ROWS_MAX} rows do not go into one workbook.", hint)
        body = in_native_thread(partial(spreadsheet.xlsx, head, found))
    return _file(listed, form, body, incident)


def _file(listed: Listed, form: str, body: Any, incident: Record | None) -> Response:
    """A name without words of the incident: a browser keeps the names of what it has fetched."""
    now = datetime.fromtimestamp(shell.node().clock() / 1000, shell.JST)
    mode = f"{incident['mode']}-" if incident is not None and incident["mode"] != "real" else ""
    answer = Response(body, content_type=MEDIA[form])
    name = f"{mode}{listed.name}-{now:%Y%m%d-%H%M}.{form}"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _incident_cells(incident: Record | None) -> list[tuple[str, Cell]]:
    if incident is None:
        return []
    words = catalog.columns("words")
    return [
        (_in_language(words["incident"]), incident["name"]),
        (_in_language(words["mode"]), shell.word(incident["mode"], "incident_modes")),
    ]


def _in_language(told: Sequence[str]) -> str:
    return told[1] if is_english() else told[0]


class _Column:
    """One column: its heading, and how a value of it is said."""

    def __init__(self, name: str, japanese: str, english: str, how: str = "") -> None:
        self.word = _in_language((japanese, english))
        how = how or ("time" if name.endswith("_at") else "")
        kind, _, of = how.partition(":")
        self.field = of or name
        self._say = self._of(kind)

    def cell(self, value: Any) -> Cell:
        return None if value is None else self._say(value)

    def _of(self, how: str) -> Callable[[Any], Cell]:
        names = shell.names_here()
        if how in catalog.TABLES:
            known = {item.code: shell.word(item.code, how) for item in catalog.table(how)}
            return lambda code: known.get(code, code)
        if how == "lat":
            return lambda at: at[1]
        if how == "lon":
            return lambda at: at[0]
        by_name: dict[str, Callable[[Any], Cell]] = {
            "time": lambda ms: datetime.fromtimestamp(ms // 1000, shell.JST).isoformat(" ")[:19],
            "user": names.user,
            "team": names.team,
            "node": names.label,
            "count": len,
        }
        return by_name.get(how) or partial(_plain, _yes_no())


def _yes_no() -> tuple[str, str]:
    words = catalog.columns("words")
    return _in_language(words["yes"]), _in_language(words["no"])


def _plain(yes_no: tuple[str, str], value: Any) -> Cell:
    if isinstance(value, bool):
        return yes_no[0] if value else yes_no[1]
    if isinstance(value, str | int | float):
        return value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return "; ".join(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _cells(columns: Sequence[_Column], one: Row) -> list[Cell]:
    if isinstance(one, Record):
        fields = one.fields
        return [column.cell(fields[f] if (f := column.field) in fields else getattr(one, f)) for column in columns]
    return [column.cell(one.get(column.field)) for column in columns]
