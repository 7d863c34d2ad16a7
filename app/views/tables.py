"""書き出し: every list as CSV or XLSX, narrowed as its page is, in its words. A new list adds one row of ``LISTS``, a
section of ``catalog/columns.toml``, and ``export("name")`` of ``_export.html`` on its page.

Before: the list's page, whose address carries what it is narrowed to. After: ``spreadsheet`` writes the rows. What a
person may not read of the list, and whatever is sealed, is in no table.
"""

from __future__ import annotations

import itertools
import json
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from flask import Blueprint, Flask, Response, stream_with_context

from app import catalog, spreadsheet
from app.errors import TooLarge
from app.permissions import permission
from app.queries import doubles, nodes, report_phrases, teams, users
from app.queries.row import Record
from app.spreadsheet import Cell
from app.threads import in_native_thread
from app.views import saying, shell, table_rows
from app.views.table_rows import Row
from app.views.translations import is_english

WORKBOOK_ROWS_MAX = 20_000  # it is held in memory; a CSV goes out as it is read
MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


# (name of its columns and address, collection whose read permission it asks for, rows); `city`: of no incident.
@dataclass(frozen=True, slots=True)
class Listed:
    name: str
    collection: str
    rows: Callable[[Any], Iterable[Row]]
    city: bool = False


LISTS = (
    Listed("damage-reports", "damage-reports", table_rows.report_rows),
    Listed("instructions", "instructions", table_rows.instruction_rows),
    Listed("shelters", "shelters", table_rows.shelter_rows),
    Listed("chronicle", "chronicle", table_rows.chronicle_rows),
    Listed("chat-messages", "chat-messages", table_rows.message_rows),
    Listed("bulletins", "bulletins", table_rows.bulletin_rows),
    Listed("hq-meetings", "hq-meetings", table_rows.meeting_rows),
    Listed("patrols", "patrols", table_rows.patrol_rows),
    Listed("patrol-points", "patrol-points", table_rows.every("patrol-points")),
    Listed("musters", "musters", table_rows.muster_rows),
    Listed("staff", "staff", table_rows.staff_rows),
    Listed("handover-notes", "handover-notes", table_rows.every("handover-notes")),
    Listed("conflicts", "conflicts", table_rows.conflict_rows),
    Listed("contradictions", "contradictions", table_rows.contradiction_rows),
    Listed("teams", "teams", lambda _: teams.listed(shell.db())),
    Listed("nodes", "nodes", lambda _: nodes.listed(shell.db()), city=True),
    Listed("sealed-reads", "sealed-reads", table_rows.sealed_read_rows),
    Listed("incidents", "incidents", table_rows.incident_rows, city=True),
    Listed("report-phrases", "report-phrases", lambda _: report_phrases.listed(shell.db()), city=True),
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
    now = datetime.fromtimestamp(shell.node().clock() / 1000, saying.JST)
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
        (_in_language(words["mode"]), saying.word(incident["mode"], "incident_modes")),
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
            known = {item.code: saying.word(item.code, how) for item in catalog.table(how)}
            return lambda code: known.get(code, code)
        if how == "lat":
            return lambda at: at[1]
        if how == "lon":
            return lambda at: at[0]
        by_name: dict[str, Callable[[Any], Cell]] = {
            "time": lambda ms: datetime.fromtimestamp(ms // 1000, saying.JST).isoformat(" ")[:19],
            "user": names.user,
            "team": names.team,
            "node": names.label,
            "report": partial(doubles.number, shell.db()),
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
