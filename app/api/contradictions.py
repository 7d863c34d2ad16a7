"""What cannot both be so in an incident, by the rules of the catalogue, with what was set aside as known."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request

from app.api import paging, wire
from app.errors import Invalid, NotFound
from app.permissions import permission
from app.queries import contradictions, incidents
from app.queries.contradictions import Contradiction
from app.queries.row import Record


def register(blueprint: Blueprint, node: Any) -> None:
    @permission("contradictions", "read")
    def listed() -> Response:
        paging.check_names(request.args, ("incident_id",))
        incident_id = paging.record_id(request.args, "incident_id")
        if incident_id is None:
            raise Invalid("required", "incident_id is needed.", "Send ?incident_id=ID.", "incident_id")
        db = node.reader()
        if incidents.get(db, incident_id) is None:
            hint = "List /api/v1/incidents."
            raise NotFound("unknown_incident", "No incident has this id.", hint, "incident_id")
        found = contradictions.found(db, incident_id, node.clock())
        return jsonify(items=[_shown(one) for one in found])

    blueprint.add_url_rule("/api/v1/contradictions", "contradictions", listed)


def _shown(one: Contradiction) -> dict[str, Any]:
    return {
        "rule": one.rule,
        "collection": one.record.kind,
        "record_id": one.record.id,
        "against": {"collection": one.other.kind, "record_id": one.other.id} if one.other is not None else None,
        "facts": one.seen,
        "set_aside": _aside(one.aside) if one.aside is not None else None,
    }


def _aside(aside: Record) -> dict[str, Any]:
    at = wire.show_time(aside.updated_at)
    return {"id": aside.id, "because": aside["because"], "author": aside.author, "node": aside.node, "at": at}
