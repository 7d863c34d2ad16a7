"""Fields of which people know several values, with every value, its author, node and time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, g, jsonify, request

from app.api import paging, wire
from app.api.collection import scope_of
from app.permissions import permission
from app.queries import conflicts, row
from app.queries.row import Record


def register(blueprint: Blueprint, node: Any) -> None:
    @permission("conflicts", "read")
    def listed() -> Response:
        paging.check_names(request.args, ("incident_id", "limit"))
        db = node.reader()
        sight = conflicts.Sight(g.person.id, g.person.team, g.person.role)
        found = conflicts.listed(db, paging.record_id(request.args, "incident_id"), paging.limit(request.args), sight)
        incident_only = request.args.get("incident_id") is not None
        found = [record for record in found if record.incident_id is not None or not incident_only]
        return jsonify(items=[item for record in found for item in _fields(node, record)])

    blueprint.add_url_rule("/api/v1/conflicts", "conflicts", listed)


def _fields(node: Any, record: Record) -> Iterator[dict[str, Any]]:
    kind = row.kind_of(record.kind)
    for name, heads in node.heads(record.kind, scope_of(record), record.id).items():
        yield {
            "collection": record.kind,
            "record_id": record.id,
            "incident_id": record.incident_id,
            "field": name,
            "shown": wire.show(kind, name, record.fields.get(name)),
            "values": [
                {
                    "value": wire.show(kind, name, head["value"]),
                    "author": head["author"],
                    "node": head["node"],
                    "at": wire.show_time(head["at"]),
                }
                for head in heads
            ],
        }
