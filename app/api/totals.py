"""The totals of an incident, as this node knows them now."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request

from app.api import paging, wire
from app.errors import Invalid, NotFound
from app.permissions import permission
from app.queries import incidents, totals


def register(blueprint: Blueprint, node: Any) -> None:
    @permission("totals", "read")
    def shown() -> Response:
        paging.check_names(request.args, ("incident_id",))
        incident_id = paging.record_id(request.args, "incident_id")
        if incident_id is None:
            raise Invalid("required", "incident_id is needed.", "Send ?incident_id=ID.", "incident_id")
        db = node.reader()
        if incidents.get(db, incident_id) is None:
            hint = "List /api/v1/incidents."
            raise NotFound("unknown_incident", "No incident has this id.", hint, "incident_id")
        found = totals.totals(db, incident_id, node.clock())
        for name in ("as_of", "oldest_at"):
            found["people"][name] = wire.show_time(found["people"][name])
        return jsonify(found)

    blueprint.add_url_rule("/api/v1/totals", "totals", shown)
