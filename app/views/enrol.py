"""The enrolment door over HTTP: the only thing that a node which is not enrolled gets. JSON in, JSON out.

No login and no CSRF token: each request carries a proof that its sender holds a one-time code.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from app.api import strict_json
from app.enrol_door import Door
from app.errors import AppError
from app.permissions import public
from app.tls import door as tls_door


def blueprint_for(door: Door) -> Blueprint:
    blueprint = Blueprint("enrol", __name__, url_prefix="/enrol/v1")

    @blueprint.get("/hello")
    @public
    def hello() -> Response:
        return jsonify(door.hello())

    @blueprint.post("/request")
    @public
    def ask() -> ResponseReturnValue:
        return _said(door.request(strict_json.read_object(request)))

    @blueprint.post("/answer")
    @public
    def answer() -> ResponseReturnValue:
        return _said(door.answer(strict_json.read_object(request)))

    @blueprint.post("/tls")
    @public
    def renew() -> Response:
        return jsonify(tls_door.renew(door.node, strict_json.read_object(request)))

    @blueprint.post("/locked")
    @public
    def locked() -> ResponseReturnValue:
        door.node.links.locked.hear(strict_json.read_object(request))
        return "", 204

    @blueprint.errorhandler(AppError)
    def refused(error: AppError) -> tuple[Response, int]:
        problem = {"title": error.code, "status": error.status, "code": error.code, "detail": error.message}
        response = jsonify({**problem, "hint": error.hint})
        response.content_type = "application/problem+json"
        return response, error.status

    return blueprint


def _said(document: dict[str, Any]) -> ResponseReturnValue:
    """202: a person at the hub has not decided yet."""
    return jsonify(document), 202 if document["state"] == "waiting" else 200
