"""Exports of the collections: the records that the person may read, as a table for a spreadsheet.

One address for each collection and format, marked like the collection's own list: what may not be read is not exported.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from flask import Blueprint, Response, request

from app import spreadsheet
from app.api import paging, wire
from app.api.collection import Collection
from app.api.openapi import EXPORTS
from app.errors import TooLarge
from app.permissions import permission
from app.queries import exports, row
from app.threads import in_native_thread

XLSX_ROWS_MAX = 20_000  # it is held in memory; a CSV goes out page by page


def register(blueprint: Blueprint, node: Any, collections: Iterable[Collection]) -> None:
    for collection in collections:
        for form, view in (("csv", _csv), ("xlsx", _xlsx)):
            marked = permission(collection.name, "read")(_view(view, collection))
            rule = f"/api/v1/export/{collection.name}.{form}"
            blueprint.add_url_rule(rule, f"{collection.kind.table}_export_{form}", marked, methods=["GET"])


def _view(view: Any, collection: Collection) -> Any:
    return lambda: view(collection)


def _csv(collection: Collection) -> Response:
    lines = spreadsheet.csv_lines(exports.header(collection.kind), _rows(collection))
    return _file(collection, (line.encode("utf-8", "replace") for line in lines), "csv")


def _xlsx(collection: Collection) -> Response:
    if row.count(collection.node.reader(), collection.name, collection.where(request.args)) > XLSX_ROWS_MAX:
        hint = "Ask for one incident with incident_id, or for the format csv."
        raise TooLarge("too_many_rows", f"More than {XLSX_ROWS_MAX} rows do not go into one workbook.", hint)
    rows = list(_rows(collection))
    data = in_native_thread(partial(spreadsheet.xlsx, exports.header(collection.kind), rows))
    return _file(collection, data, "xlsx")


def _rows(collection: Collection) -> Any:
    own = () if collection.kind.city else ("incident_id",)
    paging.check_names(request.args, (*own, "since", *collection.parameters))
    where = collection.where(request.args)
    return exports.rows(collection.node.reader, collection.kind, where, wire.to_wire)


def _file(collection: Collection, body: Any, ending: str) -> Response:
    answer = Response(body, mimetype=EXPORTS[ending])
    answer.headers["Content-Disposition"] = f'attachment; filename="{collection.name}.{ending}"'
    answer.headers["Cache-Control"] = "no-store"
    return answer
